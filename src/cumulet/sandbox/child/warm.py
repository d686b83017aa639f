"""What a Python zygote loads before it forks, so that no environment pays for it again."""

from __future__ import annotations

import os

_STANDARD = (
    "base64", "collections", "concurrent.futures", "contextlib", "copy", "csv", "dataclasses",
    "datetime", "decimal", "email.message", "enum", "functools", "hashlib", "hmac",
    "html", "http.client", "importlib.util", "inspect", "io", "itertools", "json", "logging",
    "math", "operator", "pathlib", "random", "re", "ssl", "string", "struct", "tempfile",
    "textwrap", "threading", "time", "traceback", "typing", "urllib.parse", "urllib.request",
    "uuid", "zlib",
)  # fmt: skip
_OURS = ("python_loop", "python_handler", "python_context", "python_log")
SERVICES_MAX = 24
"""Service models a zygote keeps; each costs between 0.5 and 5 MB, shared by its environments."""

_loaded: list = []


def preload(services: list) -> None:
    """Import what handlers import, boto3's machinery included, and the given service models.

    The models are kept by boto3's default session, which every environment inherits; it holds no
    credentials and no region: those are read from the environment's own variables at first use.
    """
    import importlib

    for name in _STANDARD:
        importlib.import_module(name)
    for name in _OURS:
        importlib.import_module("cumulet.sandbox.child." + name)
    try:
        import boto3
    except ImportError:
        return
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    known = set(boto3._get_default_session().get_available_services())
    for service in services or ["dynamodb"]:
        if service in known and service not in _loaded and len(_loaded) < SERVICES_MAX:
            _loaded.append(service)
            boto3.client(
                service, region_name="us-east-1", aws_access_key_id="-", aws_secret_access_key="-"
            )
    del os.environ["AWS_EC2_METADATA_DISABLED"]


def loaded_services() -> list:
    """Names of the service models that the default session has loaded in this process."""
    import sys

    boto3 = sys.modules.get("boto3")
    session = getattr(boto3, "DEFAULT_SESSION", None)
    if session is None:
        return []
    loader = session._session.get_component("data_loader")
    keys = list(getattr(loader, "_cache", {}))
    return sorted({key[1] for key in keys if key[:1] == ("load_service_model",) and len(key) > 1})
