"""Items as they are stored: four bytes of size, then the JSON of the wire, ready to be answered."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from struct import Struct
from typing import Any
from zlib import compress, decompress

import orjson

from cumulet.services.dynamodb.items.values import Item, Value

HEAD = 4
PLAIN_BYTES_MAX = 900_000
_COMPRESSED = 1 << 31
_FIRST_BIT = 0x80
_SIZE = Struct(">I").unpack_from
_FIRST: Callable[[tuple[int, ...]], int] = itemgetter(0)


def pack_item(item: Mapping[str, Value], size: int) -> bytes:
    """The stored form of a checked item.

    JSON may need many times the bytes that an item counts for (six for a control character), and
    the store bounds its values: what is long is compressed, which the size's first bit tells.
    """
    content = orjson.dumps(item)
    if len(content) > PLAIN_BYTES_MAX:
        return (size | _COMPRESSED).to_bytes(HEAD, "big") + compress(content)
    return size.to_bytes(HEAD, "big") + content


def wire_form(packed: bytes) -> bytes:
    """A stored item as JSON."""
    content = packed[HEAD:]
    return content if packed[0] < _FIRST_BIT else decompress(content)


def packed_size(packed: bytes) -> int:
    """The size of a stored item, as DynamoDB counts it."""
    size: int = _SIZE(packed)[0]
    return size & ~_COMPRESSED


def packed_sizes(packed: Iterable[bytes]) -> int:
    """The size of several stored items together; more than any page's when one is compressed."""
    return sum(map(_FIRST, map(_SIZE, packed)))


def unpack_item(packed: bytes) -> Item:
    """The item in its wire form."""
    found: Item = orjson.loads(wire_form(packed))
    return found


def plain_item(item: Mapping[str, Value]) -> dict[str, Any]:
    """An item for callers inside the cloud: binary values as bytes."""
    return {name: plain_value(value) for name, value in item.items()}


def plain_value(value: Value) -> Value:
    """A value with binaries as bytes."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {"B": b64decode(content)}
        case "BS":
            return {"BS": [b64decode(one) for one in content]}
        case "M":
            return {"M": plain_item(content)}
        case "L":
            return {"L": [plain_value(one) for one in content]}
    return value
