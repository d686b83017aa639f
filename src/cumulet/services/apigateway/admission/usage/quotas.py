"""Quotas while requests come: from memory where uses are reserved, from the store where not."""

from __future__ import annotations

import asyncio
from datetime import date

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Tasks
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.limits import LEASES_MAX
from cumulet.services.apigateway.admission.model import Quota
from cumulet.services.apigateway.admission.usage.periods import SECONDS_OF_DAY, day_of
from cumulet.services.apigateway.admission.usage.reserving import (
    Unused,
    begin_text,
    block_max,
    give_back,
    reserve,
    set_remaining,
)

_LOOK_AGAIN = -1
_Name = tuple[Scope, str, str]


class _Lease:
    """The uses of one key in one plan that are counted already, and free to be made."""

    __slots__ = ("begin", "block", "day", "day_number", "left", "quota", "refill", "waiting")

    def __init__(self) -> None:
        self.day_number = -1
        self.day = ""
        self.begin = ""
        self.quota: Quota | None = None
        self.left = 0
        self.block = 0
        self.waiting = 0
        self.refill: asyncio.Task[int] | None = None


class Quotas:
    """Every key's uses. What is reserved and not used is given back when the platform stops.

    A crash loses at most one block of each key in use (`block_max`): those uses stay counted.
    """

    def __init__(self, platform: Platform, leases_max: int = LEASES_MAX) -> None:
        self._platform = platform
        self._clock = platform.clock
        self._max = leases_max
        self._leases: dict[_Name, _Lease] = {}
        self._tasks = Tasks()

    async def start(self) -> None:
        """Nothing is reserved at first."""

    async def stop(self) -> None:
        """Give back all that is reserved."""
        for name, lease in list(self._leases.items()):
            await self._settle(name, lease)
        await self._tasks.stop()

    async def take(self, scope: Scope, plan_id: str, key_id: str, quota: Quota | None) -> bool:
        """Use the plan once, if the quota has room; durable when this returns."""
        name = (scope, plan_id, key_id)
        lease = self._leases.get(name)
        if lease is None:
            lease = self._lease(name)
        while True:
            number = int(self._clock.now() // SECONDS_OF_DAY)
            if lease.left > 0 and lease.day_number == number and lease.quota == quota:
                lease.left -= 1
                return True
            if lease.refill is None:
                work = self._refill(name, lease, quota, number)
                lease.refill = self._tasks.start(work, "quota")
            lease.waiting += 1
            try:
                granted = await asyncio.shield(lease.refill)
            finally:
                lease.waiting -= 1
            if not granted:
                return False

    def give_back(self, scope: Scope, plan_id: str, key_id: str) -> None:
        """Undo the last `take`: the request was refused for another reason."""
        lease = self._leases.get((scope, plan_id, key_id))
        if lease is not None:
            lease.left += 1

    async def settle(self, scope: Scope, plan_id: str, key_id: str = "") -> None:
        """Give back what is reserved, so that the store has what was used and no more."""
        for name, lease in list(self._leases.items()):
            if name[:2] == (scope, plan_id) and key_id in ("", name[2]):
                await self._settle(name, lease)

    async def correct(
        self, scope: Scope, plan_id: str, key_id: str, quota: Quota, remaining: int
    ) -> None:
        """Say how many uses are left in the current period, whatever was used or is reserved."""
        name = (scope, plan_id, key_id)
        lease = self._leases.get(name) or self._lease(name)
        while lease.refill is not None:
            await asyncio.gather(asyncio.shield(lease.refill), return_exceptions=True)
        # Nothing is reserved anew before the correction is in the store.
        work = self._correct(name, lease, quota, remaining)
        lease.refill = self._tasks.start(work, "quota")
        await asyncio.shield(lease.refill)

    async def _correct(self, name: _Name, lease: _Lease, quota: Quota, remaining: int) -> int:
        try:
            unused = _taken_from(lease)
            day = day_of(self._clock.now())
            scope, plan_id, key_id = name

            async def correct(tx: Transaction, scope: Scope) -> None:
                if unused is not None:
                    await give_back(tx, scope, plan_id, key_id, unused)
                await set_remaining(tx, scope, plan_id, key_id, quota, day, remaining)

            await self._platform.transact(correct, scope)
            return _LOOK_AGAIN
        finally:
            lease.refill = None

    def _lease(self, name: _Name) -> _Lease:
        if len(self._leases) >= self._max:
            oldest = next(iter(self._leases))
            self._tasks.start(self._settle(oldest, self._leases.pop(oldest)), "quota")
        lease = self._leases[name] = _Lease()
        return lease

    async def _refill(self, name: _Name, lease: _Lease, quota: Quota | None, number: int) -> int:
        try:
            unused = _taken_from(lease)
            day = day_of(number * SECONDS_OF_DAY)
            most = block_max(quota)
            wanted = max(lease.waiting, min(most, lease.block * 2), 1)
            scope, plan_id, key_id = name
            granted = await self._platform.transact(
                reserve, scope, plan_id, key_id, quota, day, wanted, unused
            )
            _give_to(lease, quota, day, number, granted)
            lease.block = min(most, wanted)
            return granted
        finally:
            lease.refill = None

    async def _settle(self, name: _Name, lease: _Lease) -> None:
        if lease.refill is not None:
            await asyncio.gather(asyncio.shield(lease.refill), return_exceptions=True)
        unused = _taken_from(lease)
        lease.block = 0
        if unused is None:
            return
        scope, plan_id, key_id = name

        async def settle(tx: Transaction, scope: Scope) -> None:
            await give_back(tx, scope, plan_id, key_id, unused)

        await self._platform.transact(settle, scope)


def _taken_from(lease: _Lease) -> Unused | None:
    """What is left, which from now on is not in the lease.

    Whoever fails to give it back has lost it: a use is never there twice.
    """
    left, lease.left = lease.left, 0
    return Unused(lease.day, lease.begin, left) if left else None


def _give_to(lease: _Lease, quota: Quota | None, day: date, number: int, granted: int) -> None:
    lease.day_number = number
    lease.day = day.isoformat()
    lease.begin = begin_text(quota, day)
    lease.quota = quota
    lease.left += granted
