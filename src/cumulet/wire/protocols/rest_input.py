"""Where the REST protocols bind members in a request: path, query, headers and payload."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from cumulet.core.errors import MalformedRequest
from cumulet.core.http import Body, BytesBody, Headers, Request
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.values.forms import decode_component, parse_pairs
from cumulet.wire.values.json_shapes import parse_json
from cumulet.wire.values.scalars import (
    MalformedNumber,
    is_json_value,
    parse_blob,
    parse_boolean,
    parse_float,
    parse_integer,
    parse_timestamp,
)

Members = dict[str, Any]
Bind = Callable[[Request, Members], None]
ReadBody = Callable[[bytes, Members], None]
ReadRequest = Callable[[Request, "bytes | Body"], Members]

_LABEL = re.compile(r"\{([\w-]+)(\+?)\}")
_TEXT_PARSERS: dict[str, Callable[[str], Any]] = {
    "boolean": parse_boolean,
    "integer": parse_integer,
    "long": parse_integer,
    "float": parse_float,
    "double": parse_float,
    "timestamp": parse_timestamp,
    "blob": parse_blob,
}


def compile_request(operation: OperationModel, make_body: Callable[..., ReadBody]) -> ReadRequest:
    """How a REST operation's requests are read.

    `make_body(shape, members)` gives what reads a document body: of the payload's shape, or of
    the members that are bound nowhere else.
    """
    shape = operation.input
    if shape is None:
        return lambda request, body: {}
    binds = _binds(operation, shape)
    read_payload = _payload_reader(shape, make_body)

    def read(request: Request, body: bytes | Body) -> Members:
        members: Members = {}
        for bind in binds:
            bind(request, members)
        if read_payload is not None:
            read_payload(body, members)
        return members

    return read


def _binds(operation: OperationModel, shape: Shape) -> list[Bind]:
    places: dict[str, dict[str, Shape]] = {}
    for name, member in shape.members.items():
        places.setdefault(member.location, {})[name] = member
    binds: list[Bind] = []
    if labels := places.get("uri"):
        binds.append(_label_bind(operation.uri, labels))
    # S3 says which number it could not read, and passes over one that is empty.
    number = _number_of_s3 if "rest-xml" in operation.service.protocols else None
    if named := places.get("querystring"):
        binds.append(_query_bind(named, number))
    if headers := places.get("header"):
        binds.append(_header_bind(headers, number))
    for name, member in places.get("headers", {}).items():
        binds.append(_prefix_bind(name, member.wire_name("").lower()))
    return binds


def path_pattern(uri: str) -> re.Pattern[str]:
    """The pattern of a model's path, with its labels as groups in order."""
    path = uri.partition("?")[0].rstrip("/") or "/"
    pattern = ""
    place = 0
    for label in _LABEL.finditer(path):
        pattern += re.escape(path[place : label.start()])
        pattern += "(.+)" if label.group(2) else "([^/]+)"
        place = label.end()
    return re.compile(pattern + re.escape(path[place:]) + "/?", re.DOTALL)


def _label_bind(uri: str, members: dict[str, Shape]) -> Bind:
    by_label = {member.wire_name(name): (name, member) for name, member in members.items()}
    pattern = path_pattern(uri)
    greedy = _LABEL.findall(uri)[-1][1] == "+"
    match = re.compile(pattern.pattern.removesuffix("/?"), re.DOTALL).fullmatch
    match_loosely = match if greedy else pattern.fullmatch
    targets = [
        (by_label[label][0], _label_parser(by_label[label][1]))
        for label, _ in _LABEL.findall(uri.partition("?")[0])
    ]

    def bind(request: Request, result: Members) -> None:
        found = match_loosely(request.path)
        if found is None:
            raise MalformedRequest("The path does not fit the operation")
        for (name, parse), text in zip(targets, found.groups(), strict=True):
            if "%" in text:
                text = decode_component(text, plus_is_space=False)
            result[name] = text if parse is None else parse(text)

    return bind


def _label_parser(member: Shape) -> Callable[[str], Any] | None:
    return _TEXT_PARSERS.get(member.type)


NumberParser = Callable[[str], Callable[[str], Any]]
"""Gives what reads a number, for the name that it has in the request."""


def _number_of_s3(name: str) -> Callable[[str], int | None]:
    def parse(text: str) -> int | None:
        if not text:
            return None
        try:
            number = parse_integer(text)
        except MalformedRequest as cause:
            raise MalformedNumber(name, text) from cause
        if not -(1 << 31) <= number < 1 << 31:
            raise MalformedNumber(name, text)
        return number

    return parse


def _parser(name: str, member: Shape, number: NumberParser | None) -> Callable[[str], Any] | None:
    if number is not None and member.type == "integer":
        return number(name)
    return _TEXT_PARSERS.get(member.type)


