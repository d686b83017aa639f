"""The records of whole-table work."""

from __future__ import annotations

from cumulet.kv import table as kv
from cumulet.services.dynamodb.copies.model import Backup, Job, Load

LOADS: kv.Table[Load] = kv.Table(
    "dynamodb",
    "load",
    Load,
    lambda one: (one.table_id, one.id),
    indexes={"changed": lambda one: [(one.changed,)]},
)
JOBS: kv.Table[Job] = kv.Table(
    "dynamodb",
    "job",
    Job,
    lambda one: (one.account, one.region, one.kind, one.table, one.id),
    extent="global",
    indexes={
        "pending": lambda one: [(one.kind, one.started)] if one.status == "IN_PROGRESS" else [],
        "ended": lambda one: [(one.ended,)] if one.ended else [],
    },
)
BACKUPS: kv.Table[Backup] = kv.Table(
    "dynamodb",
    "backup",
    Backup,
    lambda one: (one.account, one.region, one.table.name, one.id),
    extent="global",
    indexes={"expires": lambda one: [(one.expires,)] if one.expires else []},
)

COPY_RECORDS = (LOADS, JOBS, BACKUPS)
