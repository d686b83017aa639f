"""Environments of all functions: who gets which, which are made, and which make way. Bounded."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple

from cumulet.core.clock import Clock
from cumulet.sandbox import messages
from cumulet.sandbox.contract import Env, NoCapacity, OnLog, Place, SandboxConfig
from cumulet.sandbox.environment import Answer, Environment, Refused, Result, TimedOut
from cumulet.sandbox.furnishing import NoEntrypoint
from cumulet.sandbox.starter import Starter
from cumulet.sandbox.states import State
from cumulet.sandbox.waiting.lines import Call, Found, Line, Lines, Making, Request, Unmade

EXTENSION_GRACE_SECONDS = 2.0
"""Extensions have this long after SHUTDOWN.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html"""


class _OfCall(NamedTuple):
    """The place of an environment whose function says nothing about places."""

    env: Env
    line: OnLog

    def datagram(self, data: bytes) -> None:
        """Nobody wants to know what it sends."""


class Allotment:
    """Owner of every environment that belongs to a function."""

    def __init__(self, config: SandboxConfig, clock: Clock, starter: Starter) -> None:
        self._config, self._clock, self._starter = config, clock, starter
        self.live: dict[Environment, Line] = {}
        self._lines = Lines()
        self._making: dict[Making, asyncio.Task[None]] = {}
        self._beginning = 0
        self._ending: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def stop(self) -> None:
        """Turn everybody away and end every environment."""
        self._stopped = True
        for making in self._making.values():
            making.cancel()
        for call in list(self._lines.turns):
            self._settle(call, OSError("the cloud is being stopped"))
        await asyncio.gather(*self._making.values(), *self._ending, return_exceptions=True)
        await asyncio.gather(*(self.end(environment) for environment in list(self.live)))

    def take(self, key: str) -> Environment | None:
        """An idle environment, the last used first."""
        line = self._lines.known(key)
        if line is None or not line.idle:
            return None
        environment = line.idle.pop()
        environment.move(State.RUNNING)
        return environment

    async def wait(self, request: Request, deadline_ms: int) -> Found:
        """Stand in line for the first environment that is free. Raises NoCapacity, OSError."""
        if self._stopped:
            raise OSError("the cloud is being stopped")
        loop = asyncio.get_running_loop()
        call = self._lines.join(request, loop.create_future())
        timers = [loop.call_later(self._config.capacity_wait_ms / 1000, self._turn_away, call)]
        if deadline_ms:
            left = deadline_ms / 1000 - self._clock.now()
            timers.append(loop.call_later(max(left, 0.0), self._settle, call, TimedOut()))
        self._advance()
        try:
            return await call.found
        except BaseException:
            self._lines.leave(call)
            self._give_back(call)
            self._advance()
            raise
        finally:
            for timer in timers:
                timer.cancel()

    def _settle(self, call: Call, found: Found | Exception) -> None:
        """Tell a call what it has waited for, if it still does."""
        self._lines.leave(call)
        if call.found.done():
            return
        if isinstance(found, Exception):
            call.found.set_exception(found)
        else:
            call.found.set_result(found)

    def _turn_away(self, call: Call) -> None:
        """A call has waited as long as it may for its turn."""
        if call.found.done() or call.is_provided_for():
            return
        bound = self._config.environments_max
        reason = f"All {bound} environments of this machine are busy."
        if self._has_room():
            reason = "This machine is busy with starting other environments."
        self._settle(call, NoCapacity(reason))

    def _give_back(self, call: Call) -> None:
        """A call gave up, perhaps just as it was given an environment."""
        if call.found.done() and not call.found.cancelled() and not call.found.exception():
            found = call.found.result()
            if isinstance(found, Environment) and found.state is State.RUNNING:
                self.release(found)

    def release(self, environment: Environment) -> None:
        """After an event: for another call, or among the idle ones, or gone if it was retired."""
        environment.freezer.rest()
        environment.log.finish()
        if environment.retiring or self._stopped:
            environment.move(State.RETIRED)
            self.end_soon(environment)
            return
        environment.move(State.IDLE)
        self._offer(environment)
        self._advance()

    def _has_room(self) -> bool:
        coming = sum(making.holds_room for making in self._making)
        return len(self.live) + coming < self._config.environments_max

    def _advance(self) -> None:
        """Begin environments for those whose turn it is, as far as there is room."""
        while not self._stopped and self._beginning < self._config.starting_max:
            call = self._lines.turn()
            if call is None:
                return
            if not self._has_room():
                self._make_room()
                return
            self._begin(call)

    def _make_room(self) -> None:
        """End idle environments, for as many calls as have their turn."""
        wanted = min(len(self._lines.turns), self._config.starting_max - self._beginning)
        wanted -= sum(environment.state is State.ENDING for environment in self.live)
        for _ in range(wanted):
            oldest = self._lines.oldest_idle()
            if oldest is None:
                return
            self.retire_one(oldest)

    def _begin(self, call: Call) -> None:
        making = self._lines.begin(call)
        self._beginning += 1
        loop = asyncio.get_running_loop()
        loop.call_later(self._config.starting_ms / 1000, self._pass_turn, making)
        self._making[making] = loop.create_task(self._make(making, call.request))

    def _pass_turn(self, making: Making) -> None:
        """It has begun, or has taken its time: the next one's turn comes."""
        if making.has_turn:
            making.has_turn = False
            self._beginning -= 1
            self._advance()

    async def _make(self, making: Making, request: Request) -> None:
        """Make an environment and see who takes it, or tell its call why there is none."""
        made: Environment | Unmade | Exception
        try:
            made = await self._initialise(making, request)
        except asyncio.CancelledError:
            made = OSError("the cloud is being stopped")
        except Exception as error:
            made = error
        del self._making[making]
        owner = self._lines.end(making)
        if isinstance(made, Environment):
            self._offer(made)
        elif owner is not None:
            self._settle(owner, made)
        self._lines.tidy(making.line)
        self._pass_turn(making)
        self._advance()

    def _offer(self, environment: Environment) -> None:
        """An environment is free: for the first call that waits, or to wait for one."""
        line = self.live.get(environment)
        if line is None:
            return
        call = self._lines.next(line)
        if call is not None:
            environment.move(State.RUNNING)
            call.found.set_result(environment)
        elif environment.retiring or line.retired or self._stopped:
            self.retire_one(environment)
        else:
            environment.idle_since = self._clock.monotonic()
            line.idle.append(environment)

    async def _initialise(self, making: Making, request: Request) -> Environment | Unmade:
        """A new environment whose handler is loaded, or why there is none.

        An initialisation that takes too long is done once more, within the function's own time.
        https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
        """
        spec, started = request.spec, self._clock.monotonic()
        place = await spec.place() if spec.place else _OfCall(spec.env, request.on_log)
        environment, result = await self._attempt(making, request, place, spec.init_timeout_ms)
        if isinstance(result, TimedOut) and making.has_owner():
            environment, result = await self._attempt(making, request, place, spec.timeout_ms)
        init_ms = (self._clock.monotonic() - started) * 1000
        if environment.state is not State.IDLE:
            return Unmade(result, init_ms, environment.peak_mb, place)
        environment.init_ms = init_ms
        return environment

    async def _attempt(
        self, making: Making, request: Request, place: Place, limit_ms: int
    ) -> tuple[Environment, Result]:
        """An environment after its initialisation: idle, or ended."""
        interpreter, line = request.interpreter, making.line
        zygote = await self._starter.zygote(interpreter, preload=interpreter.family == "python")
        environment = self._starter.take_blank(zygote)
        making.holds_room = False
        self.live[environment] = line
        line.live += 1
        environment.on_gone = self._on_gone
        environment.place = place
        environment.log.begin("", place.line)
        result: Result
        try:
            first = environment.expect()
            await self._starter.start(environment, request.spec, place.env, interpreter)
            environment.limit(limit_ms)
            result = await first
        except NoEntrypoint as error:
            result = Refused("Runtime.InvalidEntrypoint", str(error))
        except BaseException:
            await self.end(environment)
            raise
        environment.log.finish()
        if isinstance(result, Answer) and result.kind == messages.READY:
            environment.move(State.IDLE)
            environment.retiring = environment.retiring or line.retired
            self._starter.learn(zygote, result)
            self._starter.refill_soon(zygote)
        else:
            making.holds_room = True
            await self.end(environment)
        return environment, result

    def retire(self, key_prefix: str) -> None:
        """End environments of these functions: idle ones now, busy ones after their event."""
        self._lines.retire(key_prefix)
        for environment, line in list(self.live.items()):
            if line.key.startswith(key_prefix):
                self.retire_one(environment)

    def retire_one(self, environment: Environment) -> None:
        """End an environment: now if it is idle, else after its event."""
        environment.retiring = True
        if environment.state is State.IDLE:
            self._take_from_idle(environment)
            environment.move(State.ENDING)
            self.end_soon(environment)

    async def end(self, environment: Environment) -> None:
        """End an environment, its extensions told, and wait until it is gone."""
        self._take_from_idle(environment)
        await environment.end(EXTENSION_GRACE_SECONDS)

    def end_soon(self, environment: Environment) -> None:
        """End an environment in the background."""
        task = asyncio.get_running_loop().create_task(self.end(environment))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _take_from_idle(self, environment: Environment) -> None:
        line = self.live.get(environment)
        if line is not None:
            with contextlib.suppress(ValueError):
                line.idle.remove(environment)

    def _on_gone(self, environment: Environment) -> None:
        self._take_from_idle(environment)
        line = self.live.pop(environment, None)
        if line is not None:
            line.live -= 1
            self._lines.tidy(line)
        self._advance()
