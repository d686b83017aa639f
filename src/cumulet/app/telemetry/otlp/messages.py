"""OTLP's messages as values, and the two ways to write them: Protocol Buffers and JSON. Pure.

A message is a dictionary in the spelling of OTLP's JSON; the tables below say the number and the
kind of each field. They follow https://github.com/open-telemetry/opentelemetry-proto, version 1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

Message = Mapping[str, Any]


class Kind(NamedTuple):
    """How a field is written: its wire type, its bytes, and its value in JSON.

    A field that is no scalar has a table of its own. What is packed is a list of scalars that
    is written as one field. Attributes come as a mapping, as each span has many of them.
    """

    wire: int
    write: Callable[[Any], bytes] | None = None
    in_json: Callable[[Any], Any] | None = None
    table: Mapping[str, tuple[int, Kind]] | None = None
    is_packed: bool = False
    has_attributes: bool = False


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    if value < 0x80:
        return bytes((value,))
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _sized(content: bytes) -> bytes:
    return _varint(len(content)) + content


def _clean(text: str) -> str:
    """Without the halves of characters that only Python can hold, and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _string(text: str) -> bytes:
    return _sized(text.encode("utf-8", "replace"))


def _bool(value: bool) -> bytes:
    return b"\1" if value else b"\0"


_double = struct.Struct("<d").pack

STRING = Kind(2, _string, _clean)
# Ids are in hexadecimal digits in OTLP's JSON, unlike in that of Protocol Buffers.
ID = Kind(2, _sized, bytes.hex)
NUMBER = Kind(0, _varint)
INT64 = Kind(0, _varint, str)
BOOL = Kind(0, _bool)
FIXED32 = Kind(5, struct.Struct("<I").pack)
FIXED64 = Kind(1, struct.Struct("<Q").pack, str)
DOUBLE = Kind(1, _double)


def _all(scalar: Kind) -> Kind:
    return scalar._replace(wire=2, is_packed=True)


def _of(table: Mapping[str, tuple[int, Kind]]) -> Kind:
    return Kind(2, table=table)


_VALUES: Mapping[str, tuple[bytes, Callable[[Any], bytes]]] = {
    "stringValue": (b"\x0a", _string),
    "boolValue": (b"\x10", _bool),
    "intValue": (b"\x18", _varint),
    "doubleValue": (b"\x21", _double),
}
"""Each kind of `AnyValue`, with its tag."""

_KEPT_CHARACTERS_MAX = 64
"""Longer attributes are written anew each time."""

_TAGS = tuple(_varint(number) for number in range(17 << 3))
"""The tags of fields, by number and wire type; no field here has a number above 16."""

_ATTRIBUTES = Kind(2, has_attributes=True)
_RESOURCE = _of({"attributes": (1, _ATTRIBUTES)})
_SCOPE = _of({"name": (1, STRING), "version": (2, STRING)})
_STATUS = _of({"message": (2, STRING), "code": (3, NUMBER)})
SPAN = _of(
    {
        "traceId": (1, ID),
        "spanId": (2, ID),
        "parentSpanId": (4, ID),
        "name": (5, STRING),
        "kind": (6, NUMBER),
        "startTimeUnixNano": (7, FIXED64),
        "endTimeUnixNano": (8, FIXED64),
        "attributes": (9, _ATTRIBUTES),
        "droppedAttributesCount": (10, NUMBER),
        "status": (15, _STATUS),
        "flags": (16, FIXED32),
    }
)
_SCOPE_SPANS = _of({"scope": (1, _SCOPE), "spans": (2, SPAN), "schemaUrl": (3, STRING)})
_RESOURCE_SPANS = _of({"resource": (1, _RESOURCE), "scopeSpans": (2, _SCOPE_SPANS)})
TRACES = _of({"resourceSpans": (1, _RESOURCE_SPANS)})

