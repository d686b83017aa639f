"""Ordered reading of what is stored, and tidying where much was removed.

A removed key stays as a mark until the files are merged, and a scan has to step over each mark: the
front of a busy queue would become slower with every message that went. So a scan that meets many
has that stretch merged, in a thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from rocksdict import BottommostLevelCompaction, CompactOptions, Rdict, RdictIter, ReadOptions

from cumulet.kv.contract import Unavailable

MARKS_SKIPPED_MAX = 2_000
"""So many removed or replaced versions are stepped over before the stretch is merged: 0.4 ms."""

WRITES_BETWEEN_MERGES = 2_000


class Reading:
    """Scans of one database, for the thread of the loop."""

    def __init__(self, db: Rdict) -> None:
        self._db = db
        self._get = db.get
        self._merging: threading.Thread | None = None
        self._merged_at = -WRITES_BETWEEN_MERGES
        self.merges = 0

    def get(self, key: bytes) -> bytes | None:
        """The stored value. Raises Unavailable."""
        try:
            value: bytes | None = self._get(key)
        except Exception as error:
            raise Unavailable(f"the store cannot be read: {error}") from error
        return value

    def pairs(
        self, begin: bytes, end: bytes, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        """The stored pairs with begin <= key < end, in order. Raises Unavailable."""
        is_bounded = True
        while begin < end:
            found = self._iterator(begin, end, reverse, is_bounded)
            step = found.prev if reverse else found.next
            key: bytes | None = None
            while found.valid():
                key = found.key()
                if key < begin:
                    return  # The binding has no working lower bound (as of 0.3.29).
                yield key, found.value()
                if not is_bounded:
                    self._merge(*((key, end) if reverse else (begin, key)))
                    is_bounded = True
                    break
                step()
            else:
                if _is_finished(found):
                    if not is_bounded:
                        self._merge(begin, end)
                    return
                is_bounded = False
            if key is not None:
                begin, end = (begin, key) if reverse else (key + b"\0", end)

    def _iterator(self, begin: bytes, end: bytes, reverse: bool, is_bounded: bool) -> RdictIter:
        options = ReadOptions()
        options.set_iterate_upper_bound(end)
        if is_bounded:
            options.set_max_skippable_internal_keys(MARKS_SKIPPED_MAX)
        found = self._db.iter(options)
        if reverse:
            found.seek_for_prev(end)
        else:
            found.seek(begin)
        return found

    def _merge(self, begin: bytes, end: bytes) -> None:
        """Merge away the marks of a stretch, one stretch at a time, and only after new writes."""
        written = self._db.latest_sequence_number()
        if written - self._merged_at < WRITES_BETWEEN_MERGES:
            return
        if self._merging is not None and self._merging.is_alive():
            return
        self._merged_at = written
        self.merges += 1
        self._merging = threading.Thread(
            target=self._run, args=(begin, end), name="kv-merge", daemon=True
        )
        self._merging.start()

    def stop(self) -> None:
        """Wait for the merge that may be under way."""
        if self._merging is not None:
            self._merging.join()

    def _run(self, begin: bytes, end: bytes) -> None:
        options = CompactOptions()
        # Without this a lone file is only moved to another level, marks and all.
        options.set_bottommost_level_compaction(BottommostLevelCompaction.force_optimized())
        # A disk that refuses this refuses the next write as well, which says so.
        with contextlib.suppress(Exception):
            self._db.compact_range(begin, end, options)


def _is_finished(found: RdictIter) -> bool:
    """Whether an iterator ended at its end, not for having skipped too much. Raises Unavailable."""
    try:
        found.status()
    except Exception as error:
        if "incomplete" in str(error):
            return False
        raise Unavailable(f"the store cannot be read: {error}") from error
    return True
