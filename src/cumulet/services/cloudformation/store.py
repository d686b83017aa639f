"""The only file that knows where CloudFormation's records lie."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.cloudformation import limits
from cumulet.services.cloudformation.model import (
    ChangeSet,
    Document,
    DriftRun,
    Event,
    Export,
    Import,
    Resource,
    Run,
    Stack,
    Ticket,
    Touched,
)

_NAME = "cloudformation"
_NOWHERE = Scope("", "")
_PART_BYTES = 900_000
_PARTS_MAX = 64
_TICKETS_MAX = 2 * limits.RESOURCES_MAX


def _living_name(stack: Stack) -> list[tuple[str]]:
    return [(stack.name,)] if stack.exists else []


STACKS: Table[Stack] = Table(
    _NAME,
    "stack",
    Stack,
    lambda s: (s.id,),
    indexes={
        "name": _living_name,
        "created": lambda s: [(int(s.created_at * 1e6),)],
        "deleted": lambda s: [(int(s.deleted_at * 1e6),)] if s.deleted_at is not None else [],
    },
)
RESOURCES: Table[Resource] = Table(
    _NAME,
    "resource",
    Resource,
    lambda r: (r.stack_id, r.logical_id),
    indexes={"physical": lambda r: [(r.physical_id[:1024],)] if r.physical_id else []},
)
EVENTS: Table[Event] = Table(_NAME, "event", Event, lambda e: (e.stack_id, e.ordinal))
CHANGE_SETS: Table[ChangeSet] = Table(
    _NAME,
    "change-set",
    ChangeSet,
    lambda c: (c.stack_id, c.id),
    indexes={"id": lambda c: [(c.id,)], "name": lambda c: [(c.stack_id, c.name)]},
)
EXPORTS: Table[Export] = Table(
    _NAME,
    "export",
    Export,
    lambda e: (e.name,),
    indexes={"stack": lambda e: [(e.stack_id,)]},
)
IMPORTS: Table[Import] = Table(
    _NAME,
    "import",
    Import,
    lambda i: (i.export_name, i.stack_id),
    indexes={"stack": lambda i: [(i.stack_id,)]},
)
DOCUMENTS: Table[Document] = Table(_NAME, "document", Document, lambda d: (d.id, d.part))
DRIFT_RUNS: Table[DriftRun] = Table(
    _NAME,
    "drift-run",
    DriftRun,
    lambda d: (d.id,),
    indexes={"stack": lambda d: [(d.stack_id,)]},
)
TOUCHED: Table[Touched] = Table(_NAME, "touched", Touched, lambda t: (t.stack_id, t.logical_id))
RUNS: Table[Run] = Table(
    _NAME, "run", Run, lambda r: (r.account, r.region, r.stack_id), extent="global"
)
TICKETS: Table[Ticket] = Table(
    _NAME,
    "ticket",
    Ticket,
    lambda t: (t.secret,),
    extent="global",
    indexes={"stack": lambda t: [(t.account, t.region, t.stack_id)]},
)

TABLES = (
    STACKS,
    RESOURCES,
    EVENTS,
    CHANGE_SETS,
    EXPORTS,
    IMPORTS,
    DOCUMENTS,
    DRIFT_RUNS,
    RUNS,
    TICKETS,
    TOUCHED,
)

RUNS_PREFIX = RUNS.prefix(_NOWHERE)
"""A write under it means that there may be new work."""


async def load_stack(tx: Transaction, scope: Scope, name_or_arn: str) -> Stack | None:
    """A living stack by its name, or any by its ARN."""
    if name_or_arn.startswith("arn:"):
        return await STACKS.load(tx, scope, name_or_arn.rsplit("/", 1)[-1])
    found = await STACKS.lookup(tx, scope, "name", name_or_arn, limit=1)
    return found[0] if found else None


async def load_stack_by_id(tx: Transaction, scope: Scope, stack_id: str) -> Stack | None:
    """A stack by the last part of its ARN."""
    return await STACKS.load(tx, scope, stack_id)


async def scan_resources(tx: Transaction, scope: Scope, stack_id: str) -> dict[str, Resource]:
    """Every resource of a stack, by logical id; those deleted long ago included."""
    found = await RESOURCES.scan(tx, scope, stack_id, limit=4 * limits.RESOURCES_MAX)
    return {resource.logical_id: resource for resource in found}


async def add_event(tx: Transaction, scope: Scope, event: Event) -> None:
    """Append to a stack's history; the oldest event goes when there are too many."""
    last = await EVENTS.scan(tx, scope, event.stack_id, limit=1, reverse=True)
    ordinal = last[0].ordinal + 1 if last else 1
    await EVENTS.insert(tx, scope, _at(event, ordinal))
    if ordinal > limits.EVENTS_KEPT_MAX:
        await EVENTS.drop(tx, scope, event.stack_id, ordinal - limits.EVENTS_KEPT_MAX)


def _at(event: Event, ordinal: int) -> Event:
    return Event(
        event.stack_id,
        ordinal,
        event.id,
        event.logical_id,
        event.physical_id,
        event.type,
        event.status,
        event.at,
        event.reason,
        event.token,
    )


async def load_run(tx: Transaction, scope: Scope, stack_id: str) -> Run | None:
    """The unfinished work on a stack."""
    return await RUNS.load(tx, _NOWHERE, scope.account, scope.region, stack_id)


async def save_run(tx: Transaction, run: Run) -> None:
    """Write the unfinished work on a stack; this wakes the engine."""
    await RUNS.save(tx, _NOWHERE, run)


