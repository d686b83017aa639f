"""Keys as bytes: partitions by a digest, sort keys by bytes that sort as the values do.

Partitions have no order in DynamoDB. A digest gives each the same length, spreads them evenly, so
that a segment of a parallel scan is a range, and keeps keys within the store's bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from cumulet.services.dynamodb.items.numbers import number_bytes
from cumulet.services.dynamodb.items.values import Value, decode_binary

PARTITION_BYTES = 16
_KINDS = {"S": b"S", "N": b"N", "B": b"B"}


def sort_bytes(value: Value) -> bytes:
    """The bytes of a key value, that sort as the values of its datatype do."""
    ((kind, content),) = value.items()
    if kind == "S":
        text: str = content
        return text.encode()
    if kind == "N":
        return number_bytes(content)
    return decode_binary(content)


def inner_bytes(value: Value) -> bytes:
    """As `sort_bytes`, but none begins another, so that more may follow in a key."""
    raw = sort_bytes(value)
    if "N" in value:
        return raw
    return raw.replace(b"\0", b"\0\x01") + b"\0\0"


def start_bytes(value: Value) -> bytes:
    """What `inner_bytes` begins with for every text or binary that begins with this one."""
    return sort_bytes(value).replace(b"\0", b"\0\x01")


def partition_of(kind: str, raw: bytes) -> bytes:
    """Where the partition of one key value lies, given its datatype and `sort_bytes`."""
    return blake2b(_KINDS[kind] + raw, digest_size=PARTITION_BYTES).digest()


def partition_bytes(values: Sequence[Value]) -> bytes:
    """Where the partition of these key values lies."""
    if len(values) == 1:
        ((kind, _),) = values[0].items()
        return partition_of(kind, sort_bytes(values[0]))
    parts = []
    for value in values:
        raw = sort_bytes(value)
        parts.append(next(iter(value)).encode() + len(raw).to_bytes(2, "big") + raw)
    return blake2b(b"".join(parts), digest_size=PARTITION_BYTES).digest()


def after_start(raw: bytes) -> bytes | None:
    """The least bytes behind all that begin with `raw`; None when there are none."""
    short = raw.rstrip(b"\xff")
    return short[:-1] + bytes((short[-1] + 1,)) if short else None
