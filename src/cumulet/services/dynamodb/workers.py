"""Work in the background: new indexes filled, expired items deleted, old changes trimmed."""

from __future__ import annotations

import msgspec

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.services.dynamodb.items.keys import after_start
from cumulet.services.dynamodb.items.packing import unpack_item
from cumulet.services.dynamodb.limits import (
    BACKFILL_ITEMS,
    EXPIRED_ITEMS,
    EXPIRY_AGE_SECONDS_MAX,
    EXPIRY_SECONDS_BETWEEN,
    STREAM_SECONDS_KEPT,
    TOKEN_SECONDS,
    TRIM_RECORDS,
    TRIM_SECONDS_BETWEEN,
)
from cumulet.services.dynamodb.model import Build, Stream, Table
from cumulet.services.dynamodb.store import changes
from cumulet.services.dynamodb.store.items import (
    build_entry,
    expiry_of,
    expiry_prefix,
    load_item,
    move_expiry,
    replace_item,
    require_same,
)
from cumulet.services.dynamodb.store.records import (
    BUILDS,
    NOWHERE,
    TOKENS,
    load_table,
    save_table,
    scan_expiring,
    table_key,
)
from cumulet.services.dynamodb.tables.metering import measure_expiry
from cumulet.services.dynamodb.tables.view import TableView
from cumulet.services.dynamodb.tables.views import TableChanged, TableViews

PAGE = 100
_IDLE_SECONDS = 3_600.0


async def fill_indexes(platform: Platform) -> float:
    """Give items that were there before an index their entries, a part at a time."""
    kv = platform.need(Store)
    return 0.0 if await fill_some(kv) else _IDLE_SECONDS


async def fill_some(kv: Store, items_max: int = BACKFILL_ITEMS) -> bool:
    """One part of every index that is being filled; tells whether there were any."""

    async def some(tx: Transaction) -> list[Build]:
        return await BUILDS.scan(tx, NOWHERE, limit=PAGE)

    builds = await kv.transact(some)
    for build in builds:

        async def fill(tx: Transaction, build: Build = build) -> None:
            await _fill(tx, build, items_max)

        await kv.transact(fill)
    return bool(builds)


async def _fill(tx: Transaction, asked: Build, items_max: int) -> None:
    """One part of a build; at its end the index is active."""
    build = await BUILDS.load(tx, NOWHERE, *_place(asked))
    if build is None:
        return
    scope = Scope(build.account, build.region)
    table = await load_table(tx, scope, build.table)
    if table is None or table.id != build.id or not _is_building(table, build.number):
        await BUILDS.drop(tx, NOWHERE, *_place(build))
        return
    raw = await tx.get(table_key(scope, build.table))
    assert raw is not None
    view = TableView(table, raw)
    end = after_start(view.base)
    assert end is not None
    pairs = await tx.scan(view.base + build.cursor, end, limit=items_max)
    for key, packed in pairs:
        primary = key[len(view.base) :]
        if table.expiry is not None and table.expiry.number == build.number:
            move_expiry(tx, view, primary, None, unpack_item(packed))
            continue
        for index in view.maintained:
            if index.record.number == build.number:
                await build_entry(tx, view, index, primary, packed)
    if len(pairs) == items_max:
        cursor = pairs[-1][0][len(view.base) :] + b"\0"
        await BUILDS.save(tx, NOWHERE, msgspec.structs.replace(build, cursor=cursor))
        return
    await BUILDS.drop(tx, NOWHERE, *_place(build))
    await save_table(tx, _built(table, build.number))


def _place(build: Build) -> tuple[str, str, str, int]:
    return build.account, build.region, build.table, build.number


def _is_building(table: Table, number: int) -> bool:
    if table.expiry is not None and table.expiry.number == number:
        return True
    return any(index.number == number and index.is_building for index in table.indexes)


def _built(table: Table, number: int) -> Table:
    return msgspec.structs.replace(
        table,
        indexes=tuple(
            msgspec.structs.replace(index, is_building=False) if index.number == number else index
            for index in table.indexes
        ),
    )


