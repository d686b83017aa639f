"""What a Python zygote loads before it forks, so that no environment pays for it again."""

from __future__ import annotations

import gc
import importlib
import os
from typing import Any

_STANDARD = (
    "base64", "collections", "concurrent.futures", "contextlib", "copy", "csv", "dataclasses",
    "datetime", "decimal", "email.message", "enum", "functools", "hashlib", "hmac",
    "html", "http.client", "importlib.util", "inspect", "io", "itertools", "json", "logging",
    "math", "operator", "pathlib", "random", "re", "ssl", "string", "struct", "tempfile",
    "textwrap", "threading", "time", "traceback", "typing", "urllib.parse", "urllib.request",
    "uuid", "zlib",
)  # fmt: skip
SERVICES_MAX = 24
"""Service models a zygote keeps; each costs between 0.5 and 5 MB, shared by its environments."""
FIRST_SERVICE = "dynamodb"
_ROUNDS = 24
"""Clients made at the start: by then the interpreter has specialised the code that makes them, and
no longer writes to its pages, which environments share."""
_NO_ONE = {
    "AWS_ACCESS_KEY_ID": "-",
    "AWS_SECRET_ACCESS_KEY": "-",
    "AWS_SESSION_TOKEN": "-",
    "AWS_DEFAULT_REGION": "us-east-1",
}

_loaded: list[str] = []
_kept: dict[str, Any] = {}
"""`loader`: of service models, shared by all; `session` and `spare`: sessions that are ready to be
used once, with handlers registered and nothing yet read from variables or files."""


def preload(services: list[str]) -> None:
    """Import what handlers import, boto3's machinery included, and the given service models."""
    for name in _STANDARD:
        importlib.import_module(name)
    try:
        import boto3
        import botocore.session
    except ImportError:
        return
    if not _kept:
        _kept["loader"] = botocore.session.get_session().get_component("data_loader")
    known = set(_new_session().get_available_services())
    for service in services or [FIRST_SERVICE]:
        if service in known and service not in _loaded and len(_loaded) < SERVICES_MAX:
            _loaded.append(service)
            for _ in range(1 if services else _ROUNDS):
                _make_client(_new_session(), service)
                gc.collect()
    _kept["spare"] = _new_session()
    _kept["session"] = _new_session()
    boto3.DEFAULT_SESSION = None


def _new_session() -> Any:
    import boto3
    import botocore.session

    core = botocore.session.get_session()
    core.register_component("data_loader", _kept["loader"])
    session = boto3.Session(botocore_session=core)
    paths = _kept["loader"].search_paths
    paths[:] = list(dict.fromkeys(paths))
    return session


def _make_client(session: Any, service: str) -> None:
    """Make and drop a client just as a handler would."""
    os.environ.update(_NO_ONE)
    try:
        session.client(service)
    finally:
        for name in _NO_ONE:
            del os.environ[name]


def touch() -> None:
    """Make and drop a client, so that its pages are this process's own before they are needed."""
    if _loaded:
        _make_client(_kept.pop("spare"), _loaded[0])
        gc.collect()


def open_session() -> None:
    """Give boto3 a default session that knows the loaded models and nothing else.

    Credentials, region and settings are read from this process's variables at first use. A
    function that names its own folder of models has its own loader.
    """
    if _kept and "AWS_DATA_PATH" not in os.environ:
        import boto3

        boto3.DEFAULT_SESSION = _kept.pop("session")


def loaded_services() -> list[str]:
    """Names of the service models that this process has loaded beyond the zygote's."""
    if not _kept:
        return []
    keys = list(getattr(_kept["loader"], "_cache", {}))
    names = {key[1] for key in keys if key[:1] == ("load_service_model",) and len(key) > 1}
    return sorted(names - set(_loaded))
