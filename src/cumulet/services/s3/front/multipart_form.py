"""A `multipart/form-data` body whose last part of interest, the file, is read as it arrives."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.message import Message

from cumulet.core.http import Body
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest, MalformedPostRequest
from cumulet.services.s3.limits import FORM_FIELDS_BYTES_MAX

_LINE = b"\r\n"
_BLANK = b"\r\n\r\n"
_NAME = re.compile(r"[^\s=;]+\Z")


def boundary_of(content_type: str) -> bytes:
    """The boundary of the header. Raises MalformedPostRequest."""
    message = Message()
    message["content-type"] = content_type
    found = message.get_param("boundary")
    if not isinstance(found, str) or not 0 < len(found) <= 200:
        raise _malformed()
    return b"\r\n--" + found.encode("latin-1", "replace")


class FormFile:
    """The file of a form, in pieces: a body that ends at the boundary, of a size not known yet."""

    ends_itself = True
    size_bytes: int | None = None

    def __init__(self, first: bytes, rest: AsyncIterator[bytes], boundary: bytes) -> None:
        self._first = first
        self._rest = rest
        self._boundary = boundary

    async def read(self, limit_bytes: int) -> bytes:
        """The whole file, if it has no more than so many bytes. Raises InvalidRequest."""
        pieces, size = [], 0
        async for piece in self:
            size += len(piece)
            if size > limit_bytes:
                raise InvalidRequest("The form's file is too large.", code="EntityTooLarge")
            pieces.append(piece)
        return b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        waiting = self._first
        keep = len(self._boundary) - 1
        while True:
            at = waiting.find(self._boundary)
            if at >= 0:
                if at:
                    yield waiting[:at]
                break
            if len(waiting) > keep:
                yield waiting[: len(waiting) - keep]
                waiting = waiting[len(waiting) - keep :]
            piece = await anext(self._rest, b"")
            if not piece:
                raise _malformed()
            waiting += piece
        async for _ in self._rest:
            pass  # What follows the file does not count, but is read so that an answer can go.


async def read_form(body: Body, content_type: str) -> tuple[dict[str, str], str, FormFile]:
    """The fields before the file (names in lower case), the file's name, and the file.

    Raises MalformedPostRequest, InvalidArgument.
    """
    boundary = boundary_of(content_type)
    rest = aiter(body)
    # The first boundary has no line before it.
    waiting = _LINE
    fields: dict[str, str] = {}
    while True:
        waiting = await _until(waiting, rest, boundary)
        waiting = waiting[waiting.index(boundary) + len(boundary) :]
        while len(waiting) < len(_LINE):
            piece = await anext(rest, b"")
            if not piece:
                raise _malformed()
            waiting += piece
        if not waiting.startswith(_LINE):
            raise InvalidArgument(
                "POST requires exactly one file upload per request.",
                ArgumentName="file",
                ArgumentValue="0",
            )
        waiting = await _until(waiting, rest, _BLANK)
        head, _, waiting = waiting.partition(_BLANK)
        name, filename = _disposition(head)
        if name == "file":
            return fields, filename, FormFile(waiting, rest, boundary)
        waiting = await _until(waiting, rest, boundary)
        value = waiting[: waiting.index(boundary)]
        fields[name] = value.decode("utf-8", "replace")
        if sum(len(one) for one in fields.values()) > FORM_FIELDS_BYTES_MAX:
            raise _too_long()


async def _until(waiting: bytes, rest: AsyncIterator[bytes], mark: bytes) -> bytes:
    while mark not in waiting:
        if len(waiting) > FORM_FIELDS_BYTES_MAX:
            raise _too_long()
        piece = await anext(rest, b"")
        if not piece:
            raise _malformed()
        waiting += piece
    return waiting


def _disposition(head: bytes) -> tuple[str, str]:
    message = Message()
    for line in head.strip().decode("utf-8", "replace").split("\r\n"):
        field, separator, value = line.partition(":")
        if separator and _NAME.match(field):
            message[field] = value.strip()
    name = message.get_param("name", header="content-disposition")
    filename = message.get_param("filename", "", header="content-disposition")
    if not isinstance(name, str):
        raise _malformed()
    return name.lower(), filename if isinstance(filename, str) else ""


def _malformed() -> MalformedPostRequest:
    return MalformedPostRequest(
        "The body of your POST request is not well-formed multipart/form-data."
    )


def _too_long() -> InvalidRequest:
    return InvalidRequest(
        "Your POST request fields preceding the upload file were too large.",
        code="MaxPostPreDataLengthExceededError",
    )