async def expire_items(platform: Platform) -> float:
    """Delete items whose time has come, oldest first."""
    kv = platform.need(Store)
    views = platform.need(TableViews)
    after: Table | None = None
    more = False
    while True:

        async def some(tx: Transaction, after: Table | None = after) -> list[Table]:
            return await scan_expiring(tx, limit=PAGE, after=after)

        tables = await kv.transact(some)
        for table in tables:
            view = await views.find((table.account, table.region, table.name))
            if view is not None and view.record.expiry is not None:
                deleted, is_more = await _expire(kv, view, platform.clock.now())
                measure_expiry(platform, view.record, deleted)
                more |= is_more
        if len(tables) < PAGE:
            return 0.0 if more else EXPIRY_SECONDS_BETWEEN
        after = tables[-1]


async def _expire(kv: Store, view: TableView, now: float) -> tuple[int, bool]:
    """Delete some expired items of a table; tells how many, and whether there may be more."""

    async def delete(tx: Transaction) -> tuple[int, bool]:
        deleted = 0
        await require_same(tx, view)
        base = expiry_prefix(view)
        oldest = max(0, int(now) - EXPIRY_AGE_SECONDS_MAX)
        begin, end = (base + time.to_bytes(8, "big") for time in (oldest, int(now) + 1))
        pairs = await tx.scan(begin, end, limit=EXPIRED_ITEMS)
        for order, (key, _) in enumerate(pairs):
            primary = key[len(base) + 8 :]
            packed = await load_item(tx, view, primary)
            item = None if packed is None else unpack_item(packed)
            expires = int.from_bytes(key[len(base) : len(base) + 8], "big")
            if packed is None or expiry_of(view, item) != expires:
                tx.clear(key)
                continue
            await replace_item(
                tx, view, primary, packed, None, now, old_item=item, order=order, by_service=True
            )
            deleted += 1
        return deleted, len(pairs) == EXPIRED_ITEMS

    try:
        return await kv.transact(delete)
    except TableChanged:
        return 0, True


async def trim_streams(platform: Platform) -> float:
    """Drop changes older than a day, and streams that were turned off and are empty."""
    kv = platform.need(Store)
    before_ms = round((platform.clock.now() - STREAM_SECONDS_KEPT) * 1000)
    after: Stream | None = None
    more = False
    while True:

        async def some(tx: Transaction, after: Stream | None = after) -> list[Stream]:
            return await changes.scan_all_streams(tx, limit=PAGE, after=after)

        streams = await kv.transact(some)
        for stream in streams:

            async def trim(tx: Transaction, stream: Stream = stream) -> int:
                gone = await changes.trim(tx, stream, before_ms, TRIM_RECORDS)
                if not gone and stream.closed and stream.closed * 1000 < before_ms:
                    await changes.drop_stream(tx, stream)
                return gone

            more |= await kv.transact(trim) == TRIM_RECORDS
        if len(streams) < PAGE:
            return 0.0 if more else TRIM_SECONDS_BETWEEN
        after = streams[-1]


async def forget_tokens(platform: Platform) -> float:
    """Drop request tokens whose ten minutes are over."""
    kv = platform.need(Store)
    now = platform.clock.now()
    for scope in await kv.transact(TOKENS.scopes):

        async def drop(tx: Transaction, scope: Scope = scope) -> int:
            old = await TOKENS.lookup_between(tx, scope, "expires", (), (now,), limit=PAGE)
            for token in old:
                await TOKENS.drop(tx, scope, token.token)
            return len(old)

        while await kv.transact(drop) == PAGE:
            pass
    return float(TOKEN_SECONDS)


WORKERS = (
    Worker("dynamodb indexes", fill_indexes, BUILDS.prefix(NOWHERE)),
    Worker("dynamodb expiry", expire_items),
    Worker("dynamodb streams", trim_streams),
    Worker("dynamodb tokens", forget_tokens),
)