_POINT = {"startTimeUnixNano": (2, FIXED64), "timeUnixNano": (3, FIXED64)}
NUMBER_POINT = _of({**_POINT, "asDouble": (4, DOUBLE), "attributes": (7, _ATTRIBUTES)})
HISTOGRAM_POINT = _of(
    {
        **_POINT,
        "count": (4, FIXED64),
        "sum": (5, DOUBLE),
        "bucketCounts": (6, _all(FIXED64)),
        "explicitBounds": (7, _all(DOUBLE)),
        "attributes": (9, _ATTRIBUTES),
    }
)
_GAUGE = _of({"dataPoints": (1, NUMBER_POINT)})
_SUM = _of(
    {
        "dataPoints": (1, NUMBER_POINT),
        "aggregationTemporality": (2, NUMBER),
        "isMonotonic": (3, BOOL),
    }
)
_HISTOGRAM = _of({"dataPoints": (1, HISTOGRAM_POINT), "aggregationTemporality": (2, NUMBER)})
_METRIC = _of(
    {
        "name": (1, STRING),
        "description": (2, STRING),
        "unit": (3, STRING),
        "gauge": (5, _GAUGE),
        "sum": (7, _SUM),
        "histogram": (9, _HISTOGRAM),
    }
)
_SCOPE_METRICS = _of({"scope": (1, _SCOPE), "metrics": (2, _METRIC), "schemaUrl": (3, STRING)})
_RESOURCE_METRICS = _of({"resource": (1, _RESOURCE), "scopeMetrics": (2, _SCOPE_METRICS)})
METRICS = _of({"resourceMetrics": (1, _RESOURCE_METRICS)})

CUMULATIVE = 2
"""AggregationTemporality."""


def to_protobuf(kind: Kind, message: Message) -> bytes:
    """A message as Protocol Buffers have it. Whatever is in `message` is written, also zeros.

    A message within it may be one that was written before.
    """
    assert kind.table is not None
    parts: list[bytes] = []
    for name, value in message.items():
        number, inner = kind.table[name]
        tag = _TAGS[number << 3 | inner.wire]
        if inner.has_attributes:
            for key, one in value.items():
                parts += (tag, _attribute(key, one))
        elif inner.is_packed:
            assert inner.write is not None
            parts += (tag, _sized(b"".join(map(inner.write, value))))
        elif inner.write is not None:
            parts += (tag, inner.write(value))
        else:
            for one in value if isinstance(value, list) else (value,):
                content = one if isinstance(one, bytes) else to_protobuf(inner, one)
                parts += (tag, _varint(len(content)), content)
    return b"".join(parts)


def to_json(kind: Kind, message: Message) -> bytes:
    """A message in OTLP's JSON; one within it may be an `orjson.Fragment`.

    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
    """
    return orjson.dumps(_plain(kind, message))


def _plain(kind: Kind, message: Any) -> Any:
    if isinstance(message, orjson.Fragment):
        return message
    assert kind.table is not None
    found: dict[str, Any] = {}
    for name, value in message.items():
        inner = kind.table[name][1]
        if inner.has_attributes:
            found[name] = [_attribute_in_json(key, one) for key, one in value.items()]
        elif inner.table is not None:
            is_list = isinstance(value, list)
            found[name] = [_plain(inner, one) for one in value] if is_list else _plain(inner, value)
        elif inner.in_json is None:
            found[name] = value
        else:
            found[name] = [*map(inner.in_json, value)] if inner.is_packed else inner.in_json(value)
    return found


@lru_cache(maxsize=1_024)
def _key(key: str) -> bytes:
    return b"\x0a" + _string(key) + b"\x12"


def _attribute(key: str, value: Any) -> bytes:
    """`KeyValue` with its length. Most texts come again with the next request."""
    if type(value) is str and len(value) <= _KEPT_CHARACTERS_MAX:
        return _kept(key, value)
    return _written(key, value)


@lru_cache(maxsize=4_096)
def _kept(key: str, value: str) -> bytes:
    return _written(key, value)


def _written(key: str, value: Any) -> bytes:
    """Field 1 is the key, 2 an `AnyValue` with one field of its own."""
    name, content = _value(value)
    tag, write = _VALUES[name]
    written = tag + write(content)
    whole = _key(key) + _varint(len(written)) + written
    return _varint(len(whole)) + whole


def _attribute_in_json(key: str, value: Any) -> Message:
    name, content = _value(value)
    if name == "stringValue":
        content = _clean(content)
    return {"key": key, "value": {name: str(content) if name == "intValue" else content}}


def _value(value: Any) -> tuple[str, Any]:
    """Which of the kinds of `AnyValue` a value is; other values than scalars are told as text."""
    if isinstance(value, str):
        return "stringValue", value
    if isinstance(value, bool):
        return "boolValue", value
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return "intValue", value
    if isinstance(value, float):
        return "doubleValue", value
    return "stringValue", str(value)
