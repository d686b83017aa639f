"""X-Ray's records in the store: the only file that knows their keys."""

from __future__ import annotations

from collections.abc import Sequence

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.services.xray.limits import (
    KEPT_BYTES_MAX,
    RULES_MAX,
    SEGMENTS_PER_TRACE_MAX,
    TRACE_BYTES_MAX,
    TRACES_MAX,
)
from cumulet.services.xray.model import DEFAULT, DEFAULT_RULE, Group, Rule, Segment, Trace

_SERVICE = "xray"


def _count_key(scope: Scope, what: str = "traces") -> bytes:
    return Space((scope.account, scope.region, _SERVICE, what)).pack(())


def _count(tx: Transaction, scope: Scope, old: Trace | None, new: Trace | None) -> None:
    if (old is None) != (new is None):
        tx.count(_count_key(scope), 1 if old is None else -1)
    more = (0 if new is None else new.size_bytes) - (0 if old is None else old.size_bytes)
    if more:
        tx.count(_count_key(scope, "bytes"), more)


TRACES: Table[Trace] = Table(
    _SERVICE,
    "trace",
    Trace,
    lambda trace: (trace.id,),
    indexes={"began": lambda trace: [(trace.began,)]},
    on_change=_count,
)
SEGMENTS: Table[Segment] = Table(
    _SERVICE, "segment", Segment, lambda segment: (segment.trace, segment.id)
)
RULES: Table[Rule] = Table(_SERVICE, "rule", Rule, lambda rule: (rule.name,))
GROUPS: Table[Group] = Table(_SERVICE, "group", Group, lambda group: (group.name,))
TABLES = (TRACES, SEGMENTS, RULES, GROUPS)


async def count_traces(tx: Transaction, scope: Scope) -> int:
    """How many traces there are."""
    return read_count(await tx.get(_count_key(scope)))


async def count_bytes(tx: Transaction, scope: Scope) -> int:
    """How large all their segments are."""
    return read_count(await tx.get(_count_key(scope, "bytes")))


async def all_rules(tx: Transaction, scope: Scope) -> list[Rule]:
    """All sampling rules in the order of their priority; the default one is always there."""
    found = await RULES.scan(tx, scope, limit=RULES_MAX + 1)
    if not any(rule.name == DEFAULT for rule in found):
        found.append(Rule(DEFAULT, DEFAULT_RULE, 0.0, 0.0))
    return sorted(found, key=lambda rule: (rule.settings["Priority"], rule.name))


async def add(
    tx: Transaction, scope: Scope, segments: Sequence[Segment], now: float
) -> list[Segment]:
    """Write segments; those come back that their trace has no room for."""
    refused = []
    for segment in segments:
        trace = await TRACES.load(tx, scope, segment.trace)
        if trace is None:
            trace = Trace(segment.trace, segment.began, now, 0, 0)
        size = len(segment.document.encode())
        old = await SEGMENTS.load(tx, scope, segment.trace, segment.id)
        more = size - (0 if old is None else len(old.document.encode()))
        count = trace.segments + (old is None)
        if trace.size_bytes + more > TRACE_BYTES_MAX or count > SEGMENTS_PER_TRACE_MAX:
            refused.append(segment)
            trace = Trace(
                trace.id, trace.began, now, trace.segments, trace.size_bytes, is_over=True
            )
        else:
            await SEGMENTS.save(tx, scope, segment)
            began = min(trace.began, segment.began)
            trace = Trace(trace.id, began, now, count, trace.size_bytes + more, trace.is_over)
        await TRACES.save(tx, scope, trace)
    return refused


async def load_segments(tx: Transaction, scope: Scope, trace: str) -> list[Segment]:
    """The segments of a trace."""
    return await SEGMENTS.scan(tx, scope, trace, limit=SEGMENTS_PER_TRACE_MAX)


async def traces_between(
    tx: Transaction, scope: Scope, begin: float, end: float, limit: int,
    after: tuple[float, str] | None = None,
) -> list[Trace]:  # fmt: skip
    """Traces that began in that span, the newest first, from before `after` on."""
    last = (end,) if after is None else after
    return await TRACES.lookup_between(
        tx, scope, "began", (begin,), last, limit=limit, reverse=True
    )


async def drop_oldest(tx: Transaction, scope: Scope, before: float, limit: int) -> bool:
    """Remove traces that are too old or too many, a part at a time; whether more may be."""
    over = await count_traces(tx, scope) - TRACES_MAX
    over_bytes = await count_bytes(tx, scope) - KEPT_BYTES_MAX
    found = await TRACES.lookup_between(tx, scope, "began", (), (1e12,), limit=limit)
    gone = []
    for number, trace in enumerate(found):
        if trace.began < before or number < over or over_bytes > 0:
            gone.append(trace)
            over_bytes -= trace.size_bytes
    for trace in gone:
        for segment in await load_segments(tx, scope, trace.id):
            await SEGMENTS.drop(tx, scope, segment.trace, segment.id)
        await TRACES.drop(tx, scope, trace.id)
    return len(gone) == limit
