"""The wide events of the last requests: kept in memory, and written as JSON lines when asked."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, TextIO

from cumulet.core.trace import Trace
from cumulet.services.ce.reckoning import cost_of_request

KEPT_MAX = 1_000


class RecentEvents:
    """A sink of the edge. Nothing is written to disk unless a stream is given."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._kept: deque[Trace] = deque(maxlen=KEPT_MAX)
        self._stream = stream

    def __call__(self, trace: Trace) -> None:
        """Take the trace of one request that was answered."""
        self._kept.append(trace)
        if self._stream is not None:
            self._stream.write(json.dumps(trace.event(), default=str) + "\n")
            self._stream.flush()

    def newest(self, count: int, request_id: str = "", trace_id: str = "") -> list[dict[str, Any]]:
        """The last events, newest first; those of one request or trace when an id is given.

        They have what the request would have cost on AWS, in place of what it used.
        """
        found: list[dict[str, Any]] = []
        for trace in reversed(self._kept):
            if request_id and trace.request_id != request_id:
                continue
            if trace_id and trace.trace_id != trace_id:
                continue
            found.append(_priced(trace))
            if len(found) == count:
                break
        return found


def _priced(trace: Trace) -> dict[str, Any]:
    event = trace.event()
    event.pop("used", None)
    cost = cost_of_request(trace.used)
    return event if cost is None else {**event, "cost": cost}
