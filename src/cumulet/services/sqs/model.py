"""Queues and messages as records."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cumulet.core.identity import Scope

Tags = dict[str, str]


class Queue(msgspec.Struct, frozen=True):
    """A queue. `uid` is new each time a name is used again, so that old messages stay apart.

    `attributes` are those that were set, in AWS's spelling; times are epoch seconds.
    """

    name: str
    uid: str
    created_at: int
    modified_at: int
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    tags: Tags = msgspec.field(default_factory=dict)
    purged_at: float = 0.0

    @property
    def is_fifo(self) -> bool:
        """Whether groups keep their order and duplicates are left out."""
        return self.name.endswith(".fifo")

    def number(self, attribute: str, default: int) -> int:
        """An attribute that is a number."""
        return int(self.attributes.get(attribute, default))


class DeletedQueue(msgspec.Struct, frozen=True):
    """A queue that was deleted: its messages are still to be removed, its name rests a minute."""

    uid: str
    name: str
    deleted_at: float


class Message(msgspec.Struct, frozen=True):
    """A message. Times are epoch milliseconds; `visible_ms` is when it can be received (again).

    `sequence` orders the messages of a queue as they were taken in. `receipt` is part of the handle
    of the last receive. `body` is None when it lies, with the attributes, in records of its own.
    """

    queue: str
    sequence: int
    id: str
    md5: str
    sent_ms: int
    sender: str
    visible_ms: int
    body: str | None
    receives: int = 0
    first_received_ms: int = 0
    receipt: bytes = b""
    attributes: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    attributes_md5: str = ""
    trace_header: str = ""
    group: str = ""
    deduplication: str = ""
    dead_letter_source: str = ""


class Content(msgspec.Struct, frozen=True):
    """A part of a message too long to be written again with each receive, or for one record."""

    queue: str
    sequence: int
    part: int
    data: bytes


class Group(msgspec.Struct, frozen=True):
    """A message group that has messages.

    `ready_ms` is when its next messages can be received: while some are in flight, when they would
    come back. `first` is not above the sequence of its first message.
    """

    queue: str
    name: str
    ready_ms: int
    first: int


class Deduplication(msgspec.Struct, frozen=True):
    """A deduplication id of the last five minutes, and the message that came with it."""

    queue: str
    place: str
    id: str
    expires_ms: int
    message_id: str
    sequence: int


class Attempt(msgspec.Struct, frozen=True):
    """A receive of a FIFO queue that may be asked for again: which messages it answered."""

    queue: str
    id: str
    expires_ms: int
    sequences: tuple[int, ...]


class MoveTask(msgspec.Struct, frozen=True):
    """Messages on their way from a dead-letter queue; to where they came from, or a destination."""

    id: str
    source: str
    started_ms: int
    status: str
    to_move: int
    destination: str = ""
    per_second: int = 0
    moved: int = 0
    failure: str = ""
    budget_at: float = 0.0


class Handle(NamedTuple):
    """What a receipt handle says: a message of a queue, and the receive that gave the handle."""

    queue: str
    sequence: int
    receipt: bytes


def queue_arn(scope: Scope, name: str) -> str:
    """The ARN of a queue."""
    return scope.arn("sqs", name)
