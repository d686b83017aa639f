"""The part that runs functions: from a version to its sandbox, within its concurrency."""

from __future__ import annotations

import asyncio
import platform as machine
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from cumulet.blobs.contract import Blobs, NoSuchBlob
from cumulet.core.clock import new_hex
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, root_principal
from cumulet.core.trace import span
from cumulet.core.trace_header import Sampled
from cumulet.kit.folders import CacheFolder
from cumulet.kit.ports import LogSink, Sealer, Segments
from cumulet.kit.tls.hosts import PublicUrl
from cumulet.kit.workers import Tasks
from cumulet.kv.contract import Store
from cumulet.sandbox import (
    AsyncSink,
    FunctionSpec,
    Invocation,
    IsolationUnavailable,
    NoCapacity,
    Outcome,
    RuntimeUnavailable,
    Sandbox,
)
from cumulet.services.lambda_.errors import (
    InvalidRuntimeException,
    RecursiveInvocationException,
    ResourceConflictException,
    TooManyRequestsException,
)
from cumulet.services.lambda_.limits import CREDENTIAL_RENEW_SECONDS
from cumulet.services.lambda_.model import Version, number_of
from cumulet.services.lambda_.packages.zips import Folders
from cumulet.services.lambda_.running.live import Entry, Live
from cumulet.services.lambda_.running.log import InvocationLog, Place
from cumulet.services.lambda_.running.measures import Measures, charge
from cumulet.services.lambda_.running.permits import Permits, machine_is_full
from cumulet.services.lambda_.running.places import Runnable
from cumulet.services.lambda_.running.report import status_of
from cumulet.services.lambda_.running.secrets import open_environment
from cumulet.services.lambda_.running.session import (
    Session,
    assume,
    environment_of,
    may_log,
    may_trace,
)
from cumulet.services.lambda_.running.tracing.daemon import Daemon, Strays
from cumulet.services.lambda_.running.tracing.lineage import VISITS_MAX, extend
from cumulet.services.lambda_.running.tracing.segments import TracedCall, decide, is_recorded

T = TypeVar("T")
P = ParamSpec("P")

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Call(NamedTuple):
    """One event for a function, and what the caller wants besides the answer.

    `trace_id` is X-Ray's header, `links` are further traces that led here. An asynchronous event
    was `received` some time ago, in epoch seconds, and this is a numbered `attempt`.
    """

    request_id: str
    payload: bytes
    trace_id: str = ""
    client_context: str = ""
    with_tail: bool = False
    received: float = 0.0
    attempt: int = 0
    links: tuple[Sampled, ...] = ()


class Ran(NamedTuple):
    """How an invocation went. `tail` is the log's end in base64, None when not asked for."""

    outcome: Outcome
    version: str
    tail: str | None


