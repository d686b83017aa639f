"""CBOR values to and from shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import cbor2

from cumulet.core.errors import MalformedRequest
from cumulet.wire.model import Shape
from cumulet.wire.values.scalars import (
    INTEGER_MAX,
    INTEGER_MIN,
    LONG_MAX,
    LONG_MIN,
    number_of_seconds,
    parse_timestamp,
)
from cumulet.wire.values.sharing import shared

Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

CBOR_DEPTH_MAX = 100
"""Nesting that a body may have."""

EPOCH_TAG = 1
"""The one tag that Smithy uses: seconds since the epoch."""


class _Epoch(float):
    """A number that came with the tag of a time."""


class _Refused(ValueError):
    """A tag that the protocol does not use. Some would make big numbers or compile patterns."""


def _refuse(*_: object) -> NoReturn:
    raise _Refused


def _epoch(value: Any, _: bool) -> _Epoch:
    if type(value) is int or type(value) is float:
        return _Epoch(value)
    raise _Refused


_TAGS_KNOWN_TO_DECODER = (*range(64), 100, 256, 258, 260, 261, 1004, 43000, 55799)
_TAGS: dict[int, Callable[[Any, bool], Any]] = {
    **dict.fromkeys(_TAGS_KNOWN_TO_DECODER, _refuse),
    EPOCH_TAG: _epoch,
}


def parse_cbor(body: bytes) -> Any:
    """One CBOR item, bounded in depth, without tags but that of a time. Raises MalformedRequest."""
    try:
        return cbor2.loads(
            body,
            tag_hook=_refuse,
            semantic_decoders=_TAGS,
            max_depth=CBOR_DEPTH_MAX,
            strict_hashable_types=True,
        )
    except (cbor2.CBORDecodeError, ValueError, OverflowError, MemoryError) as cause:
        raise MalformedRequest("Unable to parse the body as CBOR") from cause


def parse_cbor_map(body: bytes) -> dict[str, Any]:
    """A CBOR map; an empty body is an empty one."""
    if not body:
        return {}
    value = parse_cbor(body)
    if type(value) is not dict:
        raise MalformedRequest("Unable to parse the body as a CBOR map")
    return value


def dump_cbor(value: Any) -> bytes:
    """CBOR bytes of a value that the writers made."""
    content: bytes = cbor2.dumps(value)
    return content


def cbor_reader(shape: Shape) -> Reader:
    """A closure that turns a decoded CBOR value into the shape's, checking types."""
    if shape.type == "structure":
        if shape.is_document:
            return lambda value: value
        found: Reader = shared("cbor-read", shape, lambda: cbor_members_reader(shape.members))
        return found
    if shape.type == "list":
        return _list_reader(shape)
    if shape.type == "map":
        return _map_reader(shape)
    return _SCALAR_READERS[shape.type]


def _nothing(value: Any) -> bool:
    return value is None or value is cbor2.undefined


def cbor_members_reader(members: dict[str, Shape]) -> Reader:
    """A closure for a map whose members are given; unknown ones are dropped."""
    table = {
        member.wire_name(name): (name, cbor_reader(member)) for name, member in members.items()
    }

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong(value, "a structure")
        result = {}
        for key, item in value.items():
            found = table.get(key)
            if found is not None and not _nothing(item):
                result[found[0]] = found[1](item)
        return result

    return read


def _wrong(value: Any, wanted: str) -> MalformedRequest:
    return MalformedRequest(f"{type(value).__name__} can not be converted to {wanted}")


def _list_reader(shape: Shape) -> Reader:
    read_item = cbor_reader(shape.member)
    sparse = bool(shape.traits.get("sparse"))

    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise _wrong(value, "a list")
        if sparse:
            return [None if _nothing(item) else read_item(item) for item in value]
        return [read_item(item) for item in value if not _nothing(item)]

    return read


def _map_reader(shape: Shape) -> Reader:
    read_item = cbor_reader(shape.value)
    sparse = bool(shape.traits.get("sparse"))

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong(value, "a map")
        result = {}
        for key, item in value.items():
            if type(key) is not str:
                raise _wrong(key, "a String")
            if not _nothing(item):
                result[key] = read_item(item)
            elif sparse:
                result[key] = None
        return result

    return read


def _read_string(value: Any) -> str:
    if type(value) is str:
        return value
    raise _wrong(value, "a String")


def _read_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise _wrong(value, "a Boolean")


def _whole(low: int, high: int, kind: str) -> Reader:
    def read(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is int and low <= value <= high:
            return value
        raise _wrong(value, kind)

    return read


def _read_float(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int and LONG_MIN <= value <= LONG_MAX:
        return float(value)
    raise _wrong(value, "a Double")


def _read_blob(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    raise _wrong(value, "a Blob")


def _read_timestamp(value: Any) -> float:
    if type(value) in (_Epoch, int, float):
        seconds = parse_timestamp(float(value))
        return int(seconds) if seconds.is_integer() else seconds
    raise _wrong(value, "a Timestamp")


_SCALAR_READERS: dict[str, Reader] = {
    "string": _read_string,
    "character": _read_string,
    "boolean": _read_boolean,
    "integer": _whole(INTEGER_MIN, INTEGER_MAX, "an Integer"),
    "long": _whole(LONG_MIN, LONG_MAX, "a Long"),
    "float": _read_float,
    "double": _read_float,
    "blob": _read_blob,
    "timestamp": _read_timestamp,
}


def cbor_writer(shape: Shape) -> Writer | None:
    """A closure that makes a CBOR-ready value of the shape's; None when it is one already."""
    match shape.type:
        case "structure":
            if shape.is_document:
                return None
            found: Writer = shared("cbor-write", shape, lambda: cbor_members_writer(shape.members))
            return found
        case "list":
            write_item = cbor_writer(shape.member)
            return None if write_item is None else _list_writer(write_item)
        case "map":
            write_item = cbor_writer(shape.value)
            return None if write_item is None else _map_writer(write_item)
        case "timestamp":
            return lambda value: cbor2.CBORTag(EPOCH_TAG, number_of_seconds(value))
        case "float" | "double":
            return float
        case "blob":
            return lambda value: value.encode() if isinstance(value, str) else value
    return None


def cbor_members_writer(members: dict[str, Shape]) -> Writer:
    """A closure for a structure; a member that the shape lacks is a mistake of ours: KeyError."""
    table = {
        name: (member.wire_name(name), cbor_writer(member)) for name, member in members.items()
    }

    def write(value: Any) -> Any:
        result = {}
        for name, item in value.items():
            wire_name, write_item = table[name]
            if item is not None:
                result[wire_name] = item if write_item is None else write_item(item)
        return result

    return write


def _list_writer(write_item: Writer) -> Writer:
    return lambda value: [None if item is None else write_item(item) for item in value]


def _map_writer(write_item: Writer) -> Writer:
    return lambda value: {
        key: None if item is None else write_item(item) for key, item in value.items()
    }