def _query_bind(members: dict[str, Shape], number: NumberParser | None) -> Bind:
    plain: dict[str, tuple[str, Callable[[str], Any] | None]] = {}
    lists: dict[str, tuple[str, Callable[[str], Any] | None]] = {}
    rest: tuple[str, bool] | None = None
    for name, member in members.items():
        wire_name = member.wire_name(name)
        if member.type == "map":
            rest = (name, member.value.type == "list")
        elif member.type == "list":
            lists[wire_name] = (name, _TEXT_PARSERS.get(member.member.type))
        else:
            plain[wire_name] = (name, _parser(wire_name, member, number))

    def bind(request: Request, result: Members) -> None:
        if not request.query:
            return
        for key, value in parse_pairs(request.query):
            if (found := plain.get(key)) is not None:
                result.setdefault(found[0], value if found[1] is None else found[1](value))
            elif (found := lists.get(key)) is not None:
                item = value if found[1] is None else found[1](value)
                result.setdefault(found[0], []).append(item)
            elif rest is not None:
                others = result.setdefault(rest[0], {})
                if rest[1]:
                    others.setdefault(key, []).append(value)
                else:
                    others.setdefault(key, value)

    return bind


def _header_bind(members: dict[str, Shape], number: NumberParser | None) -> Bind:
    table: list[tuple[str, str, Callable[[str], Any] | None]] = []
    for name, member in members.items():
        header = member.wire_name(name).lower()
        is_number = number is not None and member.type == "integer"
        parse = _parser(header, member, number) if is_number else header_parser(member)
        table.append((header, name, parse))
    lists = frozenset(name for name, member in members.items() if member.type == "list")
    none_is_in = frozenset(header for header, _, _ in table).isdisjoint

    def bind(request: Request, result: Members) -> None:
        headers = request.headers
        if none_is_in(headers.first):
            return
        for header, name, parse in table:
            if header in headers.first:
                value = _one_value(headers, header)
                if value or name not in lists:
                    result[name] = value if parse is None else parse(value)

    return bind


def _one_value(headers: Headers, name: str) -> str:
    found = headers.get(name)
    return found if len(headers.pairs) < 2 else ",".join(headers.all(name)) or found


def _prefix_bind(name: str, prefix: str) -> Bind:
    start = len(prefix)

    def bind(request: Request, result: Members) -> None:
        found: dict[str, str] = {}
        for header, value in request.headers:
            if header.startswith(prefix):
                key = header[start:]
                found[key] = f"{found[key]},{value}" if key in found else value
        if found:
            result[name] = found

    return bind


def header_parser(shape: Shape) -> Callable[[str], Any] | None:
    """How a header's text is read as the shape; None when it stays text."""
    if is_json_value(shape):
        return _parse_json_value
    if shape.type == "list":
        return _list_parser(shape.member)
    return _TEXT_PARSERS.get(shape.type)


def _parse_json_value(text: str) -> Any:
    try:
        return parse_json(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as cause:
        raise MalformedRequest("A header is not base64 of JSON") from cause


_QUOTED = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"\s*(?:,|\Z)|([^,]*)(?:,|\Z))')


def _list_parser(member: Shape) -> Callable[[str], list[Any]]:
    parse = _TEXT_PARSERS.get(member.type)
    is_date = member.type == "timestamp" and member.traits.get(
        "timestampFormat", "rfc822"
    ).startswith("rfc")

    def read(text: str) -> list[Any]:
        pieces = _split_dates(text) if is_date else split_list(text)
        return pieces if parse is None else [parse(piece) for piece in pieces]

    return read


def split_list(text: str) -> list[str]:
    """The items of a header list; one in double quotes may hold commas and escaped quotes."""
    if '"' not in text:
        return [piece.strip() for piece in text.split(",")]
    pieces = []
    place = 0
    while place < len(text):
        found = _QUOTED.match(text, place)
        if found is None or found.end() == place:
            break
        quoted, bare = found.groups()
        pieces.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare.strip())
        place = found.end()
    return pieces


def _split_dates(text: str) -> list[str]:
    """HTTP dates have one comma of their own."""
    pieces = [piece.strip() for piece in text.split(",")]
    return [", ".join(pieces[start : start + 2]) for start in range(0, len(pieces), 2)]


def _payload_reader(
    shape: Shape, make_body: Callable[..., ReadBody]
) -> Callable[[bytes | Body, Members], None] | None:
    name = shape.traits.get("payload")
    if name:
        payload = shape.members[name]
        if payload.traits.get("streaming") or payload.is_event_stream:
            return _stream_reader(name)
        if payload.type in ("blob", "string"):
            return _raw_reader(name, payload.type == "string")
        return _whole(make_body(payload, {name: payload}))
    bodies = {key: one for key, one in shape.members.items() if not one.location}
    return _whole(make_body(None, bodies)) if bodies else None


def _stream_reader(name: str) -> Callable[[bytes | Body, Members], None]:
    def read(body: bytes | Body, result: Members) -> None:
        result[name] = BytesBody(body) if isinstance(body, bytes) else body

    return read


def _raw_reader(name: str, is_text: bool) -> Callable[[bytes | Body, Members], None]:
    def read(body: bytes | Body, result: Members) -> None:
        content = _content(body)
        if not content:
            return
        if not is_text:
            result[name] = content
            return
        try:
            result[name] = content.decode()
        except UnicodeDecodeError as cause:
            raise MalformedRequest("The body is not valid UTF-8") from cause

    return read


def _whole(read_document: ReadBody) -> Callable[[bytes | Body, Members], None]:
    def read(body: bytes | Body, result: Members) -> None:
        content = _content(body)
        if content:
            read_document(content, result)

    return read


def _content(body: bytes | Body) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, BytesBody):
        return body.content
    raise TypeError("the body of this operation has to be read before")
