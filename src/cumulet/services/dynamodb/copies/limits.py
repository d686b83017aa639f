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
