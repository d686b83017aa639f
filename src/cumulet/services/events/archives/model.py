"""Archives, what is in them, and replays, as records. Times are epoch seconds unless named so."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope
from cumulet.services.events.model import BusName


class Archive(msgspec.Struct, frozen=True):
    """An archive of the bus named `bus`. `uid` tells archives apart that had one name in turn.

    `pattern` is JSON text, or "" for every event; `days` is 0 for events that are kept for ever.
    """

    name: str
    uid: str
    bus: str
    created_at: float
    description: str = ""
    pattern: str = ""
    days: int = 0


class KeptPart(msgspec.Struct, frozen=True):
    """A part of an archived event: one value of the store holds a megabyte at most.

    `time_ms` is the event's own time, by which it is replayed.
    """

    archive: str
    time_ms: int
    sequence: int
    number: int
    arrived_ms: int
    is_last: bool
    data: bytes


class Replay(msgspec.Struct, frozen=True):
    """A replay: which events of an archive, and how far it has come.

    `next_ms` and `next_sequence` are the place of the next event. `rules` are ARNs, none for all.
    """

    name: str
    archive: str
    uid: str
    bus: str
    begin: float
    end: float
    started_at: float
    next_ms: int
    next_sequence: int = 0
    description: str = ""
    rules: tuple[str, ...] = ()
    state: str = "STARTING"
    reason: str = ""
    last_time: float | None = None
    ended_at: float | None = None

    @property
    def is_active(self) -> bool:
        """Whether there is more to do."""
        return self.state in ("STARTING", "RUNNING", "CANCELLING")


class Active(msgspec.Struct, frozen=True):
    """A replay that has more to do, for the worker."""

    account: str
    region: str
    name: str

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(self.account, self.region)


def archive_arn(scope: Scope, name: str) -> str:
    """The ARN of an archive."""
    return scope.arn("events", f"archive/{name}")


def replay_arn(scope: Scope, name: str) -> str:
    """The ARN of a replay."""
    return scope.arn("events", f"replay/{name}")


def bus_of(scope: Scope, archive: Archive | Replay) -> BusName:
    """The bus of an archive, which is of the same account."""
    return BusName(scope, archive.bus)
