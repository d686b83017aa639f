"""What a custom domain, and a base path of it, may be. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cumulet.kit.tls.hosts import OwnNames
from cumulet.services.apigateway.admission.domains.limits import MAPPING_KEY_LENGTH_MAX
from cumulet.services.apigateway.admission.domains.model import ApiMapping, DomainName
from cumulet.services.apigateway.errors import BadRequestException, not_yet

EMPTY_PATH = "(none)"
"""How v1 names the base path that is empty, and the stage that is not set."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?\Z")
_NAME_LENGTH_MAX = 253
_KEY = re.compile(r"[A-Za-z0-9._$+!*'()\-/]*\Z")
_LOCAL_FRONTS = ("s3", "execute-api", "lambda-url")
_CLOUD_NAMES = ("amazonaws.com", "on.aws", "cloudfront.net")


def check_name(name: str, own: OwnNames) -> None:
    """Raise BadRequestException unless users may have this name, given in lower case.

    The server's own names would take its other callers away from it.
    """
    if len(name) > _NAME_LENGTH_MAX or not _NAME.match(name):
        raise BadRequestException(f"Invalid domain name specified: {name}")
    labels = name.split(".")
    fronts = any(label in _LOCAL_FRONTS or label.startswith("s3-") for label in labels)
    clouds = any(name == one or name.endswith(f".{one}") for one in _CLOUD_NAMES)
    mine = any(_would_take(name, one) for one in own.names)
    if fronts or clouds or mine:
        raise BadRequestException(f"The domain name {name} is reserved.")


def _would_take(name: str, own: str) -> bool:
    if name == own:
        return True
    return name.startswith("*.") and own.partition(".")[2] == name[2:]


def check_endpoint_type(kind: str) -> None:
    """Raise BadRequestException unless a domain may have this endpoint type."""
    if kind == "PRIVATE":
        raise not_yet("Private custom domain names are")
    if kind not in ("REGIONAL", "EDGE"):
        raise BadRequestException(
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"
        )


def check_security_policy(policy: str) -> None:
    """Raise BadRequestException unless the policy is the one that is served: TLS 1.2 and 1.3."""
    if policy != "TLS_1_2":
        raise not_yet(f"The security policy {policy} is")


def check_ip_address_type(kind: str) -> None:
    """Raise BadRequestException unless it is one of the two."""
    if kind not in ("ipv4", "dualstack"):
        raise BadRequestException("ipAddressType must be either ipv4 or dualstack.")


def check_protocols(domain: DomainName, mappings: Iterable[ApiMapping]) -> None:
    """Raise BadRequestException unless the domain can lead to APIs of these kinds."""
    protocols = {mapping.protocol for mapping in mappings}
    if domain.mutual_tls is not None and "WEBSOCKET" in protocols:
        raise BadRequestException("Mutual TLS is not supported for WebSocket APIs.")
    if domain.endpoint_type != "REGIONAL" and protocols - {"REST"}:
        raise BadRequestException(
            "Only REST APIs can be mapped to a domain name with endpoint type EDGE."
        )


def parse_base_path(given: str | None) -> str:
    """A base path of v1 as a key: one segment at most. Raises BadRequestException."""
    if given in (None, "", EMPTY_PATH):
        return ""
    assert given is not None
    if "/" in given:
        raise BadRequestException(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. "
            "To create a multi-level base path mapping, use API Gateway V2."
        )
    return _key(given)


def parse_mapping_key(given: str | None) -> str:
    """A mapping key of v2, of one or several levels. Raises BadRequestException."""
    if not given:
        return ""
    if given.startswith("/") or given.endswith("/") or "//" in given:
        raise BadRequestException(
            "API mapping key should not start with a '/' or have consecutive '/'s."
        )
    return _key(given)


def _key(given: str) -> str:
    if len(given) > MAPPING_KEY_LENGTH_MAX or not _KEY.match(given):
        raise BadRequestException(
            "Base path must be at most "
            f"{MAPPING_KEY_LENGTH_MAX} characters out of letters, digits and $-_.+!*'()"
        )
    return given


def shown_base_path(key: str) -> str:
    """A key as v1 names it."""
    return key or EMPTY_PATH
