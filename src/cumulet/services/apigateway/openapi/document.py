"""Reading an OpenAPI document: JSON or YAML, its version, its references and its base path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import yaml

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.limits import DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_NODES_MAX = 1_000_000
"""Values of one document, counted as often as YAML's aliases repeat them."""


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: a date is a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Document:
    """A parsed document. `is_swagger` tells version 2 from 3."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.is_swagger = "swagger" in root

    def resolve(self, value: Any) -> dict[str, Any]:
        """The object that stands here, or that `$ref` leads to. Raises BadRequestException."""
        for _ in range(DOCUMENT_DEPTH_MAX):
            if not isinstance(value, dict):
                raise _bad()
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            value = self._follow(reference)
        raise _bad()

    def _follow(self, reference: str) -> Any:
        place: Any = self.root
        if not reference.startswith("#/"):
            raise BadRequestException(f"Invalid OpenAPI input: unknown reference {reference}")
        for part in reference[2:].split("/"):
            part = unquote(part).replace("~1", "/").replace("~0", "~")
            if not isinstance(place, dict) or part not in place:
                raise BadRequestException(f"Invalid OpenAPI input: unknown reference {reference}")
            place = place[part]
        return place

    def part(self, *names: str) -> dict[str, Any]:
        """An object of the document by its way from the root; empty when it is not there."""
        place: Any = self.root
        for name in names:
            place = place.get(name) if isinstance(place, dict) else None
        return place if isinstance(place, dict) else {}

    @property
    def schemas(self) -> dict[str, Any]:
        """The named schemas."""
        return self.part("definitions") if self.is_swagger else self.part("components", "schemas")

    @property
    def security_schemes(self) -> dict[str, Any]:
        """The named security schemes."""
        if self.is_swagger:
            return self.part("securityDefinitions")
        return self.part("components", "securitySchemes")

    @property
    def server(self) -> dict[str, Any]:
        """The first server of version 3, or an empty object."""
        servers = self.root.get("servers")
        first = servers[0] if isinstance(servers, list) and servers else {}
        return first if isinstance(first, dict) else {}

    def base_path(self) -> str:
        """The path before all paths, `/` alone for none."""
        if self.is_swagger:
            text = str(self.root.get("basePath") or "/")
        else:
            text = str(self.server.get("url") or "/")
            variables = self.server.get("variables") or {}
            for name, variable in variables.items() if isinstance(variables, dict) else ():
                default = variable.get("default", "") if isinstance(variable, dict) else ""
                text = text.replace(f"{{{name}}}", str(default))
            text = urlsplit(text).path or "/"
        return "/" + text.strip("/")


def parse_document(body: bytes) -> Document:
    """Read a document. Raises BadRequestException."""
    if len(body) > DOCUMENT_BYTES_MAX:
        raise BadRequestException(f"The document is larger than {DOCUMENT_BYTES_MAX} bytes.")
    try:
        root = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            root = yaml.load(body, Loader=_Loader)
        except (yaml.YAMLError, RecursionError, UnicodeError, ValueError) as cause:
            raise _bad() from cause
    root = _plain(root, DOCUMENT_DEPTH_MAX, [_NODES_MAX])
    if not isinstance(root, dict):
        raise _bad()
    version = str(root.get("swagger") or root.get("openapi") or "")
    if not version.startswith(("2.", "3.")):
        raise _bad()
    return Document(root)


def _bad() -> BadRequestException:
    return BadRequestException("Invalid OpenAPI input.")


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    """The value with text for keys, as JSON has; bounded in depth and number."""
    left[0] -= 1
    if depth < 0 or left[0] < 0:
        raise _bad()
    if isinstance(value, dict):
        return {_key(key): _plain(item, depth - 1, left) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth - 1, left) for item in value]
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    raise _bad()


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


def place_paths(document: Document, mode: str) -> dict[str, dict[str, Any]]:
    """The path items by full path. `mode` says what becomes of the base path.

    `ignore` leaves it out, `prepend` puts it before each path, `split` does so without its first
    part: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html
    """
    if mode not in ("ignore", "prepend", "split"):
        raise BadRequestException(
            "Invalid basepath parameter specified. Valid options are ignore, prepend, split"
        )
    base = document.base_path()
    if mode == "ignore":
        base = ""
    elif mode == "split":
        base = "/" + base[1:].partition("/")[2]
    base = base.rstrip("/")
    placed: dict[str, dict[str, Any]] = {}
    for path, item in document.part("paths").items():
        if not path.startswith("/"):
            continue
        placed["/" + (base + path).strip("/")] = document.resolve(item)
    return placed


def text_map(value: Any) -> Mapping[str, str] | None:
    """A map of texts, with numbers and truth values written out; None for anything else."""
    if not isinstance(value, dict):
        return None
    return {key: _text(item) for key, item in value.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
