"""Addresses and headers of requests to backends, from what mappings give. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlencode, urlsplit

from cumulet.services.apigateway.pipeline.faults import bad_request, configuration_error
from cumulet.services.apigateway.pipeline.integrations.outbound import Target

Values = Mapping[str, str | list[str]]

_FORBIDDEN = frozenset(
    {"content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"}
)
"""Headers that no mapping may set; AWS answers with a server error."""

_FORBIDDEN_TO_FUNCTIONS = _FORBIDDEN | {
    *("authorization", "connection", "expect", "proxy-authenticate", "te"),
}
_DROPPED = frozenset({"connection", "expect", "proxy-authenticate", "te", "via"})
"""Headers that mappings may set and HTTP backends do not get."""

_PATH_SAFE = "/:@!$&'()*+,;=-._~%"


def single(value: str | list[str]) -> str:
    """Values of one name as one."""
    return value if isinstance(value, str) else ",".join(value)


def pairs_of(values: Values) -> Iterable[tuple[str, str]]:
    """Each value with its name."""
    for name, value in values.items():
        for text in [value] if isinstance(value, str) else value:
            yield name, text


def checked_headers(headers: Values) -> list[tuple[str, str]]:
    """The headers that mappings give. Raises GatewayFault for those that they may not."""
    for name in headers:
        if name.lower() in _FORBIDDEN:
            raise configuration_error(f"a mapping may not set the header {name}")
    return [pair for pair in pairs_of(headers) if pair[0].lower() not in _DROPPED]


def check_function_headers(headers: Iterable[str]) -> None:
    """Raise GatewayFault when a mapping sets a header that no invocation of a function may have."""
    for name in headers:
        if name.lower() in _FORBIDDEN_TO_FUNCTIONS:
            raise configuration_error(f"a mapping may not set the header {name}")


def filled(uri: str, path: Mapping[str, str]) -> str:
    """The URI with its path parameters filled in. Raises GatewayFault.

    What is filled in may not climb out of its place: `.` and `..` are refused.
    """
    for name, value in path.items():
        for mark in (f"{{{name}}}", f"{{{name}+}}"):
            if mark not in uri:
                continue
            if any(part.lower().replace("%2e", ".") in (".", "..") for part in value.split("/")):
                raise bad_request(cause="a path parameter has dot segments")
            uri = uri.replace(mark, quote(value, safe=_PATH_SAFE))
    return uri


def target_of(uri: str, path: Mapping[str, str], query: list[tuple[str, str]]) -> Target:
    """Where an HTTP backend's request goes. Raises GatewayFault.

    A request cannot choose the host: only what comes behind it is filled in.
    """
    scheme, mark, rest = uri.partition("://")
    authority, slash, below = rest.partition("/")
    uri = f"{scheme}{mark}{authority}{filled(slash + below, path)}"
    parts = urlsplit(uri)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as cause:
        raise configuration_error(f"{uri!r} has no valid port") from cause
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise configuration_error(f"{uri!r} is no HTTP address")
    text = "&".join(piece for piece in (parts.query, urlencode(query)) if piece)
    return Target(
        host=parts.hostname,
        port=port,
        authority=parts.netloc.rpartition("@")[2],
        is_tls=parts.scheme == "https",
        address=(parts.path or "/") + (f"?{text}" if text else ""),
    )
