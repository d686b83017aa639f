"""The sandbox: environments by function version, their reuse, retirement and bounds."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from cumulet.core.clock import Clock
from cumulet.sandbox import verdicts
from cumulet.sandbox.contract import (
    AsyncSink,
    Failed,
    FunctionSpec,
    Invocation,
    IsolationUnavailable,
    Layer,
    LogLine,
    OnLog,
    OnPlace,
    Outcome,
    RuntimeUnavailable,
    SandboxConfig,
    Usage,
)
from cumulet.sandbox.environment import Answer, Environment, Result, TimedOut
from cumulet.sandbox.links.datagrams import Datagrams
from cumulet.sandbox.machine import memory
from cumulet.sandbox.machine.report import describe_layers, missing_essentials
from cumulet.sandbox.machine.runtimes import Interpreter, Runtimes
from cumulet.sandbox.starter import Starter
from cumulet.sandbox.states import State
from cumulet.sandbox.waiting.allotment import Allotment
from cumulet.sandbox.waiting.lines import Found, Request, Unmade

SWEEP_SECONDS = 5.0


class Sandbox:
    """Runs functions as processes. One object per cloud; all methods on one event loop."""

    def __init__(self, config: SandboxConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._runtimes = Runtimes()
        self._starter = Starter(config, clock)
        self._environments = Allotment(config, clock, self._starter)
        self._datagrams = Datagrams(clock, lambda: self._environments.live)
        self._watchers: list[asyncio.Task[None]] = []
        self._layers: dict[str, str] = {}
        self._probing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to find out what this machine offers; only `require` waits for it.

        Raises IsolationUnavailable, OSError.
        """
        self._starter.open()
        await self._datagrams.open()
        self._probing = asyncio.get_running_loop().create_task(self._probe())
        if self._config.isolation == "require":
            try:
                await self.ready()
            except BaseException:
                await self.stop()
                raise
        self._watchers = [asyncio.get_running_loop().create_task(self._sweep())]
        if not self._starter.cgroups.available:
            watching = memory.watch(self._environments.live, self._clock)
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
        self._starter.seal()
        self._datagrams.close()
        ending = [*self._watchers, *([self._probing] if self._probing is not None else ())]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self._environments.stop()
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

    @property
    def datagrams_to(self) -> str:
        """The address and port that functions may send datagrams to; their places get them."""
        return self._datagrams.address

    def hear_strays(self, on_stray: Callable[[bytes], None]) -> None:
        """Have datagrams told whose sender has ended before it could be found.

        They may be anybody's on this machine: what they say must prove whose they are.
        """
        self._datagrams.on_stray = on_stray

    def busy(self) -> int:
        """How many environments serve an event just now."""
        return sum(environment.state is State.RUNNING for environment in self._environments.live)

    def retire(self, key_prefix: str) -> None:
        """End environments of these functions: idle ones now, busy ones after their event."""
        self._environments.retire(key_prefix)

    async def invoke(
        self,
        spec: FunctionSpec,
        invocation: Invocation,
        *,
        on_log: OnLog,
        on_stream: AsyncSink | None = None,
        on_place: OnPlace | None = None,
    ) -> Outcome:
        """Run one event to its end, in the first environment that is free for it.

        `on_place` is told where, before anything is logged. Raises NoCapacity, RuntimeUnavailable,
        IsolationUnavailable; failures of the function itself are a `Failed`. Cancelling ends the
        environment in which the event runs.
        """
        while True:
            found: Found | None = self._environments.take(spec.key)
            if found is None:
                found = await self._wait(spec, invocation, on_log)
            if not isinstance(found, Environment):
                return self._tell_unmade(found, spec, invocation, on_log, on_place)
            if found.state is State.RUNNING:
                if on_place is not None and found.place is not None:
                    on_place(found.place)
                return await self._run(found, spec, invocation, on_log, on_stream)

    async def _wait(self, spec: FunctionSpec, invocation: Invocation, on_log: OnLog) -> Found:
        strict = spec.strict_runtime or self._config.strict_runtimes
        interpreter = self._runtimes.resolve(spec.runtime, strict=strict)
        await self.ready()
        request = Request(spec, interpreter, on_log)
        return await self._environments.wait(request, invocation.deadline_ms)

    def _own_interpreter(self) -> Interpreter:
        return self._runtimes.resolve(f"python3.{sys.version_info.minor}")

    async def _run(
        self,
        environment: Environment,
        spec: FunctionSpec,
        invocation: Invocation,
        on_log: OnLog,
        on_stream: AsyncSink | None,
    ) -> Outcome:
        clock = self._clock
        init_ms, environment.init_ms = environment.init_ms, None
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
            self._environments.end_soon(environment)
            raise
        duration_ms = (clock.monotonic() - started) * 1000
        reusable = isinstance(result, Answer) and not result.final
        if not isinstance(result, Answer):
            result = environment.pending() or result
        peak_mb = min(environment.note_peak(duration_ms), spec.memory_mb)
        usage = verdicts.measure(duration_ms, init_ms, peak_mb)
        if reusable and environment.state is State.RUNNING:
            self._environments.release(environment)
        else:
            await self._environments.end(environment)
        return self._tell(result, spec, invocation, on_log, usage)

    def _tell_unmade(
        self,
        found: Unmade | TimedOut,
        spec: FunctionSpec,
        invocation: Invocation,
        on_log: OnLog,
        on_place: OnPlace | None,
    ) -> Outcome:
        """There is no environment, so that no event was run."""
        if isinstance(found, TimedOut):
            return self._tell(found, spec, invocation, on_log, verdicts.measure(0.0, None, 0))
        if on_place is not None:
            on_place(found.place)
        usage = verdicts.measure(0.0, found.init_ms, min(found.peak_mb, spec.memory_mb))
        return self._tell(found.result, spec, invocation, on_log, usage)

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

    async def _sweep(self) -> None:
        """End environments that have idled or lived too long, for ever."""
        while True:
            await self._clock.sleep(SWEEP_SECONDS)
            now = self._clock.monotonic()
            for environment in list(self._environments.live):
                idle_ms = (now - environment.idle_since) * 1000
                age_ms = (now - environment.born_at) * 1000
                is_idle = environment.state is State.IDLE
                if (is_idle and idle_ms > self._config.idle_ms) or age_ms > self._config.age_ms:
                    self._environments.retire_one(environment)
