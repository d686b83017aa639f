"""One environment: a warm process that serves one event at a time, watched from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from cumulet.core.clock import Clock
from cumulet.sandbox import messages
from cumulet.sandbox.contract import AsyncSink, Invocation, Place, SandboxConfig
from cumulet.sandbox.links.deadline import Deadline
from cumulet.sandbox.links.logs import LogPump
from cumulet.sandbox.links.peers import pid_of
from cumulet.sandbox.machine.cgroups import Group
from cumulet.sandbox.machine.freezer import Freezer
from cumulet.sandbox.process import Ended, Zygote, ended_from_wait
from cumulet.sandbox.states import State, move

STATUS_BYTES_MAX = 65_536
STATUS_FDS_MAX = 4
END_SECONDS_MAX = 2.0
"""After its data socket has closed, an environment has this long to say why."""
PEAK_AFTER_SECONDS = 0.05
"""Events in quick succession share one look at the memory that was used."""
_SHORT_MS = 5.0


class Answer(msgspec.Struct, frozen=True):
    """What the runtime said: `kind` as in `messages`. `streamed` when it went to the sink.

    After a `final` one the process ends of itself.
    """

    kind: int
    body: bytes
    error_type: str = ""
    streamed: bool = False
    content_type: str = "application/json"
    final: bool = False


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The deadline came first."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform will not go on, in words of its own; the environment is not used again."""

    kind: str
    reason: str


def broken(reason: str) -> Refused:
    """The runtime broke the protocol."""
    return Refused("Runtime.ExitError", reason)


Result = Answer | TimedOut | Refused | Ended


class Link(Protocol):
    """How events reach a runtime and answers come back."""

    async def attach(self, deliver: Callable[[Result], None]) -> None:
        """Start reading; every result, the one of initialisation first, goes to `deliver`."""
        ...

    def send(self, invocation: Invocation, deadline_ms: int, sink: AsyncSink | None) -> None:
        """Hand over one event."""
        ...

    def drain(self) -> None:
        """Take what the runtime has still written, now that it has ended."""
        ...

    def pending(self) -> Answer | None:
        """An answer that is whole, though the runtime is not done with its event."""
        ...

    def close(self) -> None:
        """Stop reading and let go of everything."""
        ...


class Companions(Protocol):
    """The extensions of an environment."""

    def all_ready(self) -> bool:
        """Whether none of them is at work."""
        ...

    def announce(self, invocation: Invocation, deadline_ms: int) -> None:
        """Tell them of an event."""
        ...

    def shutdown(self, deadline_ms: int) -> bool:
        """Tell them of the end; False when none wants to know."""
        ...


