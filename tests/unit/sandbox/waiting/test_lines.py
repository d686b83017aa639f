from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cumulet.sandbox.contract import FunctionSpec
from cumulet.sandbox.machine.runtimes import Interpreter
from cumulet.sandbox.waiting.lines import Call, Lines, Request

PYTHON = Interpreter("python", "3.11", "/python")


def run(scenario: Callable[[Lines, Callable[[str], Call]], None]) -> None:
    """A scenario of calls that join lines by their key."""

    async def whole() -> None:
        lines = Lines()

        def join(key: str) -> Call:
            spec = FunctionSpec(key, "python3.11", "app.handler", Path("/nowhere"))
            found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            return lines.join(Request(spec, PYTHON, print), found)

        scenario(lines, join)

    asyncio.run(whole())


def test_turns_come_in_the_order_of_calls_across_functions() -> None:
    def scenario(lines: Lines, join: Callable[[str], Call]) -> None:
        calls = [join(key) for key in ("a", "b", "a")]
        for call in calls:
            assert lines.turn() is call
            lines.begin(call)
        assert lines.turn() is None

    run(scenario)


def test_what_was_begun_for_a_call_that_is_served_belongs_to_the_next_one() -> None:
    def scenario(lines: Lines, join: Callable[[str], Call]) -> None:
        first, second, third = join("a"), join("a"), join("a")
        making = lines.begin(first)
        assert lines.next(making.line) is first
        assert second.is_provided_for()
        assert lines.turn() is third
        assert lines.end(making) is second

    run(scenario)


def test_what_nobody_waits_for_is_there_for_a_new_call() -> None:
    def scenario(lines: Lines, join: Callable[[str], Call]) -> None:
        first = join("a")
        making = lines.begin(first)
        lines.leave(first)
        assert not making.has_owner()
        second = join("a")
        assert lines.turn() is None
        assert lines.end(making) is second

    run(scenario)


def test_a_failure_belongs_to_the_call_it_was_begun_for() -> None:
    def scenario(lines: Lines, join: Callable[[str], Call]) -> None:
        first, second = join("a"), join("a")
        slow, quick = lines.begin(first), lines.begin(second)
        assert lines.end(quick) is second
        lines.leave(second)
        assert lines.end(slow) is first

    run(scenario)


def test_nobody_is_told_who_has_given_up() -> None:
    def scenario(lines: Lines, join: Callable[[str], Call]) -> None:
        first, second = join("a"), join("a")
        first.found.cancel()
        assert lines.next(first.line) is second
        assert lines.next(first.line) is None

    run(scenario)


def test_calls_after_a_retirement_stand_in_another_line() -> None:
    def scenario(lines: Lines, join: Callable[[str], Call]) -> None:
        before = join("a/1")
        lines.retire("a/")
        after = join("a/1")
        assert before.line.retired
        assert not after.line.retired
        assert before.line is not after.line
        lines.leave(before)
        assert lines.known("a/1") is after.line

    run(scenario)


def test_a_line_that_nothing_is_left_of_is_forgotten() -> None:
    def scenario(lines: Lines, join: Callable[[str], Call]) -> None:
        call = join("a")
        making = lines.begin(call)
        lines.leave(call)
        assert lines.known("a") is call.line
        lines.end(making)
        lines.tidy(making.line)
        assert lines.known("a") is None

    run(scenario)
