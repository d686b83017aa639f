"""The two that export: requests in batches from a bounded queue, metrics at each interval."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

from cumulet.app.telemetry.limits import BACK_OFF_SECONDS_MIN, REST, SLICE, STOP_SECONDS
from cumulet.app.telemetry.otlp.messages import METRICS, SPAN, TRACES, Message
from cumulet.app.telemetry.otlp.points import (
    POINT,
    metric_of,
    metrics_of_figures,
    point_of_series,
)
from cumulet.app.telemetry.otlp.sending import Sender
from cumulet.app.telemetry.otlp.spans import is_sampled, spans_of, trace_id_of
from cumulet.app.telemetry.process import Figure
from cumulet.app.telemetry.registry import Series
from cumulet.app.telemetry.reports import Reports
from cumulet.app.telemetry.settings import TelemetrySettings
from cumulet.core.clock import Clock
from cumulet.core.trace import Trace
from cumulet.kit.workers import Tasks

Resource = Mapping[str, Any]
REQUESTS, MEASURED = "requests", "metrics"
"""What is sent, and dropped, as the log and the figures call it."""


async def _again_and_again(
    turn: Callable[[], Awaitable[None]], failed: Callable[[BaseException], None], clock: Clock
) -> None:
    """Turn after turn until this task is cancelled, whatever goes wrong in one of them."""
    while True:
        try:
            await turn()
        except asyncio.CancelledError as cause:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something within was cancelled, not this.
            failed(cause)
        except Exception as cause:
            failed(cause)
            await clock.sleep(BACK_OFF_SECONDS_MIN)


class TraceExporter:
    """A sink of the edge: an answer only waits for its trace to be put in a queue."""

    def __init__(
        self,
        sender: Sender,
        settings: TelemetrySettings,
        resource: Message,
        scope: Message,
        clock: Clock,
        reports: Reports,
    ) -> None:
        self._sender = sender
        self._settings = settings
        self._resource = resource
        self._scope = scope
        self._clock = clock
        self._reports = reports
        self._queue: deque[Trace] = deque()
        self._in_hand: list[Trace] = []
        self._full = asyncio.Event()
        self._lost = 0
        self._tasks = Tasks()

    def __call__(self, trace: Trace) -> None:
        """Take the trace of one request that was answered."""
        if len(self._queue) >= self._settings.queue_traces:
            self._lost += 1
            return
        self._queue.append(trace)
        if len(self._queue) >= self._settings.batch_spans:
            self._full.set()

    async def start(self) -> None:
        """Begin to export."""
        self._tasks.start(
            _again_and_again(self._turn, self._failed, self._clock), "export of requests"
        )

    async def stop(self) -> None:
        """Send what waits, within the time that a stop has."""
        await self._tasks.stop()
        self._queue.extendleft(reversed(self._in_hand))
        self._in_hand = []
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while self._queue:
                    await self._export(rest=0.0)
        except TimeoutError:
            left = len(self._queue) + len(self._in_hand)
            self._reports.drop(REQUESTS, left, "they were not sent before the stop")
        except Exception as cause:
            self._failed(cause)
        self._tell_lost()

    async def _turn(self) -> None:
        await self._wait()
        while self._queue:
            self._tell_lost()
            await self._export()
            if len(self._queue) < self._settings.batch_spans:
                break
        self._tell_lost()
        self._reports.tell()

    def _failed(self, cause: BaseException) -> None:
        lost, self._in_hand = len(self._in_hand), []
        self._reports.failed("requests were not exported", cause)
        if lost:
            self._reports.drop(REQUESTS, lost, "a mistake of the exporter")

    async def _wait(self) -> None:
        """Until there is a whole batch, or what there is has waited long enough."""
        self._full.clear()
        if len(self._queue) >= self._settings.batch_spans:
            return
        waiting = self._tasks.start(self._full.wait(), "whole batch")
        pause = self._tasks.start(self._clock.sleep(self._settings.delay_seconds), "batch's time")
        try:
            await asyncio.wait((waiting, pause), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            pause.cancel()

    def _tell_lost(self) -> None:
        lost, self._lost = self._lost, 0
        if lost:
            self._reports.drop(REQUESTS, lost, "more came than could be sent")

    async def _export(self, rest: float = REST) -> None:
        """Send one batch."""
        spans: list[Any] = []
        began = self._clock.monotonic()
        while self._queue and len(spans) < self._settings.batch_spans:
            trace = self._queue.popleft()
            self._in_hand.append(trace)
            if self._is_told(trace):
                spans += (self._sender.prepare(SPAN, one) for one in spans_of(trace))
            if len(self._in_hand) % SLICE == 0:
                await self._clock.sleep((self._clock.monotonic() - began) * rest)
                began = self._clock.monotonic()
        if spans:
            scoped = {"scope": self._scope, "spans": spans}
            message = {"resourceSpans": [{"resource": self._resource, "scopeSpans": [scoped]}]}
            await self._sender.send(self._sender.write(TRACES, message), len(self._in_hand))
        self._in_hand = []

    def _is_told(self, trace: Trace) -> bool:
        sampler = self._settings.sampler
        if sampler.follows_parent and trace.is_sampled is not None:
            return trace.is_sampled
        return sampler.ratio >= 1 or is_sampled(trace_id_of(trace.trace_id), sampler.ratio)


class MetricExporter:
    """Reads all series and figures at each interval. What one sending misses, the next has."""

    def __init__(
        self,
        sender: Sender,
        settings: TelemetrySettings,
        resource: Message,
        scope: Message,
        clock: Clock,
        reports: Reports,
        series: Callable[[], list[Series]],
        figures: Callable[[], Iterable[Figure]],
    ) -> None:
        self._sender = sender
        self._settings = settings
        self._resource = resource
        self._scope = scope
        self._clock = clock
        self._reports = reports
        self._series = series
        self._figures = figures
        self._began = clock.now()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Begin to export."""
        self._tasks.start(
            _again_and_again(self._turn, self._failed, self._clock), "export of metrics"
        )

    async def stop(self) -> None:
        """Send the last figures, within the time that a stop has."""
        await self._tasks.stop()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._export()
        except TimeoutError:
            self._reports.drop(MEASURED, 1, "the last were not sent before the stop")
        except Exception as cause:
            self._failed(cause)

    async def _turn(self) -> None:
        await self._clock.sleep(self._settings.interval_seconds)
        await self._export()
        self._reports.tell()

    def _failed(self, cause: BaseException) -> None:
        self._reports.failed("metrics were not exported", cause)

    async def _export(self) -> None:
        now = self._clock.now()
        metrics: list[Message] = []
        done = 0
        for family, alike in groupby(self._series(), key=lambda one: one.family):
            points: list[Any] = []
            for one in alike:
                points.append(self._sender.prepare(POINT[family.kind], point_of_series(one, now)))
                done += 1
                if done % SLICE == 0:
                    await self._clock.sleep(0)
            metrics.append(metric_of(family, points))
        metrics += metrics_of_figures(self._figures(), self._began, now)
        scoped = {"scope": self._scope, "metrics": metrics}
        message = {"resourceMetrics": [{"resource": self._resource, "scopeMetrics": [scoped]}]}
        await self._sender.send(self._sender.write(METRICS, message), 1)
