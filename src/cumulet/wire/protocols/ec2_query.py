"""EC2's own form of the query protocol: lists without a step between, names with a capital.

https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.errors import MalformedRequest
from cumulet.core.http import Request, Response
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.protocols.aws_query import PARSERS, ReadRequest, WriteResponse, numbered
from cumulet.wire.values.forms import Node, decode_form, parameter_tree, parse_pairs
from cumulet.wire.values.sharing import shared
from cumulet.wire.values.xml_shapes import members_writer
from cumulet.wire.values.xml_text import escape

Reader = Callable[["str | Node"], Any]


def compile_reader(operation: OperationModel) -> ReadRequest:
    """How the operation's requests are read."""
    if operation.input is None or not operation.input.members:
        return lambda request, body: {}
    read_members = _members_reader(operation.input.members)

    def read(request: Request, body: bytes) -> dict[str, Any]:
        text = decode_form(body) if request.method == "POST" else request.query
        found: dict[str, Any] = read_members(parameter_tree(parse_pairs(text)))
        return found

    return read


def _name(shape: Shape, default: str) -> str:
    own = shape.traits.get("queryName")
    if own:
        return str(own)
    name = shape.wire_name(default)
    return name[:1].upper() + name[1:]


def _members_reader(members: dict[str, Shape]) -> Callable[[Any], dict[str, Any]]:
    table = {_name(member, name): (name, _reader(member)) for name, member in members.items()}

    def read(node: str | Node) -> dict[str, Any]:
        if isinstance(node, str):
            if node:
                raise MalformedRequest("Unexpected value where a structure was expected.")
            return {}
        return {table[key][0]: table[key][1](item) for key, item in node.items() if key in table}

    return read


def _reader(shape: Shape) -> Reader:
    if shape.type == "structure":
        found: Reader = shared("ec2-read", shape, lambda: _members_reader(shape.members))
        return found
    if shape.type == "list":
        read_item = _reader(shape.member)

        def read_list(node: str | Node) -> list[Any]:
            if isinstance(node, str):
                if node:
                    raise MalformedRequest("Unexpected value where a list was expected.")
                return []
            return [read_item(item) for item in numbered(node)]

        return read_list
    parse = PARSERS.get(shape.type)

    def read(node: str | Node) -> Any:
        if type(node) is not str:
            raise MalformedRequest("Start of structure or map found where not expected.")
        return node if parse is None else parse(node)

    return read


def compile_writer(operation: OperationModel) -> WriteResponse:
    """How the operation's answers are written."""
    name = operation.name
    head = f'<{name}Response xmlns="{escape(operation.service.xml_namespace)}"><requestId>'
    write_members = members_writer(operation.output.members if operation.output else {})

    def write(output: dict[str, Any], request_id: str) -> Response:
        parts = [head, request_id, "</requestId>"]
        write_members(parts, output)
        parts.append(f"</{name}Response>")
        headers = [("x-amzn-requestid", request_id), ("content-type", "text/xml;charset=UTF-8")]
        return Response(200, headers, "".join(parts).encode())

    return write
