"""Buses, rules, events and schedules as records."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cumulet.core.identity import Scope, parse_arn

Tags = dict[str, str]
DEFAULT = "default"


class Bus(msgspec.Struct, frozen=True):
    """An event bus. `policy` is JSON text, or "". Times are epoch seconds."""

    name: str
    created_at: float
    modified_at: float
    description: str = ""
    policy: str = ""
    tags: Tags = msgspec.field(default_factory=dict)


class Rule(msgspec.Struct, frozen=True):
    """A rule of a bus; `targets` are as PutTargets gave them. `began` is when its rate counts from.

    `pattern` and `schedule` are texts, or "".
    """

    bus: str
    name: str
    created_at: float
    began: float
    pattern: str = ""
    schedule: str = ""
    state: str = "ENABLED"
    description: str = ""
    role: str = ""
    tags: Tags = msgspec.field(default_factory=dict)
    targets: tuple[dict[str, Any], ...] = ()

    @property
    def is_enabled(self) -> bool:
        """Whether events are matched and occasions come."""
        return self.state == "ENABLED"


class Occasion(msgspec.Struct, frozen=True):
    """When something with a schedule is due next; `kind` is the bus of a rule, or the group.

    `planned` is the time by the schedule, which a flexible window puts off until `due`.
    """

    account: str
    region: str
    kind: str
    name: str
    due: float
    planned: float

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(self.account, self.region)


class Happening(msgspec.Struct, frozen=True):
    """An event on its way to targets: JSON, how often it was passed on, and when it came in.

    `trace_header` is X-Ray's, which targets get as well.
    """

    event: bytes
    hops: int
    ingested_at: float
    trace_header: str = ""


class Invocation(msgspec.Struct, frozen=True):
    """A schedule's time that has come: its target as it was then."""

    schedule: str
    target: dict[str, Any]
    planned: float
    execution: str


class Group(msgspec.Struct, frozen=True):
    """A group of schedules."""

    name: str
    created_at: float
    modified_at: float
    tags: Tags = msgspec.field(default_factory=dict)
    token: str = ""


class Schedule(msgspec.Struct, frozen=True):
    """A schedule; `target` is as CreateSchedule gave it. Times are epoch seconds.

    `window_minutes` is how long after its time it may come, 0 for at once.
    """

    group: str
    name: str
    created_at: float
    modified_at: float
    expression: str
    target: dict[str, Any]
    zone: str = "UTC"
    state: str = "ENABLED"
    description: str = ""
    start: float | None = None
    end: float | None = None
    window_minutes: int = 0
    after_completion: str = "NONE"
    token: str = ""


class BusName(NamedTuple):
    """Where a bus is, and its name."""

    scope: Scope
    name: str

    @property
    def arn(self) -> str:
        """The bus's ARN."""
        return bus_arn(self.scope, self.name)


def bus_arn(scope: Scope, name: str) -> str:
    """The ARN of a bus."""
    return scope.arn("events", f"event-bus/{name}")


def rule_arn(scope: Scope, bus: str, name: str) -> str:
    """The ARN of a rule; those of the default bus do not name it."""
    return scope.arn("events", f"rule/{name}" if bus == DEFAULT else f"rule/{bus}/{name}")


def schedule_arn(scope: Scope, group: str, name: str) -> str:
    """The ARN of a schedule."""
    return scope.arn("scheduler", f"schedule/{group}/{name}")


def group_arn(scope: Scope, name: str) -> str:
    """The ARN of a group of schedules."""
    return scope.arn("scheduler", f"schedule-group/{name}")


def bus_named(scope: Scope, given: str | None) -> BusName:
    """The bus that a request names by name or ARN; the default bus when it names none."""
    if not given:
        return BusName(scope, DEFAULT)
    arn = parse_arn(given)
    if arn is None:
        return BusName(scope, given)
    return BusName(Scope(arn.account, arn.region), arn.resource.removeprefix("event-bus/"))
