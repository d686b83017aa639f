"""The tables of EventBridge and its Scheduler."""

from __future__ import annotations

from typing import Any

from cumulet.core.identity import Scope
from cumulet.kit.workers.deliveries import DeliveryTables
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.events.model import Bus, Group, Occasion, Rule, Schedule

EVENTS, SCHEDULER = "events", "scheduler"
NOWHERE = Scope("", "")


def _occasions(service: str) -> Table[Occasion]:
    return Table(
        service,
        "occasion",
        Occasion,
        lambda one: (one.account, one.region, one.kind, one.name),
        extent="global",
        indexes={"due": lambda one: [(one.due,)]},
    )


BUSES: Table[Bus] = Table(EVENTS, "bus", Bus, lambda bus: (bus.name,))
RULES: Table[Rule] = Table(EVENTS, "rule", Rule, lambda rule: (rule.bus, rule.name))
RULE_OCCASIONS = _occasions(EVENTS)
EVENT_QUEUE = DeliveryTables(EVENTS)

GROUPS: Table[Group] = Table(SCHEDULER, "group", Group, lambda group: (group.name,))
SCHEDULES: Table[Schedule] = Table(
    SCHEDULER,
    "schedule",
    Schedule,
    lambda one: (one.group, one.name),
    indexes={"name": lambda one: [(one.name, one.group)]},
)
SCHEDULE_OCCASIONS = _occasions(SCHEDULER)
SCHEDULE_QUEUE = DeliveryTables(SCHEDULER)

EVENT_TABLES: tuple[Table[Any], ...] = (BUSES, RULES, RULE_OCCASIONS, *EVENT_QUEUE.all)
SCHEDULER_TABLES: tuple[Table[Any], ...] = (
    GROUPS,
    SCHEDULES,
    SCHEDULE_OCCASIONS,
    *SCHEDULE_QUEUE.all,
)


async def save_due(
    tx: Transaction,
    table: Table[Occasion],
    scope: Scope,
    kind: str,
    name: str,
    due: float | None,
    put_off: float = 0.0,
) -> None:
    """Write when something is due next; None takes it off the list."""
    if due is None:
        await table.drop(tx, NOWHERE, *scope, kind, name)
    else:
        await table.save(tx, NOWHERE, Occasion(*scope, kind, name, due + put_off, due))
