"""Items in answers: as JSON ready to be sent over the wire, or as values for callers inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.services.dynamodb.items.packing import plain_item, unpack_item, wire_form
from cumulet.services.dynamodb.items.values import Value


def is_for_wire(ctx: Context) -> bool:
    """Whether a client of DynamoDB asked, and not another part of the cloud."""
    request = ctx.request
    return request is not None and request.headers.get("x-amz-target").startswith("DynamoDB")


def show(ctx: Context, item: Mapping[str, Value]) -> Any:
    """An item in its wire form as a member of an answer."""
    return orjson.Fragment(orjson.dumps(item)) if is_for_wire(ctx) else plain_item(item)


def show_packed(ctx: Context, packed: bytes) -> Any:
    """A stored item as a member of an answer."""
    if is_for_wire(ctx):
        return orjson.Fragment(wire_form(packed))
    return plain_item(unpack_item(packed))


def show_list(ctx: Context, packed: Iterable[bytes]) -> Any:
    """Stored items as a list in an answer."""
    if is_for_wire(ctx):
        return orjson.Fragment(b"[" + b",".join(map(wire_form, packed)) + b"]")
    return [plain_item(unpack_item(one)) for one in packed]
