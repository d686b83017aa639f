"""What happened in a request: one wide event with spans. The only logging API of the product.

Events go to sinks that the application adds; user functions' output is not logged here.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

logger = logging.getLogger("cumulet")

_SPANS_MAX = 500
"""Spans kept for one request; a request that makes more says how many were left out."""


class Trace:
    """The wide event of one request: fields, and spans with start and length in microseconds."""

    __slots__ = ("fields", "parent_id", "spans", "spans_dropped", "started", "trace_id")

    def __init__(self, trace_id: str = "", parent_id: str = "") -> None:
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.fields: dict[str, Any] = {}
        self.spans: list[tuple[str, int, int, dict[str, Any] | None]] = []
        self.spans_dropped = 0
        self.started = time.perf_counter()

    def note(self, **fields: Any) -> None:
        """Set fields of the event."""
        self.fields.update(fields)

    @contextmanager
    def span(self, name: str, **fields: Any) -> Iterator[None]:
        """Measure the block as a span of this event."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add_span(name, start, time.perf_counter(), fields or None)

    def add_span(
        self, name: str, start: float, end: float, fields: dict[str, Any] | None = None
    ) -> None:
        """Record a span that was measured elsewhere, in `time.perf_counter` seconds."""
        if len(self.spans) >= _SPANS_MAX:
            self.spans_dropped += 1
            return
        begin_us = int((start - self.started) * 1e6)
        self.spans.append((name, begin_us, int((end - start) * 1e6), fields))

    def duration_ms(self) -> float:
        """Milliseconds since the event was opened."""
        return (time.perf_counter() - self.started) * 1000


current: ContextVar[Trace | None] = ContextVar("cumulet_trace", default=None)
"""The trace of the work in hand; `span` and `event` below write to it."""


@contextmanager
def span(name: str, **fields: Any) -> Iterator[None]:
    """Measure the block as a span of the current request, if there is one."""
    trace = current.get()
    if trace is None:
        yield
        return
    with trace.span(name, **fields):
        yield


Sink = Callable[[dict[str, Any]], None]


def log_line(level: int, message: str, **fields: Any) -> None:
    """Write one operator's line: a sentence, and its fields as JSON."""
    if logger.isEnabledFor(level):
        logger.log(level, "%s %s", message, json.dumps(fields, default=str) if fields else "")


def log_cause(request_id: str, message: str, cause: BaseException, **fields: Any) -> None:
    """Write the cause of a failure of ours, once, with its traceback."""
    logger.error(
        "%s request_id=%s %s", message, request_id, json.dumps(fields, default=str), exc_info=cause
    )
