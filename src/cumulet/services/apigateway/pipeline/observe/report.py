"""Writing what a request's journal holds, once its answer is made: access and execution logs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from cumulet.core.context import Platform
from cumulet.core.http import Response
from cumulet.kit.ports import LogSink
from cumulet.services.apigateway.pipeline.observe.context import context_of
from cumulet.services.apigateway.pipeline.observe.execution import lines_of

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.match import Arrival
    from cumulet.services.apigateway.pipeline.served import ServedStage


def tell(platform: Platform, stage: ServedStage, arrival: Arrival, response: Response) -> Response:
    """Write the request's logs, after the last piece of a streamed answer. The same response."""
    logs = stage.logs
    if logs.access is None and logs.execution_place is None:
        return response
    if isinstance(response.body, bytes):
        _write(platform, stage, arrival, response, len(response.body))
    else:
        response.body = _counted(platform, stage, arrival, response, response.body)
    return response


async def _counted(
    platform: Platform,
    stage: ServedStage,
    arrival: Arrival,
    response: Response,
    body: AsyncIterator[bytes],
) -> AsyncIterator[bytes]:
    size = 0
    try:
        async for piece in body:
            size += len(piece)
            yield piece
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
        _write(platform, stage, arrival, response, size)


def _write(
    platform: Platform,
    stage: ServedStage,
    arrival: Arrival,
    response: Response,
    length: int,
) -> None:
    now_ms = int(platform.clock.now() * 1000)
    sink = platform.need(LogSink)
    logs, journal = stage.logs, arrival.journal
    if logs.access is not None and logs.access_place is not None:
        values = context_of(stage, arrival)
        values |= {
            "status": response.status,
            "responseLength": length,
            "responseLatency": max(0, now_ms - arrival.epoch_ms),
        }
        place = logs.access_place
        sink.write(stage.scope, place.group, place.stream, now_ms, logs.access(values))
    if logs.execution_place is None or journal.matched is None:
        return
    settings = journal.matched.method.settings
    if settings.logging_level in (None, "OFF"):
        return
    place = logs.execution_place
    for line in lines_of(
        stage,
        arrival,
        response,
        only_errors=settings.logging_level == "ERROR",
        with_data=settings.data_trace_enabled,
    ):
        text = f"({arrival.request_id}) {line}"
        sink.write(stage.scope, place.group, place.stream, now_ms, text)
