"""Events of objects go to the functions and queues that want them, as often as it takes."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, service_principal
from cumulet.core.trace import log_line
from cumulet.kv.contract import Store, Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.limits import (
    EVENT_BACK_OFF_SECONDS_MAX,
    EVENT_KEPT_SECONDS,
    EVENTS_AT_ONCE,
    EVENTS_LOOK_SECONDS,
)
from cumulet.services.s3.model import Bucket, Event
from cumulet.services.s3.operations.settings.notification import PRINCIPAL, deliver

_EVERYWHERE = Scope("", "")


async def deliver_events(platform: Platform) -> float:
    """Send what is due, a batch at once; says when the next is due."""
    kv = platform.need(Store)

    async def read(tx: Transaction) -> list[Event]:
        return await store.EVENTS.scan(tx, _EVERYWHERE, limit=EVENTS_AT_ONCE)

    found = await kv.transact(read)
    now_ms = int(platform.clock.now() * 1000)
    due = [event for event in found if event.due_ms <= now_ms]
    if not due:
        return (
            min((found[0].due_ms - now_ms) / 1000, EVENTS_LOOK_SECONDS)
            if found
            else (EVENTS_LOOK_SECONDS)
        )
    outcomes = await asyncio.gather(*(_deliver(platform, event) for event in due))
    later = [_put_off(event, now_ms) for event, ok in zip(due, outcomes, strict=True) if not ok]

    async def settle(tx: Transaction) -> None:
        for event in due:
            await store.EVENTS.drop(tx, _EVERYWHERE, event.due_ms, event.event_id)
        for put_off in later:
            if put_off is not None:
                await store.EVENTS.save(tx, _EVERYWHERE, put_off)

    # After a crash before this, the targets get these events again: at least once, as with S3.
    await kv.transact(settle)
    return 0.0


async def _deliver(platform: Platform, event: Event) -> bool:
    """Whether the target took the event."""
    scope = Scope(event.account, event.region)
    ctx = platform.context(scope, service_principal(PRINCIPAL, event.account))
    ctx = ctx.carrying(event.trace_header)
    bucket = Bucket(event.bucket, event.account, event.region, 0)
    try:
        await deliver(ctx, bucket, event.target, event.body, test=False)
    except AwsError as error:
        log_line(
            logging.INFO,
            "event not taken",
            bucket=event.bucket,
            target=event.target,
            error=error.code,
            attempts=event.attempts + 1,
        )
        return False
    return True


def _put_off(event: Event, now_ms: int) -> Event | None:
    """The event at a later time; None when it is given up."""
    if now_ms - event.since_ms > EVENT_KEPT_SECONDS * 1000:
        log_line(logging.WARNING, "event given up", bucket=event.bucket, target=event.target)
        return None
    seconds = min(2.0 ** min(event.attempts, 10), EVENT_BACK_OFF_SECONDS_MAX)
    due_ms = now_ms + int(seconds * 1000)
    return msgspec.structs.replace(event, due_ms=due_ms, attempts=event.attempts + 1)
