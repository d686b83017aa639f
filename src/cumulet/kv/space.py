"""A space: every key that begins with one readable tuple."""

from __future__ import annotations

from typing import Any

from cumulet.kv.tuples import AFTER, Element, pack, pack_text_start, unpack


class Space:
    """The keys under a prefix, for data that is not a table's records.

    `Space(("123456789012", "eu-west-1", "sqs", "depth"))` holds the keys whose tuples begin so.
    """

    __slots__ = ("elements", "prefix")

    def __init__(self, elements: tuple[Element, ...]) -> None:
        self.elements = elements
        self.prefix = pack(elements)

    def __repr__(self) -> str:
        return f"Space({self.elements!r})"

    def sub(self, *elements: Element) -> Space:
        """The space of the keys that go on with `elements`."""
        return Space((*self.elements, *elements))

    def pack(self, key: tuple[Element, ...]) -> bytes:
        """The bytes of a key of this space."""
        return self.prefix + pack(key)

    def unpack(self, key: bytes) -> tuple[Any, ...]:
        """The tuple behind the prefix. Raises ValueError when the key is of another space."""
        if not key.startswith(self.prefix):
            raise ValueError("a key of another space")
        return unpack(key, len(self.prefix))

    def range(self, key: tuple[Element, ...] = ()) -> tuple[bytes, bytes]:
        """Begin and end of the keys that are `key` or go on from it."""
        begin = self.prefix + pack(key)
        return begin, begin + AFTER

    def text_range(self, key: tuple[Element, ...], start: str) -> tuple[bytes, bytes]:
        """Begin and end of the keys that go on from `key` with a text that begins with `start`."""
        begin = self.prefix + pack(key) + pack_text_start(start)
        return begin, begin + AFTER
