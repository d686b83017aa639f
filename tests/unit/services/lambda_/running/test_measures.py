"""How invocations become measurements: what runs at once, and under which dimensions it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope
from cumulet.sandbox import Failed, Outcome, Succeeded
from cumulet.sandbox.contract import Usage
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.limits import MEASURED_MAX
from cumulet.services.lambda_.running.measures import Measures

SCOPE = Scope("000000000000", "us-east-1")
USAGE = Usage(duration_ms=12.501, billed_ms=13, init_ms=None, max_memory_mb=40)
FUNCTION = (("FunctionName", "f"),)


class Labelled:
    """As much of a version as is measured."""

    def __init__(self, label: str) -> None:
        self.label = label


class Room:
    """Measures, and what CloudWatch would hear of them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.told: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = defaultdict(list)
        self.measures = Measures(self)  # type: ignore[arg-type]  # Only these parts are asked for.

    def need(self, _: Any) -> Room:
        return self

    def record_all(
        self, scope: Scope, space: str, name: str, at: Any, values: Sequence[float], unit: str = ""
    ) -> None:
        assert (scope, space) == (SCOPE, "AWS/Lambda")
        if values:
            self.told[name, at] += values

    def run(self, qualifier: str, label: str, outcome: Outcome) -> None:
        place = self.measures.begin(FunctionRef(SCOPE, "f", qualifier), None, 0)
        self.measures.ran(place, Labelled(label), outcome)  # type: ignore[arg-type]  # Its label is enough.
        self.measures.end(place, None)


WENT_WELL = Succeeded(b"{}", USAGE)
FAILED = Failed("Unhandled", "E", "m", b"{}", USAGE)


def test_what_runs_at_once_is_told_every_time_while_it_runs() -> None:
    room = Room()
    measures = room.measures
    plain, live = (FunctionRef(SCOPE, "f", one) for one in ("", "live"))
    first, second = measures.begin(plain, None, 7), measures.begin(live, None, 7)
    third = measures.begin(FunctionRef(SCOPE, "g", ""), 5, 7)
    measures.end(first, None)
    measures.tell()
    room_after = dict(room.told)
    assert room_after["ConcurrentExecutions", ()] == [3.0]
    assert room_after["ConcurrentExecutions", FUNCTION] == [2.0]
    assert room_after["ConcurrentExecutions", (*FUNCTION, ("Resource", "f:live"))] == [1.0]
    assert room_after["UnreservedConcurrentExecutions", ()] == [2.0]
    assert room_after["ClaimedAccountConcurrency", ()] == [9.0]
    room.told.clear()
    measures.tell()
    assert room.told["ConcurrentExecutions", ()] == [2.0]
    assert room.told["ConcurrentExecutions", FUNCTION] == [1.0]
    measures.end(second, None)
    measures.end(third, 5)
    measures.tell()
    room.told.clear()
    measures.tell()
    assert not room.told
    assert not measures._places
    assert not measures._functions


def test_only_aliases_are_told_by_the_version_that_was_executed() -> None:
    room = Room()
    room.run("live", "1", WENT_WELL)
    room.run("live", "2", FAILED)
    room.run("2", "2", WENT_WELL)
    room.run("", "$LATEST", WENT_WELL)
    room.measures.tell()
    alias = (*FUNCTION, ("Resource", "f:live"))
    assert room.told["Errors", (("ExecutedVersion", "1"), *alias)] == [0.0]
    assert room.told["Errors", (("ExecutedVersion", "2"), *alias)] == [1.0]
    assert sorted(room.told["Errors", alias]) == [0.0, 1.0]
    assert room.told["Invocations", FUNCTION] == room.told["Invocations", ()] == [1.0] * 4
    assert room.told["Duration", (*FUNCTION, ("Resource", "f"))] == [12.5]
    executed = {at for _, at in room.told if any(name == "ExecutedVersion" for name, _ in at)}
    assert len(executed) == 2


def test_no_more_waits_than_the_bound() -> None:
    room = Room()
    for _ in range(MEASURED_MAX):
        room.run("", "$LATEST", WENT_WELL)
        room.measures.count(FunctionRef(SCOPE, "f", ""), "IteratorAge", 5.0, "Milliseconds")
    assert len(room.told["Invocations", FUNCTION]) == MEASURED_MAX
    assert len(room.told["IteratorAge", FUNCTION]) >= MEASURED_MAX - 1
