from __future__ import annotations

import base64
from collections.abc import Sequence

from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope
from cumulet.sandbox import LogLine, Usage
from cumulet.services.lambda_.model import Logging, Package, Settings, Version
from cumulet.services.lambda_.running.log import InvocationLog

HERE = Scope("111122223333", "eu-west-1")
WARM = Usage(duration_ms=1.0, billed_ms=1, init_ms=None, max_memory_mb=30)
COLD = Usage(duration_ms=1.0, billed_ms=11, init_ms=10.0, max_memory_mb=30)


class Spot:
    """Where an environment logs."""

    stream = "s"

    def take_beginning(self) -> list[bytes]:
        return [b"INIT_START\n", b"importing\n"]


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int, str]] = []

    def write(self, scope: Scope, group: str, stream: str, timestamp_ms: int, message: str) -> None:
        assert scope == HERE
        self.lines.append((group, stream, timestamp_ms, message))

    def write_all(
        self, scope: Scope, group: str, stream: str, lines: Sequence[tuple[int, str]]
    ) -> None:
        for timestamp_ms, message in lines:
            self.write(scope, group, stream, timestamp_ms, message)

    async def flush(self) -> None:
        """Nothing waits."""

    @property
    def words(self) -> list[str]:
        return [message.split()[0] for *_, message in self.lines]


def log_to(
    sink: Kept | None, logging: Logging | None = None, *, tail: bool = False
) -> InvocationLog:
    settings = Settings("python3.12", "arn:role", "index.handler", logging or Logging("g"))
    version = Version("f", 0, settings, Package("b", "d", 1, 1), 0.0, "r")
    log = InvocationLog(ManualClock(), sink, HERE, version, "id", tail=tail)
    log.move_in(Spot())
    return log


def test_start_comes_before_the_first_line() -> None:
    sink = Kept()
    log = log_to(sink)
    log.line(LogLine("id", 6, "working"))
    log.finish(COLD, "success", "", "")
    assert sink.words == ["START", "working", "END", "REPORT"]
    assert [line[:2] for line in sink.lines] == [("g", "s")] * 4
    assert sink.lines[1][2] == 6


def test_the_tail_begins_with_what_the_environment_wrote_while_it_began() -> None:
    sink = Kept()
    log = log_to(sink, tail=True)
    log.finish(COLD, "success", "", "")
    words = [line.split()[0] for line in base64.b64decode(log.tail() or "").decode().splitlines()]
    assert words == ["INIT_START", "importing", "START", "END", "REPORT"]
    assert sink.words == ["START", "END", "REPORT"]


def test_without_an_environment_nothing_is_stored() -> None:
    sink = Kept()
    version = Version("f", 0, Settings("python3.12", "arn:role", "index.handler", Logging("g")),
                      Package("b", "d", 1, 1), 0.0, "r")  # fmt: skip
    InvocationLog(ManualClock(), sink, HERE, version, "id", tail=False).finish(
        WARM, "timeout", "Sandbox.Timedout", ""
    )
    assert sink.lines == []


def test_a_silent_warm_call_has_start_end_and_report() -> None:
    sink = Kept()
    log_to(sink).finish(WARM, "success", "", "")
    assert sink.words == ["START", "END", "REPORT"]


def test_levels_leave_platform_lines_out() -> None:
    sink = Kept()
    quiet = Logging("g", "JSON", "ERROR", "WARN")
    log = log_to(sink, quiet)
    log.line(LogLine("id", 1, '{"level": "INFO"}'))
    log.finish(WARM, "success", "", "")
    assert sink.lines == []
    log = log_to(sink, quiet)
    log.finish(WARM, "timeout", "Sandbox.Timedout", "")
    assert len(sink.lines) == 1
    assert '"platform.report"' in sink.lines[0][3]


def test_the_tail_is_cut_from_the_front_and_needs_no_sink() -> None:
    log = log_to(None, tail=True)
    for number in range(200):
        log.line(LogLine("id", 1, f"{number:04d}" + "x" * 96))
    log.finish(WARM, "success", "", "")
    tail = base64.b64decode(log.tail() or "")
    assert len(tail) == 4096
    assert tail.decode().splitlines()[-1].startswith("REPORT")
    assert b"0199x" in tail
    assert b"0100x" not in tail
    assert log_to(None).tail() is None
