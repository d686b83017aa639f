"""Addresses of ours that someone is to answer at: made, sent, waited for, answered."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.engine.apply import Engine
from cumulet.services.cloudformation.limits import SIGNALS_MAX
from cumulet.services.cloudformation.model import Ticket
from cumulet.services.cloudformation.planning.sealed import Safe

PATH = "/_cumulet/cloudformation/"
"""Below it: `response/<secret>` for custom resources, `signal/<secret>` for wait handles."""


def ticket_url(ctx: Context, ticket: Ticket) -> str:
    """The address that whoever is to answer gets."""
    return f"{ctx.endpoint}{PATH}{ticket.kind}/{ticket.secret}"


async def open_ticket(
    ctx: Context, purpose: str, kind: str, stack_arn: str, logical_id: str
) -> Ticket:
    """The ticket for this purpose: the same when the step is tried again, else a new one.

    The secret is random; only its finding again goes by the purpose.
    """
    random = ctx.clock.random_bytes(32).hex()
    pointer = "of-" + hashlib.sha256(purpose.encode()).hexdigest()
    stack_id = stack_arn.rsplit("/", 1)[-1]
    now = ctx.clock.now()

    async def write(tx: Any, scope: Scope) -> Ticket:
        held = await store.load_ticket(tx, pointer)
        if held is not None:
            found = await store.load_ticket(tx, held.answers[0].decode())
            if found is not None:
                return found
        await _forget_older(tx, scope, stack_id, logical_id)
        ticket = Ticket(random, scope.account, scope.region, stack_id, logical_id, kind, now)
        pointing = msgspec.structs.replace(
            ticket, secret=pointer, kind="pointer", answers=(random.encode(),)
        )
        await store.save_ticket(tx, ticket)
        await store.save_ticket(tx, pointing)
        return ticket

    return await ctx.transact(write)


async def mark_sent(ctx: Context, ticket: Ticket) -> None:
    """Note that whoever is to answer has been told the address."""

    async def write(tx: Any, scope: Scope) -> None:
        current = await store.load_ticket(tx, ticket.secret)
        if current is not None:
            await store.save_ticket(tx, msgspec.structs.replace(current, sent=True))

    await ctx.transact(write)


async def _forget_older(tx: Any, scope: Scope, stack_id: str, logical_id: str) -> None:
    """The steps of a resource come one after the other: those before a new one are over."""
    for ticket in await store.scan_tickets(tx, scope, stack_id):
        if ticket.logical_id == logical_id:
            await store.drop_ticket(tx, ticket.secret)


async def wait_for_answers(
    ctx: Context, secret: str, count: int, deadline: float, stack_arn: str
) -> list[str]:
    """The answers once there are `count`. Raises TimeoutError, or StepCancelled."""
    engine = ctx.need(Engine)
    work = engine.work_on(ctx.scope, stack_arn.rsplit("/", 1)[-1]) if stack_arn else None

    async def load(tx: Any, scope: Scope) -> Ticket | None:
        return await store.load_ticket(tx, secret)

    safe = Safe(ctx.need(Sealer))

    async def probe() -> list[str] | None:
        ticket = await ctx.transact(load)
        if ticket is None:
            raise TimeoutError
        if len(ticket.answers) < count:
            return None
        return [safe.take(answer) for answer in ticket.answers]

    return await engine.waits.until(secret, probe, deadline, work.stop if work else None)


async def answer_ticket(platform: Platform, kind: str, secret: str, answer: bytes) -> bool:
    """Keep what has come for a ticket; False when there is no such ticket.

    A custom resource counts the first answer only; a wait handle keeps each. Answers may hold
    secrets and are sealed.
    """
    sealed = Safe(platform.need(Sealer)).put(answer.decode())

    async def write(tx: Any, scope: Scope) -> bool:
        ticket = await store.load_ticket(tx, secret)
        if ticket is None or ticket.kind != kind:
            return False
        if kind == "response" and ticket.answers:
            return True
        if len(ticket.answers) < SIGNALS_MAX:
            kept = msgspec.structs.replace(ticket, answers=(*ticket.answers, sealed))
            await store.save_ticket(tx, kept)
        return True

    found = await platform.transact(write, Scope("", ""))
    if found:
        platform.need(Engine).waits.ring(secret)
    return found
