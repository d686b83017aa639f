"""Feeding a function from a table's stream: shard by shard, in order, from where it was left.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchsettings.html. A shard goes on only
when a batch has succeeded, was given up by its bounds, or is older than the stream keeps records.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.trace import log_line
from cumulet.kit.workers import Tasks
from cumulet.services.lambda_.errors import TooManyRequestsException
from cumulet.services.lambda_.sources import store
from cumulet.services.lambda_.sources.abandoned import send_abandoned
from cumulet.services.lambda_.sources.delivery import Feeder, Result
from cumulet.services.lambda_.sources.model import Checkpoint
from cumulet.services.lambda_.sources.records import Record, compile_filters, of_change
from cumulet.services.lambda_.sources.windows import Window

IDLE_SECONDS = 0.1
IDLE_SECONDS_MAX = 0.5
SHARDS_SECONDS = 5.0
READ_MAX = 1_000
BATCH_BYTES_MAX = 6 * 1_048_576 - 65_536
PAUSE_SECONDS_FIRST = 0.2
PAUSE_SECONDS_MAX = 30.0
KEPT_SECONDS = 24 * 3_600


class StreamPoller:
    """Reads the shards of one mapping's stream until it is cancelled."""

    def __init__(self, feeder: Feeder, tasks: Tasks) -> None:
        self._feeder = feeder
        self._tasks = tasks
        self._clock = feeder.ctx.clock
        self._shards: dict[str, asyncio.Task[None]] = {}
        self.result = "No records processed"

    async def run(self) -> None:
        """Follow the stream for ever: a task for each shard, begun when its parent has ended."""
        try:
            while True:
                try:
                    await self._follow()
                except AwsError as error:
                    self.result = f"PROBLEM: {error.message}"
                    self.tell("a stream could not be read", error)
                await self._clock.sleep(SHARDS_SECONDS)
        finally:
            for task in self._shards.values():
                task.cancel()

    async def _follow(self) -> None:
        role = await self._feeder.as_role()
        arn = self._feeder.mapping.source_arn
        found: list[dict[str, Any]] = []
        last: dict[str, Any] = {}
        while True:
            answer = await role.call("dynamodbstreams", "DescribeStream", StreamArn=arn, **last)
            description = answer["StreamDescription"]
            found += description["Shards"]
            if "LastEvaluatedShardId" not in description:
                break
            last = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}
        there = {shard["ShardId"] for shard in found}
        for shard in found:
            name, parent = shard["ShardId"], shard.get("ParentShardId")
            if name in self._shards:
                continue
            if parent is not None and parent in there and not self._has_ended(parent):
                continue
            reader = ShardReader(self, self._feeder, name)
            self._shards[name] = self._tasks.start(reader.run(), f"shard {name}")

    def _has_ended(self, shard: str) -> bool:
        task = self._shards.get(shard)
        return task is not None and task.done()

    def tell(self, message: str, error: AwsError) -> None:
        """Let the operator know."""
        log_line(
            logging.WARNING,
            message,
            mapping=self._feeder.mapping.uuid,
            source=self._feeder.mapping.source_arn,
            because=f"{error.code}: {error.message}",
        )


