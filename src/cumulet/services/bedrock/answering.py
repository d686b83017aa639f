"""Asking a model on behalf of a caller: waiting for a turn, measuring, and giving everything back.

Metrics follow https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.usage import model_tokens
from cumulet.kit.ports import Metrics, Usage
from cumulet.services.bedrock.errors import (
    ModelErrorException,
    ModelStreamErrorException,
    ModelTimeoutException,
    ServiceUnavailableException,
    ThrottlingException,
    ValidationException,
)
from cumulet.services.bedrock.limits import ANSWER_CHARACTERS_MAX
from cumulet.services.bedrock.model import (
    Answer,
    Ask,
    End,
    Piece,
    Reasoning,
    Text,
    ToolInput,
    ToolStart,
    ToolUse,
)
from cumulet.services.bedrock.providers.contract import Answering
from cumulet.services.bedrock.providers.gate import Full
from cumulet.services.bedrock.registry import Registry, Served

_THROTTLED = "Too many requests, please wait before trying again."
_IN_STREAM = (ModelStreamErrorException, ThrottlingException, ValidationException)
_SERVERS = (ServiceUnavailableException, ModelErrorException, ModelTimeoutException)


class Measure:
    """The metrics of one invocation."""

    def __init__(self, ctx: Context, model_id: str) -> None:
        self._metrics: Metrics = ctx.need(Metrics)
        self._ctx = ctx
        self._model_id = model_id
        self._scope = ctx.scope
        self._dimensions = (("ModelId", model_id),)
        self._clock = ctx.clock
        self._began = ctx.clock.monotonic()
        self._first: float | None = None

    def first(self) -> None:
        """The first piece has come."""
        if self._first is None:
            self._first = self._clock.monotonic()

    def done(self, end: End) -> End:
        """Record a whole answer; gives its end back with the times in it."""
        took = round((self._clock.monotonic() - self._began) * 1000)
        first = round(((self._first or self._clock.monotonic()) - self._began) * 1000)
        self._record("Invocations", 1)
        self._record("InvocationLatency", took, "Milliseconds")
        self._record("InputTokenCount", end.usage.input_tokens)
        self._record("OutputTokenCount", end.usage.output_tokens)
        self._charge(end.usage.input_tokens, out=False)
        self._charge(end.usage.output_tokens, out=True)
        return msgspec.structs.replace(end, latency_ms=took, first_ms=first)

    def failed(self, error: AwsError) -> None:
        """Record an invocation that ended in an error."""
        if isinstance(error, ThrottlingException):
            self._record("InvocationThrottles", 1)
        elif isinstance(error, (*_SERVERS, ModelStreamErrorException)):
            self._record("InvocationServerErrors", 1)
        else:
            self._record("InvocationClientErrors", 1)

    def _charge(self, tokens: int, *, out: bool) -> None:
        """https://aws.amazon.com/bedrock/pricing/"""
        region, model = self._scope.region, self._model_id
        arn = (
            model
            if model.startswith("arn:")
            else f"arn:aws:bedrock:{region}::foundation-model/{model}"
        )
        kind = model_tokens(model.rsplit("/", 1)[-1], out=out)
        self._ctx.need(Usage).used(self._scope, arn, kind, tokens / 1000, self._ctx.trace)

    def _record(self, name: str, value: float, unit: str = "Count") -> None:
        self._metrics.record(self._scope, "AWS/Bedrock", name, self._dimensions, float(value), unit)


