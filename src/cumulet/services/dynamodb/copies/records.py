"""The records of whole-table work."""

from __future__ import annotations

from cumulet.kv import table as kv
from cumulet.services.dynamodb.copies.model import Load

LOADS: kv.Table[Load] = kv.Table(
    "dynamodb",
    "load",
    Load,
    lambda one: (one.table_id, one.id),
    indexes={"changed": lambda one: [(one.changed,)]},
)
