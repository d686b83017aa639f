"""Where the line of a queue begins: what was received leaves traces that need not be read again.

Messages are received in the order of the time at which they become visible. The engine keeps marks
of what was removed for a while, and a reader that begins at the very front passes all of them. So
each queue's line remembers before which key nothing is left, in memory only: after a start the
first receive looks from the front. A write before that key moves it back. Transactions run at once
in an engine of one process, so no write comes between looking and remembering.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from cumulet.kv.contract import Store, Transaction
from cumulet.services.sqs.limits import LINES_MAX


class Line:
    """The keys under one prefix, from the first that may be left on."""

    __slots__ = ("at", "close")

    def __init__(self, store: Store, prefix: bytes) -> None:
        self.at = prefix
        self.close: Callable[[], None] = store.on_change(prefix, self._told)

    def _told(self, key: bytes) -> None:
        if key < self.at:
            self.at = key

    async def first(self, tx: Transaction, end: bytes, limit: int) -> list[bytes]:
        """The values of the first entries before `end`, at most `limit`."""
        begin = self.at
        if begin >= end:
            return []
        found = await tx.scan(begin, end, limit=limit)
        self.at = found[0][0] if found else end
        return [value for _, value in found]


class Lines:
    """The lines of the queues that were used last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines: OrderedDict[bytes, Line] = OrderedDict()

    def of(self, prefix: bytes) -> Line:
        """The line of the keys under `prefix`."""
        line = self._lines.get(prefix)
        if line is None:
            line = self._lines[prefix] = Line(self._store, prefix)
            if len(self._lines) > LINES_MAX:
                self._lines.popitem(last=False)[1].close()
        else:
            self._lines.move_to_end(prefix)
        return line
