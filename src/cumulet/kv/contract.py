"""What a store is: ordered bytes in transactions. Seven verbs, and nothing about their meaning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

KEY_BYTES_MAX = 4_096
VALUE_BYTES_MAX = 1_048_576


class Conflict(Exception):
    """Another transaction changed what this one read. The retry loop handles it."""


class Unavailable(Exception):
    """The store cannot answer just now, or a bounded number of retries was not enough."""


class Transaction(Protocol):
    """Reads see the state at the beginning plus this transaction's own writes.

    All writes become visible and durable together, or not at all.
    """

    async def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""
        ...

    async def scan(
        self, begin: bytes, end: bytes, *, limit: int, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """At most `limit` pairs with begin <= key < end, ascending, or descending if `reverse`."""
        ...

    def set(self, key: bytes, value: bytes) -> None:
        """Write `key`."""
        ...

    def clear(self, key: bytes, end: bytes | None = None) -> None:
        """Remove `key`, or every key with key <= k < end."""
        ...

    def count(self, key: bytes, delta: int) -> None:
        """Add to a signed 64-bit counter without reading it, so that adders never conflict.

        The stored value is eight bytes, big-endian, offset by 2**63: `get` it and read it with
        `read_count`. A counter that was never written is 0.
        """
        ...

    def stamp(self, prefix: bytes, suffix: bytes, value: bytes) -> None:
        """Write `prefix + version + suffix`, where the 10-byte version grows with commit order.

        Two stamps of one transaction share the version; tell them apart by `suffix`.
        """
        ...


class Watch(Protocol):
    """A hint that a key may have changed since the watch was made. Always re-read."""

    async def wait(self, timeout_seconds: float) -> bool:
        """True when the key was written, False when the time ran out. Wakes at once."""
        ...

    def cancel(self) -> None:
        """Forget the watch."""
        ...


class Store(Protocol):
    """An engine. `transact` retries on conflict; a transaction without writes costs no sync."""

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run `work`, commit, and return its result once it is durable.

        `work` may run more than once. What it read is durable too before the result is returned.
        Raises Unavailable.
        """
        ...

    def watch(self, key: bytes) -> Watch:
        """A watch on `key` and every key that begins with it; make it before reading the state."""
        ...

    def on_change(self, prefix: bytes, told: Callable[[bytes], None]) -> Callable[[], None]:
        """Call `told(key)` after each commit that writes or clears a key with this prefix.

        For caches only: it may be late on a store shared by several processes. Returns the
        function that ends it.
        """
        ...

    async def close(self) -> None:
        """Sync, and let go of the files or connections."""
        ...


def read_count(value: bytes | None) -> int:
    """The number in a counter's value; 0 when there is none."""
    return 0 if value is None else int.from_bytes(value, "big") - (1 << 63)


def write_count(number: int) -> bytes:
    """A counter's value; for engines."""
    return (number + (1 << 63)).to_bytes(8, "big")
