"""The query protocol: a form in, with `Action` and dotted keys; XML out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from cumulet.core.errors import MalformedRequest
from cumulet.core.http import Request, Response
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.values.forms import Node, decode_form, parameter_tree, parse_pairs
from cumulet.wire.values.scalars import (
    parse_blob,
    parse_boolean,
    parse_float,
    parse_integer,
    parse_timestamp,
)
from cumulet.wire.values.sharing import shared
from cumulet.wire.values.xml_shapes import is_flat, members_writer, query_name
from cumulet.wire.values.xml_text import escape

ReadRequest = Callable[[Request, bytes], dict[str, Any]]
WriteResponse = Callable[[dict[str, Any], str], Response]
Reader = Callable[["str | Node"], Any]

FORM_TYPE = "application/x-www-form-urlencoded"

LIST_ITEMS_MAX = 10_000
"""Items that one list may have."""

_ACTION = re.compile(rb"(?:\A|&)Action=([A-Za-z0-9_]{1,128})(?=&|\Z)")
_VERSION = re.compile(rb"(?:\A|&)Version=([0-9-]{1,32})(?=&|\Z)")

Empty = TypeVar("Empty")

PARSERS: dict[str, Callable[[str], Any]] = {
    "boolean": parse_boolean,
    "integer": parse_integer,
    "long": parse_integer,
    "float": parse_float,
    "double": parse_float,
    "blob": parse_blob,
    "timestamp": parse_timestamp,
}


def action_of(request: Request, body: bytes) -> str:
    """`Action` of a query request, "" when missing."""
    return _parameter(_ACTION, request, body)


def version_of(request: Request, body: bytes) -> str:
    """`Version` of a query request, "" when missing."""
    return _parameter(_VERSION, request, body)


def _parameter(pattern: re.Pattern[bytes], request: Request, body: bytes) -> str:
    found = pattern.search(body if request.method == "POST" else request.query.encode())
    return found.group(1).decode() if found else ""


def compile_reader(operation: OperationModel) -> ReadRequest:
    """How the operation's requests are read."""
    if operation.input is None or not operation.input.members:
        return lambda request, body: {}
    read_members = _members_reader(operation.input.members)
    # SQS: the request may be sent to the queue's own URL, and need not name it again.
    is_addressed = "QueueUrl" in operation.input.members

    def read(request: Request, body: bytes) -> dict[str, Any]:
        text = decode_form(body) if request.method == "POST" else request.query
        members: dict[str, Any] = read_members(parameter_tree(parse_pairs(text)))
        if is_addressed and "QueueUrl" not in members and len(request.path) > 1:
            members["QueueUrl"] = request.path
        return members

    return read


def _reader(shape: Shape) -> Reader:
    if shape.type == "structure":
        found: Reader = shared("query-read", shape, lambda: _members_reader(shape.members))
        return found
    if shape.type == "list":
        return _list_reader(shape)
    if shape.type == "map":
        return _map_reader(shape)
    parse = PARSERS.get(shape.type)

    def read(node: str | Node) -> Any:
        if type(node) is not str:
            raise MalformedRequest("Start of structure or map found where not expected.")
        return node if parse is None else parse(node)

    return read


def _members_reader(members: dict[str, Shape]) -> Callable[[Any], dict[str, Any]]:
    table: dict[str, tuple[str, Reader]] = {}
    strings: dict[str, str] = {}
    for name, member in members.items():
        wire_name = query_name(member, name)
        if member.type == "list" and is_flat(member):
            # botocore sends the name of what the list holds, Smithy says the list's own.
            held_name = member.member.wire_name(wire_name)
            table[held_name] = (name, _reader(member))
        if member.type == "string":
            strings[wire_name] = name
        else:
            table[wire_name] = (name, _reader(member))

    def read(node: str | Node) -> dict[str, Any]:
        if isinstance(node, str):
            if node:
                raise MalformedRequest("Unexpected value where a structure was expected.")
            return {}
        result = {}
        for key, item in node.items():
            name = strings.get(key)
            if name is not None:
                if type(item) is not str:
                    raise MalformedRequest("Start of structure or map found where not expected.")
                result[name] = item
                continue
            found = table.get(key)
            if found is not None:
                result[found[0]] = found[1](item)
        return result

    return read


def numbered(node: Node) -> list[str | Node]:
    """The children named by whole numbers, in their order; gaps are closed, as AWS does."""
    try:
        order = sorted((int(key), key) for key in node if key.isascii() and key.isdigit())
    except ValueError as cause:
        raise MalformedRequest("A list index is out of range") from cause
    if len(order) > LIST_ITEMS_MAX:
        raise MalformedRequest("A list has too many members")
    return [node[key] for _, key in order]


def _list_reader(shape: Shape) -> Reader:
    read_item = _reader(shape.member)
    step = "" if is_flat(shape) else shape.member.wire_name("member")

    def read(node: str | Node) -> list[Any]:
        if isinstance(node, str):
            return _empty_or_refuse(node, [])
        inner = node.get(step) if step else node
        if type(inner) is not dict:
            return []
        return [read_item(item) for item in numbered(inner)]

    return read


def _map_reader(shape: Shape) -> Reader:
    read_value = _reader(shape.value)
    key_name = query_name(shape.key, "key")
    value_name = query_name(shape.value, "value")
    flat = is_flat(shape)

    def read(node: str | Node) -> dict[str, Any]:
        if isinstance(node, str):
            return _empty_or_refuse(node, {})
        inner = node if flat else node.get("entry")
        result = {}
        if type(inner) is dict:
            for entry in numbered(inner):
                if type(entry) is dict and type(key := entry.get(key_name)) is str:
                    result[key] = read_value(entry.get(value_name, ""))
        return result

    return read


def _empty_or_refuse(text: str, empty: Empty) -> Empty:
    if text:
        raise MalformedRequest("Unexpected value where a list or map was expected.")
    return empty


def compile_writer(operation: OperationModel) -> WriteResponse:
    """How the operation's answers are written."""
    name = operation.name
    namespace = escape(operation.service.xml_namespace)
    wrapper = operation.result_wrapper
    head = f'<{name}Response xmlns="{namespace}">' + (f"<{wrapper}>" if wrapper else "")
    tail = (f"</{wrapper}>" if wrapper else "") + "<ResponseMetadata><RequestId>"
    end = f"</RequestId></ResponseMetadata></{name}Response>"
    write_members = members_writer(operation.output.members if operation.output else {})

    def write(output: dict[str, Any], request_id: str) -> Response:
        parts = [head]
        write_members(parts, output)
        parts += (tail, request_id, end)
        headers = [("x-amzn-requestid", request_id), ("content-type", "text/xml")]
        return Response(200, headers, "".join(parts).encode())

    return write
