"""Background work of EventBridge: deliveries, and rules whose time has come."""

from __future__ import annotations

from cumulet.core.clock import new_uuid
from cumulet.core.context import Platform
from cumulet.core.identity import Scope, service_principal
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Transaction
from cumulet.services.events.delivery import EventDeliveries
from cumulet.services.events.expressions import next_time, parse_expression
from cumulet.services.events.limits import (
    LATE_SECONDS_MAX,
    LOOK_AGAIN_SECONDS,
    OCCASIONS_PAGE,
)
from cumulet.services.events.model import Occasion, rule_arn
from cumulet.services.events.operations.event import drafts_of, event_of, packed
from cumulet.services.events.operations.rule import SERVICE
from cumulet.services.events.store import (
    EVENT_QUEUE,
    NOWHERE,
    RULE_OCCASIONS,
    RULES,
    save_due,
)


async def _deliver(platform: Platform) -> float:
    return await platform.need(EventDeliveries).step()


async def run_rules(platform: Platform) -> float:
    """Queue the events of the rules that are due; gives the seconds until the next one is."""
    due = await platform.transact(_next_rules, NOWHERE)
    for occasion in due:
        wait = occasion.due - platform.clock.now()
        if wait > 0:
            return min(wait, LOOK_AGAIN_SECONDS)
        await _fire(platform, occasion)
    return LOOK_AGAIN_SECONDS if len(due) < OCCASIONS_PAGE else 0.0


async def _next_rules(tx: Transaction, scope: Scope) -> list[Occasion]:
    return await RULE_OCCASIONS.lookup(tx, scope, "due", limit=OCCASIONS_PAGE)


async def _fire(platform: Platform, occasion: Occasion) -> None:
    """Queue a rule's event with its next time in one transaction, so that each comes once.

    What the cloud missed while it was off comes once, if it is not too late.
    """
    scope, now = occasion.scope, platform.clock.now()
    ctx = platform.context(scope, service_principal(SERVICE, scope.account))
    arn = rule_arn(scope, occasion.kind, occasion.name)
    event = event_of(
        scope,
        new_uuid(platform.clock),
        occasion.planned,
        "aws.events",
        "Scheduled Event",
        {},
        [arn],
    )
    load = packed(ctx, event, 0, [])

    async def write(tx: Transaction, _: Scope) -> None:
        current = await RULE_OCCASIONS.load(tx, NOWHERE, *scope, occasion.kind, occasion.name)
        if current != occasion:
            return
        rule = await RULES.load(tx, scope, occasion.kind, occasion.name)
        following = None
        if rule is not None and rule.schedule and rule.is_enabled:
            if now - occasion.due <= LATE_SECONDS_MAX:
                drafts = drafts_of(scope, rule)
                if drafts:
                    await EVENT_QUEUE.add(tx, scope, load._replace(drafts=drafts))
            expression = parse_expression(rule.schedule, strict=True)
            following = next_time(expression, max(now, occasion.planned), rule.began)
        kind, name = occasion.kind, occasion.name
        await save_due(tx, RULE_OCCASIONS, scope, kind, name, following)

    await platform.transact(write, scope)


WORKERS = (
    Worker("events deliveries", _deliver, wakes_on=EVENT_QUEUE.wakes_on),
    Worker("events schedules", run_rules, wakes_on=RULE_OCCASIONS.prefix(NOWHERE)),
)
