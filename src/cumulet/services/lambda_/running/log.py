"""The log of one invocation: its lines in order, to the sink and to the tail the caller asked."""

from __future__ import annotations

import base64
from collections import deque
from typing import Protocol

from cumulet.core.clock import Clock
from cumulet.core.identity import Scope
from cumulet.kit.ports import LogSink
from cumulet.sandbox import LogLine, Usage
from cumulet.services.lambda_.limits import LOG_TAIL_BYTES_MAX
from cumulet.services.lambda_.model import Version
from cumulet.services.lambda_.running import report
from cumulet.services.lambda_.running.report import Report


class Place(Protocol):
    """The environment that an invocation runs in."""

    stream: str

    def take_beginning(self) -> list[bytes]:
        """What it wrote while it began, for the first invocation that it serves."""
        ...


class InvocationLog:
    """Writes START, the function's lines, END and REPORT of one invocation, once it has a place.

    START comes lazily, before the first line of the invocation itself. Without a sink (the role may
    not log) nothing is stored; the tail is kept all the same, with what an environment wrote while
    it began if this is its first invocation.
    """

    __slots__ = (
        "_clock",
        "_logging",
        "_place",
        "_request_id",
        "_scope",
        "_sink",
        "_started",
        "_tail",
        "_tail_bytes",
        "_version",
    )

    def __init__(
        self,
        clock: Clock,
        sink: LogSink | None,
        scope: Scope,
        version: Version,
        request_id: str,
        *,
        tail: bool,
    ) -> None:
        self._clock = clock
        self._sink = sink
        self._scope = scope
        self._version = version
        self._logging = version.settings.logging
        self._place: Place | None = None
        self._request_id = request_id
        self._started = False
        self._tail: deque[bytes] | None = deque() if tail else None
        self._tail_bytes = 0

    def move_in(self, place: Place) -> None:
        """This is where the invocation runs, or where it would have."""
        self._place = place
        beginning = place.take_beginning()
        if self._tail is not None:
            for text in beginning:
                self._keep(self._tail, text)

    def line(self, line: LogLine) -> None:
        """A line of the function."""
        if line.request_id:
            self._begin(line.time_ms / 1000)
        if report.allows_application(self._logging, line.text):
            self._write(line.time_ms / 1000, line.text + "\n")

    def _begin(self, now: float) -> None:
        if self._started:
            return
        self._started = True
        if report.allows_system(self._logging, "INFO"):
            text = report.start_line(self._logging, now, self._request_id, self._version.label)
            self._write(now, text)

    def finish(self, usage: Usage, status: str, error_type: str, trace_id: str) -> None:
        """The invocation is over."""
        now = self._clock.now()
        if self._sink is None and self._tail is None:
            return
        logging, request_id, now_ms = self._logging, self._request_id, int(now * 1000)
        is_json = logging.format == "JSON"
        lines: list[tuple[int, str]] = []
        if not self._started and report.allows_system(logging, "INFO"):
            began = now - usage.duration_ms / 1000
            text = report.start_line(logging, began, request_id, self._version.label)
            lines.append((int(began * 1000), text))
        self._started = True
        if not is_json:
            lines.append((now_ms, report.end_line(request_id)))
        level = "INFO" if status == "success" else "WARN"
        if not is_json or report.allows_system(logging, level):
            made = Report(
                request_id,
                usage.duration_ms,
                usage.billed_ms,
                self._version.settings.memory_mb,
                usage.max_memory_mb,
                usage.init_ms,
                status,
                error_type,
                trace_id,
            )
            lines.append((now_ms, report.report_line(logging, now, made)))
        self._write_all(lines)

    def _write(self, seconds: float, text: str) -> None:
        self._write_all([(int(seconds * 1000), text)])

    def _write_all(self, lines: list[tuple[int, str]]) -> None:
        if self._sink is not None and self._place is not None:
            self._sink.write_all(self._scope, self._logging.group, self._place.stream, lines)
        if self._tail is not None:
            for _, text in lines:
                self._keep(self._tail, text.encode())

    def _keep(self, tail: deque[bytes], text: bytes) -> None:
        tail.append(text)
        self._tail_bytes += len(text)
        while self._tail_bytes - len(tail[0]) >= LOG_TAIL_BYTES_MAX:
            self._tail_bytes -= len(tail.popleft())

    def tail(self) -> str | None:
        """The last four kilobytes in base64, when the caller asked for them."""
        if self._tail is None:
            return None
        return base64.b64encode(b"".join(self._tail)[-LOG_TAIL_BYTES_MAX:]).decode()
