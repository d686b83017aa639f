"""What the store keeps of loads, backups, restores, exports and imports."""

from __future__ import annotations

import msgspec


class Load(msgspec.Struct, frozen=True):
    """Rows that a client sends in numbered batches: which of them are in the table.

    All batches before `done` are, and those of `ahead`, as several may be on their way at once.
    """

    table_id: str
    id: str
    done: int = 0
    ahead: tuple[int, ...] = ()
    rows: int = 0
    changed: float = 0.0

    def has(self, batch: int) -> bool:
        """Whether a batch is in the table."""
        return batch < self.done or batch in self.ahead

    def with_batch(self, batch: int, rows: int, now: float) -> Load:
        """With one more batch."""
        done, ahead = self.done, {*self.ahead, batch}
        while done in ahead:
            ahead.remove(done)
            done += 1
        return Load(self.table_id, self.id, done, tuple(sorted(ahead)), self.rows + rows, now)
