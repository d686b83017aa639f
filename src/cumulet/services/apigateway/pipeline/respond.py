"""Last step: the answer as the client gets it, and the gateway's own answers."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from cumulet.core.http import Request, Response
from cumulet.services.apigateway.limits import BODY_BYTES_MAX
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import GatewayFault, malformed_answer
from cumulet.services.apigateway.pipeline.match import Arrival
from cumulet.services.apigateway.pipeline.observe.context import context_of
from cumulet.services.apigateway.pipeline.observe.formats import text_of, value_of
from cumulet.services.apigateway.pipeline.observe.prepared import Substitution
from cumulet.services.apigateway.pipeline.served import ServedStage
from cumulet.services.apigateway.rules.mapping import Source

_REMAPPED = frozenset({"connection", "content-length", "date", "server"})
_REMAPPED_UNLESS_PROXY = _REMAPPED | {
    *("authorization", "content-md5", "expect", "host", "max-forwards", "proxy-authenticate"),
    *("trailer", "upgrade", "user-agent", "www-authenticate"),
}
"""Headers that a backend may not set itself: they come with `x-amzn-Remapped-` before them.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""

_DROPPED = frozenset({"transfer-encoding", "keep-alive"})
_DROPPED_HTTP_PROXY = _DROPPED | {"content-encoding", "via"}

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_GATEWAYS_OWN = frozenset({"x-amzn-requestid", "x-amz-apigw-id", "x-amzn-errortype"})
_LEVEL = 6


def respond(exchange: Exchange) -> Response:
    """The answer with API Gateway's headers. Raises GatewayFault for one that cannot be sent."""
    matched = exchange.matched
    kind = matched.method.kind
    remapped = _REMAPPED if kind in ("AWS_PROXY", "HTTP_PROXY") else _REMAPPED_UNLESS_PROXY
    dropped = _DROPPED_HTTP_PROXY if kind == "HTTP_PROXY" else _DROPPED
    arrival = matched.arrival
    headers = [("x-amzn-RequestId", arrival.request_id), ("x-amz-apigw-id", arrival.extended_id)]
    has_type = False
    for name, value in exchange.headers:
        lowered = name.lower()
        if not _NAME.match(name) or _BAD_VALUE.search(value):
            raise malformed_answer(f"the header {name!r} cannot be sent")
        if lowered in dropped:
            continue
        if lowered in remapped or lowered in _GATEWAYS_OWN:
            name = f"x-amzn-Remapped-{name}"
        has_type = has_type or lowered == "content-type"
        headers.append((name, value))
    if exchange.shows_trace:
        headers.append(("X-Amzn-Trace-Id", arrival.trace_header))
    if not has_type:
        headers.append(("Content-Type", "application/json"))
    if not 100 < exchange.status < 600:
        raise malformed_answer(f"{exchange.status} is no status code")
    body = exchange.body
    if not isinstance(body, bytes):
        return Response(exchange.status, headers, body)
    if len(body) > BODY_BYTES_MAX:
        raise malformed_answer("the answer is longer than 10 MB")
    least = matched.stage.compression_bytes_min
    if least is not None and len(body) >= least:
        body = _compress(arrival.request, headers, body)
    return Response(exchange.status, headers, body)


def _compress(request: Request, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """The body as the client asks for it, when the API compresses and the backend has not.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
    """
    if not body or any(name.lower() == "content-encoding" for name, _ in headers):
        return body
    accepted = request.headers.get("accept-encoding").lower()
    if "gzip" in accepted:
        headers.append(("Content-Encoding", "gzip"))
        return gzip.compress(body, _LEVEL, mtime=0)
    if "deflate" in accepted:
        headers.append(("Content-Encoding", "deflate"))
        return zlib.compress(body, _LEVEL)
    return body


def respond_fault(fault: GatewayFault, request_id: str, extended_id: str) -> Response:
    """A gateway response, with AWS's headers."""
    headers = [
        ("x-amzn-RequestId", request_id),
        ("x-amzn-ErrorType", fault.error_type),
        ("x-amz-apigw-id", extended_id),
        ("Content-Type", "application/json"),
    ]
    body = json.dumps({fault.member: fault.message}, separators=(",", ":"), ensure_ascii=False)
    return Response(fault.status, headers, body.encode())


def refuse(fault: GatewayFault, arrival: Arrival, stage: ServedStage) -> Response:
    """A gateway response as the API has it: the type's own, its fallback's, or the usual one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
    """
    prepared = stage.responses
    fallback = "DEFAULT_5XX" if fault.status >= 500 else "DEFAULT_4XX"
    given = prepared.get(fault.kind) or prepared.get(fallback) if prepared else None
    usual = respond_fault(fault, arrival.request_id, arrival.extended_id)
    if given is None:
        return usual
    values = context_of(stage, arrival)

    def look_up(source: str, name: str) -> str | None:
        return _known(source, name, values, arrival, stage)

    headers = [pair for pair in usual.headers if pair[0] != "Content-Type"]
    for name, source in given.headers:
        value = _value(source, look_up)
        if value is not None and _NAME.match(name) and not _BAD_VALUE.search(value):
            headers = [pair for pair in headers if pair[0].lower() != name.lower()]
            headers.append((name, value))
    kind, body = "application/json", b""
    template = _template(given.templates, arrival.request.headers.get("accept"))
    if template is not None:
        kind, write = template
        body = write(look_up).encode("utf-8", "replace")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", kind))
    return Response(given.status or fault.status, headers, body)


_SOURCES = {"context": "context", "stage": "stageVariables"}


def _value(source: Source, look_up: Callable[[str, str], str | None]) -> str | None:
    if source.kind == "static":
        return source.name
    return look_up(_SOURCES.get(source.kind) or f"method.request.{source.place}", source.name)


def _known(
    source: str, name: str, values: Mapping[str, Any], arrival: Arrival, stage: ServedStage
) -> str | None:
    if source == "context":
        found = value_of(values, name)
        return None if found is None else text_of(found)
    if source == "stageVariables":
        return (stage.variables or {}).get(name)
    if source.endswith("header"):
        return arrival.request.headers.get(name.lower()) or None
    if source.endswith("path"):
        matched = arrival.journal.matched
        return None if matched is None else (matched.path_parameters or {}).get(name)
    pairs = parse_qsl(arrival.request.query, keep_blank_values=True, errors="replace")
    return dict(pairs).get(name)


def _template(
    templates: Mapping[str, Substitution], accept: str
) -> tuple[str, Substitution] | None:
    """The template for what the client takes first, else the one for JSON, else the first."""
    for kind in (accept.partition(",")[0].partition(";")[0].strip().lower(), "application/json"):
        if kind in templates:
            return kind, templates[kind]
    return next(iter(templates.items()), None)
