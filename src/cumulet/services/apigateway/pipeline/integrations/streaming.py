"""Lambda functions whose answers are passed on while they are produced.

https://docs.aws.amazon.com/apigateway/latest/developerguide/response-streaming-lambda-configure.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import malformed_answer, timed_out
from cumulet.services.apigateway.pipeline.integrations.roles import on_behalf, refusal_of
from cumulet.services.apigateway.pipeline.integrations.timing import Timing
from cumulet.services.apigateway.pipeline.validate import Admitted

PRELUDE_BYTES_MAX = 1_048_576
"""Of the document with status and headers that comes before the body. Ours."""

_DELIMITER = b"\0" * 8
_MEMBERS = frozenset({"statusCode", "headers", "multiValueHeaders", "cookies"})


async def invoke_stream(ctx: Context, admitted: Admitted, event: bytes) -> Exchange:
    """Invoke the function, and answer as soon as it has said status and headers.

    Raises GatewayFault.
    """
    matched = admitted.authorized.matched
    method = matched.method
    timing = Timing(matched.arrival.journal, method.uri, [], event)
    until = asyncio.get_running_loop().time() + method.timeout_seconds
    body: _Pieces | None = None
    try:
        async with asyncio.timeout_at(until):
            caller = await on_behalf(ctx, admitted, method.function_region)
            answer = await caller.call(
                "lambda", "InvokeWithResponseStream", FunctionName=method.function, Payload=event
            )
            body = _Pieces(answer["EventStream"], until)
            prelude = await _prelude(body)
    except TimeoutError as cause:
        await _close(body)
        raise timed_out() from cause
    except AwsError as cause:
        ctx.trace.note(integration_error=refusal_of(cause))
        raise malformed_answer(refusal_of(cause)) from cause
    except BaseException:
        await _close(body)
        raise
    status, headers = _head(prelude)
    timing.ended(status, headers, b"[streamed]", ctx.request_id)
    return Exchange(matched, status, headers, body, True)


async def _close(body: _Pieces | None) -> None:
    if body is not None:
        await body.aclose()


class _Pieces:
    """The pieces of a function's streamed answer, within the integration's time."""

    def __init__(self, events: Any, until: float) -> None:
        self._events = events
        self._until = until
        self._begun = b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def put_back(self, piece: bytes) -> None:
        """What was read too far comes first."""
        self._begun = piece

    async def __anext__(self) -> bytes:
        if self._begun:
            piece, self._begun = self._begun, b""
            return piece
        try:
            async with asyncio.timeout_at(self._until):
                return await self._next()
        except TimeoutError as cause:
            await self.aclose()
            raise ConnectionError("the streamed answer took too long") from cause

    async def _next(self) -> bytes:
        async for event in self._events:
            piece: bytes = event.get("PayloadChunk", {}).get("Payload") or b""
            if piece:
                return piece
            if event.get("InvokeComplete", {}).get("ErrorCode"):
                raise ConnectionError("the function failed within its answer")
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """The client has gone, or wants no more; the function's work on it ends."""
        close = getattr(self._events, "aclose", None)
        if close is not None:
            await close()


async def _prelude(pieces: _Pieces) -> dict[str, Any]:
    """The document before the body. Raises GatewayFault when there is none."""
    received = b""
    try:
        async for piece in pieces:
            received += piece
            begin, found, rest = received.partition(_DELIMITER)
            if found:
                pieces.put_back(rest)
                break
            if len(received) > PRELUDE_BYTES_MAX:
                raise malformed_answer("the function's prelude is too long")
        else:
            raise malformed_answer("the function's answer has no prelude")
        document = orjson.loads(begin)
    except (orjson.JSONDecodeError, ConnectionError) as cause:
        raise malformed_answer(f"the function's prelude cannot be read: {cause}") from cause
    if not isinstance(document, dict) or not _MEMBERS.issuperset(document):
        raise malformed_answer("the function's prelude is not of the proxy form")
    return document


def _head(prelude: dict[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    status = prelude.get("statusCode", 200)
    if isinstance(status, bool) or not str(status).isdigit():
        raise malformed_answer("statusCode is no number")
    headers: list[tuple[str, str]] = []
    many = prelude.get("multiValueHeaders") or {}
    single = prelude.get("headers") or {}
    cookies = prelude.get("cookies") or []
    if not (isinstance(many, dict) and isinstance(single, dict) and isinstance(cookies, list)):
        raise malformed_answer("headers are no object")
    taken = {str(name).lower() for name in many}
    for name, values in many.items():
        headers += [(str(name), str(value)) for value in values]
    headers += [(str(n), str(v)) for n, v in single.items() if str(n).lower() not in taken]
    headers += [("Set-Cookie", str(cookie)) for cookie in cookies]
    return int(status), headers
