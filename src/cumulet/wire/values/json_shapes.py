"""JSON values to and from shapes: the bodies of the two JSON RPC protocols and of rest-json."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import orjson

from cumulet.core.errors import MalformedRequest
from cumulet.wire.model import Shape
from cumulet.wire.values.scalars import (
    INTEGER_MAX,
    INTEGER_MIN,
    LONG_MAX,
    LONG_MIN,
    float_word,
    format_blob,
    format_timestamp,
    number_of_seconds,
    parse_blob,
    parse_float,
    parse_timestamp,
    timestamp_form,
)
from cumulet.wire.values.sharing import shared

Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

JSON_DEPTH_MAX = 200
"""Nesting that a body may have. DynamoDB, the deepest, takes 32 levels of two each."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_SPLITTER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NAMES_OF_TYPES = {
    dict: "START_OBJECT",
    list: "START_ARRAY",
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "DECIMAL_VALUE",
}


def parse_json(body: bytes) -> Any:
    """A JSON text, bounded in depth. Raises MalformedRequest, without a word as AWS does."""
    if body.count(b"{") + body.count(b"[") > JSON_DEPTH_MAX:
        _check_depth(body)
    try:
        return orjson.loads(body)
    except ValueError as cause:
        raise MalformedRequest from cause


def _check_depth(body: bytes) -> None:
    depth = 0
    for found in _BRACKETS.finditer(body):
        token = found.group()
        if token in b"[{":
            depth += 1
            if depth > JSON_DEPTH_MAX:
                raise MalformedRequest("The body is nested too deeply")
        elif token in b"]}":
            depth -= 1


def split_json_object(body: bytes) -> dict[str, bytes]:
    """The members of a JSON object as their own JSON text. Raises as `parse_json` does."""
    if body.count(b"{") + body.count(b"[") > JSON_DEPTH_MAX:
        _check_depth(body)
    try:
        return {name: bytes(text) for name, text in _SPLITTER.decode(body).items()}
    except (msgspec.MsgspecError, ValueError) as cause:
        raise MalformedRequest from cause


def parse_json_object(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body is an empty object."""
    if not body:
        return {}
    value = parse_json(body)
    if type(value) is not dict:
        raise MalformedRequest("Start of structure or map expected")
    return value


def wrong_type(value: Any, wanted: str) -> MalformedRequest:
    """The error for a JSON value of another type than the shape's, in AWS's words."""
    if type(value) is bool:
        found = "TRUE_VALUE" if value else "FALSE_VALUE"
    else:
        found = _NAMES_OF_TYPES.get(type(value), "VALUE_NULL")
    if found in ("START_OBJECT", "START_ARRAY"):
        if wanted in ("START_OBJECT", "START_ARRAY"):
            return MalformedRequest(f"Unexpected token {found}, expected {wanted}")
        kind = "structure or map" if found == "START_OBJECT" else "list"
        return MalformedRequest(f"Start of {kind} found where not expected.")
    if wanted in ("START_OBJECT", "START_ARRAY"):
        return MalformedRequest("Unexpected field type")
    return MalformedRequest(f"{found} can not be converted to {_article(wanted)}")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "AEIOU" else f"a {kind}"


_LEFT_UNREAD = {"dynamodb": frozenset(("AttributeValue",))}
"""Shapes whose values a service reads itself, once, as JSON has them: binaries in base64."""


def json_reader(shape: Shape) -> Reader:
    """A closure that turns a decoded JSON value into the shape's value, checking types."""
    if shape.name in _LEFT_UNREAD.get(shape.service.name, ()):
        return _same
    if shape.type == "structure":
        return _structure_reader(shape)
    if shape.type == "timestamp":
        return _read_timestamp
    if shape.type == "list":
        return _list_reader(shape)
    if shape.type == "map":
        return _map_reader(shape)
    return _SCALAR_READERS[shape.type]


def _structure_reader(shape: Shape) -> Reader:
    if shape.is_document:
        return _same
    found: Reader = shared("json-read", shape, lambda: members_reader(shape.members))
    return found


def members_reader(members: dict[str, Shape]) -> Reader:
    """A closure for an object whose members are given; unknown ones are dropped, as AWS does."""
    strings: dict[str, str] = {}
    others: dict[str, tuple[str, Reader]] = {}
    for name, member in members.items():
        if member.type == "string" and not member.traits.get("jsonvalue"):
            strings[member.wire_name(name)] = name
        else:
            others[member.wire_name(name)] = (name, json_reader(member))
    unchanged = frozenset(wire_name for wire_name, name in strings.items() if wire_name == name)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, "START_OBJECT")
        if len(value) == 1:
            # One string, as most of DynamoDB's attribute values are: no copy is needed.
            for key, item in value.items():
                if type(item) is str and key in unchanged:
                    return value
        result = {}
        for key, item in value.items():
            if item is None:
                continue
            name = strings.get(key)
            if name is not None:
                if type(item) is not str:
                    item = _read_string(item)
                result[name] = item
                continue
            found = others.get(key)
            if found is not None:
                result[found[0]] = found[1](item)
        return result

    return read


