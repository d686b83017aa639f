"""Capacity units: what reads and writes count for, and how answers tell it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
"""

from __future__ import annotations

from typing import Any

from cumulet.services.dynamodb.tables.view import TableView

_READ_BYTES = 4_096
_WRITE_BYTES = 1_024


def read_units(size_bytes: int, *, consistent: bool, factor: float = 1.0) -> float:
    """Units of a read of so many bytes; at least one block."""
    blocks = max(1, -(-size_bytes // _READ_BYTES))
    return blocks * (1.0 if consistent else 0.5) * factor


def write_units(size_bytes: int, *, factor: float = 1.0) -> float:
    """Units of a write of so many bytes; at least one block."""
    return max(1, -(-size_bytes // _WRITE_BYTES)) * factor


class Used:
    """What one table and its indexes were used for, in units."""

    __slots__ = ("global_", "is_write", "local", "table", "view")

    def __init__(self, view: TableView, *, is_write: bool) -> None:
        self.view = view
        self.is_write = is_write
        self.table = 0.0
        self.local: dict[str, float] = {}
        self.global_: dict[str, float] = {}

    def add_index(self, name: str, units: float) -> None:
        """Units of an index."""
        is_global = self.view.indexes[name].record.is_global
        places = self.global_ if is_global else self.local
        places[name] = places.get(name, 0.0) + units

    @property
    def total(self) -> float:
        """All units."""
        return self.table + sum(self.local.values()) + sum(self.global_.values())

    def told(self, mode: str, given_name: str, *, both_kinds: bool = False) -> dict[str, Any]:
        """The `ConsumedCapacity` of the table; `mode` is TOTAL or INDEXES."""
        kind = "WriteCapacityUnits" if self.is_write else "ReadCapacityUnits"

        def units(number: float) -> dict[str, float]:
            found = {"CapacityUnits": number}
            if both_kinds:
                found[kind] = number
            return found

        answer: dict[str, Any] = {"TableName": given_name, **units(self.total)}
        if mode == "INDEXES":
            answer["Table"] = units(self.table)
            if self.local:
                answer["LocalSecondaryIndexes"] = {n: units(u) for n, u in self.local.items()}
            if self.global_:
                answer["GlobalSecondaryIndexes"] = {n: units(u) for n, u in self.global_.items()}
        return answer
