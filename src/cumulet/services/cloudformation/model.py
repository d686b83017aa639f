"""Stacks, resources, events, change sets and runs as frozen records, and pure rules on them."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.identity import Principal, Scope

STACK_TYPE = "AWS::CloudFormation::Stack"

UPDATABLE = frozenset(
    (
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "CREATE_FAILED",
        "UPDATE_FAILED",
    )
)
"""States in which a stack takes an update; the failed ones keep what succeeded."""


class Caller(msgspec.Struct, frozen=True):
    """Who asked for the work, kept so that it can go on after a restart."""

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
    """The principal of a record, marked as acting through CloudFormation."""
    context = {
        **caller.context,
        "aws:CalledVia": ["cloudformation.amazonaws.com"],
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


class Settings(msgspec.Struct, frozen=True):
    """What a stack is to be: a template, its parameters, and what goes with them.

    `values` holds, sealed, `{"given": {name: text}, "looked_up": {name: text}}`.
    """

    template_id: str
    values: bytes
    tags: dict[str, str] = {}
    capabilities: tuple[str, ...] = ()
    role_arn: str = ""
    description: str = ""
    hidden: tuple[str, ...] = ()
    """Names of NoEcho parameters."""


class Output(msgspec.Struct, frozen=True):
    """One output of a stack that exists."""

    key: str
    value: str
    description: str = ""
    export_name: str = ""


class Stack(msgspec.Struct, frozen=True):
    """A stack. `settings` is what it was last brought to, `target` what it is being brought to."""

    id: str
    name: str
    arn: str
    status: str
    created_at: float
    status_reason: str = ""
    updated_at: float | None = None
    deleted_at: float | None = None
    settings: Settings | None = None
    target: Settings | None = None
    outputs: tuple[Output, ...] = ()
    imports: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    """Runs whose outcome is open: what they made goes when the stack goes back."""
    disable_rollback: bool = False
    timeout_minutes: int | None = None
    retain_except_on_create: bool = False
    termination_protection: bool = False
    parent_arn: str = ""
    root_arn: str = ""
    depth: int = 1
    change_set_arn: str = ""
    policy: str = ""
    policy_for_update: str = ""
    mode: str = "STANDARD"
    tokens: dict[str, str] = {}
    """Recent client request tokens, and what each asked for."""
    drift: str = "NOT_CHECKED"
    drift_checked_at: float | None = None

    @property
    def exists(self) -> bool:
        """Whether the stack has not been deleted."""
        return self.status != "DELETE_COMPLETE"

    @property
    def in_progress(self) -> bool:
        """Whether work on it is going on."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def shown(self) -> Settings | None:
        """The settings that the reading operations show."""
        return self.target or self.settings


class Former(msgspec.Struct, frozen=True):
    """One physical resource with what is needed to bring it back or to delete it."""

    type: str
    physical_id: str
    properties: bytes
    attributes: bytes
    depends_on: tuple[str, ...]
    metadata: str = ""
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    token: str = ""


class Resource(msgspec.Struct, frozen=True):
    """A resource of a stack, and the state of the step that last worked on it.

    `properties` and `attributes` are sealed JSON. `before` is what the resource was when the
    unfinished update began; `discarded` are physical resources to be deleted at its end.
    `run_id` names the run that last changed the record.
    """

    stack_id: str
    logical_id: str
    type: str
    status: str
    updated_at: float
    run_id: str
    token: str
    physical_id: str = ""
    reason: str = ""
    properties: bytes = b""
    attributes: bytes = b""
    metadata: str = ""
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    depends_on: tuple[str, ...] = ()
    replacing: bool = False
    born_in: str = ""
    """The run that made the physical resource; see `Stack.unsettled`."""
    before: Former | None = None
    discarded: tuple[Former, ...] = ()
    drift: str = "NOT_CHECKED"
    drift_checked_at: float | None = None
    drift_details: bytes = b""

    @property
    def is_there(self) -> bool:
        """Whether something physical stands behind it."""
        return bool(self.physical_id) and self.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


def former_of(resource: Resource) -> Former:
    """What a resource is now, as something to return to."""
    return Former(
        type=resource.type,
        physical_id=resource.physical_id,
        properties=resource.properties,
        attributes=resource.attributes,
        depends_on=resource.depends_on,
        metadata=resource.metadata,
        deletion_policy=resource.deletion_policy,
        update_replace_policy=resource.update_replace_policy,
        token=resource.token,
    )


class Event(msgspec.Struct, frozen=True):
    """One line of a stack's history."""

    stack_id: str
    ordinal: int
    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    at: float
    reason: str = ""
    token: str = ""


class Run(msgspec.Struct, frozen=True):
    """Work on a stack that is not finished; it outlives the process.

    `phase` is one of `forward`, `cleanup`, `rollback`, `rollback_cleanup` and `removal`; `action`
    says what was asked for: `create`, `update`, `delete` or `rollback`. `holder` is the engine
    that works on it: another that has taken over fences the first one off. `interrupt` asks the
    engine to stop making things and to go back, or to `delete`.
    """

    account: str
    region: str
    stack_id: str
    id: str
    action: str
    phase: str
    started_at: float
    caller: Caller
    role_arn: str = ""
    on_failure: str = "ROLLBACK"
    deadline: float | None = None
    holder: str = ""
    interrupt: str = ""
    reason: str = ""
    retain: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    token: str = ""
    nested: bool = False
    seed: bytes = b""
    """Sealed: what the randomness of the run's steps follows from."""

    @property
    def scope(self) -> Scope:
        """Where the stack is."""
        return Scope(self.account, self.region)


class ChangeSet(msgspec.Struct, frozen=True):
    """A change set: what a stack would become, and by which changes."""

    stack_id: str
    id: str
    name: str
    arn: str
    kind: str
    status: str
    execution_status: str
    created_at: float
    caller: Caller
    settings: Settings | None = None
    description: str = ""
    status_reason: str = ""
    on_failure: str = ""
    token: str = ""
    mode: str = "STANDARD"
    nested: bool = False
    disable_rollback: bool = False
    changes_id: str = ""


class Export(msgspec.Struct, frozen=True):
    """A value that other stacks of the account and region may import."""

    name: str
    value: str
    stack_id: str
    stack_arn: str
    stack_name: str


class Import(msgspec.Struct, frozen=True):
    """That a stack imports an export."""

    export_name: str
    stack_id: str
    stack_name: str


class Document(msgspec.Struct, frozen=True):
    """A part of something large: a template in its stages, or the changes of a change set."""

    id: str
    part: int
    data: bytes


class Ticket(msgspec.Struct, frozen=True):
    """An address of ours that someone is to answer at: a custom resource, or a wait handle.

    `secret` is the unguessable part of the address. `answers` holds what has come, sealed.
    """

    secret: str
    account: str
    region: str
    stack_id: str
    logical_id: str
    kind: str
    created_at: float
    sent: bool = False
    answers: tuple[bytes, ...] = ()


class Touched(msgspec.Struct, frozen=True):
    """That the unfinished step of a resource has made a service commit something."""

    stack_id: str
    logical_id: str


class DriftRun(msgspec.Struct, frozen=True):
    """One detection of drift of a whole stack."""

    id: str
    stack_id: str
    status: str
    at: float
    drift: str = ""
    drifted_count: int = 0
    reason: str = ""
