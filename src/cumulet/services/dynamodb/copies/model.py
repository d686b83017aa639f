"""What the store keeps of loads, backups, restores, exports and imports."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.identity import Principal, Scope
from cumulet.services.dynamodb.model import Table, table_arn


class Load(msgspec.Struct, frozen=True):
    """Rows that a client sends in numbered batches: which of them are in the table.

    All batches before `done` are, and those of `ahead`, as several may be on their way at once.
    """

    table_id: str
    id: str
    done: int = 0
    ahead: tuple[int, ...] = ()
    rows: int = 0
    changed: float = 0.0

    def has(self, batch: int) -> bool:
        """Whether a batch is in the table."""
        return batch < self.done or batch in self.ahead

    def with_batch(self, batch: int, rows: int, now: float) -> Load:
        """With one more batch."""
        done, ahead = self.done, {*self.ahead, batch}
        while done in ahead:
            ahead.remove(done)
            done += 1
        return Load(self.table_id, self.id, done, tuple(sorted(ahead)), self.rows + rows, now)


class Caller(msgspec.Struct, frozen=True):
    """Who asked for a job, kept so that it can go on after a restart."""

    kind: str
    account: str
    arn: str
    user_id: str
    policy_arn: str = ""
    access_key_id: str = ""
    session_policies: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    context: dict[str, Any] = {}


def caller_of(principal: Principal) -> Caller:
    """The record of a principal."""
    return Caller(
        principal.kind,
        principal.account,
        principal.arn,
        principal.user_id,
        principal.policy_arn,
        principal.access_key_id,
        tuple(principal.session_policies),
        dict(principal.tags),
        dict(principal.context),
    )


def principal_of(caller: Caller) -> Principal:
    """The principal of a record, marked as acting through DynamoDB."""
    context = {
        **caller.context,
        "aws:CalledVia": ["dynamodb.amazonaws.com"],
        "aws:ViaAWSService": "true",
    }
    return Principal(
        caller.kind,
        caller.account,
        caller.arn,
        caller.user_id,
        caller.policy_arn,
        caller.access_key_id,
        caller.session_policies,
        caller.tags,
        context,
    )


class Job(msgspec.Struct, frozen=True):
    """A backup, restore, export or import being made, or an export or import that was.

    `table` is read by backups, point-in-time restores and exports, and filled by the others;
    `target` is the table or backup that a restore or backup fills. `cursor` is where it goes on,
    `part` the number of its next file, and `moment` (microseconds) what is copied of the table.
    """

    account: str
    region: str
    kind: str
    id: str
    table: str
    table_id: str
    started: float
    status: str = "IN_PROGRESS"
    ended: float = 0.0
    moment: int = 0
    target: str = ""
    cursor: bytes = b""
    part: int = 0
    items: int = 0
    size: int = 0
    settings: dict[str, Any] = {}
    caller: Caller | None = None
    token: str = ""
    failure: str = ""
    failure_code: str = ""
    done: list[dict[str, Any]] = []

    @property
    def scope(self) -> Scope:
        """Where it is done."""
        return Scope(self.account, self.region)

    @property
    def arn(self) -> str:
        """Its ARN, of an export or import."""
        return f"{table_arn(self.scope, self.table)}/{self.kind}/{self.id}"


class Backup(msgspec.Struct, frozen=True):
    """A copy of a table as it was at `created`: its record then, and where the items lie.

    A system backup is what is left of a table with point-in-time recovery that was deleted.
    """

    account: str
    region: str
    id: str
    name: str
    table: Table
    data: bytes
    created: float
    items: int = 0
    size: int = 0
    is_whole: bool = False
    expires: float = 0.0
    restores: int = 0

    @property
    def scope(self) -> Scope:
        """Where it is."""
        return Scope(self.account, self.region)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"{table_arn(self.scope, self.table.name)}/backup/{self.id}"
