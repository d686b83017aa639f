"""Asynchronous events: queued durably, tried again, and sent on when they end.

Follows https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html. An event stays in the
store until it has ended; a kill in between repeats it.
"""

from __future__ import annotations

import logging

import msgspec

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.core.trace import log_line
from cumulet.kit.workers import Tasks, Worker
from cumulet.sandbox import Failed
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    RecursiveInvocationException,
    ResourceNotFoundException,
    TooManyRequestsException,
)
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.limits import (
    EVENTS_QUEUED_MAX,
    EVENTS_RUNNING_MAX,
    RETRY_SECONDS,
    THROTTLE_RETRY_SECONDS_MAX,
    THROTTLE_RETRY_SECONDS_MIN,
)
from cumulet.services.lambda_.model import Event, EventConfig, Version
from cumulet.services.lambda_.running import destinations
from cumulet.services.lambda_.running.destinations import Ending
from cumulet.services.lambda_.running.functions import Call, Functions, Ran
from cumulet.services.lambda_.running.live import Entry
from cumulet.services.lambda_.running.measures import Measures

_LOOK_AGAIN_SECONDS = 60.0
_NO_RULES = EventConfig("", "", 0.0)


class EventQueue:
    """Carries out queued events, several at a time."""

    def __init__(self, platform: Platform, measures: Measures) -> None:
        self._platform = platform
        self._clock = platform.clock
        self._tasks = Tasks()
        self._measures = measures
        self._running: set[str] = set()
        self._waiting: int | None = None

    async def start(self) -> None:
        """Events of an earlier run are found by the worker."""

    async def stop(self) -> None:
        """End; events in hand stay in the store and are repeated."""
        await self._tasks.stop()

    async def put(self, event_id: str, ref: FunctionRef, payload: bytes, trace_id: str) -> None:
        """Queue an event; it is durable when this returns.

        Raises TooManyRequestsException when too many wait already.
        """
        if self._waiting is None:
            self._waiting = await self._platform.transact(store.count_events, ref.scope)
        if self._waiting >= EVENTS_QUEUED_MAX:
            raise TooManyRequestsException("Rate Exceeded.", Reason="CallerRateLimitExceeded")
        now = self._clock.now()
        event = Event(
            now,
            event_id,
            ref.scope.account,
            ref.scope.region,
            ref.name,
            ref.qualifier,
            now,
            len(payload),
            trace_id=trace_id,
        )
        await self._platform.transact(store.enqueue, ref.scope, event, payload)
        self._waiting += 1
        self._measures.count(ref, "AsyncEventsReceived")

    async def step(self) -> float:
        """Begin what is due; gives the seconds until there is more to do."""
        events = await self._platform.transact(
            store.scan_due, store.NOWHERE, EVENTS_RUNNING_MAX + len(self._running)
        )
        for event in events:
            if event.event_id in self._running:
                continue
            wait = event.due - self._clock.now()
            if wait > 0:
                return min(wait, _LOOK_AGAIN_SECONDS)
            if len(self._running) >= EVENTS_RUNNING_MAX:
                break
            self._running.add(event.event_id)
            self._tasks.start(self._carry_out(event), f"event {event.event_id}")
        # The end of an event is a write to the queue, which wakes the worker.
        return _LOOK_AGAIN_SECONDS

    async def _carry_out(self, event: Event) -> None:
        try:
            scope = Scope(event.account, event.region)
            ctx = self._platform.need(Functions).worker_context(scope, event.event_id)
            ref = FunctionRef(scope, event.function, event.qualifier)
            try:
                entry = await self._platform.need(Functions).live.find(ref)
            except ResourceNotFoundException:
                self._measures.count(ref, "AsyncEventsDropped")
                await self._finish(scope, event)
                return
            await self._attempt(ctx, entry, event)
        finally:
            self._running.discard(event.event_id)

    async def _attempt(self, ctx: Context, entry: Entry, event: Event) -> None:
        functions = self._platform.need(Functions)
        scope = entry.ref.scope
        rules = entry.event_config or _NO_RULES
        version = functions.pick(entry)
        payload = await self._platform.transact(store.load_payload, scope, event.event_id)
        if self._clock.now() - event.received > rules.age_seconds_max:
            ending = Ending(event, payload, "EventAgeExceeded", version.label, None)
            await self._give_up(ctx, entry, version, ending)
            return
        call = Call(
            event.event_id,
            payload,
            event.trace_id,
            received=event.received,
            attempt=event.attempts + 1,
        )
        age_ms = (self._clock.now() - event.received) * 1_000
        self._measures.count(entry.ref, "AsyncEventAge", max(0.0, age_ms), "Milliseconds")
        try:
            ran = await functions.run(ctx, entry, version, call)
        except RecursiveInvocationException:
            ending = Ending(event, payload, "RecursionDetected", version.label, None)
            await self._give_up(ctx, entry, version, ending)
            return
        except AwsError as error:
            await self._put_off(scope, event, error)
            return
        await self._conclude(ctx, entry, version, event, payload, ran)

    async def _put_off(self, scope: Scope, event: Event, error: AwsError) -> None:
        """Not the function's fault: later again, less and less often, until it is too old."""
        wait = min(
            THROTTLE_RETRY_SECONDS_MAX, THROTTLE_RETRY_SECONDS_MIN * 2.0 ** min(event.throttles, 10)
        )
        log_line(logging.INFO, "event put off", event=event.event_id, because=error.code)
        later = msgspec.structs.replace(
            event, due=self._clock.now() + wait, throttles=event.throttles + 1
        )
        await self._platform.transact(store.postpone, scope, later)

    async def _conclude(
        self,
        ctx: Context,
        entry: Entry,
        version: Version,
        event: Event,
        payload: bytes,
        ran: Ran,
    ) -> None:
        rules = entry.event_config or _NO_RULES
        if not isinstance(ran.outcome, Failed):
            if rules.on_success:
                ending = Ending(event, payload, "Success", ran.version, ran.outcome)
                await self._send(ctx, entry, version, rules.on_success, ending)
            await self._finish(entry.ref.scope, event)
            return
        failed = msgspec.structs.replace(event, attempts=event.attempts + 1)
        if failed.attempts > rules.retries_max:
            ending = Ending(failed, payload, "RetriesExhausted", ran.version, ran.outcome)
            await self._give_up(ctx, entry, version, ending)
            return
        wait = RETRY_SECONDS[min(failed.attempts, len(RETRY_SECONDS)) - 1]
        later = msgspec.structs.replace(failed, due=self._clock.now() + wait)
        await self._platform.transact(store.postpone, entry.ref.scope, later)

    async def _give_up(self, ctx: Context, entry: Entry, version: Version, ending: Ending) -> None:
        rules = entry.event_config or _NO_RULES
        dead_letter = version.settings.dead_letter_arn
        if rules.on_failure:
            await self._send(ctx, entry, version, rules.on_failure, ending)
        if dead_letter:
            await self._send(ctx, entry, version, dead_letter, ending, as_dead_letter=True)
        self._measures.count(entry.ref, "AsyncEventsDropped")
        await self._finish(entry.ref.scope, ending.event)

    async def _send(
        self,
        ctx: Context,
        entry: Entry,
        version: Version,
        target: str,
        ending: Ending,
        *,
        as_dead_letter: bool = False,
    ) -> None:
        try:
            runnable = await self._platform.need(Functions).prepare(ctx, entry.ref.scope, version)
            if as_dead_letter:
                await destinations.send_dead_letter(ctx, runnable.session, target, ending)
            else:
                await destinations.send(ctx, runnable.session, target, entry.ref, ending)
        except AwsError as error:
            failure = "DeadLetterErrors" if as_dead_letter else "DestinationDeliveryFailures"
            self._measures.count(entry.ref, failure)
            log_line(
                logging.WARNING,
                "an event could not be sent on and is lost",
                event=ending.event.event_id,
                target=target,
                because=error.message,
            )

    async def _finish(self, scope: Scope, event: Event) -> None:
        await self._platform.transact(store.finish, scope, event.event_id)
        if self._waiting:
            self._waiting -= 1


async def _work(platform: Platform) -> float:
    return await platform.need(EventQueue).step()


WORKER = Worker("lambda events", _work, wakes_on=store.EVENTS.prefix(store.NOWHERE))
