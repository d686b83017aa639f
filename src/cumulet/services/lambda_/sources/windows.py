"""Tumbling windows: a function adds up what a span of time brings, and is told when it is over.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence

from cumulet.core.clock import iso_time
from cumulet.services.lambda_.running.measures import Measures
from cumulet.services.lambda_.sources.delivery import Feeder, Result
from cumulet.services.lambda_.sources.model import Checkpoint
from cumulet.services.lambda_.sources.records import Record

STATE_BYTES_MAX = 1_048_576
Persist = Callable[[list[Record]], Awaitable[None]]


class Window:
    """The window of one shard that is open, with the state that the function keeps in it."""

    def __init__(self, feeder: Feeder, shard: str) -> None:
        self._feeder = feeder
        self._mapping = feeder.mapping
        self._shard = shard
        self._start = 0.0
        self._state: object = {}
        self._is_early = False

    def reopen(self, checkpoint: Checkpoint) -> None:
        """Go on with the window that was open before a restart."""
        self._start = checkpoint.window_start
        self._state = json.loads(checkpoint.state)

    def kept(self) -> tuple[float, bytes]:
        """What a restart needs to know."""
        return self._start, json.dumps(self._state).encode()

    async def add(self, records: Sequence[Record], persist: Persist) -> None:
        """Bring records to the function, window by window."""
        seconds = self._mapping.tumbling_seconds
        part: list[Record] = []
        for record in records:
            made = float(record["dynamodb"]["ApproximateCreationDateTime"])
            start = made - made % seconds
            if start > self._start and self._start:
                if part:
                    await persist(part)
                    part = []
                await self.close()
            if not self._start:
                self._start = start
            part.append(record)
        if part:
            await persist(part)

    async def deliver(self, batch: Sequence[Record]) -> Result:
        """Invoke the function with a batch, and keep the state that it answers."""
        event: dict[str, object] = {"Records": list(batch)}
        ids = [str(record["dynamodb"]["SequenceNumber"]) for record in batch]
        if self._mapping.tumbling_seconds:
            event |= self._facts(is_final=False)
        # The age of a batch is that of its last record.
        written = float(batch[-1]["dynamodb"]["ApproximateCreationDateTime"])
        age_ms = max(0.0, (self._feeder.ctx.clock.now() - written) * 1_000)
        measures = self._feeder.ctx.need(Measures)
        measures.count(self._feeder.ref, "IteratorAge", age_ms, "Milliseconds")
        result = await self._feeder.deliver(event, ids)
        if self._mapping.tumbling_seconds and not result.failed:
            self._keep(result)
        return result

    def _facts(self, *, is_final: bool) -> dict[str, object]:
        end = self._start + self._mapping.tumbling_seconds
        return {
            "window": {"start": _second(self._start), "end": _second(end)},
            "state": self._state,
            "shardId": self._shard,
            "eventSourceARN": self._mapping.source_arn,
            "isFinalInvokeForWindow": is_final,
            "isWindowTerminatedEarly": self._is_early and is_final,
        }

    def _keep(self, result: Result) -> None:
        answer = result.answer
        state = answer.get("state") if isinstance(answer, dict) else None
        self._state = {} if state is None else state
        self._is_early = len(json.dumps(self._state)) > STATE_BYTES_MAX

    async def close_when_over(self) -> None:
        """Close the window when its time is over."""
        if not self._start:
            return
        if self._feeder.ctx.clock.now() >= self._start + self._mapping.tumbling_seconds:
            await self.close()

    async def close(self) -> None:
        """Tell the function that the window is over, with the state that came of it."""
        if not self._start:
            return
        await self._feeder.deliver({"Records": [], **self._facts(is_final=True)}, ())
        self._start, self._state, self._is_early = 0.0, {}, False


def _second(at: float) -> str:
    return iso_time(at)[:19] + "Z"
