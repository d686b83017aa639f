"""A request's event as spans, in the names of OpenTelemetry's semantic conventions. Pure.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/
https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/
https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cumulet.app.telemetry.limits import ATTRIBUTE_CHARACTERS_MAX, ATTRIBUTES_MAX
from cumulet.app.telemetry.otlp.messages import Message
from cumulet.core.trace import Trace

INTERNAL, SERVER, CLIENT = 1, 2, 3
_ERROR = 2
_SAMPLED = 1

_XRAY = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})\Z")
_SPAN_ID = re.compile(r"[0-9a-f]{16}\Z")
_NAMES = {
    "service": "rpc.service",
    "operation": "rpc.method",
    "account": "cloud.account.id",
    "region": "cloud.region",
    "caller": "enduser.id",
    "request_id": "aws.request_id",
}
"""Fields of the event that the conventions have a name for; others are told below `cumulet.`."""
_NEXT = 0x9E37_79B9_7F4A_7C15
"""Odd, so that its multiples go through all ids of 64 bits before one comes again."""


def trace_id_of(text: str) -> bytes:
    """X-Ray's trace id as OpenTelemetry writes it; one of another form by its digest.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """
    found = _XRAY.match(text)
    if found is not None and (digits := found[1] + found[2]).strip("0"):
        return bytes.fromhex(digits)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def is_sampled(trace_id: bytes, ratio: float) -> bool:
    """Whether a trace is of the share that is told: the same everywhere, as its id decides.

    https://opentelemetry.io/docs/specs/otel/trace/sdk/#traceidratiobased
    """
    return int.from_bytes(trace_id[8:]) < ratio * (1 << 64)


def spans_of(trace: Trace) -> list[Message]:
    """The spans of a request that was answered: its own, then those within it."""
    answer = trace.answer
    assert answer is not None
    trace_id = trace_id_of(trace.trace_id)
    # Half of a random request id; the variant in it makes sure that it is not zero.
    own = int(trace.request_id.replace("-", "")[16:32] or "0", 16) or 1
    began_ns = int((trace.opened or 0.0) * 1e9)
    length_ns = int((answer.ended - trace.started) * 1e9)
    fields = trace.fields
    told = _described(trace, fields)
    whole = _span(trace_id, own, _title(answer.method, fields), SERVER, began_ns, length_ns, told)
    if _SPAN_ID.match(trace.parent_id):
        whole["parentSpanId"] = bytes.fromhex(trace.parent_id)
    if answer.status >= 500:
        whole["status"] = {"message": _cut(fields.get("error_message", "")), "code": _ERROR}
    return [whole, *_inner(trace, trace_id, own, began_ns)]


def _inner(trace: Trace, trace_id: bytes, own: int, began_ns: int) -> Iterator[Message]:
    """The spans within. Each is a child of the one that its time lies within."""
    around: list[tuple[int, int]] = []
    spans = sorted(trace.spans, key=lambda span: (span[1], -span[2]))
    for number, (name, start_us, length_us, fields) in enumerate(spans, 1):
        while around and start_us + length_us > around[-1][0]:
            around.pop()
        span_id = (own + number * _NEXT) % (1 << 64) or 1
        told, kind = dict(fields or {}), INTERNAL
        if "faas.invoked_name" in told:
            kind = CLIENT
        span = _span(
            trace_id, span_id, name, kind, began_ns + start_us * 1000, length_us * 1000, told
        )
        span["parentSpanId"] = (around[-1][1] if around else own).to_bytes(8)
        around.append((start_us + length_us, span_id))
        yield span


def _span(
    trace_id: bytes,
    span_id: int,
    name: str,
    kind: int,
    start_ns: int,
    length_ns: int,
    told: Mapping[str, Any],
) -> dict[str, Any]:
    kept = {key: _cut(value) for key, value in list(told.items())[:ATTRIBUTES_MAX]}
    span: dict[str, Any] = {
        "traceId": trace_id,
        "spanId": span_id.to_bytes(8),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": start_ns,
        "endTimeUnixNano": start_ns + max(0, length_ns),
        "attributes": kept,
        "flags": _SAMPLED,
    }
    if len(told) > len(kept):
        span["droppedAttributesCount"] = len(told) - len(kept)
    return span


def _title(method: str, fields: Mapping[str, Any]) -> str:
    """A name that many requests share, as those who search for it need it."""
    if "service" in fields and fields.get("operation"):
        return f"{fields['service']}.{fields['operation']}"
    route = _route(fields)
    return f"{method} {route}" if route else method


def _route(fields: Mapping[str, Any]) -> str:
    """The template of the path in an API, without the method that a route's key begins with."""
    return str(fields.get("resource") or fields.get("route") or "").rpartition(" ")[2]


def _described(trace: Trace, fields: Mapping[str, Any]) -> dict[str, Any]:
    answer = trace.answer
    assert answer is not None
    host, _, port = answer.host.rpartition(":")
    if not port.isdigit() or not host:
        host, port = answer.host, ""
    told: dict[str, Any] = {
        "http.request.method": answer.method,
        "http.response.status_code": answer.status,
        "url.path": answer.path,
        "server.address": host,
        "client.address": answer.peer,
        "aws.request_id": trace.request_id,
    }
    if port:
        told["server.port"] = int(port)
    if answer.request_bytes is not None:
        told["http.request.body.size"] = answer.request_bytes
    if answer.answer_bytes is not None:
        told["http.response.body.size"] = answer.answer_bytes
    if fields.get("operation"):
        told["rpc.system"] = "aws-api"
    if route := _route(fields):
        told["http.route"] = route
    if answer.status >= 400:
        told["error.type"] = str(fields.get("error") or answer.status)
    for name, value in fields.items():
        if name != "error":
            told[_NAMES.get(name) or f"cumulet.{name}"] = value
    if trace.spans_dropped:
        told["cumulet.spans_dropped"] = trace.spans_dropped
    return told


def _cut(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else str(value)
    return text[:ATTRIBUTE_CHARACTERS_MAX]
