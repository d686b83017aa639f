"""Tables compiled for the operations on items: where things lie, how keys are checked and made."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.kit.policy import Policy, parse_policy
from cumulet.kit.service import OwnedPolicies
from cumulet.services.dynamodb.errors import InvalidItem
from cumulet.services.dynamodb.items.keys import (
    inner_bytes,
    partition_bytes,
    partition_of,
    sort_bytes,
)
from cumulet.services.dynamodb.items.values import Value
from cumulet.services.dynamodb.limits import HASH_KEY_BYTES_MAX, RANGE_KEY_BYTES_MAX
from cumulet.services.dynamodb.model import Index, Table
from cumulet.services.dynamodb.store.history import history_prefix
from cumulet.services.dynamodb.store.records import (
    change_prefix,
    count_keys,
    data_prefix,
    table_key,
)
from cumulet.services.dynamodb.tables.insights.rules import counted_keys

Key = tuple[tuple[str, str], ...]
"""Names and datatypes of key attributes."""

TAG = "cumulet:throttle"
"""Of tables that are held to their provisioned capacity when it is `true`."""

MISMATCH = "The provided key element does not match the schema"


class IndexView:
    """A secondary index: its key, what it shows, and where its entries lie."""

    __slots__ = ("base", "counts", "hashes", "names", "ranges", "record", "wanted")

    def __init__(self, table: Table, record: Index) -> None:
        self.record = record
        self.base = data_prefix(table.scope, table.data, record.number)
        self.counts = count_keys(table.scope, table.data, record.number)
        self.hashes: Key = tuple((name, table.kinds[name]) for name in record.hashes)
        self.ranges: Key = tuple((name, table.kinds[name]) for name in record.ranges)
        keys = (*record.hashes, *record.ranges, table.hash, *filter(None, (table.range,)))
        self.names = tuple(dict.fromkeys(keys))
        self.wanted = (
            None if record.projection == "ALL" else frozenset((*self.names, *record.attributes))
        )

    def entry_key(self, item: Mapping[str, Value], primary: bytes) -> bytes | None:
        """Where the entry of an item lies; None when the item has none.

        An item that was there before the index may have values that are no keys: it has none.
        """
        hashes = _values(self.hashes, item, HASH_KEY_BYTES_MAX)
        ranges = _values(self.ranges, item, RANGE_KEY_BYTES_MAX)
        if hashes is None or ranges is None:
            return None
        return self.base + partition_bytes(hashes) + b"".join(map(inner_bytes, ranges)) + primary

    def shown(self, item: Mapping[str, Value]) -> dict[str, Value]:
        """What the entry of an item has of it."""
        wanted = self.wanted
        if wanted is None:
            return dict(item)
        return {name: value for name, value in item.items() if name in wanted}


def _values(keys: Key, item: Mapping[str, Value], bytes_max: int) -> list[Value] | None:
    """The key values of one role, or None when one is missing or is no key."""
    found = []
    total = 0
    for name, kind in keys:
        value = item.get(name)
        if value is None or kind not in value:
            return None
        size = len(value[kind])
        if not size:
            return None
        total += size
        found.append(value)
    # Characters are at most three times as many bytes; only long values need to be measured.
    if total * 3 > bytes_max and sum(len(sort_bytes(value)) for value in found) > bytes_max:
        return None
    return found


class TableView:
    """A table: its key, its indexes, and the bytes of its record, by which a change is noticed."""

    __slots__ = (
        "arn",
        "base",
        "counts",
        "follows_writes",
        "hash",
        "history_prefix",
        "indexes",
        "insights",
        "is_throttled",
        "key",
        "key_names",
        "maintained",
        "owned",
        "range",
        "raw",
        "record",
        "stream_prefix",
    )

    def __init__(self, record: Table, raw: bytes) -> None:
        self.record = record
        self.raw = raw
        self.key = table_key(record.scope, record.name)
        self.arn = record.arn
        self.base = data_prefix(record.scope, record.data, 0)
        self.counts = count_keys(record.scope, record.data, 0)
        self.hash = (record.hash, record.kinds[record.hash])
        self.range = (record.range, record.kinds[record.range]) if record.range else None
        self.key_names = (record.hash, *filter(None, (record.range,)))
        self.maintained = tuple(IndexView(record, index) for index in record.indexes)
        self.indexes = {view.record.name: view for view in self.maintained}
        self.stream_prefix = (
            change_prefix(record.scope, record.stream_data) if record.stream_view else b""
        )
        self.history_prefix = (
            history_prefix(record.scope, record.history) if record.history else b""
        )
        self.follows_writes = bool(
            self.maintained
            or self.stream_prefix
            or self.history_prefix
            or record.expiry is not None
        )
        """Whether more is written with an item than itself and the table's counters."""
        policies: tuple[Policy, ...] = (
            (parse_policy("ResourcePolicy", record.policy),) if record.policy else ()
        )
        self.owned = OwnedPolicies(record.account, policies)
        self.insights = counted_keys(record)
        self.is_throttled = record.billing == "PROVISIONED" and record.tags.get(TAG) == "true"

    @property
    def hashes(self) -> Key:
        """The partition key, as of an index."""
        return (self.hash,)

    @property
    def ranges(self) -> Key:
        """The sort key, as of an index."""
        return () if self.range is None else (self.range,)

    def primary_of(self, item: Mapping[str, Value]) -> bytes:
        """The bytes of an item's key, whose values were checked."""
        partition = partition_bytes((item[self.hash[0]],))
        return partition if self.range is None else partition + sort_bytes(item[self.range[0]])

    def check_key(self, key: Mapping[str, Value]) -> bytes:
        """The bytes of a key that a request gives. Raises ValidationException."""
        if len(key) != len(self.key_names):
            raise InvalidItem(MISMATCH)
        for name, kind in (self.hash,) if self.range is None else (self.hash, self.range):
            value = key.get(name)
            if value is None or kind not in value:
                raise InvalidItem(MISMATCH)
        return self._checked(key)

    def check_item_key(self, item: Mapping[str, Value]) -> bytes:
        """The bytes of the key of a whole item. Raises ValidationException."""
        for name, kind in (self.hash,) if self.range is None else (self.hash, self.range):
            value = item.get(name)
            if value is None:
                raise InvalidItem(
                    f"One or more parameter values were invalid: Missing the key {name} in the item"
                )
            if kind not in value:
                raise InvalidItem(
                    f"One or more parameter values were invalid: Type mismatch for key {name} "
                    f"expected: {kind} actual: {next(iter(value))}"
                )
        return self._checked(item)

    def _checked(self, item: Mapping[str, Value]) -> bytes:
        name, kind = self.hash
        raw = sort_bytes(item[name])
        if not raw:
            raise empty_key(name, kind)
        if len(raw) > HASH_KEY_BYTES_MAX:
            raise too_long(is_hash=True)
        partition = partition_of(kind, raw)
        if self.range is None:
            return partition
        name, kind = self.range
        raw = sort_bytes(item[name])
        if not raw:
            raise empty_key(name, kind)
        if len(raw) > RANGE_KEY_BYTES_MAX:
            raise too_long(is_hash=False)
        return partition + raw

    def check_index_keys(self, item: Mapping[str, Value]) -> None:
        """The index keys that an item has are of their types. Raises ValidationException."""
        for view in self.maintained:
            _check_keys(view, view.hashes, item, self.key_names, HASH_KEY_BYTES_MAX)
            _check_keys(view, view.ranges, item, self.key_names, RANGE_KEY_BYTES_MAX)


