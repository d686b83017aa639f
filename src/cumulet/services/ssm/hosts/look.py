"""What hosts are like at the moment: their address, and whether they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from cumulet.core.clock import Clock
from cumulet.services.ssm.hosts.limits import (
    ADDRESS_SECONDS,
    FRESH_SECONDS,
    HOSTS_MAX,
    LOOKS_AT_ONCE,
)
from cumulet.services.ssm.hosts.model import Host
from cumulet.services.ssm.hosts.shell import answers, resolve, run


class Seen(NamedTuple):
    """What was found of a host: its address ("" for none), and whether it answers on its port."""

    address: str
    is_up: bool
    at: float

    @property
    def state(self) -> tuple[int, str]:
        """AWS's code and word."""
        return (16, "running") if self.is_up else (80, "stopped")


class Lookout:
    """Looks at hosts, and remembers for some seconds what it saw."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, Seen] = {}
        self._turns = asyncio.Semaphore(LOOKS_AT_ONCE)

    def forget(self, host: Host) -> None:
        """Look again next time: something was done to the host."""
        self._seen.pop(host.id, None)

    async def all(self, hosts: Iterable[Host]) -> dict[str, Seen]:
        """What each of the hosts is like now, by id."""
        chosen = list(hosts)
        seen = await asyncio.gather(*(self.one(host) for host in chosen))
        return {host.id: one for host, one in zip(chosen, seen, strict=True)}

    async def one(self, host: Host) -> Seen:
        """What a host is like now."""
        known = self._seen.get(host.id)
        if known is not None and self._clock.now() - known.at < FRESH_SECONDS:
            return known
        async with self._turns:
            address = await self._address(host)
            is_up = bool(address) and await answers(address, host.port)
        seen = Seen(address, is_up, self._clock.now())
        if len(self._seen) >= HOSTS_MAX:
            self._seen.clear()
        self._seen[host.id] = seen
        return seen

    async def _address(self, host: Host) -> str:
        if not host.address_command:
            return await resolve(host.address)
        ended = await run(["/bin/sh", "-c", host.address_command], ADDRESS_SECONDS)
        lines = ended.output.decode(errors="replace").split()
        if ended.code != 0 or not lines:
            return ""
        return await resolve(lines[0])
