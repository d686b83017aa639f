"""One running cloud: its parts in the order in which they start, and stop the other way round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cumulet.app.config import Config
from cumulet.core.clock import Clock
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.service import Service
from cumulet.kit.workers import Workers


class Startable(Protocol):
    """A part with a lifetime."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def stop(self) -> None:
        """End, with nothing half done."""
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """What `compose` made. `parts` are in the order of their start."""

    config: Config
    clock: Clock
    dispatcher: Dispatcher
    services: Sequence[Service]
    parts: Sequence[Startable]
    workers: Workers
    owned: Mapping[str, Any]

    async def start(self) -> None:
        """Start every part, then the background work."""
        for part in self.parts:
            await part.start()
        self.workers.start(tuple(w for service in self.services for w in service.workers))

    async def stop(self) -> None:
        """Stop in order: background work, parts, blobs, and the store last."""
        await self.workers.stop()
        for part in reversed(self.parts):
            await part.stop()
        await self.owned["blobs"].close()
        await self.owned["store"].close()
