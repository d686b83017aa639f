"""A function's result as the HTTP response of its URL. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import msgspec

INTEGRATION_TYPE = "application/vnd.awslambda.http-integration-response"
PRELUDE_BYTES_MAX = 1_048_576
_DELIMITER = b"\0" * 8
_JSON = ("content-type", "application/json")
_UNSAFE = ("\r", "\n", "\0")


class Answer(NamedTuple):
    """Status, header pairs and body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class BadAnswer(Exception):
    """The function's result has a status or headers that cannot be sent."""


def answer_of(payload: bytes) -> Answer:
    """The response that a function's whole result means. Raises BadAnswer.

    A result without `statusCode` is the body of a 200 with JSON in it.
    """
    try:
        result = msgspec.json.decode(payload) if payload else None
    except msgspec.DecodeError:
        return Answer(200, [_JSON], payload)
    if isinstance(result, dict) and "statusCode" in result:
        return _formatted(result)
    if isinstance(result, str):
        return Answer(200, [_JSON], result.encode())
    return Answer(200, [_JSON], payload)


def _formatted(result: dict[str, Any]) -> Answer:
    body = result.get("body")
    if body is None:
        content = b""
    elif isinstance(body, str):
        content = body.encode()
    else:
        content = msgspec.json.encode(body)
    if result.get("isBase64Encoded") and content:
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error as cause:
            raise BadAnswer("the body is not base64") from cause
    status, headers = head_of(result)
    if not any(name == "content-type" for name, _ in headers):
        headers.append(_JSON)
    return Answer(status, headers, content)


def head_of(result: dict[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    """Status and headers of a result or of a streamed prelude. Raises BadAnswer."""
    try:
        status = int(result.get("statusCode", 200))
    except (TypeError, ValueError) as cause:
        raise BadAnswer("the status is not a number") from cause
    if not 100 <= status <= 599:
        raise BadAnswer("there is no such status")
    headers: list[tuple[str, str]] = []
    given = result.get("headers") or {}
    if not isinstance(given, dict):
        raise BadAnswer("the headers are not an object")
    for name, value in given.items():
        headers.append((_safe(str(name).lower()), _safe(_text(value))))
    for cookie in result.get("cookies") or ():
        headers.append(("set-cookie", _safe(str(cookie))))
    return status, headers


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(each) for each in value)
    return str(value)


def _safe(text: str) -> str:
    if any(each in text for each in _UNSAFE):
        raise BadAnswer("a header holds a line break")
    return text


def split_prelude(received: bytes) -> tuple[dict[str, Any], bytes] | None:
    """The prelude of a streamed response and what follows it; None while it is not whole.

    Raises BadAnswer.
    """
    prelude, found, rest = received.partition(_DELIMITER)
    if not found:
        if len(received) > PRELUDE_BYTES_MAX:
            raise BadAnswer("the prelude is too long")
        return None
    try:
        result = msgspec.json.decode(prelude)
    except msgspec.DecodeError as cause:
        raise BadAnswer("the prelude is not JSON") from cause
    if not isinstance(result, dict):
        raise BadAnswer("the prelude is not an object")
    return result, rest