class Reply:
    """An answer under way. It must be closed; one that is forgotten closes itself."""

    def __init__(self, served: Served, answering: Answering, measure: Measure) -> None:
        self._served = served
        self._answering = answering
        self._measure = measure
        self._is_open = True

    async def pieces(self) -> AsyncIterator[Piece]:
        """The pieces; the `End` knows the times. Raises AwsError."""
        try:
            async for piece in self._answering.pieces():
                self._measure.first()
                if isinstance(piece, End):
                    self.close()
                    yield self._measure.done(piece)
                    return
                yield piece
        except AwsError as error:
            self._measure.failed(error)
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection and the turn back."""
        if self._is_open:
            self._is_open = False
            self._answering.close()
            self._served.gate.leave()

    def __del__(self) -> None:
        # A client that goes before its stream begins leaves an iterator that was never started,
        # whose end runs no code of ours but this.
        self.close()


async def begin(ctx: Context, model_id: str, ask: Ask) -> Reply:
    """Ask the model; returns when it has taken the request. Raises AwsError."""
    measure = Measure(ctx, model_id)
    try:
        served = ctx.need(Registry).find(model_id)
        if ask.has_images and not served.provider.takes_images:
            raise ValidationException(
                "This model doesn't support the image content block that you provided: remove it, "
                "or choose a model that takes images."
            )
        await take_turn(served)
        try:
            answering = await served.provider.begin(ask)
        except BaseException:
            served.gate.leave()
            raise
    except AwsError as error:
        measure.failed(error)
        raise
    return Reply(served, answering, measure)


async def take_turn(served: Served) -> None:
    """Wait for a turn, which must be given back. Raises ThrottlingException."""
    try:
        async with asyncio.timeout(served.entry.timeout_seconds):
            await served.gate.enter()
    except (Full, TimeoutError) as cause:
        raise ThrottlingException(_THROTTLED) from cause


async def ask_whole(ctx: Context, model_id: str, ask: Ask) -> Answer:
    """The whole answer at once. Raises AwsError.

    A client that goes meanwhile ends the work: a cancellation, as for one that leaves a stream.
    """
    client, task = ctx.request.client if ctx.request else None, asyncio.current_task()
    if client is None or task is None:
        return await _ask_whole(ctx, model_id, ask)
    forget = client.on_departure(task.cancel)
    try:
        return await _ask_whole(ctx, model_id, ask)
    finally:
        forget()


async def _ask_whole(ctx: Context, model_id: str, ask: Ask) -> Answer:
    reply = await begin(ctx, model_id, ask)
    gathered = Gathering()
    try:
        async for piece in reply.pieces():
            gathered.add(piece)
    except ModelStreamErrorException as cause:
        raise ModelErrorException(cause.message, originalStatusCode=500) from cause
    finally:
        reply.close()
    return gathered.whole()


def as_stream_error(error: AwsError, *, knows_timeouts: bool) -> AwsError:
    """An error as a stream can tell it: its model has only some of them."""
    if isinstance(error, _IN_STREAM) or (
        knows_timeouts and isinstance(error, ModelTimeoutException)
    ):
        return error
    status = 408 if isinstance(error, ModelTimeoutException) else 500
    return ModelStreamErrorException(
        error.message, originalStatusCode=status, originalMessage=error.message
    )


class Gathering:
    """Makes a whole answer of its pieces."""

    def __init__(self) -> None:
        self._blocks: list[list[Piece]] = []
        self._size = 0
        self._end: End | None = None

    def add(self, piece: Piece) -> None:
        """One more. Raises ModelErrorException when the answer is longer than any may be."""
        if isinstance(piece, End):
            self._end = piece
            return
        if not isinstance(piece, ToolStart):
            self._size += len(piece.text)
            if self._size > ANSWER_CHARACTERS_MAX:
                raise ModelErrorException("The model's answer is too long.")
        continues = self._blocks and (
            isinstance(piece, ToolInput) or type(self._blocks[-1][0]) is type(piece)
        )
        if continues and not isinstance(piece, ToolStart):
            self._blocks[-1].append(piece)
        else:
            self._blocks.append([piece])

    def whole(self) -> Answer:
        """The answer, which has ended. Raises ModelErrorException for a tool's input of no JSON."""
        assert self._end is not None
        return Answer(tuple(_block(pieces) for pieces in self._blocks), self._end)


def _block(pieces: list[Piece]) -> Text | Reasoning | ToolUse:
    first = pieces[0]
    text = "".join(one.text for one in pieces if not isinstance(one, (ToolStart, End)))
    if isinstance(first, Reasoning):
        return Reasoning(text)
    if isinstance(first, ToolStart):
        return ToolUse(first.id, first.name, parse_input(text))
    return Text(text)


def parse_input(text: str) -> object:
    """The input of a tool. Raises ModelErrorException when it is not JSON."""
    try:
        return json.loads(text or "{}")
    except ValueError as cause:
        raise ModelErrorException(
            "The model asked for a tool with an input that is not JSON."
        ) from cause