def _list_reader(shape: Shape) -> Reader:
    read_item = json_reader(shape.member)
    sparse = bool(shape.traits.get("sparse"))

    def read(value: Any) -> list[Any]:
        if type(value) is not list:
            raise wrong_type(value, "START_ARRAY")
        return [read_item(item) for item in value if item is not None]

    def read_sparse(value: Any) -> list[Any]:
        if type(value) is not list:
            raise wrong_type(value, "START_ARRAY")
        return [None if item is None else read_item(item) for item in value]

    return read_sparse if sparse else read


def _map_reader(shape: Shape) -> Reader:
    read_item = json_reader(shape.value)
    sparse = bool(shape.traits.get("sparse"))

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, "START_OBJECT")
        return {key: read_item(item) for key, item in value.items() if item is not None}

    def read_sparse(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise wrong_type(value, "START_OBJECT")
        return {key: None if item is None else read_item(item) for key, item in value.items()}

    return read_sparse if sparse else read


def _same(value: Any) -> Any:
    return value


def _read_string(value: Any) -> str:
    if type(value) is str:
        return value
    raise wrong_type(value, "String")


def _read_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise wrong_type(value, "Boolean")


def _read_integer(value: Any) -> int:
    if type(value) is float and value == value and abs(value) < LONG_MAX:
        value = int(value)
    if type(value) is int and INTEGER_MIN <= value <= INTEGER_MAX:
        return value
    raise wrong_type(value, "Integer")


def _read_long(value: Any) -> int:
    if type(value) is float and value == value and abs(value) < LONG_MAX:
        value = int(value)
    if type(value) is int and LONG_MIN <= value <= LONG_MAX:
        return value
    raise wrong_type(value, "Long")


def _read_float(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    if type(value) is str:
        return parse_float(value)
    raise wrong_type(value, "Double")


def _read_blob(value: Any) -> bytes:
    if type(value) is str:
        return parse_blob(value)
    raise wrong_type(value, "Blob")


def _read_timestamp(value: Any) -> float:
    if type(value) is int or type(value) is float or type(value) is str:
        return parse_timestamp(value)
    raise wrong_type(value, "Timestamp")


_SCALAR_READERS: dict[str, Reader] = {
    "string": _read_string,
    "character": _read_string,
    "boolean": _read_boolean,
    "integer": _read_integer,
    "long": _read_long,
    "float": _read_float,
    "double": _read_float,
    "blob": _read_blob,
}


def json_writer(shape: Shape) -> Writer | None:
    """A closure that makes a JSON-ready value of the shape's; None when it is one already."""
    match shape.type:
        case "structure":
            if shape.is_document:
                return None
            found: Writer = shared("json-write", shape, lambda: members_writer(shape.members))
            return found
        case "list":
            return _list_writer(shape)
        case "map":
            return _map_writer(shape)
        case "timestamp":
            return _timestamp_writer(shape)
        case "blob":
            return format_blob
        case "float" | "double":
            return _write_float
    return None


def members_writer(members: dict[str, Shape]) -> Writer:
    """A closure for a structure; a member that the shape lacks is a mistake of ours: KeyError."""
    table = {
        name: (member.wire_name(name), json_writer(member)) for name, member in members.items()
    }

    def write(value: Any) -> Any:
        if type(value) is orjson.Fragment:
            return value
        result = {}
        for name, item in value.items():
            wire_name, write_item = table[name]
            if item is not None:
                result[wire_name] = item if write_item is None else write_item(item)
        return result

    return write


def _list_writer(shape: Shape) -> Writer | None:
    write_item = json_writer(shape.member)
    if write_item is None:
        return None

    def write(value: Any) -> Any:
        if type(value) is orjson.Fragment:
            return value
        return [None if item is None else write_item(item) for item in value]

    return write


def _map_writer(shape: Shape) -> Writer | None:
    write_item = json_writer(shape.value)
    if write_item is None:
        return None

    def write(value: Any) -> Any:
        if type(value) is orjson.Fragment:
            return value
        return {key: None if item is None else write_item(item) for key, item in value.items()}

    return write


def _timestamp_writer(shape: Shape) -> Writer:
    form = timestamp_form(shape, "unixTimestamp")
    if form == "unixTimestamp":
        return number_of_seconds
    return lambda value: format_timestamp(value, form)


def _write_float(value: float) -> float | str:
    return float_word(value) or value


def dump_json(value: Any) -> bytes:
    """JSON text. Keys that are not strings and unknown types are mistakes of ours: TypeError."""
    return orjson.dumps(value)
