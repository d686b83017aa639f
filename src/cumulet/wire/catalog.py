"""Finds service models in the installed botocore, strips them and keeps them in a compact cache.

botocore itself is never imported here: its data files are read where they lie.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import json
import os
import re
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from cumulet.wire.model import OperationModel, Raw, ServiceModel, Shape
from cumulet.wire.sqs_query import with_query_metadata, with_query_names

__all__ = ["Catalog", "OperationModel", "ServiceModel", "Shape"]

HEAD_BYTES = 8192
"""How much of a model is inflated to find its metadata, which comes first."""

_CACHE_FORM = 3
"""Raised when what is stripped or added changes, so that older caches are not read."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_VERSION = re.compile(r"^__version__ = '([^']+)'", re.MULTILINE)
_DROPPED = frozenset(
    ("documentation", "documentationUrl", "deprecatedMessage", "deprecatedSince", "contextParam")
)


_FOLDERS = {
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "email": "ses",
    "execute-api": "apigatewaymanagementapi",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
"""Signing names → folders, where they differ: how a service that is not served is refused."""


class Catalog:
    """The models of the services that are served, each read when first needed.

    `cache_folder` is made when missing; a cache that cannot be read or written only costs time.
    """

    def __init__(self, cache_folder: Path, services: Iterable[str] = ()) -> None:
        self._cache_folder = cache_folder
        package = _botocore_folder()
        self._data = package / "data"
        found = _VERSION.search((package / "__init__.py").read_text())
        self.version = found.group(1) if found else "unknown"
        self._services: dict[str, ServiceModel] = {}
        self.services = tuple(services)

    def service(self, name: str) -> ServiceModel:
        """The model of a service, by botocore's folder name, or by its signing name where that is
        another. Raises KeyError when there is none.
        """
        name = _FOLDERS.get(name, name)
        found = self._services.get(name)
        if found is None:
            path = self._path(name)
            load = partial(self._load, name, path)
            metadata = _head(path) or load()["metadata"]
            if name == "sqs":
                metadata = with_query_metadata(metadata)
            found = ServiceModel(name, metadata, load)
            self._services[name] = found
        return found

    def knows(self, name: str) -> bool:
        """Whether botocore has a model of that name."""
        folder = self._data / _FOLDERS.get(name, name)
        return _NAME.match(name) is not None and folder.is_dir()

    def _path(self, name: str) -> Path:
        versions = (
            sorted((self._data / name).glob("*/service-2.json.gz")) if _NAME.match(name) else []
        )
        if not versions:
            raise KeyError(name)
        return versions[-1]

    def _load(self, name: str, path: Path) -> Raw:
        cached = self._cache_folder / f"{name}-{self.version}-{_CACHE_FORM}.json"
        with contextlib.suppress(OSError, ValueError):
            raw: Raw = orjson.loads(cached.read_bytes())
            if isinstance(raw, dict) and raw.keys() >= {"metadata", "operations", "shapes"}:
                return raw
        raw = _strip(orjson.loads(gzip.decompress(path.read_bytes())))
        if name == "sqs":
            raw = with_query_names(raw)
        with contextlib.suppress(OSError):
            self._keep(cached, orjson.dumps(raw))
        return raw

    def _keep(self, cached: Path, content: bytes) -> None:
        self._cache_folder.mkdir(parents=True, exist_ok=True)
        draft = cached.with_suffix(f".{os.getpid()}.tmp")
        draft.write_bytes(content)
        draft.replace(cached)


def _botocore_folder() -> Path:
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        raise RuntimeError("botocore is not installed: its service models are needed")
    return Path(spec.origin).parent


def _head(path: Path) -> Raw | None:
    """The metadata of a model from its first bytes, or None when it is further down."""
    with path.open("rb") as file:
        text = (
            zlib.decompressobj(31)
            .decompress(file.read(HEAD_BYTES), HEAD_BYTES)
            .decode(errors="replace")
        )
    start = text.find('"metadata":')
    with contextlib.suppress(ValueError):
        found, _ = json.JSONDecoder().raw_decode(text, start + len('"metadata":'))
        if start >= 0 and isinstance(found, dict) and "apiVersion" in found:
            return found
    return None


def _strip(value: Any) -> Any:
    """The model without its prose. A member may itself be named `documentation`: it is kept."""
    if isinstance(value, dict):
        return {
            key: _strip(item)
            for key, item in value.items()
            if not (key in _DROPPED and not (isinstance(item, dict) and "shape" in item))
        }
    if isinstance(value, list):
        return [_strip(item) for item in value]
    return value
