"""Tables: typed records with declared indexes, over the bytes of a store.

A record lies at `(account, region, service, kind, *key)`. The entry of an index lies at
`(account, region, service, "kind/index", *values, *key)` and holds the record's packed key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.records import RecordCodec
from cumulet.kv.tuples import AFTER, Element, pack, pack_text_start, unpack

R = TypeVar("R", bound=msgspec.Struct)
Key: TypeAlias = tuple[Element, ...]
Extent: TypeAlias = Literal["region", "account", "global"]
ChangeHook: TypeAlias = Callable[[Transaction, Scope, "R | None", "R | None"], None]

SCOPES_REMEMBERED_MAX = 1_024
SCOPES_LISTED_MAX = 10_000


class Table(Generic[R]):
    """One type of record, declared once.

    `key` gives a record's key, unique within the extent: a region of an account, an account, or
    the whole store. Each of `indexes` gives the values under which `lookup` finds the record, none,
    one or several. `on_change(tx, scope, old, new)` may write more in the same transaction, such as
    counters and stream records. See `RecordCodec` for `version` and `upgrades`.
    """

    def __init__(
        self,
        service: str,
        kind: str,
        type: type[R],
        key: Callable[[R], Key],
        *,
        extent: Extent = "region",
        indexes: Mapping[str, Callable[[R], Iterable[Key]]] | None = None,
        version: int = 1,
        upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None,
        on_change: ChangeHook[R] | None = None,
    ) -> None:
        if "/" in kind:
            raise ValueError("the slash of a kind separates it from an index's name")
        self.service = service
        self.kind = kind
        self.extent = extent
        self.indexes = dict(indexes or {})
        self.key_of = key
        self._codec = RecordCodec(type, version, upgrades or {})
        self.read = self._codec.read
        self._on_change = on_change
        self._tail = pack((service, kind))
        self._index_tails = {name: pack((service, f"{kind}/{name}")) for name in self.indexes}
        self._prefixes: dict[tuple[Scope, str], bytes] = {}

    def __repr__(self) -> str:
        return f"Table({self.service}, {self.kind})"

    async def load(self, tx: Transaction, scope: Scope, *key: Element) -> R | None:
        """The record with this key, or None."""
        value = await tx.get(self._prefix(scope) + pack(key))
        return None if value is None else self.read(value)

    async def save(self, tx: Transaction, scope: Scope, record: R) -> R | None:
        """Write a record, new or not; returns the one it replaces."""
        packed = pack(self.key_of(record))
        at = self._prefix(scope) + packed
        value = await tx.get(at)
        old = None if value is None else self.read(value)
        self._replace(tx, scope, packed, old, record)
        return old

    async def insert(self, tx: Transaction, scope: Scope, record: R) -> bool:
        """Write a record unless its key is taken; tells whether it was written."""
        packed = pack(self.key_of(record))
        if await tx.get(self._prefix(scope) + packed) is not None:
            return False
        self._replace(tx, scope, packed, None, record)
        return True

    def add(self, tx: Transaction, scope: Scope, record: R) -> None:
        """Write a record under a key that no other record ever had: nothing is read for it.

        The same record may be added again; its index entries must follow from its key alone.
        """
        self._replace(tx, scope, pack(self.key_of(record)), None, record)

    def replace(self, tx: Transaction, scope: Scope, old: R, new: R | None) -> None:
        """Write `new` where `old` is, or remove `old`: nothing is read for it again.

        `old` must have been read in the same transaction, and have the same key.
        """
        self._replace(tx, scope, pack(self.key_of(old)), old, new)

    async def drop(self, tx: Transaction, scope: Scope, *key: Element) -> R | None:
        """Remove the record with this key; returns it, or None when there was none."""
        packed = pack(key)
        value = await tx.get(self._prefix(scope) + packed)
        if value is None:
            return None
        old = self.read(value)
        self._replace(tx, scope, packed, old, None)
        return old

    async def scan(
        self,
        tx: Transaction,
        scope: Scope,
        *prefix: Element,
        limit: int,
        after: Key | None = None,
        starts: str | None = None,
        reverse: bool = False,
    ) -> list[R]:
        """At most `limit` records whose keys begin with `prefix`, in the order of their keys.

        `starts` keeps those whose next element is a text that begins so. `after` is the whole key
        of the last record seen: the next page begins behind it, and behind every key that begins
        with it.
        """
        base = self._prefix(scope)
        begin, end = _bounds(base, prefix, starts, after, reverse)
        pairs = await tx.scan(begin, end, limit=limit, reverse=reverse)
        return [self.read(value) for _, value in pairs]

    async def scan_between(
        self,
        tx: Transaction,
        scope: Scope,
        begin: Key,
        end: Key,
        *,
        limit: int,
        reverse: bool = False,
    ) -> list[R]:
        """At most `limit` records with begin <= key < end, in the order of their keys."""
        base = self._prefix(scope)
        pairs = await tx.scan(base + pack(begin), base + pack(end), limit=limit, reverse=reverse)
        return [self.read(value) for _, value in pairs]

    async def lookup(
        self,
        tx: Transaction,
        scope: Scope,
        index: str,
        *values: Element,
        limit: int,
        after: Key | None = None,
        starts: str | None = None,
        reverse: bool = False,
    ) -> list[R]:
        """At most `limit` records whose values in `index` begin with `values`, in index order.

        `after` is the last record's whole place in the index: its values, then its key. `starts`
        is as in `scan`, for the element that follows `values`.
        """
        begin, end = _bounds(self._prefix(scope, index), values, starts, after, reverse)
        return await self._follow(tx, scope, begin, end, limit, reverse)

    async def lookup_between(
        self,
        tx: Transaction,
        scope: Scope,
        index: str,
        begin: Key,
        end: Key,
        *,
        limit: int,
        reverse: bool = False,
    ) -> list[R]:
        """At most `limit` records whose place in `index` is at or after `begin` and before `end`.

        With times in an index, what is due by now is `lookup_between(…, (), (now,), limit=…)`.
        """
        base = self._prefix(scope, index)
        return await self._follow(tx, scope, base + pack(begin), base + pack(end), limit, reverse)

    async def load_packed(self, tx: Transaction, scope: Scope, packed: Iterable[bytes]) -> list[R]:
        """The records whose packed keys are given, as the entries of an index hold them."""
        base = self._prefix(scope)
        found = [await tx.get(base + one) for one in packed]
        return [self.read(value) for value in found if value is not None]

    async def scopes(self, tx: Transaction) -> list[Scope]:
        """Every account and region that has such records, for workers that serve them all.

        Costs two short reads for each scope of the store. The part outside of the extent is "".
        """
        found: list[Scope] = []
        begin = b""
        for _ in range(SCOPES_LISTED_MAX):
            first = await tx.scan(begin, AFTER, limit=1)
            if not first:
                return found
            account, region = unpack(first[0][0], count=2)
            base = pack((account, region))
            mine = base + self._tail
            if await tx.scan(mine, mine + AFTER, limit=1):
                found.append(Scope(account, region))
            begin = base + AFTER
        raise ValueError(f"more than {SCOPES_LISTED_MAX} accounts and regions")

    def key(self, scope: Scope, *key: Element) -> bytes:
        """Where the record with this key lies, for watches."""
        return self._prefix(scope) + pack(key)

    def prefix(self, scope: Scope, *prefix: Element) -> bytes:
        """With what the keys of the records begin whose keys begin with `prefix`, for watches."""
        return self._prefix(scope) + pack(prefix)

    def index_prefix(self, scope: Scope, index: str, *values: Element) -> bytes:
        """With what the entries of `index` begin whose values begin so, for watches and counts."""
        return self._prefix(scope, index) + pack(values)

    def owned(self, key: bytes) -> tuple[Scope, Key] | None:
        """The scope and key of a record by its place in the store; None when it is not one."""
        if self._tail not in key:
            return None
        account, region, service, kind, *rest = unpack(key)
        if (service, kind) != (self.service, self.kind):
            return None
        return Scope(account, region), tuple(rest)

    def entries(self, scope: Scope, record: R) -> dict[bytes, bytes]:
        """The index entries that belong to a record."""
        return self._entries(scope, pack(self.key_of(record)), record)

    def _entries(self, scope: Scope, packed: bytes, record: R) -> dict[bytes, bytes]:
        return {
            self._prefix(scope, name) + pack(values) + packed: packed
            for name, entries in self.indexes.items()
            for values in entries(record)
        }

    def _replace(
        self, tx: Transaction, scope: Scope, packed: bytes, old: R | None, new: R | None
    ) -> None:
        at = self._prefix(scope) + packed
        if new is None:
            tx.clear(at)
        else:
            tx.set(at, self._codec.write(new))
        for name, values_of in self.indexes.items():
            before = () if old is None else set(values_of(old))
            now = () if new is None else set(values_of(new))
            if before == now:
                continue
            base = self._prefix(scope, name)
            for values in before:
                if values not in now:
                    tx.clear(base + pack(values) + packed)
            for values in now:
                if values not in before:
                    tx.set(base + pack(values) + packed, packed)
        if self._on_change is not None:
            self._on_change(tx, scope, old, new)

    async def _follow(
        self, tx: Transaction, scope: Scope, begin: bytes, end: bytes, limit: int, reverse: bool
    ) -> list[R]:
        base = self._prefix(scope)
        records = []
        for _, packed in await tx.scan(begin, end, limit=limit, reverse=reverse):
            value = await tx.get(base + packed)
            # An entry without its record is damage that `cumulet check` reports.
            if value is not None:
                records.append(self.read(value))
        return records

    def _prefix(self, scope: Scope, index: str = "") -> bytes:
        known = self._prefixes.get((scope, index))
        if known is not None:
            return known
        account = scope[0] if self.extent != "global" else ""
        region = scope[1] if self.extent == "region" else ""
        tail = self._index_tails[index] if index else self._tail
        made = pack((account, region)) + tail
        if len(self._prefixes) >= SCOPES_REMEMBERED_MAX:
            self._prefixes.clear()
        self._prefixes[scope, index] = made
        return made


def _bounds(
    base: bytes, prefix: Key, starts: str | None, after: Key | None, reverse: bool
) -> tuple[bytes, bytes]:
    """Where a page begins and ends; an `after` outside of the prefix only clips it."""
    begin = base + pack(prefix)
    if starts is not None:
        begin += pack_text_start(starts)
    end = begin + AFTER
    if after is None:
        return begin, end
    mark = base + pack(after)
    if reverse:
        return begin, min(end, mark)
    return max(begin, mark + AFTER), end