async def drop_run(tx: Transaction, run: Run) -> None:
    """The work is finished."""
    await RUNS.drop(tx, _NOWHERE, run.account, run.region, run.stack_id)


async def scan_runs(tx: Transaction, limit: int) -> list[Run]:
    """Unfinished work of every account and region."""
    return await RUNS.scan(tx, _NOWHERE, limit=limit)


async def load_ticket(tx: Transaction, secret: str) -> Ticket | None:
    """The ticket with this secret."""
    return await TICKETS.load(tx, _NOWHERE, secret)


async def save_ticket(tx: Transaction, ticket: Ticket) -> None:
    """Write a ticket."""
    await TICKETS.save(tx, _NOWHERE, ticket)


async def drop_ticket(tx: Transaction, secret: str) -> None:
    """Forget a ticket: its address answers no longer."""
    await TICKETS.drop(tx, _NOWHERE, secret)


async def scan_tickets(tx: Transaction, scope: Scope, stack_id: str) -> list[Ticket]:
    """Every ticket of a stack."""
    return await TICKETS.lookup(
        tx, _NOWHERE, "stack", scope.account, scope.region, stack_id, limit=_TICKETS_MAX
    )


async def drop_tickets(tx: Transaction, scope: Scope, stack_id: str) -> None:
    """Forget every ticket of a stack that is gone."""
    for ticket in await scan_tickets(tx, scope, stack_id):
        await TICKETS.drop(tx, _NOWHERE, ticket.secret)


async def save_document(tx: Transaction, scope: Scope, document_id: str, value: Any) -> None:
    """Keep a JSON value of any size, in parts."""
    data = zlib.compress(json.dumps(value, ensure_ascii=False).encode(), 3)
    for part, start in enumerate(range(0, len(data), _PART_BYTES)):
        await DOCUMENTS.save(
            tx, scope, Document(document_id, part, data[start : start + _PART_BYTES])
        )


async def load_document(tx: Transaction, scope: Scope, document_id: str) -> Any:
    """A value kept by `save_document`; None when it is gone."""
    parts = await DOCUMENTS.scan(tx, scope, document_id, limit=_PARTS_MAX)
    if not parts:
        return None
    return json.loads(zlib.decompress(b"".join(part.data for part in parts)))


async def drop_document(tx: Transaction, scope: Scope, document_id: str) -> None:
    """Forget a document."""
    for part in await DOCUMENTS.scan(tx, scope, document_id, limit=_PARTS_MAX):
        await DOCUMENTS.drop(tx, scope, document_id, part.part)


async def load_exports(tx: Transaction, scope: Scope, names: Sequence[str]) -> dict[str, str]:
    """The values of those exports that exist."""
    found = {}
    for name in names:
        export = await EXPORTS.load(tx, scope, name)
        if export is not None:
            found[name] = export.value
    return found


async def importers(tx: Transaction, scope: Scope, name: str) -> list[Import]:
    """Who imports an export."""
    return await IMPORTS.scan(tx, scope, name, limit=limits.STACKS_MAX)


async def load_change_set(
    tx: Transaction, scope: Scope, name_or_arn: str, stack_id: str | None
) -> ChangeSet | None:
    """A change set by ARN, or by name within a stack."""
    if name_or_arn.startswith("arn:"):
        found = await CHANGE_SETS.lookup(tx, scope, "id", name_or_arn.rsplit("/", 1)[-1], limit=1)
    elif stack_id is not None:
        found = await CHANGE_SETS.lookup(tx, scope, "name", stack_id, name_or_arn, limit=1)
    else:
        found = []
    return found[0] if found else None


async def scan_touched(tx: Transaction, scope: Scope, stack_id: str) -> set[str]:
    """The resources whose unfinished step has made a service commit something."""
    found = await TOUCHED.scan(tx, scope, stack_id, limit=limits.RESOURCES_MAX)
    return {one.logical_id for one in found}


async def scan_deleted(tx: Transaction, scope: Scope, before: float, limit: int) -> list[Stack]:
    """Stacks that were deleted before a time, the oldest first."""
    until = (int(before * 1e6),)
    return await STACKS.lookup_between(tx, scope, "deleted", (), until, limit=limit)


async def forget_stack(tx: Transaction, scope: Scope, stack: Stack) -> None:
    """Remove every record of a stack that was deleted long ago."""
    for resource in (await scan_resources(tx, scope, stack.id)).values():
        await RESOURCES.drop(tx, scope, stack.id, resource.logical_id)
    for event in await EVENTS.scan(tx, scope, stack.id, limit=limits.EVENTS_KEPT_MAX + 1):
        await EVENTS.drop(tx, scope, stack.id, event.ordinal)
    for change_set in await CHANGE_SETS.scan(tx, scope, stack.id, limit=limits.CHANGE_SETS_MAX):
        await drop_change_set(tx, scope, change_set, with_template=True)
    for run in await DRIFT_RUNS.lookup(tx, scope, "stack", stack.id, limit=limits.EVENTS_KEPT_MAX):
        await DRIFT_RUNS.drop(tx, scope, run.id)
    for settings in (stack.settings, stack.target):
        if settings is not None:
            await drop_document(tx, scope, settings.template_id)
    await STACKS.drop(tx, scope, stack.id)


async def drop_change_set(
    tx: Transaction, scope: Scope, change_set: ChangeSet, *, with_template: bool
) -> None:
    """Forget a change set; its template too, when no stack has taken it over."""
    await CHANGE_SETS.drop(tx, scope, change_set.stack_id, change_set.id)
    await drop_document(tx, scope, change_set.changes_id)
    if with_template and change_set.settings is not None:
        await drop_document(tx, scope, change_set.settings.template_id)
