"""Checking a store: every index entry has its record, and every record its entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER, unpack

PAGE_ROWS = 200
COMPLAINTS_MAX = 1_000


async def check_store(
    store: Store, tables: Iterable[Table[Any]], *, repair: bool = False
) -> list[str]:
    """Everything wrong with the tables' records and indexes, in words; empty when all is well.

    Reads the whole store in pages, each in a transaction of its own, so it may run beside other
    work. Stops after COMPLAINTS_MAX complaints. Keys that belong to none of `tables` are passed by.
    With `repair` the index entries are made to agree with the records, as after an index was
    declared anew; the records themselves are never touched.
    """
    checks = _Checks(tables, repair)
    complaints: list[str] = []
    begin: bytes | None = b""
    while begin is not None and len(complaints) < COMPLAINTS_MAX:
        begin, found = await store.transact(_Page(checks, begin).check)
        complaints += found
    return complaints[:COMPLAINTS_MAX]


class _Checks:
    """Which table, and which index of it, a key belongs to."""

    def __init__(self, tables: Iterable[Table[Any]], repair: bool) -> None:
        self.repair = repair
        self.places: dict[tuple[str, str], tuple[Table[Any], str]] = {}
        for table in tables:
            if (table.service, table.kind) in self.places:
                raise ValueError(f"{table!r} is declared twice")
            self.places[table.service, table.kind] = (table, "")
            for index in table.indexes:
                self.places[table.service, f"{table.kind}/{index}"] = (table, index)

    def place(self, key: bytes) -> tuple[Table[Any], str, Scope] | None:
        """The table, the index ("" for a record) and the scope of a key; None when of no table."""
        try:
            elements = unpack(key, count=4)
        except ValueError:
            return None
        if len(elements) < 4 or not all(isinstance(element, str) for element in elements):
            return None
        account, region, service, kind = elements
        found = self.places.get((service, kind))
        return None if found is None else (*found, Scope(account, region))


class _Page:
    """One stretch of the store, checked in one transaction."""

    def __init__(self, checks: _Checks, begin: bytes) -> None:
        self._checks = checks
        self._begin = begin

    async def check(self, tx: Transaction) -> tuple[bytes | None, list[str]]:
        """Where the next page begins, or None, and the complaints about this one."""
        pairs = await tx.scan(self._begin, AFTER, limit=PAGE_ROWS)
        complaints: list[str] = []
        for key, value in pairs:
            place = self._checks.place(key)
            if place is None:
                continue
            table, index, scope = place
            if index:
                stray = await _check_entry(tx, table, index, scope, key, value)
                if stray and self._checks.repair:
                    tx.clear(key)
                complaints += stray
                continue
            missing, said = await _check_record(tx, table, scope, key, value)
            if self._checks.repair:
                for entry, packed in missing.items():
                    tx.set(entry, packed)
            complaints += said
        return (pairs[-1][0] + b"\0" if len(pairs) == PAGE_ROWS else None), complaints


async def _check_record(
    tx: Transaction, table: Table[Any], scope: Scope, key: bytes, value: bytes
) -> tuple[dict[bytes, bytes], list[str]]:
    """The index entries that a record lacks, and the complaints about it."""
    name = _name(key)
    try:
        record = table.read(value)
        entries = table.entries(scope, record)
    except Exception as error:
        return {}, [f"{name}: the record cannot be read: {error}"]
    if table.key(scope, *table.key_of(record)) != key:
        return {}, [f"{name}: the record lies at another key than its own"]
    missing = {entry: packed for entry, packed in entries.items() if await tx.get(entry) != packed}
    return missing, [f"{name}: its index entry {_name(entry)} is missing" for entry in missing]


async def _check_entry(
    tx: Transaction, table: Table[Any], index: str, scope: Scope, key: bytes, packed: bytes
) -> list[str]:
    value = await tx.get(table.prefix(scope) + packed)
    if value is None:
        return [f"{_name(key)}: the index {index} names a record that is not there"]
    try:
        entries = table.entries(scope, table.read(value))
    except Exception:
        return []  # Said of the record itself.
    if key not in entries:
        return [f"{_name(key)}: the index {index} names a record that does not belong there"]
    return []


def _name(key: bytes) -> str:
    try:
        return "/".join(str(element) for element in unpack(key))
    except ValueError:
        return key.hex()