class ShardReader:
    """Reads one shard to its end."""

    def __init__(self, poller: StreamPoller, feeder: Feeder, shard: str) -> None:
        self._poller = poller
        self._feeder = feeder
        self._mapping = feeder.mapping
        self._ctx = feeder.ctx
        self._clock = feeder.ctx.clock
        self._shard = shard
        self._passes = compile_filters(feeder.mapping.filters, of_stream=True)
        self._checkpoint = Checkpoint(feeder.mapping.uuid, shard)
        self._skip_before = 0.0
        self._window = Window(feeder, shard)

    async def run(self) -> None:
        """Read until the shard ends; what goes wrong is tried again."""
        while True:
            try:
                await self._read()
                return
            except AwsError as error:
                self._poller.result = f"PROBLEM: {error.message}"
                self._poller.tell("a shard could not be read", error)
                await self._clock.sleep(1.0)

    async def _read(self) -> None:
        iterator: str | None = await self._begin()
        idle = IDLE_SECONDS
        waiting: list[Record] = []
        since = 0.0
        while iterator is not None:
            role = await self._feeder.as_role()
            answer = await role.call(
                "dynamodbstreams", "GetRecords", ShardIterator=iterator, Limit=READ_MAX
            )
            iterator = answer.get("NextShardIterator")
            changes = [of_change(one, self._mapping.source_arn) for one in answer["Records"]]
            if changes and not waiting:
                since = self._clock.now()
            waiting += changes
            gathers = self._clock.now() - since < self._mapping.window_seconds
            is_full = len(waiting) >= self._mapping.batch_size * self._mapping.parallelization
            if waiting and (is_full or not gathers or iterator is None):
                await self._process(waiting)
                waiting = []
                idle = IDLE_SECONDS
            elif not changes:
                await self._window.close_when_over()
                await self._clock.sleep(idle)
                idle = min(IDLE_SECONDS_MAX, idle * 1.5)
        await self._window.close()

    async def _begin(self) -> str:
        """An iterator at the place where reading was left, or at the starting position."""
        role = await self._feeder.as_role()
        known = await self._ctx.transact(store.load_checkpoint, self._mapping.uuid, self._shard)
        place = {"StreamArn": self._mapping.source_arn, "ShardId": self._shard}
        if known is not None:
            self._checkpoint = known
            self._window.reopen(known)
        if known is not None and known.sequence:
            try:
                return await self._iterator(
                    role, place, "AFTER_SEQUENCE_NUMBER", SequenceNumber=known.sequence
                )
            except AwsError as error:
                if error.code != "TrimmedDataAccessException":
                    raise
                return await self._iterator(role, place, "TRIM_HORIZON")
        if self._mapping.starting_position == "TRIM_HORIZON":
            return await self._iterator(role, place, "TRIM_HORIZON")
        if known is None:
            # The place is written down at once: records from now on count, also after a kill.
            latest = await self._iterator(role, place, "LATEST")
            await self._save(Checkpoint(self._mapping.uuid, self._shard, iterator=latest))
            return latest
        # A kill came before the first record: all since the mapping was made are still to come.
        self._skip_before = self._mapping.created_at
        return await self._iterator(role, place, "TRIM_HORIZON")

    async def _iterator(self, role: Context, place: dict[str, Any], kind: str, **more: Any) -> str:
        answer = await role.call(
            "dynamodbstreams", "GetShardIterator", ShardIteratorType=kind, **place, **more
        )
        return str(answer["ShardIterator"])

    async def _save(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        await self._ctx.transact(store.save_checkpoint, checkpoint)

    async def _process(self, records: Sequence[Record]) -> None:
        """Bring the records to the function, and write down that they are done."""
        fitting = [one for one in records if self._counts(one)]
        step = self._mapping.batch_size * self._mapping.parallelization
        for start in range(0, len(fitting), step):
            part = fitting[start : start + step]
            if self._mapping.tumbling_seconds:
                await self._window.add(part, self._persist)
            else:
                await asyncio.gather(*(self._lane(lane) for lane in self._lanes(part)))
            await self._done(_sequence(part[-1]))
        await self._done(_sequence(records[-1]))

    def _counts(self, record: Record) -> bool:
        made = record["dynamodb"].get("ApproximateCreationDateTime", 0)
        return float(made) >= int(self._skip_before) and self._passes(record)

    async def _done(self, sequence: str) -> None:
        if sequence != self._checkpoint.sequence:
            start, state = self._window.kept()
            await self._save(
                Checkpoint(self._mapping.uuid, self._shard, sequence, "", start, state)
            )

    def _lanes(self, records: Sequence[Record]) -> list[list[Record]]:
        """The records in as many lanes as there is parallelization; an item stays in its lane."""
        count = self._mapping.parallelization
        if count == 1:
            return [list(records)]
        lanes: list[list[Record]] = [[] for _ in range(count)]
        for record in records:
            keys = json.dumps(record["dynamodb"]["Keys"], sort_keys=True, default=repr)
            digest = hashlib.sha256(keys.encode()).digest()
            lanes[int.from_bytes(digest[:4], "big") % count].append(record)
        return [lane for lane in lanes if lane]

    async def _lane(self, records: list[Record]) -> None:
        for batch in _batches(records, self._mapping.batch_size):
            await self._persist(batch)

    async def _persist(self, batch: list[Record]) -> None:
        """Deliver a batch until nothing of it is left to do."""
        attempts = 0
        pause = PAUSE_SECONDS_FIRST
        while batch:
            if reason := self._why_given_up(batch, attempts):
                await send_abandoned(self._feeder, self._shard, batch, reason, attempts)
                return
            try:
                result = await self._window.deliver(batch)
            except TooManyRequestsException:
                await self._clock.sleep(pause)
                pause = min(PAUSE_SECONDS_MAX, pause * 2)
                continue
            left = self._left(batch, result)
            self._poller.result = "PROBLEM: Function call failed" if left else "OK"
            if len(left) < len(batch):
                attempts, pause = 0, PAUSE_SECONDS_FIRST
                batch = left
                continue
            attempts += 1
            if self._mapping.bisects and len(batch) > 1:
                middle = len(batch) // 2
                await self._persist(batch[:middle])
                await self._persist(batch[middle:])
                return
            if not self._why_given_up(batch, attempts):
                await self._clock.sleep(pause)
                pause = min(PAUSE_SECONDS_MAX, pause * 2)

    def _left(self, batch: list[Record], result: Result) -> list[Record]:
        """What is to be done again: from the first record that failed on."""
        if result.failed:
            return batch
        for number, record in enumerate(batch):
            if _sequence(record) in result.items:
                return batch[number:]
        return []

    def _why_given_up(self, batch: list[Record], attempts: int) -> str:
        retries = self._mapping.retries_max
        if 0 <= retries < attempts:
            return "RetryAttemptsExhausted"
        age = self._clock.now() - float(batch[0]["dynamodb"]["ApproximateCreationDateTime"])
        most = self._mapping.record_age_seconds_max
        if age > (most if most >= 0 else KEPT_SECONDS):
            return "RecordAgeExceeded"
        return ""


def _sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _batches(records: list[Record], most: int) -> list[list[Record]]:
    """The records in batches of at most `most`, each small enough for a payload."""
    batches: list[list[Record]] = []
    size = 0
    for record in records:
        # What a record takes in JSON is at most some times what the table counts for it.
        length = int(record["dynamodb"].get("SizeBytes", 1_024)) * 3 + 1_024
        if not batches or len(batches[-1]) >= most or size + length > BATCH_BYTES_MAX:
            batches.append([])
            size = 0
        batches[-1].append(record)
        size += length
    return batches
