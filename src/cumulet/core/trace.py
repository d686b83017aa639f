"""What happened in a request: one wide event with spans. The only logging API of the product.

Events go to sinks that the application adds; user functions' output is not logged here.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from cumulet.core.usage import Used

logger = logging.getLogger("cumulet")

_SPANS_MAX = 500
"""Spans kept for one request; a request that makes more says how many were left out."""

_NOTES_MAX = 500
"""Notes kept apart; a request that makes more has them put together."""

_USED_MAX = 500
"""What one request is told to have used; of more only the count is kept."""


class Answered(NamedTuple):
    """A request and its answer as their event tells them. Sizes are None where not known.

    `ended` is in `time.perf_counter` seconds.
    """

    method: str
    path: str
    host: str
    peer: str
    status: int
    ended: float
    request_bytes: int | None
    answer_bytes: int | None


class Trace:
    """The wide event of one request: fields, and spans with start and length in microseconds.

    Every request makes one and few are read, so that what is told is kept as it was given and is
    put together only when somebody asks.
    """

    __slots__ = (
        "_notes",
        "_opened",
        "_spans",
        "_trace_id",
        "_used",
        "answer",
        "is_sampled",
        "parent_id",
        "request_id",
        "spans_dropped",
        "started",
        "used_dropped",
    )

    def __init__(
        self,
        trace_id: str = "",
        parent_id: str = "",
        request_id: str = "",
        opened: float | None = None,
    ) -> None:
        """A trace without an id that was `opened`, in epoch seconds, gets one of its own."""
        self._trace_id = trace_id
        self._opened = opened
        self.parent_id = parent_id
        self.request_id = request_id
        self._notes: list[Mapping[str, Any]] = []
        self._spans: list[tuple[str, float, float, dict[str, Any] | None]] = []
        self._used: list[Used] = []
        self.spans_dropped = 0
        self.used_dropped = 0
        self.started = time.perf_counter()
        self.answer: Answered | None = None
        """What was asked and answered over HTTP, once it was."""
        self.is_sampled: bool | None = None
        """Whether who asked records this trace; None when that was not told."""

    @property
    def opened(self) -> float | None:
        """When the request came, in epoch seconds."""
        return self._opened

    @property
    def trace_id(self) -> str:
        """The id that X-Ray's header carries as `Root`.

        A trace begins with exactly one request, so that the randomness of its id serves for both.
        """
        if not self._trace_id and self._opened is not None:
            self._trace_id = f"1-{int(self._opened):08x}-{self.request_id.replace('-', '')[:24]}"
        return self._trace_id

    @property
    def fields(self) -> dict[str, Any]:
        """Everything noted so far; what was noted later counts."""
        found: dict[str, Any] = {}
        for note in self._notes:
            found.update(note)
        return found

    @property
    def spans(self) -> list[tuple[str, int, int, dict[str, Any] | None]]:
        """Name, start and length in microseconds, and fields of each span."""
        return [
            (name, int((start - self.started) * 1e6), int((end - start) * 1e6), fields)
            for name, start, end, fields in self._spans
        ]

    def note(self, **fields: Any) -> None:
        """Set fields of the event."""
        self.note_all(fields)

    def note_all(self, fields: Mapping[str, Any]) -> None:
        """Set fields of the event from a mapping that is kept, so must not change any more."""
        notes = self._notes
        notes.append(fields)
        if len(notes) > _NOTES_MAX:
            self._notes = [self.fields]

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
        if len(self._spans) >= _SPANS_MAX:
            self.spans_dropped += 1
            return
        self._spans.append((name, start, end, fields))

    @property
    def used(self) -> list[Used]:
        """What the request used of what AWS charges for, in the order of use."""
        return list(self._used)

    def add_used(self, used: Used) -> None:
        """Note what the request used, for whoever reckons what it would have cost."""
        if len(self._used) >= _USED_MAX:
            self.used_dropped += 1
            return
        self._used.append(used)

    def event(self) -> dict[str, Any]:
        """The whole event, for those who read or write it."""
        answer = self.answer
        event: dict[str, Any] = {"request_id": self.request_id, "trace_id": self.trace_id}
        if answer is not None:
            event |= answer._asdict()
            event["duration_ms"] = (event.pop("ended") - self.started) * 1000
            for name in ("request_bytes", "answer_bytes"):
                if event[name] is None:
                    del event[name]
        event |= self.fields
        event["spans"] = self.spans
        if self.parent_id:
            event["parent_id"] = self.parent_id
        if self.spans_dropped:
            event["spans_dropped"] = self.spans_dropped
        if self._used:
            event["used"] = [
                (one.resource, *one.dimension, one.amount, one.region) for one in self._used
            ]
        if self.used_dropped:
            event["used_dropped"] = self.used_dropped
        return event


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


Sink = Callable[[Trace], None]
"""Takes the trace of a request that was answered; `Trace.event` puts it together."""


def log_line(level: int, message: str, **fields: Any) -> None:
    """Write one operator's line: a sentence, and its fields as JSON."""
    if logger.isEnabledFor(level):
        logger.log(level, "%s %s", message, json.dumps(fields, default=str) if fields else "")


def log_cause(request_id: str, message: str, cause: BaseException, **fields: Any) -> None:
    """Write the cause of a failure of ours, once, with its traceback."""
    logger.error(
        "%s request_id=%s %s", message, request_id, json.dumps(fields, default=str), exc_info=cause
    )
