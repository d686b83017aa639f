"""Bounds of copying whole tables."""

from __future__ import annotations

LOAD_BODY_BYTES_MAX = 16 << 20
LOAD_ROWS_MAX = 5_000
"""Rows of one batch: a transaction of more would keep other requests waiting for too long."""

LOAD_AHEAD_MAX = 64
"""Batches that may overtake one that is not there yet."""

LOAD_SECONDS_KEPT = 7 * 86_400
"""How long it is remembered which batches of a load are done."""

GROUP_BYTES_MAX = 16 << 20
"""Bytes that one transaction writes, entries of indexes included."""

PART_ITEMS = 250
"""Items that one transaction of a copy reads and writes."""

RECOVERY_DAYS_MAX = 35
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html"""

BACKUP_NAME_CHARACTERS_MAX = 255
BACKUPS_LISTED_MAX = 100
JOBS_LISTED_MAX = 25
JOB_SECONDS_KEPT = 90 * 86_400
"""How long exports and imports are told of.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html
"""

HISTORY_SECONDS_BETWEEN = 3_600.0
HISTORY_ENTRIES = 500

EXPORT_FILE_BYTES_MAX = 32 << 20
"""JSON in one file of an export, before it is compressed; held in memory."""

EXPORT_FILES_MAX = 4_000
"""Whose names and digests one record holds: 125 GB of JSON."""

IMPORT_ERRORS_MAX = 10_000
"""Rows that cannot be written, after which an import is stopped, as AWS does."""

IMPORT_ROW_BYTES_MAX = 4 << 20
IMPORT_ROWS = 1_000
"""Rows that one transaction of an import writes."""
