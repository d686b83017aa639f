"""Asynchronous events: queued durably, tried again, and sent on when they end.

Follows https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.model import Event
from cumulet.services.lambda_.names import FunctionRef
from cumulet.services.lambda_.running.functions import Functions


async def enqueue(ctx: Context, ref: FunctionRef, payload: bytes, trace_id: str) -> None:
    """Queue an event; it is durable when this returns. The request's id names it."""
    now = ctx.clock.now()
    event = Event(
        now,
        ctx.request_id,
        ref.scope.account,
        ref.scope.region,
        ref.name,
        ref.qualifier,
        now,
        len(payload),
        trace_id=trace_id,
    )
    await ctx.need(Functions).transact(ref.scope, store.enqueue, event, payload)