class Environment:
    """Owner of one environment's state; every transition of it happens here."""

    def __init__(
        self,
        zygote: Zygote,
        group: Group,
        uid: int | None,
        config: SandboxConfig,
        clock: Clock,
        on_dead: Callable[[Environment], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.zygote, self.group, self.uid = zygote, group, uid
        self.key = ""
        self.state = State.STARTING
        self.layers: dict[str, str] = {}
        self.missing: list[str] = []
        self.listener: socket.socket | None = None
        self.idle_since = self.born_at = clock.monotonic()
        self.place: Place | None = None
        self.init_ms: float | None = None
        self.retiring = False
        self.peak_mb = self.memory_mb = 0
        self._peak_at = -math.inf
        self._over_memory = False
        self.private_tmp: Path | None = None
        self.on_gone: Callable[[Environment], None] | None = None
        self.link: Link | None = None
        self.companions: Companions | None = None
        self.closers: list[Callable[[], None]] = []
        self._held: Answer | None = None
        self._clock = clock
        self._on_dead = on_dead
        self.freezer = Freezer(self._loop, lambda: self.state is State.IDLE, enabled=config.freeze)
        self._first_fd = -1
        self._pids: list[int] = []
        self._left = 0
        self._ended: Ended | None = None
        self._result: asyncio.Future[Result] | None = None
        self._deadline = Deadline(self._loop, self._time_out)
        self._born: asyncio.Future[None] = self._loop.create_future()
        self._running: asyncio.Future[None] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.lines = zygote.fork(group.fds())
        group.close_fds()
        self.log = LogPump(
            self.lines.log_fd, clock.now, config.log_line_bytes_max, config.log_bytes_max
        )
        self._loop.add_reader(self.lines.status, self._on_status)
        self._loop.add_reader(self.log.fd, self._on_output)

    def move(self, target: State) -> None:
        """Make a transition; raises RefusedTransition."""
        self.state = move(self.state, target)

    async def born(self) -> None:
        """Wait until the first process stands, blank."""
        await asyncio.shield(self._born)

    async def assign(self, spec: dict[str, Any], key: str, memory_mb: int) -> None:
        """Give the environment to a function: furnish, confine, start. Raises OSError."""
        self.move(State.INIT)
        self.key, self.memory_mb = key, memory_mb
        self.lines.status.send(json.dumps(spec).encode())
        await asyncio.shield(self._running)

    def _on_status(self) -> None:
        try:
            packet, fds = self._receive()
        except BlockingIOError:
            return
        if packet:
            self._hear(packet, fds)
            return
        self._loop.remove_reader(self.lines.status)
        if self._first_fd < 0:
            self._died()

    def _receive(self) -> tuple[bytes, list[int]]:
        """One packet of the first process, empty when none will come. Raises BlockingIOError."""
        try:
            packet, fds, _, _ = socket.recv_fds(self.lines.status, STATUS_BYTES_MAX, STATUS_FDS_MAX)
        except BlockingIOError:
            raise
        except OSError:
            return b"", []
        return packet, fds

    def _hear(self, packet: bytes, fds: list[int]) -> None:
        if len(packet) == messages.END.size:
            self._note_end(*messages.END.unpack(packet))
            return
        message = json.loads(packet)
        if message["is"] == "born":
            self._first_fd = fds[0]
            self._loop.add_reader(self._first_fd, self._died)
            self._settle(self._born)
        else:
            self._pids = message["pids"]
            self._left = len(self._pids)
            self.layers = message["layers"]
            self.missing = message.get("missing", [])
            if fds:
                self.freezer.hold(fds[0])
            if len(fds) > 1:
                self.listener = socket.socket(fileno=fds[1])
            self._settle(self._running)

    def _hear_the_rest(self) -> None:
        """Its last words and its end come at once, and the end may be heard of first."""
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, fds = self._receive()
                if not packet:
                    return
                self._hear(packet, fds)

    @staticmethod
    def _settle(future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)

    def _note_end(self, pid: int, how: int) -> None:
        """A process of the environment has ended: the function, an extension, or one adopted."""
        if pid not in self._pids:
            return
        ended = ended_from_wait(how, extension=pid != self._pids[0])
        self._left -= 1
        if ended.signal_number == signal.SIGKILL and self._is_out_of_memory():
            ended = Ended(signal_number=signal.SIGKILL, out_of_memory=True)
        self._ended = ended
        if self.link is not None:
            self.link.drain()
        self.deliver(ended)
        if self.state is not State.ENDING or self.companions is None or not self._left:
            self.kill()

    def _on_output(self) -> None:
        self.log.read()
        if self.log.ended:
            self._loop.remove_reader(self.log.fd)

    def expect(self) -> asyncio.Future[Result]:
        """A future for the next result: of initialisation, or of the event about to be sent."""
        self._result = self._loop.create_future()
        if self._ended is not None:
            self._result.set_result(self._ended)
        return self._result

    def limit(self, limit_ms: float) -> None:
        """What is expected comes within this time, or the result is that it did not."""
        self._deadline.set(limit_ms / 1000)

    def _time_out(self) -> None:
        if self._result is not None and not self._result.done():
            self._result.set_result(TimedOut())

    def deliver(self, result: Result) -> None:
        """Settle what is awaited; an answer is held back while extensions are at work."""
        companions = self.companions
        if companions is not None and isinstance(result, Answer) and not companions.all_ready():
            self._held = result
            return
        if self._result is not None and not self._result.done():
            self._result.set_result(result)

    def companions_changed(self) -> None:
        """An extension is done: deliver what was held back for it."""
        if self._held is not None:
            held, self._held = self._held, None
            self.deliver(held)

    def pending(self) -> Answer | None:
        """An answer that has come although somebody in the environment is still at work."""
        return self._held or (self.link.pending() if self.link is not None else None)

    def closed_by_runtime(self) -> None:
        """The runtime's end of the data socket is closed: it ends now or it is ended."""
        self._loop.call_later(END_SECONDS_MAX, self.kill)

    def send(self, invocation: Invocation, deadline_ms: int, sink: AsyncSink | None) -> None:
        """Wake the environment and hand it one event."""
        assert self.link is not None
        self.freezer.thaw()
        if self.companions is not None:
            self.companions.announce(invocation, deadline_ms)
        self.link.send(invocation, deadline_ms, sink)

    def pid(self) -> int:
        """Process id of the first process; raises OSError when it is gone."""
        return pid_of(self._first_fd)

    def kill_for_memory(self) -> None:
        """End every process of this environment because it took more than its memory."""
        self._over_memory = True
        self.kill()

    def note_peak(self, duration_ms: float = math.inf) -> int:
        """Most memory used so far in megabytes; remembered beyond the end of the control group.

        After an event that took only `duration_ms` it may be what it was a moment ago.
        """
        now = self._loop.time()
        if duration_ms > _SHORT_MS or now - self._peak_at > PEAK_AFTER_SECONDS:
            self._peak_at = now
            self.peak_mb = max(self.peak_mb, self.group.peak_mb() or 0)
        return self.peak_mb

    def _is_out_of_memory(self) -> bool:
        return self._over_memory or self.group.oom_kills() > 0

    def kill(self) -> None:
        """End every process of this environment, now. Its death is told through `gone`."""
        if self._first_fd >= 0:
            hunted = bool(self.zygote.layers.get("processes"))
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(
                    self._first_fd, signal.SIGTERM if hunted else signal.SIGKILL
                )
        elif self.state is not State.DEAD:
            self.lines.status.shutdown(socket.SHUT_RDWR)

    async def end(self, grace_seconds: float = 0.0) -> None:
        """Tell extensions, wait at most `grace_seconds`, then kill and wait for the end."""
        if self.state is State.DEAD:
            return
        if self.state is not State.ENDING:
            self.move(State.ENDING)
        deadline_ms = int((self._clock.now() + grace_seconds) * 1000)
        if self.companions is not None and self.companions.shutdown(deadline_ms):
            self.freezer.thaw()
            self.freezer.signal(signal.SIGTERM)
            await asyncio.wait([self.gone], timeout=grace_seconds)
        self.kill()
        await asyncio.shield(self.gone)

    def _died(self) -> None:
        """The first process is gone, and all others of the environment with it."""
        if self.state is State.DEAD:
            return
        self._hear_the_rest()
        self.state = State.DEAD
        self._deadline.stop()
        self.freezer.close()
        if self._first_fd >= 0:
            self._loop.remove_reader(self._first_fd)
        self._loop.remove_reader(self.lines.status)
        if not self.log.ended:
            self._loop.remove_reader(self.log.fd)
        self.note_peak()
        if self._ended is None:
            self._ended = Ended(
                signal_number=signal.SIGKILL, out_of_memory=self._is_out_of_memory()
            )
        if self.link is not None:
            self.link.drain()
        self.log.finish()
        self.log.close()
        self.deliver(self._ended)
        for future in (self._born, self._running, self.gone):
            self._settle(future)
        if self.link is not None:
            self.link.close()
        for close in self.closers:
            close()
        if self.listener is not None:
            self.listener.close()
        self.lines.close()
        if self._first_fd >= 0:
            os.close(self._first_fd)
            self._first_fd = -1
        self._on_dead(self)
        if self.on_gone is not None:
            self.on_gone(self)
