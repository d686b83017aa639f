"""The sandbox: environments by function version, their reuse, retirement and bounds."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Coroutine
from typing import Any, NamedTuple

from cumulet.core.clock import Clock
from cumulet.sandbox import messages, verdicts
from cumulet.sandbox.contract import (
    AsyncSink,
    Failed,
    FunctionSpec,
    Invocation,
    IsolationUnavailable,
    Layer,
    LogLine,
    NoCapacity,
    OnLog,
    Outcome,
    RuntimeUnavailable,
    SandboxConfig,
    Usage,
)
from cumulet.sandbox.environment import Answer, Environment, Refused, Result, TimedOut
from cumulet.sandbox.furnishing import NoEntrypoint
from cumulet.sandbox.machine import memory
from cumulet.sandbox.machine.report import describe_layers, missing_essentials
from cumulet.sandbox.machine.runtimes import Interpreter, Runtimes
from cumulet.sandbox.starter import Starter
from cumulet.sandbox.states import State

EXTENSION_GRACE_SECONDS = 2.0
"""Extensions have this long after SHUTDOWN.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html"""
SWEEP_SECONDS = 5.0


class _Unmade(NamedTuple):
    """Why there is no environment, and how much memory its initialisation took at most."""

    result: Result
    peak_mb: int


class Sandbox:
    """Runs functions as processes. One object per cloud; all methods on one event loop."""

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._runtimes = Runtimes()
        self._starter = Starter(config, clock)
        self._idle: dict[str, list[Environment]] = {}
        self._live: set[Environment] = set()
        self._reserved = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watchers: list[asyncio.Task[None]] = []
        self._layers: dict[str, str] = {}
        self._probing: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> None:
        """Begin to find out what this machine offers; only `require` waits for it.

        Raises IsolationUnavailable, OSError.
        """
        self._starter.open()
        self._probing = asyncio.get_running_loop().create_task(self._probe())
        if self._config.isolation == "require":
            try:
                await self.ready()
            except BaseException:
                await self.stop()
                raise
        self._watchers = [asyncio.get_running_loop().create_task(self._sweep())]
        if not self._starter.cgroups.available:
            watching = memory.watch(self._live, self._clock)
            self._watchers.append(asyncio.get_running_loop().create_task(watching))

    async def _probe(self) -> None:
        self._layers = await self._starter.probe(self._own_interpreter())
        missing = missing_essentials(self._layers)
        if self._config.isolation == "require" and missing:
            raise IsolationUnavailable(f"This machine does not offer: {', '.join(missing)}.")

    async def ready(self) -> None:
        """Wait until it is known what this machine offers; tried again after a failure.

        Raises IsolationUnavailable, OSError.
        """
        probing = self._probing
        if probing is None or (probing.done() and (probing.cancelled() or probing.exception())):
            probing = self._probing = asyncio.get_running_loop().create_task(self._probe())
        await asyncio.shield(probing)

    async def stop(self) -> None:
        """End every environment and leave nothing behind."""
        self._stopped = True
        self._starter.seal()
        ending = [*self._watchers, *([self._probing] if self._probing is not None else ())]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, *self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._end(environment) for environment in list(self._live)))
        await self._starter.close()

    def report(self) -> list[Layer]:
        """The layers of isolation, in force or not, for people; known once it is `ready`."""
        return describe_layers(self._layers, self._starter.cgroups, self._config)

    def warning(self, runtime: str) -> str | None:
        """What a function's owner should know about how this runtime is run here."""
        try:
            return self._runtimes.resolve(runtime).warning
        except RuntimeUnavailable as error:
            return str(error)

    async def prepare(self, runtime: str) -> None:
        """Warm up for a runtime ahead of its first event.

        Raises RuntimeUnavailable, IsolationUnavailable, OSError.
        """
        await self.ready()
        interpreter = self._runtimes.resolve(runtime)
        zygote = await self._starter.zygote(interpreter, preload=interpreter.family == "python")
        self._starter.refill(zygote)

    def busy(self) -> int:
        """How many environments serve an event just now."""
        return sum(environment.state is State.RUNNING for environment in self._live)

    def retire(self, key_prefix: str) -> None:
        """End environments of these functions: idle ones now, busy ones after their event."""
        for environment in list(self._live):
            if environment.key.startswith(key_prefix):
                self._retire_one(environment)

    def _retire_one(self, environment: Environment) -> None:
        environment.retiring = True
        if environment.state is State.IDLE:
            self._take_from_idle(environment)
            self._hold(self._end(environment))

    async def invoke(
        self,
        spec: FunctionSpec,
        invocation: Invocation,
        *,
        on_log: OnLog,
        on_stream: AsyncSink | None = None,
    ) -> Outcome:
        """Run one event to its end, in a warm environment or a new one.

        Raises NoCapacity, RuntimeUnavailable, IsolationUnavailable; failures of the function
        itself are a `Failed`. Cancelling ends the environment.
        """
        idle = self._idle.get(spec.key)
        if idle:
            environment = idle.pop()
            return await self._run(environment, spec, invocation, on_log, on_stream, None)
        strict = spec.strict_runtime or self._config.strict_runtimes
        interpreter = self._runtimes.resolve(spec.runtime, strict=strict)
        await self.ready()
        await self._reserve()
        started = self._clock.monotonic()
        made = await self._initialise(spec, interpreter, on_log)
        init_ms = (self._clock.monotonic() - started) * 1000
        if isinstance(made, _Unmade):
            usage = verdicts.measure(0.0, init_ms, min(made.peak_mb, spec.memory_mb))
            return self._tell(made.result, spec, invocation, on_log, usage)
        return await self._run(made, spec, invocation, on_log, on_stream, init_ms)

    def _own_interpreter(self) -> Interpreter:
        return self._runtimes.resolve(f"python3.{sys.version_info.minor}")

    async def _reserve(self) -> None:
        """Wait for room on the machine, ending an idle environment if that makes some."""
        if len(self._live) + self._reserved >= self._config.environments_max:
            oldest = self._oldest_idle()
            if oldest is not None:
                self._retire_one(oldest)
            room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(room)
            try:
                await asyncio.wait_for(room, self._config.capacity_wait_ms / 1000)
            except TimeoutError:
                bound = self._config.environments_max
                raise NoCapacity(f"All {bound} environments of this machine are busy.") from None
            finally:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(room)
        self._reserved += 1

    def _oldest_idle(self) -> Environment | None:
        idle = [environment for line in self._idle.values() for environment in line]
        return min(idle, key=lambda environment: environment.idle_since, default=None)

    async def _initialise(
        self, spec: FunctionSpec, interpreter: Interpreter, on_log: OnLog
    ) -> Environment | _Unmade:
        """A new environment whose handler is loaded, or why there is none."""
        made = await self._attempt(spec, interpreter, on_log, spec.init_timeout_ms)
        if isinstance(made, _Unmade) and isinstance(made.result, TimedOut):
            self._reserved += 1
            return await self._attempt(spec, interpreter, on_log, spec.timeout_ms)
        return made

    async def _attempt(
        self, spec: FunctionSpec, interpreter: Interpreter, on_log: OnLog, limit_ms: int
    ) -> Environment | _Unmade:
        try:
            zygote = await self._starter.zygote(interpreter, preload=interpreter.family == "python")
            env = await spec.env() if callable(spec.env) else spec.env
            environment = self._starter.take_blank(zygote)
        finally:
            self._reserved -= 1
        self._live.add(environment)
        environment.on_gone = self._on_gone
        environment.log.begin("", on_log)
        try:
            first = environment.expect()
            await self._starter.start(environment, spec, env, interpreter)
            environment.limit(limit_ms)
            result = await first
        except NoEntrypoint as error:
            await self._end(environment)
            return _Unmade(Refused("Runtime.InvalidEntrypoint", str(error)), 0)
        except BaseException:
            await self._end(environment)
            raise
        environment.log.finish()
        if isinstance(result, Answer) and result.kind == messages.READY:
            environment.move(State.IDLE)
            self._starter.learn(zygote, result)
            self._starter.refill_soon(zygote)
            return environment
        await self._end(environment)
        return _Unmade(result, environment.peak_mb)

    async def _run(
        self,
        environment: Environment,
        spec: FunctionSpec,
        invocation: Invocation,
        on_log: OnLog,
        on_stream: AsyncSink | None,
        init_ms: float | None,
    ) -> Outcome:
        clock = self._clock
        environment.move(State.RUNNING)
        environment.log.begin(invocation.request_id, on_log)
        limit_ms: float = spec.timeout_ms
        now_ms = clock.now() * 1000
        if invocation.deadline_ms:
            limit_ms = min(limit_ms, invocation.deadline_ms - now_ms)
        started = clock.monotonic()
        future = environment.expect()
        try:
            environment.send(invocation, int(now_ms + limit_ms), on_stream)
            environment.limit(limit_ms)
            result = await future
        except BaseException:
            self._hold(self._end(environment))
            raise
        duration_ms = (clock.monotonic() - started) * 1000
        reusable = isinstance(result, Answer) and not result.final
        if not isinstance(result, Answer):
            result = environment.pending() or result
        peak_mb = min(environment.note_peak(duration_ms), spec.memory_mb)
        usage = verdicts.measure(duration_ms, init_ms, peak_mb)
        if reusable and environment.state is State.RUNNING:
            self._release(environment)
        else:
            await self._end(environment)
        return self._tell(result, spec, invocation, on_log, usage)

    def _release(self, environment: Environment) -> None:
        """After an event: back among the idle ones, or gone if it was retired meanwhile."""
        environment.freezer.rest()
        environment.log.finish()
        if environment.retiring or self._stopped:
            environment.move(State.RETIRED)
            self._hold(self._end(environment))
            return
        environment.move(State.IDLE)
        environment.idle_since = self._clock.monotonic()
        self._idle.setdefault(environment.key, []).append(environment)
        if self._waiting:
            self._retire_one(environment)

    def _tell(
        self,
        result: Result,
        spec: FunctionSpec,
        invocation: Invocation,
        on_log: OnLog,
        usage: Usage,
    ) -> Outcome:
        outcome = verdicts.judge(result, invocation.request_id, spec.timeout_ms, usage)
        if not isinstance(outcome, Failed):
            return outcome
        now = self._clock.now()
        words = verdicts.log_words(outcome, invocation.request_id, now)
        if words:
            on_log(LogLine(invocation.request_id, int(now * 1000), words))
        return outcome

    async def _end(self, environment: Environment) -> None:
        self._take_from_idle(environment)
        await environment.end(EXTENSION_GRACE_SECONDS)

    def _take_from_idle(self, environment: Environment) -> None:
        idle = self._idle.get(environment.key)
        if idle is not None:
            with contextlib.suppress(ValueError):
                idle.remove(environment)
            if not idle:
                del self._idle[environment.key]

    def _on_gone(self, environment: Environment) -> None:
        self._take_from_idle(environment)
        self._live.discard(environment)
        while self._waiting:
            room = self._waiting.popleft()
            if not room.done():
                room.set_result(None)
                break

    def _hold(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        """End environments that have idled or lived too long, for ever."""
        while True:
            await self._clock.sleep(SWEEP_SECONDS)
            now = self._clock.monotonic()
            for environment in list(self._live):
                idle_ms = (now - environment.idle_since) * 1000
                age_ms = (now - environment.born_at) * 1000
                is_idle = environment.state is State.IDLE
                if (is_idle and idle_ms > self._config.idle_ms) or age_ms > self._config.age_ms:
                    self._retire_one(environment)
