"""Alarms and their history as records."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from cumulet.core.identity import Scope

OK = "OK"
ALARM = "ALARM"
UNKNOWN = "INSUFFICIENT_DATA"
Kind: TypeAlias = Literal["MetricAlarm", "CompositeAlarm"]


class Alarm(msgspec.Struct, frozen=True):
    """An alarm. `settings` are as they were put, without tags; times are epoch seconds.

    `children` are the names of the alarms that a composite one looks at, its suppressor included.
    `suppressed_by` says why the actions of a composite alarm wait, and `until` for how long.
    """

    name: str
    kind: Kind
    settings: dict[str, Any]
    configured_at: float
    state: str
    reason: str
    reason_data: str
    updated_at: float
    transitioned_at: float
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    children: tuple[str, ...] = ()
    suppressed_by: str = ""
    until: float = 0.0

    @property
    def is_composite(self) -> bool:
        """Whether it is made of other alarms."""
        return self.kind == "CompositeAlarm"

    @property
    def actions_enabled(self) -> bool:
        """Whether a change of its state does more than be told."""
        return bool(self.settings.get("ActionsEnabled", True))

    def actions(self) -> list[str]:
        """The ARNs of what is to be done in its state."""
        found: list[str] = self.settings.get(ACTIONS[self.state]) or []
        return found


ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", UNKNOWN: "InsufficientDataActions"}


class Watch(msgspec.Struct, frozen=True):
    """When an alarm is to be evaluated next, in epoch seconds."""

    account: str
    region: str
    name: str
    due: float

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(self.account, self.region)


class Item(msgspec.Struct, frozen=True):
    """Something that happened to an alarm; `data` is JSON text."""

    name: str
    at: float
    sequence: int
    kind: str
    type: str
    summary: str
    data: str


class Verdict(NamedTuple):
    """The state that an evaluation comes to, and why."""

    state: str
    reason: str
    reason_data: str


class Change(NamedTuple):
    """A change of an alarm's state."""

    before: Alarm
    after: Alarm


def alarm_arn(scope: Scope, name: str) -> str:
    """The ARN of an alarm."""
    return scope.arn("cloudwatch", f"alarm:{name}")
