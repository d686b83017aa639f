"""The sweep: blobs that no service's record refers to are removed, some time after."""

from __future__ import annotations

from collections.abc import Sequence

from cumulet.blobs.contract import Blobs
from cumulet.core.context import Platform
from cumulet.kit.service import Service
from cumulet.kit.workers import Worker

_EVERY_SECONDS = 900.0
_OLDER_THAN_SECONDS = 3600.0
"""Well above the time that any upload takes between its last byte and its record."""


def sweep_worker(blobs: Blobs, services: Sequence[Service]) -> Service:
    """A service without operations, whose one worker sweeps."""
    holders = [service.holds_blob for service in services if service.holds_blob is not None]

    async def sweep(platform: Platform) -> float:
        async def is_held(blob: str) -> bool:
            for holds in holders:
                if await holds(platform, blob):
                    return True
            return False

        await blobs.sweep(is_held, _OLDER_THAN_SECONDS)
        return _EVERY_SECONDS

    return Service("blobs", "", {}, workers=(Worker("blob sweep", sweep),))
