"""Turning the stream of a table on and off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cumulet.core.clock import iso_time
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.model import Stream, Table

_WRONG = "One or more parameter values were invalid: "


class Fresh(NamedTuple):
    """The time, and random bytes for the place of a new stream's records."""

    now: float
    data: bytes


def change_stream(table: Table, given: Mapping[str, Any], fresh: Fresh) -> Table:
    """The table with its stream turned on or off. Raises ValidationException."""
    view = given.get("StreamViewType")
    if not given["StreamEnabled"]:
        if view is not None:
            raise ValidationException(
                f"{_WRONG}Table StreamViewType can only be specified when StreamEnabled is true"
            )
        if not table.stream_view and table.created != fresh.now:
            raise ValidationException(f"Table has no stream to disable: TableName: {table.name}")
        return msgspec.structs.replace(table, stream_view="", stream_data=b"")
    if view is None:
        raise ValidationException(
            f"{_WRONG}StreamSpecification.StreamViewType must be specified when StreamEnabled is "
            "true"
        )
    if table.stream_view:
        raise ValidationException(f"Table already has an enabled stream: TableName: {table.name}")
    label = iso_time(fresh.now).removesuffix("Z")
    return msgspec.structs.replace(table, stream=label, stream_view=view, stream_data=fresh.data)


def stream_of(table: Table, created: float) -> Stream:
    """The record of a table's stream, when it is turned on."""
    return Stream(
        account=table.account,
        region=table.region,
        table=table.name,
        label=table.stream,
        data=table.stream_data,
        created=created,
        view=table.stream_view,
        hash=table.hash,
        range=table.range,
    )
