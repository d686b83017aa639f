"""A version made ready to run, and the environments of it: each with a log stream of its own."""

from __future__ import annotations

import dataclasses
from collections import deque
from datetime import UTC, datetime

from cumulet.core.clock import Clock, new_hex
from cumulet.core.identity import Scope
from cumulet.kit.ports import LogSink
from cumulet.sandbox import FunctionSpec, LogLine
from cumulet.services.lambda_.forms.describe import runtime_version_arn
from cumulet.services.lambda_.limits import LOG_TAIL_BYTES_MAX
from cumulet.services.lambda_.model import Version
from cumulet.services.lambda_.running import report
from cumulet.services.lambda_.running.report import Start
from cumulet.services.lambda_.running.session import Session
from cumulet.services.lambda_.running.tracing.daemon import Daemon


class Environment:
    """One environment: its id, its variables, its log stream, and what it wrote while it began.

    INIT_START and the lines of initialisation are stored as they come, whichever call is served
    first; to that call's tail they belong as well.
    """

    __slots__ = ("_clock", "_kept", "_kept_bytes", "_owner", "env", "instance", "stream")

    def __init__(self, clock: Clock, owner: Runnable) -> None:
        self._clock = clock
        self._owner = owner
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        day = datetime.fromtimestamp(clock.now(), UTC)
        self.instance = new_hex(clock, 32)
        self.stream = f"{day:%Y/%m/%d}/[{owner.version.label}]{self.instance}"
        self.env = {**owner.variables, "AWS_LAMBDA_LOG_STREAM_NAME": self.stream}

    def begin(self, warning: str) -> None:
        """Its initialisation begins."""
        logging, now = self._owner.version.settings.logging, self._clock.now()
        if report.allows_system(logging, "INFO"):
            self._write(now, report.init_line(logging, now, self._start()))
        if warning:
            self._write(now, f"WARNING {warning}\n")

    def _start(self) -> Start:
        version = self._owner.version
        settings = version.settings
        return Start(
            settings.runtime,
            runtime_version_arn(self._owner.scope.region, settings.runtime),
            version.function,
            version.label,
            settings.memory_mb,
            self.instance,
        )

    def line(self, line: LogLine) -> None:
        """A line that the function writes while it begins."""
        if report.allows_application(self._owner.version.settings.logging, line.text):
            self._write(line.time_ms / 1000, line.text + "\n")

    def datagram(self, data: bytes) -> None:
        """A segment that the function sends."""
        self._owner.daemon.take(data)

    def _write(self, seconds: float, text: str) -> None:
        owner = self._owner
        if owner.sink is not None:
            group = owner.version.settings.logging.group
            owner.sink.write_all(owner.scope, group, self.stream, [(int(seconds * 1000), text)])
        data = text.encode()
        self._kept.append(data)
        self._kept_bytes += len(data)
        while self._kept_bytes - len(self._kept[0]) >= LOG_TAIL_BYTES_MAX:
            self._kept_bytes -= len(self._kept.popleft())

    def take_beginning(self) -> list[bytes]:
        """The end of what was written while it began, once."""
        kept, self._kept = self._kept, deque()
        self._kept_bytes = 0
        return list(kept)


class Runnable:
    """A version made ready: its session, what its environments are given, and until when."""

    def __init__(
        self,
        clock: Clock,
        scope: Scope,
        version: Version,
        session: Session,
        spec: FunctionSpec,
        variables: dict[str, str],
        warning: str,
        sink: LogSink | None,
        daemon: Daemon,
        renew_at: float,
    ) -> None:
        self.revision = version.revision
        self.scope = scope
        self.version = version
        self.session = session
        self.spec = dataclasses.replace(spec, place=self._open)
        self.variables = variables
        self.sink = sink
        self.daemon = daemon
        self.renew_at = renew_at
        self._clock = clock
        self._warning = warning

    async def _open(self) -> Environment:
        """The sandbox makes an environment: give its variables, and tell the log."""
        made = Environment(self._clock, self)
        made.begin(self._warning)
        return made