class Functions:
    """Runs functions. Started and stopped with the platform."""

    def __init__(self, platform: Platform, measures: Measures) -> None:
        self._platform = platform
        self._measures = measures
        self._clock = platform.clock
        self._ready: dict[tuple[Scope, str, int], Runnable] = {}
        self._locks: dict[tuple[Scope, str, int], asyncio.Lock] = {}
        self.live = Live(platform.need(Store))
        self.folders = Folders(platform.need(CacheFolder).path / "lambda-code", self._locate)
        self.permits = Permits()
        self._strays = Strays()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Begin with the folders as the last run left them, without its unfinished ones."""
        await self.folders.recover()
        self._platform.need(Sandbox).hear_strays(self._strays.take)

    async def stop(self) -> None:
        """Forget what was kept ready; the sandbox ends its processes itself."""
        await self._tasks.stop()
        self.live.stop()
        self._ready.clear()

    def warm_up(self, runtime: str) -> None:
        """Have the sandbox prepare a runtime in the background, ahead of the first event."""
        self._tasks.start(self._prepare(runtime), f"warm up {runtime}")

    async def _prepare(self, runtime: str) -> None:
        # What keeps a runtime from starting is told by the first event that asks for it.
        with suppress(RuntimeUnavailable, IsolationUnavailable, OSError):
            await self._platform.need(Sandbox).prepare(runtime)

    async def transact(
        self,
        scope: Scope,
        work: Callable[Concatenate[Any, Scope, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """A transaction in a given account and region, which may be another than the caller's."""
        return await self._platform.transact(work, scope, *args, **kwargs)

    def pick(self, entry: Entry) -> Version:
        """The version that answers: an alias may send a share of its calls to a second one."""
        if entry.other is None:
            return entry.version
        drawn = int.from_bytes(self._clock.random_bytes(4)) / (1 << 32)
        return entry.other if drawn < entry.other_weight else entry.version

    async def _locate(self, blob_id: str) -> Path:
        return self._platform.need(Blobs).path(blob_id)

    async def run(
        self,
        ctx: Context,
        entry: Entry,
        version: Version,
        call: Call,
        on_stream: AsyncSink | None = None,
    ) -> Ran:
        """Run one event and answer how it went.

        Raises TooManyRequestsException, InvalidRuntimeException, and AccessDenied when the role
        cannot be assumed any more. A loop of
        functions ends in RecursiveInvocationException.
        """
        ref = entry.ref
        trace_id, visits = extend(call.trace_id, entry.mark)
        if visits > VISITS_MAX and entry.function.recursive_loop == "Terminate":
            self._measures.count(ref, "RecursiveInvocationsDropped")
            raise RecursiveInvocationException(
                "Lambda has detected a recursive loop and stopped the invocation of "
                f"{ref.unqualified_arn}."
            )
        call = call._replace(trace_id=await self.decide(entry, version, trace_id))
        if not is_recorded(version, call.trace_id):
            return await self._run(ctx, entry, version, call, on_stream, None)
        traced = self._trace(entry, call)
        try:
            return await self._run(ctx, entry, version, call, on_stream, traced)
        except AwsError as error:
            traced.refuse(error)
            raise
        finally:
            traced.end()

    async def decide(self, entry: Entry, version: Version, header: str) -> str:
        """The trace header with a decision on whether the call is recorded."""
        return await decide(self._platform.need(Segments), entry, version, header)

    def _trace(self, entry: Entry, call: Call) -> TracedCall:
        return TracedCall(
            self._platform.need(Segments),
            self._clock,
            entry,
            call.request_id,
            call.trace_id,
            received=call.received,
            attempt=call.attempt,
            links=call.links,
        )

    async def _run(
        self,
        ctx: Context,
        entry: Entry,
        version: Version,
        call: Call,
        on_stream: AsyncSink | None,
        traced: TracedCall | None,
    ) -> Ran:
        ref, reserved = entry.ref, entry.function.reserved
        try:
            self.permits.take(ref.scope, ref.name, reserved, entry.reserved_total)
        except TooManyRequestsException:
            self._measures.throttled(ref)
            raise
        place = self._measures.begin(ref, reserved, entry.reserved_total)
        try:
            runnable = self._ready.get((ref.scope, version.function, version.number))
            if runnable is None or not self._is_current(runnable, version):
                runnable = await self.prepare(ctx, ref.scope, version)
            ran = await self._invoke(entry, version, runnable, call, on_stream, traced)
            self._measures.ran(place, version, ran.outcome)
            charge(ctx, ref, version, ran.outcome.usage)
            return ran
        finally:
            self._measures.end(place, reserved)
            self.permits.give(ref.scope, ref.name, reserved)

    async def _invoke(
        self,
        entry: Entry,
        version: Version,
        runnable: Runnable,
        call: Call,
        on_stream: AsyncSink | None,
        traced: TracedCall | None,
    ) -> Ran:
        log = InvocationLog(
            self._clock,
            runnable.sink,
            entry.ref.scope,
            version,
            call.request_id,
            tail=call.with_tail,
        )
        header = call.trace_id
        if traced is not None:
            header = traced.header
            self._strays.expect(*traced.told, runnable.daemon)
        invocation = Invocation(
            call.request_id, call.payload, 0, header, entry.arn, call.client_context
        )

        def move_in(place: Place) -> None:
            log.move_in(place)
            if traced is not None:
                traced.placed()

        try:
            with span(f"lambda.{version.function}", **_told(entry.ref.scope, version)):
                outcome = await self._platform.need(Sandbox).invoke(
                    runnable.spec,
                    invocation,
                    on_log=log.line,
                    on_stream=on_stream,
                    on_place=move_in,
                )
        except NoCapacity as cause:
            self._measures.throttled(entry.ref)
            raise machine_is_full() from cause
        except asyncio.CancelledError:
            # Whoever read a streamed answer has left: the function was run all the same.
            self._measures.left(entry.ref, version)
            raise
        except RuntimeUnavailable as cause:
            raise InvalidRuntimeException(str(cause)) from cause
        status, error_type = status_of(outcome)
        if traced is not None:
            traced.finish(version, outcome)
        log.finish(outcome.usage, status, error_type, header if traced is not None else "")
        return Ran(outcome, version.label, log.tail())

    async def prepare(self, ctx: Context, scope: Scope, version: Version) -> Runnable:
        """The version made ready to run: unpacked, with a session of its role."""
        key = (scope, version.function, version.number)
        ready = self._ready.get(key)
        if ready is not None and self._is_current(ready, version):
            return ready
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            ready = self._ready.get(key)
            if ready is not None and self._is_current(ready, version):
                return ready
            made = await self._make(ctx, scope, version)
            self._ready[key] = made
            if ready is not None:
                self._platform.need(Sandbox).retire(ready.spec.key)
            return made

    def _is_current(self, ready: Runnable, version: Version) -> bool:
        return ready.revision == version.revision and self._clock.now() < ready.renew_at

    async def _make(self, ctx: Context, scope: Scope, version: Version) -> Runnable:
        settings = version.settings
        session = await assume(ctx, settings.role, version.function)
        may = await may_log(ctx, scope, session, settings.logging.group)
        code, *layers = await self._unpacked(version)
        serial = new_hex(self._clock, 16)
        spec = FunctionSpec(
            key=f"{key_of(scope, version.function, version.label)}{serial}/",
            runtime=settings.runtime,
            handler=settings.handler,
            code=code,
            layers=tuple(layers),
            memory_mb=settings.memory_mb,
            timeout_ms=settings.timeout_seconds * 1000,
            ephemeral_mb=settings.ephemeral_mb,
        )
        return Runnable(
            self._clock,
            scope,
            version,
            session,
            spec,
            self._variables(scope, version, session),
            self._warning(version),
            self._platform.need(LogSink) if may else None,
            Daemon(self._platform.need(Segments), scope, await may_trace(ctx, session)),
            session.began + CREDENTIAL_RENEW_SECONDS,
        )

    async def _unpacked(self, version: Version) -> list[Path]:
        """The folders of the package and of the layers."""
        packages = [version.package, *(use.package for use in version.settings.layers)]
        try:
            return [await self.folders.open(each.digest, each.blob_id) for each in packages]
        except NoSuchBlob as cause:
            raise ResourceConflictException(
                "The operation cannot be performed at this time. The function's code is being "
                "replaced or deleted."
            ) from cause

    def _variables(self, scope: Scope, version: Version, session: Session) -> dict[str, str]:
        sealer = self._platform.need(Sealer)
        own = open_environment(sealer, scope, version)
        endpoint, daemon = self._platform.inner_endpoint, self._platform.need(Sandbox).datagrams_to
        objects = self._platform.need(PublicUrl).of_objects
        return environment_of(scope, version, own, session, endpoint, objects, daemon)

    def _warning(self, version: Version) -> str:
        texts = [self._platform.need(Sandbox).warning(version.settings.runtime) or ""]
        here = _ARCHITECTURES.get(machine.machine().lower(), machine.machine())
        if version.settings.architecture != here:
            texts.append(
                f"The function is configured for {version.settings.architecture} and runs on "
                f"{here}: compiled parts of its package may not load."
            )
        return " ".join(text for text in texts if text)

    def retire(self, scope: Scope, name: str, label: str = "") -> None:
        """End the environments of a function, or of one of its versions, and forget them."""
        for key in [each for each in self._ready if each[:2] == (scope, name)]:
            if not label or number_of(label) == key[2]:
                del self._ready[key]
                self._locks.pop(key, None)
        self._platform.need(Sandbox).retire(key_of(scope, name, label))

    def digests_ready(self) -> set[str]:
        """The packages and layers of versions that are ready to run."""
        folders = ((ready.spec.code, *ready.spec.layers) for ready in self._ready.values())
        return {folder.name for some in folders for folder in some}

    def worker_context(self, scope: Scope, request_id: str = "") -> Context:
        """A context for work that Lambda does by itself in an account."""
        return self._platform.context(scope, root_principal(scope.account), request_id=request_id)


def key_of(scope: Scope, name: str, label: str = "") -> str:
    """With what the sandbox's keys of a function, or of one version, begin."""
    key = f"{scope.account}/{scope.region}/{name}/"
    return f"{key}{label}/" if label else key


def _told(scope: Scope, version: Version) -> dict[str, str]:
    """https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/#outgoing-invocations"""
    return {
        "faas.invoked_name": version.function,
        "faas.invoked_provider": "aws",
        "faas.invoked_region": scope.region,
        "faas.version": version.label,
    }