_SPELT = {"S": "string", "B": "binary", "N": "number"}


def _check_keys(
    index: IndexView, keys: Key, item: Mapping[str, Value], own: tuple[str, ...], limit: int
) -> None:
    """The key attributes of one role, which together are bounded. Raises ValidationException."""
    total = 0
    for name, kind in keys:
        value = item.get(name)
        if value is None or name in own:
            continue
        if kind not in value:
            raise InvalidItem(
                f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                f"Expected: {kind} Actual: {next(iter(value))} IndexName: {index.record.name}"
            )
        size = len(sort_bytes(value))
        if not size:
            raise _empty_index_key(name, kind, index.record.name)
        total += size
    if total > limit:
        raise too_long(is_hash=limit == HASH_KEY_BYTES_MAX)


def empty_key(name: str, kind: str) -> InvalidItem:
    """The error for a key attribute without content."""
    return InvalidItem(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
        f"contain an empty {_SPELT[kind]} value. Key: {name}"
    )


def _empty_index_key(name: str, kind: str, index: str) -> InvalidItem:
    return InvalidItem(
        "One or more parameter values are not valid. A value specified for a secondary index key "
        "is not supported. The AttributeValue for a key attribute cannot contain an empty "
        f"{_SPELT[kind]} value. IndexName: {index}, IndexKey: {name}"
    )


def too_long(*, is_hash: bool) -> InvalidItem:
    """The error for a key that is longer than its bound."""
    if is_hash:
        said = f"Size of hashkey has exceeded the maximum size limit of{HASH_KEY_BYTES_MAX} bytes"
    else:
        said = (
            "Aggregated size of all range keys has exceeded the size limit of "
            f"{RANGE_KEY_BYTES_MAX} bytes"
        )
    return InvalidItem(f"One or more parameter values were invalid: {said}")
