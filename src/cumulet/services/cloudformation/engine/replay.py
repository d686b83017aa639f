"""What makes a step safe to try again: the same randomness, and a note of what it has begun.

Services make ids and secrets from the clock of the context. A step that was cut off after a service
had committed, and before that was recorded here, is tried again: with the same randomness it makes
the same thing again under the same id, and not a second one. What has a name of its own cannot be
made again: the note, written in the service's own transaction, tells that it is the step's own work
and not somebody else's of the same name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from cumulet.core.clock import Clock
from cumulet.core.context import Context, Platform
from cumulet.core.http import Request
from cumulet.core.identity import Principal, Scope
from cumulet.core.trace import Trace
from cumulet.kv.contract import Transaction

Note = Callable[[Transaction], Awaitable[None]]
T = TypeVar("T")
P = ParamSpec("P")


class StepClock:
    """The clock of one try of a step: real time, and bytes that follow from seed and step.

    The seed is 32 random bytes of the run, sealed at rest and gone with it, so that what is made
    here is as hard to guess as any secret.
    """

    __slots__ = ("_clock", "_count", "_key")

    def __init__(self, clock: Clock, seed: bytes, step: str) -> None:
        self._clock = clock
        self._key = hashlib.sha256(seed + step.encode()).digest()
        self._count = 0

    def now(self) -> float:
        """Wall time in seconds since the epoch."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Seconds that never go backwards."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real seconds."""
        await self._clock.sleep(seconds)

    def random_bytes(self, count: int) -> bytes:
        """The next bytes: the same in each try."""
        self._count += 1
        return hashlib.shake_256(self._key + self._count.to_bytes(8, "big")).digest(count)


class Watched:
    """A transaction that tells whether anything was written in it."""

    __slots__ = ("_tx", "get", "scan", "wrote")

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.wrote = False
        self.get = tx.get
        self.scan = tx.scan

    def set(self, key: bytes, value: bytes) -> None:
        """Write `key`."""
        self.wrote = True
        self._tx.set(key, value)

    def clear(self, key: bytes, end: bytes | None = None) -> None:
        """Remove `key`, or every key with key <= k < end."""
        self.wrote = True
        self._tx.clear(key, end)

    def count(self, key: bytes, delta: int) -> None:
        """Add to a counter."""
        self.wrote = True
        self._tx.count(key, delta)

    def stamp(self, prefix: bytes, suffix: bytes, value: bytes) -> None:
        """Write under a key that grows with commit order."""
        self.wrote = True
        self._tx.stamp(prefix, suffix, value)


class StepPlatform:
    """The platform with the clock of one step; `note(tx)` is added to transactions that write."""

    __slots__ = ("_note", "_platform", "clock")

    def __init__(self, platform: Platform, clock: Clock, note: Note) -> None:
        self._platform = platform
        self._note = note
        self.clock = clock

    @property
    def endpoint(self) -> str:
        """The base URL of this cloud."""
        return self._platform.endpoint

    @property
    def inner_endpoint(self) -> str:
        """See `Platform`."""
        return self._platform.inner_endpoint

    async def transact(
        self,
        work: Callable[Concatenate[Any, Scope, P], Awaitable[T]],
        scope: Scope,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `work(tx, scope, …)` in one transaction, and note it there when it writes."""

        async def noted(tx: Any, scope: Scope, /, *args: P.args, **kwargs: P.kwargs) -> T:
            seen = Watched(tx)
            result = await work(seen, scope, *args, **kwargs)
            if seen.wrote:
                await self._note(tx)
            return result

        return await self._platform.transact(noted, scope, *args, **kwargs)

    async def call(
        self, ctx: Context, service: str, operation: str, request: Mapping[str, Any]
    ) -> Any:
        """Run another operation in-process; its randomness is the step's, too."""
        return await self._platform.call(ctx, service, operation, request)

    async def authorize(
        self, ctx: Context, action: str, resource: str, conditions: Mapping[str, Any]
    ) -> None:
        """Raise AccessDenied unless the caller's identity may do it."""
        await self._platform.authorize(ctx, action, resource, conditions)

    def context(
        self,
        scope: Scope,
        caller: Principal,
        *,
        request: Request | None = None,
        request_id: str = "",
        trace: Trace | None = None,
    ) -> Context:
        """A context for work of its own, with randomness of its own."""
        return self._platform.context(
            scope, caller, request=request, request_id=request_id, trace=trace
        )

    def need(self, kind: type[T]) -> T:
        """The part of the application of that type."""
        return self._platform.need(kind)


def step_context(ctx: Context, platform: Platform, seed: bytes, step: str, note: Note) -> Context:
    """The context of one try of a step, acting as `ctx` does."""
    clock = StepClock(platform.clock, seed, step)
    inner = StepPlatform(platform, clock, note)
    return Context(inner, ctx.scope, ctx.caller, ctx.request_id, ctx.trace)
