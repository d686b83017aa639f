"""The records of tables, streams, builds and tokens."""

from __future__ import annotations

from cumulet.core.identity import ANYWHERE, Scope
from cumulet.kv import table as kv
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.tuples import AFTER, pack
from cumulet.services.dynamodb.model import Build, Stream, Table, Token

NOWHERE = Scope("", ANYWHERE)

TABLES: kv.Table[Table] = kv.Table(
    "dynamodb",
    "table",
    Table,
    lambda one: (one.account, one.region, one.name),
    extent="global",
    indexes={
        "expiring": lambda one: (
            [(one.account, one.region, one.name)] if one.expiry is not None else []
        ),
        "recovering": lambda one: (
            [(one.account, one.region, one.name)] if one.recovery is not None else []
        ),
    },
)
STREAMS: kv.Table[Stream] = kv.Table(
    "dynamodb",
    "stream",
    Stream,
    lambda one: (one.account, one.region, one.table, one.label),
    extent="global",
)
BUILDS: kv.Table[Build] = kv.Table(
    "dynamodb",
    "build",
    Build,
    lambda one: (one.account, one.region, one.table, one.number),
    extent="global",
)
TOKENS: kv.Table[Token] = kv.Table(
    "dynamodb",
    "token",
    Token,
    lambda one: (one.token,),
    indexes={"expires": lambda one: [(one.expires,)]},
)

RECORDS = (TABLES, STREAMS, BUILDS, TOKENS)


def table_key(scope: Scope, name: str) -> bytes:
    """Where a table's record lies."""
    return TABLES.key(NOWHERE, scope.account, scope.region, name)


async def load_table(tx: Transaction, scope: Scope, name: str) -> Table | None:
    """A table, or None."""
    return await TABLES.load(tx, NOWHERE, scope.account, scope.region, name)


async def save_table(tx: Transaction, table: Table) -> None:
    """Write a table's record."""
    await TABLES.save(tx, NOWHERE, table)


async def scan_tables(
    tx: Transaction, scope: Scope, *, limit: int, after: str | None = None
) -> list[Table]:
    """Tables of an account and region by name."""
    at = None if after is None else (scope.account, scope.region, after)
    return await TABLES.scan(tx, NOWHERE, scope.account, scope.region, limit=limit, after=at)


async def scan_expiring(tx: Transaction, *, limit: int, after: Table | None) -> list[Table]:
    """Tables of all accounts whose items may expire."""
    at = None
    if after is not None:
        place = (after.account, after.region, after.name)
        at = (*place, *place)
    return await TABLES.lookup(tx, NOWHERE, "expiring", limit=limit, after=at)


def data_prefix(scope: Scope, data: bytes, number: int) -> bytes:
    """With what the keys begin of a table's items (0) or of an index's entries."""
    return (
        pack((scope.account, scope.region, "dynamodb", "item")) + data + number.to_bytes(2, "big")
    )


def count_keys(scope: Scope, data: bytes, number: int) -> tuple[bytes, bytes]:
    """The counters of items and of bytes of a table (0) or index."""
    base = pack((scope.account, scope.region, "dynamodb", "count")) + data
    base += number.to_bytes(2, "big")
    return base + b"i", base + b"s"


async def read_counts(tx: Transaction, table: Table, number: int) -> tuple[int, int]:
    """Items and bytes of a table (0) or index."""
    items, size = count_keys(table.scope, table.data, number)
    return read_count(await tx.get(items)), read_count(await tx.get(size))


def drop_data(tx: Transaction, table: Table, number: int | None = None) -> None:
    """Remove all entries of an index, or everything of a table."""
    base = pack((table.account, table.region, "dynamodb", "item")) + table.data
    counts = pack((table.account, table.region, "dynamodb", "count")) + table.data
    if number is not None:
        base += number.to_bytes(2, "big")
        counts += number.to_bytes(2, "big")
    # Behind the prefix come sort keys of any bytes, so the end is the next prefix.
    tx.clear(base, _next(base))
    tx.clear(counts, counts + AFTER)


def drop_items(tx: Transaction, scope: Scope, data: bytes) -> None:
    """Remove the items of a backup."""
    base = data_prefix(scope, data, 0)
    tx.clear(base, _next(base))


def _next(prefix: bytes) -> bytes:
    short = prefix.rstrip(b"\xff")
    return short[:-1] + bytes((short[-1] + 1,))


def change_prefix(scope: Scope, data: bytes) -> bytes:
    """With what the keys begin of a stream's records."""
    return pack((scope.account, scope.region, "dynamodb", "change")) + data
