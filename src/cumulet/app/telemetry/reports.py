"""What goes wrong in telemetry is counted, and said to the operator once in a while."""

from __future__ import annotations

import logging
import math
from collections import Counter

from cumulet.app.telemetry.limits import TOLD_SECONDS
from cumulet.core.clock import Clock
from cumulet.core.trace import log_cause, log_line

_KINDS_MAX = 100


class Reports:
    """Counts what was dropped; each kind of trouble has at most one line in a period."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}
        self._waiting: Counter[str] = Counter()
        self._why: dict[str, str] = {}
        self.dropped: Counter[str] = Counter()
        """How much of each (`requests`, `metrics`) never reached its receiver, since the start."""

    def drop(self, what: str, count: int, why: str) -> None:
        """Count what will not be sent."""
        self.dropped[what] += count
        self._waiting[what] += count
        self._why[what] = why
        self.tell()

    def tell(self) -> None:
        """Say what was dropped, if enough time has passed since it was said last."""
        for what, count in list(self._waiting.items()):
            if count and self._may_tell(what):
                self._waiting[what] = 0
                why = self._why[what]
                log_line(logging.WARNING, f"{what} were dropped", count=count, why=why)

    def warn(self, words: str, why: str) -> None:
        """Say that something is not as it should be."""
        if self._may_tell(words):
            log_line(logging.WARNING, words, why=why)

    def failed(self, words: str, cause: BaseException) -> None:
        """Say that a mistake of ours was made."""
        if self._may_tell(words):
            log_cause("", words, cause)

    def _may_tell(self, kind: str) -> bool:
        now = self._clock.monotonic()
        if now - self._told.get(kind, -math.inf) < TOLD_SECONDS:
            return False
        if len(self._told) >= _KINDS_MAX:
            self._told.clear()
        self._told[kind] = now
        return True
