"""Who waits for an environment, and whose turn it is to have one made. No I/O.

A function's calls wait in a line of its own. The first in it takes the first environment that comes
free, be it one that is done with its event or one that was just made: nobody waits for the very one
that was begun for him. What is being made belongs to the calls in the order in which both began, so
that a failure reaches the call it was made for; what no call waits for any more is there for the
next one. Across functions, environments are begun in the order in which calls came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from cumulet.sandbox.contract import FunctionSpec, OnLog, Place
from cumulet.sandbox.environment import Environment, Result, TimedOut
from cumulet.sandbox.machine.runtimes import Interpreter


class Unmade(NamedTuple):
    """Why there is no environment; what its initialisation took in time, and at most in memory."""

    result: Result
    init_ms: float
    peak_mb: int
    place: Place


class Request(NamedTuple):
    """What a call needs an environment for."""

    spec: FunctionSpec
    interpreter: Interpreter
    on_log: OnLog


Found = Environment | Unmade | TimedOut


@dataclass(slots=True, eq=False)
class Making:
    """One environment that is being made.

    It `has_turn` while it counts as being begun, and `holds_room` while it is no live one.
    """

    line: Line
    has_turn: bool = True
    holds_room: bool = True

    def has_owner(self) -> bool:
        """Whether a call waits for it."""
        return self.line.making.index(self) < len(self.line.calls)


@dataclass(slots=True, eq=False)
class Call:
    """One call that waits."""

    line: Line
    request: Request
    found: asyncio.Future[Found]

    def is_provided_for(self) -> bool:
        """Whether an environment is being made that will be its own, if none comes first."""
        return self.line.calls.index(self) < len(self.line.making)


@dataclass(slots=True, eq=False)
class Line:
    """One function's environments and calls. No call joins it once it is `retired`."""

    key: str
    idle: list[Environment] = field(default_factory=list)
    live: int = 0
    calls: deque[Call] = field(default_factory=deque)
    making: list[Making] = field(default_factory=list)
    retired: bool = False


class Lines:
    """All lines, and the calls that wait for their turn: for which nothing is being made yet."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self.turns: dict[Call, None] = {}

    def known(self, key: str) -> Line | None:
        """The line of a function, if there is one."""
        return self._lines.get(key)

    def join(self, request: Request, found: asyncio.Future[Found]) -> Call:
        """A call begins to wait, last in its line."""
        key = request.spec.key
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(key)
        call = Call(line, request, found)
        line.calls.append(call)
        if not call.is_provided_for():
            self.turns[call] = None
        return call

    def leave(self, call: Call) -> None:
        """A call waits no more."""
        with contextlib.suppress(ValueError):
            call.line.calls.remove(call)
        self.turns.pop(call, None)
        self.tidy(call.line)

    def turn(self) -> Call | None:
        """The call for which an environment is to be begun next."""
        for call in list(self.turns):
            if not call.is_provided_for():
                return call
            del self.turns[call]
        return None

    def begin(self, call: Call) -> Making:
        """An environment is begun, as it is this call's turn."""
        del self.turns[call]
        making = Making(call.line)
        call.line.making.append(making)
        return making

    def end(self, making: Making) -> Call | None:
        """It is made, or never will be: the call it was made for, if one still waits."""
        line = making.line
        index = line.making.index(making)
        del line.making[index]
        return line.calls[index] if index < len(line.calls) else None

    def next(self, line: Line) -> Call | None:
        """The call that takes what is free now; it waits no more."""
        while line.calls:
            call = line.calls[0]
            self.leave(call)
            if not call.found.done():
                return call
        return None

    def retire(self, key_prefix: str) -> None:
        """Calls that come from now on stand in new lines, for new environments."""
        for key in [key for key in self._lines if key.startswith(key_prefix)]:
            self._lines.pop(key).retired = True

    def oldest_idle(self) -> Environment | None:
        """The environment that has waited longest for an event."""
        idle = (line.idle[0] for line in self._lines.values() if line.idle)
        return min(idle, key=lambda environment: environment.idle_since, default=None)

    def tidy(self, line: Line) -> None:
        """Forget a line that nothing is left of."""
        if not (line.live or line.calls or line.making) and self._lines.get(line.key) is line:
            del self._lines[line.key]
