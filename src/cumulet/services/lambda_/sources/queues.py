"""Feeding a function from a queue: receive, filter, gather, invoke, delete.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html. A batch that failed is left
to its visibility timeout, and in the end to the queue's dead-letter rules.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import parse_arn
from cumulet.core.trace import log_line
from cumulet.kit.workers import Tasks
from cumulet.services.lambda_.errors import TooManyRequestsException
from cumulet.services.lambda_.sources.delivery import Feeder
from cumulet.services.lambda_.sources.records import Record, compile_filters, of_message

RECEIVE_MAX = 10
WAIT_SECONDS = 20
CONCURRENCY_FIRST = 5
CONCURRENCY_MAX = 1_000
"""Batches in hand at once: as on AWS, five at first and more while the queue has more to give."""
BATCH_BYTES_MAX = 6 * 1_048_576 - 65_536
"""A batch with what is around it fits into an invocation's payload."""
PAUSE_SECONDS_MAX = 30.0
_HOLD_KNOWN_SECONDS = 60.0


class QueuePoller:
    """Polls the queue of one mapping until it is cancelled."""

    def __init__(self, feeder: Feeder, tasks: Tasks) -> None:
        self._feeder = feeder
        self._ctx = feeder.ctx
        self._mapping = feeder.mapping
        self._clock = feeder.ctx.clock
        self._tasks = tasks
        self._passes = compile_filters(feeder.mapping.filters, of_stream=False)
        arn = parse_arn(feeder.mapping.source_arn)
        assert arn is not None, "checked when the mapping was made"
        self._queue = f"/{arn.account}/{arn.resource}"
        self._running: set[asyncio.Task[None]] = set()
        self._limit = min(CONCURRENCY_FIRST, self._most)
        self._hold_seconds, self._hold_read_at = 0, 0.0
        self.result = ""

    @property
    def _most(self) -> int:
        return self._mapping.concurrency_max or CONCURRENCY_MAX

    async def run(self) -> None:
        """Poll for ever; what goes wrong is tried again, less and less often."""
        pause = 0.0
        while True:
            try:
                await self._step()
                pause = 0.0
            except AwsError as error:
                pause = min(PAUSE_SECONDS_MAX, pause * 2 or 0.5)
                self._tell("a queue could not be polled", error)
                await self._clock.sleep(pause)

    def _tell(self, message: str, error: AwsError) -> None:
        self.result = f"PROBLEM: {error.message}"
        log_line(
            logging.WARNING,
            message,
            mapping=self._mapping.uuid,
            source=self._mapping.source_arn,
            because=f"{error.code}: {error.message}",
        )

    async def _step(self) -> None:
        while len(self._running) >= self._limit:
            # More is waiting than is being worked on: there may be more at once from now on.
            done, _ = await asyncio.wait(
                self._running, timeout=1.0, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                self._limit = min(self._limit + CONCURRENCY_FIRST, self._most)
        role = await self._feeder.as_role()
        records = await self._gather(role)
        for batch in _payloads(records):
            task = self._tasks.start(self._work(role, batch), f"batch of {self._mapping.uuid}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if not records and not self._running:
            self._limit = min(CONCURRENCY_FIRST, self._most)

    async def _gather(self, role: Context) -> list[Record]:
        """The records of one batch: the first that come, and more within the batching window."""
        mapping = self._mapping
        records = await self._receive(role, min(RECEIVE_MAX, mapping.batch_size), WAIT_SECONDS)
        if not mapping.window_seconds or not records:
            return records
        size = sum(_size(record) for record in records)
        until = self._clock.now() + mapping.window_seconds
        while len(records) < mapping.batch_size and size < BATCH_BYTES_MAX:
            left = until - self._clock.now()
            if left <= 0:
                break
            most = min(RECEIVE_MAX, mapping.batch_size - len(records))
            # A message has a mebibyte at most: no more are taken than there is room for.
            room = int((BATCH_BYTES_MAX - size) // 1_048_576)
            if room < 1:
                break
            more = await self._receive(role, min(most, room), min(WAIT_SECONDS, int(left) + 1))
            size += sum(_size(record) for record in more)
            records += more
        return records

    async def _receive(self, role: Context, most: int, wait: int) -> list[Record]:
        answer = await role.call(
            "sqs",
            "ReceiveMessage",
            QueueUrl=self._queue,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        region = self._ctx.scope.region
        records = [
            of_message(message, self._mapping.source_arn, region)
            for message in answer.get("Messages") or ()
        ]
        kept = [record for record in records if self._passes(record)]
        if len(kept) < len(records):
            chosen = {id(record) for record in kept}
            await self._delete(role, [one for one in records if id(one) not in chosen])
        return kept

    async def _work(self, role: Context, records: list[Record]) -> None:
        try:
            await self._deliver(role, records)
        except AwsError as error:
            self._tell("a batch could not be delivered", error)

    async def _deliver(self, role: Context, records: list[Record]) -> None:
        """Invoke, and delete what succeeded; a throttle is waited out as long as they are held."""
        ids = [record["messageId"] for record in records]
        traces = [record["attributes"].get("AWSTraceHeader", "") for record in records]
        held = await self._held_until(role)
        pause = 0.5
        while True:
            try:
                result = await self._feeder.deliver({"Records": records}, ids, traces)
                break
            except TooManyRequestsException:
                self._limit = max(1, self._limit // 2)
                if self._clock.now() + pause >= held:
                    raise
                await self._clock.sleep(pause)
                pause = min(PAUSE_SECONDS_MAX, pause * 2)
        self.result = "PROBLEM: Function call failed" if result.failed else "OK"
        if result.failed:
            return
        await self._delete(role, [one for one in records if one["messageId"] not in result.items])

    async def _held_until(self, role: Context) -> float:
        """Until when messages received now are held; the setting is read once a minute."""
        now = self._clock.now()
        if now >= self._hold_read_at + _HOLD_KNOWN_SECONDS:
            self._hold_seconds = await self._read_hold(role)
            self._hold_read_at = now
        return now + self._hold_seconds

    async def _read_hold(self, role: Context) -> int:
        found = await role.call(
            "sqs",
            "GetQueueAttributes",
            QueueUrl=self._queue,
            AttributeNames=["VisibilityTimeout"],
        )
        return int(found["Attributes"]["VisibilityTimeout"])

    async def _delete(self, role: Context, records: list[Record]) -> None:
        for start in range(0, len(records), RECEIVE_MAX):
            entries = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                for number, record in enumerate(records[start : start + RECEIVE_MAX])
            ]
            await role.call("sqs", "DeleteMessageBatch", QueueUrl=self._queue, Entries=entries)


def _payloads(records: list[Record]) -> Iterator[list[Record]]:
    """The records in parts that fit into a payload each."""
    part: list[Record] = []
    size = 0
    for record in records:
        length = _size(record)
        if part and size + length > BATCH_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(record)
        size += length
    if part:
        yield part


def _size(record: Record) -> int:
    attributes: dict[str, Any] = record["messageAttributes"]
    return len(record["body"]) * 2 + 2_048 + sum(len(str(one)) for one in attributes.values())
