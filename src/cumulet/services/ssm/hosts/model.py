"""Hosts and commands as records."""

from __future__ import annotations

import msgspec


class Host(msgspec.Struct, frozen=True):
    """A registered machine. Times are epoch seconds.

    `address` is a name or an IP; where `address_command` is given, its output is the address of
    the moment. The commands are run on the cloud's own machine by a shell.
    """

    id: str
    name: str
    user: str
    address: str
    port: int
    added_at: float
    address_command: str = ""
    start_command: str = ""
    stop_command: str = ""
    key_file: str = ""
    host_key: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class Command(msgspec.Struct, frozen=True):
    """A script sent to hosts by Run Command."""

    id: str
    document: str
    comment: str
    instances: tuple[str, ...]
    parameters: dict[str, list[str]]
    requested_at: float
    expires_at: float
    timeout_seconds: int


class Run(msgspec.Struct, frozen=True):
    """How a command went on one host. `status` is AWS's word; `code` is -1 before it ended."""

    command: str
    instance: str
    status: str = "Pending"
    code: int = -1
    began_at: float = 0.0
    ended_at: float = 0.0
    output: str = ""
    errors: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status not in ("Pending", "InProgress", "Cancelling")
