"""What a Python zygote loads before it forks, so that no environment pays for it again."""

from __future__ import annotations

import contextlib
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
_HANDLER = """
import json
class Table:
    name = "table"
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps([event, f"{Table.name}"])}
"""
_NO_ONE = {
    "AWS_ACCESS_KEY_ID": "-",
    "AWS_SECRET_ACCESS_KEY": "-",
    "AWS_SESSION_TOKEN": "-",
    "AWS_DEFAULT_REGION": "us-east-1",
}

_PLAIN = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
    "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_ACCOUNT_ID", "AWS_CREDENTIAL_EXPIRATION",
)  # fmt: skip
_PLAIN_PREFIXES = ("AWS_LAMBDA_", "AWS_ENDPOINT_URL", "AWS_XRAY_", "AWS_CONTAINER_")
"""Variables that boto3 reads at each use. Any other AWS_ variable may be one that was read when the
prepared session was made, so a function that sets one is given no prepared session."""

_NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
"""While sessions are prepared: the settings of whoever runs the cloud are none of a function's."""

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
    os.environ.update(_NO_FILES)
    if not _kept:
        _kept["loader"] = botocore.session.get_session().get_component("data_loader")
    known = set(_new_session().get_available_services())
    for service in services or [FIRST_SERVICE]:
        if service in known and service not in _loaded and len(_loaded) < SERVICES_MAX:
            _loaded.append(service)
            for _ in range(1 if services else _ROUNDS):
                _make_client(_new_session(), service)
                gc.collect()
                gc.freeze()  # What stays is not looked at again in the next round.
    _kept["spare"] = _new_session()
    _kept["session"] = _new_session()
    boto3.DEFAULT_SESSION = None
    for name in _NO_FILES:
        del os.environ[name]


def _new_session() -> Any:
    import boto3
    import botocore.session

    core = botocore.session.get_session()
    core.register_component("data_loader", _kept["loader"])
    session = boto3.Session(botocore_session=core)
    paths = _kept["loader"].search_paths
    paths[:] = list(dict.fromkeys(paths))
    core.get_component("credential_provider")
    core.full_config  # noqa: B018  Read now, and found empty: a function has no home folder.
    with contextlib.suppress(AttributeError, ValueError):
        core._get_internal_component("endpoint_resolver")
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
    """Compile a handler and make a client, and drop both, before anyone waits for it.

    The pages that this writes to are then this process's own, and no fault will be taken for them.
    """
    exec(compile(_HANDLER, "handler", "exec"), {})
    if _loaded:
        _make_client(_kept.pop("spare"), _loaded[0])
        gc.collect()


def open_session() -> None:
    """Give boto3 a default session that knows the loaded models and nothing else.

    Credentials and region are read from this process's variables at first use.
    """
    special = [
        name
        for name in os.environ
        if name.startswith("AWS_") and name not in _PLAIN and not name.startswith(_PLAIN_PREFIXES)
    ]
    if _kept and not special:
        import boto3

        boto3.DEFAULT_SESSION = _kept.pop("session")


def loaded_services() -> list[str]:
    """Names of the service models that this process has loaded beyond the zygote's."""
    if not _kept:
        return []
    keys = list(getattr(_kept["loader"], "_cache", {}))
    names = {key[1] for key in keys if key[:1] == ("load_service_model",) and len(key) > 1}
    return sorted(names - set(_loaded))
