"""The `Segments` port: what services tell of traces, gathered in memory and written in batches."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_cause, log_line
from cumulet.kit.workers import Tasks
from cumulet.kv.contract import Unavailable
from cumulet.services.xray import store
from cumulet.services.xray.limits import (
    FOLLOWED_MAX,
    GATHER_SECONDS,
    SEGMENT_BYTES_MAX,
    WAITING_BYTES_MAX,
    WAITING_MAX,
    WRITE_SEGMENTS,
)
from cumulet.services.xray.model import Segment
from cumulet.services.xray.sampler import Sampler
from cumulet.services.xray.segments import BadSegment, segment_of

_encode = msgspec.json.Encoder().encode


class Recorder:
    """Gathers segments, which are lost with a kill in the second before they are written.

    Traces are told apart from answers: nobody was promised one of them.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._clock = platform.clock
        self._sampler = Sampler(platform)
        self._waiting: deque[tuple[Scope, str, int, Mapping[str, Any]]] = deque()
        self._waiting_bytes = 0
        self._followed: dict[tuple[str, str, str], Scope] = {}
        self._left_out = 0
        self._tasks = Tasks()
        self._writing = asyncio.Lock()
        self.sample = self._sampler.sample
        self.summaries = self._sampler.summaries

    async def start(self) -> None:
        """Begin to write in the background."""
        self._tasks.start(self._run(), "segments")

    async def stop(self) -> None:
        """Write what waits, and end."""
        await self._tasks.stop()
        await self.flush()

    def put(self, scope: Scope, document: Mapping[str, Any]) -> None:
        """Add a segment; one too many, or too large, is left out."""
        try:
            data = _encode(document)
        except (TypeError, ValueError):
            # A text of a client's may be none that can be written.
            self._left_out += 1
            return
        size = len(data)
        if (
            len(self._waiting) >= WAITING_MAX
            or self._waiting_bytes + size > WAITING_BYTES_MAX
            or size > SEGMENT_BYTES_MAX
        ):
            self._left_out += 1
            return
        self._waiting.append((scope, data.decode(), size, document))
        self._waiting_bytes += size

    def follow(self, scope: Scope, trace_id: str, segment_id: str) -> None:
        """Calls that name this segment as their parent are recorded from now on."""
        if len(self._followed) >= FOLLOWED_MAX:
            del self._followed[next(iter(self._followed))]
        self._followed[scope.account, trace_id, segment_id] = scope

    def leave(self, scope: Scope, trace_id: str, segment_id: str) -> None:
        """No more of its calls are recorded."""
        self._followed.pop((scope.account, trace_id, segment_id), None)

    def followed(self, account: str, trace_id: str, segment_id: str) -> Scope | None:
        """Where a call's own subsegment belongs."""
        return self._followed.get((account, trace_id, segment_id))

    async def flush(self) -> None:
        """Write all that was added so far. Raises Unavailable, and keeps the rest then."""
        async with self._writing:
            for _ in range(len(self._waiting) // WRITE_SEGMENTS + 1):
                await self._write_some()

    async def _write_some(self) -> None:
        count = min(WRITE_SEGMENTS, len(self._waiting))
        taken = [self._waiting[at] for at in range(count)]
        now = self._clock.now()
        by_scope: dict[Scope, list[Segment]] = {}
        for scope, text, _, document in taken:
            try:
                by_scope.setdefault(scope, []).append(segment_of(document, text, now))
            except BadSegment:
                self._left_out += 1
        for scope, segments in by_scope.items():
            refused = await self._platform.transact(store.add, scope, segments, now)
            self._left_out += len(refused)
        # Only now: what could not be written waits for the next time.
        self._drop(count)

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._waiting_bytes -= self._waiting.popleft()[2]

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(GATHER_SECONDS)
            try:
                await self.flush()
            except Unavailable as cause:
                log_cause("", "segments wait for the store", cause)
            except Exception as cause:
                # Whatever it is about these, those behind them must not wait for ever.
                log_cause("", "segments could not be written and are lost", cause)
                self._drop(min(WRITE_SEGMENTS, len(self._waiting)))
            if self._left_out:
                log_line(logging.WARNING, "segments were left out", segments=self._left_out)
                self._left_out = 0
