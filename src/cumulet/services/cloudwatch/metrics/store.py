"""Metrics' records in the store: the only file of metrics that knows their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.cloudwatch.metrics.distribution import Summary, merge, summary_of
from cumulet.services.cloudwatch.metrics.limits import (
    EXPIRE_SERIES,
    RETENTION_SECONDS,
    SCAN_POINTS,
    SEEN_SECONDS,
)
from cumulet.services.cloudwatch.metrics.model import Dimensions, Point, Series, series_id

_SERVICE = "cloudwatch"

SERIES: Table[Series] = Table(
    _SERVICE,
    "series",
    Series,
    lambda series: (series.id,),
    indexes={"name": lambda series: [(series.namespace, series.name)]},
)
POINTS: Table[Point] = Table(
    _SERVICE,
    "point",
    Point,
    lambda point: (point.series, point.resolution, point.start, point.unit),
)
TABLES = (SERIES, POINTS)


class Place(NamedTuple):
    """Where a measurement belongs: its series, unit, and the second or minute it begins in."""

    namespace: str
    name: str
    dimensions: Dimensions
    unit: str
    start: int
    resolution: int = 60


async def add(tx: Transaction, scope: Scope, measured: Mapping[Place, Summary]) -> None:
    """Add what was measured to the points that it belongs to, in every resolution."""
    for place, summary in measured.items():
        uid = series_id(place.namespace, place.name, place.dimensions)
        await _see(tx, scope, uid, place)
        for resolution in RETENTION_SECONDS:
            if resolution >= place.resolution:
                await _add(tx, scope, uid, resolution, place, summary)


async def _see(tx: Transaction, scope: Scope, uid: str, place: Place) -> None:
    known = await SERIES.load(tx, scope, uid)
    if known is None:
        dimensions = tuple(sorted(place.dimensions))
        known = Series(uid, place.namespace, place.name, dimensions, place.start)
    elif place.start - known.seen_at < SEEN_SECONDS:
        return
    await SERIES.save(tx, scope, msgspec.structs.replace(known, seen_at=place.start))


async def _add(
    tx: Transaction, scope: Scope, uid: str, resolution: int, place: Place, summary: Summary
) -> None:
    start = place.start - place.start % resolution
    there = await POINTS.load(tx, scope, uid, resolution, start, place.unit)
    if there is not None:
        summary = merge((summary_of(there), summary))
    values = tuple(value for value, _ in summary.pairs)
    counts = tuple(count for _, count in summary.pairs)
    point = Point(uid, resolution, start, place.unit, *summary[:4], values, counts)
    await POINTS.save(tx, scope, point)


async def points_between(
    tx: Transaction, scope: Scope, uid: str, resolution: int, begin: int, end: int
) -> list[Point]:
    """The points that begin in that span, at most `SCAN_POINTS`, in the order of time."""
    return await POINTS.scan_between(
        tx, scope, (uid, resolution, begin), (uid, resolution, end), limit=SCAN_POINTS
    )


async def expire(
    tx: Transaction, scope: Scope, now: int, after: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """Remove what is past its retention from some series; says where to go on, None at the end."""
    found = await SERIES.scan(tx, scope, after=after, limit=EXPIRE_SERIES)
    for series in found:
        for resolution, kept in RETENTION_SECONDS.items():
            tx.clear(
                POINTS.prefix(scope, series.id, resolution),
                POINTS.prefix(scope, series.id, resolution, now - kept),
            )
        if series.seen_at < now - max(RETENTION_SECONDS.values()):
            await SERIES.drop(tx, scope, series.id)
    return (found[-1].id,) if len(found) == EXPIRE_SERIES else None
