"""Asking a server that speaks OpenAI's chat completions: the one kind of provider there is.

Servers of the user's are reached by their URL; the embedded engine, by its private socket.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from cumulet.core.errors import AwsError
from cumulet.services.bedrock.errors import (
    ModelErrorException,
    ModelNotReadyException,
    ModelStreamErrorException,
    ModelTimeoutException,
    ServiceUnavailableException,
    ThrottlingException,
    ValidationException,
)
from cumulet.services.bedrock.limits import ERROR_BYTES_MAX, ERROR_CHARACTERS_MAX
from cumulet.services.bedrock.model import Ask, Json, Piece
from cumulet.services.bedrock.providers.chunks import (
    BadChunk,
    Reading,
    ServerSaid,
    chat_body,
    words_of,
)
from cumulet.services.bedrock.providers.event_lines import EventLines, TooLong
from cumulet.services.bedrock.providers.exchange import Address, Exchange, Unreachable, send


class Streaming:
    """An answer that the server has begun. `close` ends it, at any time."""

    def __init__(self, exchange: Exchange, reading: Reading, timeout_seconds: float) -> None:
        self._exchange = exchange
        self._reading = reading
        self._timeout_seconds = timeout_seconds

    async def pieces(self) -> AsyncIterator[Piece]:
        """The pieces as they come. Raises ModelTimeoutException, ModelStreamErrorException."""
        lines, reading = EventLines(), self._reading
        try:
            arriving = self._exchange.pieces()
            while not reading.is_over():
                async with asyncio.timeout(self._timeout_seconds):
                    data = await anext(arriving, b"")
                for event in lines.feed(data) if data else lines.end():
                    for piece in reading.feed(event):
                        yield piece
                    if reading.is_over():
                        break
                if not data:
                    break
            for piece in reading.end():
                yield piece
        except TimeoutError as cause:
            raise silent(self._timeout_seconds) from cause
        except TooLong as cause:
            raise _broke("an event of the model's server is too long") from cause
        except (Unreachable, BadChunk, ServerSaid) as cause:
            raise _broke(str(cause)) from cause

    def close(self) -> None:
        """End the connection; the server stops when it notices."""
        self._exchange.close()


async def begin(
    address: Address,
    ask: Ask,
    *,
    name: str,
    key: str,
    timeout_seconds: float,
    finds_stops: bool,
    make_id: Callable[[], str],
) -> Streaming:
    """Ask, and wait until the server has accepted. Raises AwsError."""
    body = chat_body(ask, name, finds_stops=finds_stops)
    exchange = await _post(address, "/chat/completions", body, key, timeout_seconds)
    return Streaming(exchange, Reading(ask, make_id, finds_stops=finds_stops), timeout_seconds)


async def count(address: Address, ask: Ask, *, name: str, key: str, timeout_seconds: float) -> int:
    """How many tokens the request has for the model, as llama.cpp's server counts them.

    Raises AwsError.
    """
    body = chat_body(ask, name, finds_stops=False)
    for needless in ("stream", "stream_options"):
        del body[needless]
    path = "/chat/completions/input_tokens"
    exchange = await _post(address, path, body, key, timeout_seconds)
    try:
        async with asyncio.timeout(timeout_seconds):
            told = json.loads(await exchange.whole(ERROR_BYTES_MAX))
        return int(told["input_tokens"])
    except TimeoutError as cause:
        raise silent(timeout_seconds) from cause
    except (Unreachable, ValueError, KeyError, TypeError) as cause:
        raise ModelErrorException("The model's server did not count the tokens.") from cause
    finally:
        exchange.close()


async def _post(
    address: Address, path: str, body: Json, key: str, timeout_seconds: float
) -> Exchange:
    headers = [("Authorization", f"Bearer {key}")] if key else []
    try:
        exchange = await send(address, path, headers, json.dumps(body).encode())
    except Unreachable as cause:
        raise ServiceUnavailableException(
            f"The model's server cannot be reached: {cause}"
        ) from cause
    try:
        async with asyncio.timeout(timeout_seconds):
            await exchange.head()
            if exchange.status == 200:
                return exchange
            said = await exchange.whole(ERROR_BYTES_MAX)
    except TimeoutError as cause:
        exchange.close()
        raise silent(timeout_seconds) from cause
    except Unreachable as cause:
        exchange.close()
        raise ServiceUnavailableException(
            f"The model's server broke the connection off: {cause}"
        ) from cause
    except BaseException:
        exchange.close()
        raise
    exchange.close()
    raise refusal(exchange.status, said)


def refusal(status: int, said: bytes) -> AwsError:
    """A server's refusal as Bedrock's error."""
    try:
        words = words_of(json.loads(said))
    except ValueError:
        words = said.decode("utf-8", "replace")
    words = words.strip()[:ERROR_CHARACTERS_MAX] or f"status {status}"
    if status in (400, 413, 422):
        return ValidationException(f"The model returned the following errors: {words}")
    if status in (401, 403, 407):
        return ServiceUnavailableException(
            "The model's server refused the key that the models file gives for it."
        )
    if status == 429:
        return ThrottlingException("Too many requests, please wait before trying again.")
    if status in (408, 504):
        return ModelTimeoutException(f"The model's server took too long: {words}")
    if status == 503:
        return ModelNotReadyException(f"The model is not ready for inference: {words}")
    return ModelErrorException(
        f"The model's server failed: {words}", originalStatusCode=max(100, min(status, 599))
    )


def silent(seconds: float) -> ModelTimeoutException:
    """The model said nothing for so long."""
    return ModelTimeoutException(f"The model said nothing for {seconds:g} seconds.")


def _broke(words: str) -> ModelStreamErrorException:
    words = words[:ERROR_CHARACTERS_MAX]
    return ModelStreamErrorException(
        f"The model's answer broke off: {words}", originalStatusCode=500, originalMessage=words
    )
