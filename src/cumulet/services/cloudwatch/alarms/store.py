"""Alarms' records in the store: the only file of alarms that knows their keys."""

from __future__ import annotations

from cumulet.core.identity import Scope
from cumulet.kit.workers.deliveries import DeliveryTables
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.services.cloudwatch.alarms.limits import DUE_AT_ONCE, EXPIRE_ITEMS, PARENTS_MAX
from cumulet.services.cloudwatch.alarms.model import Alarm, Item, Watch

_SERVICE = "cloudwatch"
NOWHERE = Scope("", "")


def _metric_key(alarm: Alarm) -> list[tuple[str, str]]:
    settings = alarm.settings
    if alarm.is_composite or "MetricName" not in settings:
        return []
    return [(settings["Namespace"], settings["MetricName"])]


def _count_key(scope: Scope) -> bytes:
    return Space((scope.account, scope.region, _SERVICE, "alarms")).pack(())


def _count(tx: Transaction, scope: Scope, old: Alarm | None, new: Alarm | None) -> None:
    if (old is None) != (new is None):
        tx.count(_count_key(scope), 1 if old is None else -1)


ALARMS: Table[Alarm] = Table(
    _SERVICE,
    "alarm",
    Alarm,
    lambda alarm: (alarm.name,),
    indexes={
        "child": lambda alarm: [(child,) for child in alarm.children],
        "metric": _metric_key,
    },
    on_change=_count,
)
WATCHES: Table[Watch] = Table(
    _SERVICE,
    "alarm watch",
    Watch,
    lambda watch: (watch.account, watch.region, watch.name),
    extent="global",
    indexes={"due": lambda watch: [(watch.due,)]},
)
HISTORY: Table[Item] = Table(
    _SERVICE,
    "alarm history",
    Item,
    lambda item: (item.name, item.at, item.sequence),
    indexes={"time": lambda item: [(item.at, item.sequence)]},
)
QUEUE = DeliveryTables(_SERVICE)
TABLES = (ALARMS, WATCHES, HISTORY, *QUEUE.all)


async def count_alarms(tx: Transaction, scope: Scope) -> int:
    """How many there are."""
    return read_count(await tx.get(_count_key(scope)))


async def watch(tx: Transaction, scope: Scope, name: str, due: float) -> None:
    """Have an alarm evaluated at a time."""
    await WATCHES.save(tx, NOWHERE, Watch(*scope, name, due))


async def unwatch(tx: Transaction, scope: Scope, name: str) -> None:
    """Never evaluate it again."""
    await WATCHES.drop(tx, NOWHERE, *scope, name)


async def next_watches(tx: Transaction, _: Scope) -> list[Watch]:
    """The alarms that are due first."""
    return await WATCHES.lookup(tx, NOWHERE, "due", limit=DUE_AT_ONCE)


async def parents_of(tx: Transaction, scope: Scope, name: str) -> list[Alarm]:
    """The composite alarms that look at an alarm."""
    return await ALARMS.lookup(tx, scope, "child", name, limit=PARENTS_MAX)


async def load_children(tx: Transaction, scope: Scope, alarm: Alarm) -> dict[str, Alarm]:
    """The alarms that a composite one looks at, by name, as far as they exist."""
    found = [await ALARMS.load(tx, scope, name) for name in alarm.children]
    return {one.name: one for one in found if one is not None}


async def expire_history(tx: Transaction, scope: Scope, before: float) -> bool:
    """Remove old history, a part at a time; whether there was a whole part."""
    found = await HISTORY.lookup_between(tx, scope, "time", (), (before,), limit=EXPIRE_ITEMS)
    for item in found:
        await HISTORY.drop(tx, scope, item.name, item.at, item.sequence)
    return len(found) == EXPIRE_ITEMS
