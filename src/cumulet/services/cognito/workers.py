"""What pools do in the background: forget what is over, and change their keys."""

from __future__ import annotations

from functools import partial
from typing import Any

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.table import Table
from cumulet.services.cognito import store
from cumulet.services.cognito.flow.outgoing.queue import deliver
from cumulet.services.cognito.hosted.imports.run import run_imports
from cumulet.services.cognito.limits import MAIL_SECONDS, SWEEP_ROWS, SWEEP_SECONDS
from cumulet.services.cognito.signing.keys import (
    drop_spent,
    is_due,
    load_keys,
    make_key,
    rotate,
)

_HOUR = 3_600.0
_POOLS_MAX = 10_000


async def _sweep(platform: Platform) -> float:
    """Forget codes, sign-ins and messages whose time is over."""
    kv, now = platform.need(Store), platform.clock.now()
    is_full = False
    for table in store.PASSING:
        for scope in await kv.transact(table.scopes):
            is_full |= await platform.transact(partial(_drop_due, table), scope, now)
    for scope in await kv.transact(store.MAILS.scopes):
        is_full |= await platform.transact(_drop_mails, scope, now - MAIL_SECONDS)
    return 0.0 if is_full else SWEEP_SECONDS


async def _drop_due(table: Table[Any], tx: Transaction, scope: Scope, now: float) -> bool:
    due = await table.lookup_between(tx, scope, "due", (), (now,), limit=SWEEP_ROWS)
    for row in due:
        await table.drop(tx, scope, *table.key_of(row))
    return len(due) == SWEEP_ROWS


async def _drop_mails(tx: Transaction, scope: Scope, before: float) -> bool:
    old = await store.MAILS.scan_between(tx, scope, (), (before,), limit=SWEEP_ROWS)
    for mail in old:
        await store.MAILS.drop(tx, scope, mail.sent_at, mail.id)
    return len(old) == SWEEP_ROWS


async def _renew_keys(platform: Platform) -> float:
    """Let the next key of a pool sign when the present one is old."""
    now = platform.clock.now()
    sealer = platform.need(Sealer)
    for home in await platform.transact(_pools, store.NOWHERE):
        keys = await platform.transact(load_keys, store.NOWHERE, home)
        if is_due(keys, now):
            fresh = await make_key(platform.clock, sealer, home, is_next=True)
            await platform.transact(rotate, store.NOWHERE, fresh, now)
        else:
            await platform.transact(drop_spent, store.NOWHERE, home, now)
    return _HOUR


async def _pools(tx: Transaction, scope: Scope) -> list[str]:
    """Every name under which keys lie."""
    found: list[str] = []
    after: tuple[str, ...] | None = None
    while len(found) < _POOLS_MAX:
        page = await store.KEYS.scan(tx, scope, limit=1, after=after)
        if not page:
            break
        found.append(page[0].pool)
        after = (page[0].pool,)
    return found


WORKERS = (
    Worker("cognito sweep", _sweep),
    Worker("cognito keys", _renew_keys),
    Worker("cognito imports", run_imports, wakes_on=store.IMPORT_JOBS.prefix(store.NOWHERE)),
    Worker("cognito mail", deliver, wakes_on=store.QUEUE.wakes_on),
)
