"""Beginning work on a stack: the record, the first event and the run, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.resources import ResourceTypes
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.errors import (
    AlreadyExistsException,
    TokenAlreadyExistsException,
    ValidationError,
)
from cumulet.services.cloudformation.limits import STACK_NAME_LENGTH_MAX
from cumulet.services.cloudformation.model import (
    STACK_TYPE,
    UPDATABLE,
    Event,
    Resource,
    Run,
    Stack,
    caller_of,
)
from cumulet.services.cloudformation.planning.intake import Prepared, safe_of
from cumulet.services.cloudformation.planning.opening import evaluated_outputs, made_of
from cumulet.services.cloudformation.planning.plan import Change, Earlier, Standing, plan_changes
from cumulet.services.cloudformation.planning.sealed import Safe
from cumulet.services.cloudformation.template.declaration import declare

_TOKENS_KEPT = 10
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*\Z")


class StackChanged(ValidationError):
    """The stack is no longer in the state in which it was read; it is to be read again."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(
            f"Stack [{stack.name}] changed in the meantime; try again.", code="ValidationError"
        )


_INITIATED = "User Initiated"


@dataclass(frozen=True, slots=True)
class Asked:
    """How a piece of work on a stack is to be done, apart from the template."""

    on_failure: str = "ROLLBACK"
    disable_rollback: bool = False
    timeout_minutes: int | None = None
    token: str = ""
    retain: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the stack's record."""


def new_stack(ctx: Context, name: str, parent: Stack | None = None) -> Stack:
    """A record for a stack that does not exist yet. Raises ValidationError for a bad name."""
    if not _NAME.match(name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if len(name) > STACK_NAME_LENGTH_MAX:
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy "
            f"constraint: Member must have length less than or equal to {STACK_NAME_LENGTH_MAX}"
        )
    stack_id = new_uuid(ctx.clock)
    arn = ctx.scope.arn("cloudformation", f"stack/{name}/{stack_id}")
    return Stack(
        id=stack_id,
        name=name,
        arn=arn,
        status="REVIEW_IN_PROGRESS",
        created_at=ctx.clock.now(),
        parent_arn=parent.arn if parent else "",
        root_arn=(parent.root_arn or parent.arn) if parent else "",
        depth=parent.depth + 1 if parent else 1,
    )


def stack_event(ctx: Context, stack: Stack, status: str, reason: str, token: str = "") -> Event:
    """An event of the stack itself."""
    return Event(
        stack.id,
        0,
        new_uuid(ctx.clock),
        stack.name,
        stack.arn,
        STACK_TYPE,
        status,
        ctx.clock.now(),
        reason,
        token,
    )


def with_token(stack: Stack, token: str, action: str) -> dict[str, str]:
    """The stack's tokens with one more. Raises TokenAlreadyExistsException."""
    if not token:
        return stack.tokens
    if stack.tokens.get(token, action) != action:
        raise TokenAlreadyExistsException(
            f"Client request token {token} has already been used for another action on the stack"
        )
    kept = dict(list(stack.tokens.items())[-_TOKENS_KEPT + 1 :])
    return {**kept, token: action}


def _run(ctx: Context, stack: Stack, run_id: str, action: str, phase: str, asked: Asked) -> Run:
    settings = stack.target or stack.settings
    minutes = asked.timeout_minutes
    now = ctx.clock.now()
    return Run(
        account=ctx.scope.account,
        region=ctx.scope.region,
        stack_id=stack.id,
        id=run_id,
        action=action,
        phase=phase,
        started_at=now,
        caller=caller_of(ctx.caller),
        role_arn=settings.role_arn if settings is not None else "",
        on_failure=asked.on_failure,
        deadline=now + 60 * minutes if minutes else None,
        retain=asked.retain,
        skip=asked.skip,
        token=asked.token,
        nested=stack.depth > 1,
        seed=safe_of(ctx).put(ctx.clock.random_bytes(32).hex()),
    )


async def begin_create(ctx: Context, stack: Stack, prepared: Prepared, asked: Asked) -> Stack:
    """Start to create a stack; one under review is created under its own ARN."""
    run_id = new_uuid(ctx.clock)
    created = msgspec.structs.replace(
        stack,
        status="CREATE_IN_PROGRESS",
        status_reason=_INITIATED,
        target=prepared.settings,
        disable_rollback=asked.disable_rollback,
        timeout_minutes=asked.timeout_minutes,
        tokens=with_token(stack, asked.token, "create"),
        unsettled=(run_id,),
        **asked.changes,
    )
    run = _run(ctx, created, run_id, "create", "forward", asked)
    event = stack_event(ctx, created, created.status, _INITIATED, asked.token)

    async def write(tx: Any, scope: Scope) -> Stack:
        other = await store.load_stack(tx, scope, stack.name)
        if other is not None and other.id != stack.id:
            if asked.token and other.tokens.get(asked.token) == "create":
                return other
            raise AlreadyExistsException(f"Stack [{stack.name}] already exists")
        if other is not None and other.status != "REVIEW_IN_PROGRESS":
            raise AlreadyExistsException(f"Stack [{stack.name}] already exists")
        await store.save_document(tx, scope, prepared.settings.template_id, prepared.document)
        await store.STACKS.save(tx, scope, created)
        await store.add_event(tx, scope, event)
        await store.save_run(tx, run)
        return created

    return await ctx.transact(write)


async def begin_update(ctx: Context, stack: Stack, prepared: Prepared, asked: Asked) -> Stack:
    """Start to update a stack that is in a state for it."""
    run_id = new_uuid(ctx.clock)
    now = ctx.clock.now()

    async def write(tx: Any, scope: Scope) -> Stack:
        current = await store.load_stack_by_id(tx, scope, stack.id)
        current = require_updatable(current, stack)
        updated = msgspec.structs.replace(
            current,
            status="UPDATE_IN_PROGRESS",
            status_reason=_INITIATED,
            updated_at=now,
            target=prepared.settings,
            disable_rollback=asked.disable_rollback,
            tokens=with_token(current, asked.token, "update"),
            unsettled=(*current.unsettled, run_id),
            **asked.changes,
        )
        await store.save_document(tx, scope, prepared.settings.template_id, prepared.document)
        await store.STACKS.save(tx, scope, updated)
        await store.add_event(
            tx, scope, stack_event(ctx, updated, updated.status, _INITIATED, asked.token)
        )
        await store.save_run(tx, _run(ctx, updated, run_id, "update", "forward", asked))
        return updated

    return await ctx.transact(write)


def require_updatable(current: Stack | None, stack: Stack) -> Stack:
    """The stack, unless its state forbids an update. Raises ValidationError."""
    if current is None or not current.exists:
        raise ValidationError(f"Stack [{stack.name}] does not exist")
    if current.status not in UPDATABLE:
        raise ValidationError(
            f"Stack:{current.arn} is in {current.status} state and can not be updated."
        )
    return current


async def begin_phase(
    ctx: Context, stack: Stack, action: str, phase: str, status: str, asked: Asked
) -> Stack:
    """Start a deletion or a rollback of a stack whose record is as the caller read it."""
    run_id = new_uuid(ctx.clock)

    async def write(tx: Any, scope: Scope) -> Stack:
        current = await store.load_stack_by_id(tx, scope, stack.id)
        if current is None or current.status != stack.status:
            raise StackChanged(stack)
        begun = msgspec.structs.replace(
            current,
            status=status,
            status_reason=_INITIATED,
            tokens=with_token(current, asked.token, action),
            **asked.changes,
        )
        await store.STACKS.save(tx, scope, begun)
        await store.add_event(tx, scope, stack_event(ctx, begun, status, _INITIATED, asked.token))
        await store.save_run(tx, _run(ctx, begun, run_id, action, phase, asked))
        return begun

    return await ctx.transact(write)


async def interrupt(ctx: Context, stack: Stack, how: str, status: str, asked: Asked) -> None:
    """Ask the engine to break off what it does with the stack."""

    async def write(tx: Any, scope: Scope) -> None:
        current = await store.load_stack_by_id(tx, scope, stack.id)
        run = await store.load_run(tx, scope, stack.id)
        if current is None or run is None or run.phase != "forward":
            raise StackChanged(stack)
        await store.save_run(tx, msgspec.structs.replace(run, interrupt=how))
        if status != current.status:
            begun = msgspec.structs.replace(
                current,
                status=status,
                status_reason=_INITIATED,
                tokens=with_token(current, asked.token, how),
            )
            await store.STACKS.save(tx, scope, begun)
            event = stack_event(ctx, begun, status, _INITIATED, asked.token)
            await store.add_event(tx, scope, event)

    await ctx.transact(write)


def standing_of(resources: Mapping[str, Resource], safe: Safe) -> dict[str, Standing]:
    """What stands, as the plan sees it."""
    return {
        name: Standing(
            name,
            resource.type,
            resource.physical_id,
            safe.take(resource.properties),
            safe.take(resource.attributes),
            msgspec.json.decode(resource.metadata) if resource.metadata else None,
            resource.deletion_policy,
            resource.update_replace_policy,
        )
        for name, resource in resources.items()
        if resource.is_there
    }


async def planned(ctx: Context, stack: Stack, prepared: Prepared) -> tuple[list[Change], bool]:
    """The changes that the prepared settings would make, and whether there is anything to do."""
    safe = safe_of(ctx)

    async def load(tx: Any, scope: Scope) -> tuple[dict[str, Resource], Any, dict[str, str]]:
        resources = await store.scan_resources(tx, scope, stack.id)
        document = None
        if stack.settings is not None:
            document = await store.load_document(tx, scope, stack.settings.template_id)
        exports = await store.load_exports(tx, scope, prepared.opened.imports)
        return resources, document, exports

    resources, document, exports = await ctx.transact(load)
    missing = [name for name in prepared.opened.imports if name not in exports]
    if missing:
        raise ValidationError(f"No export named {missing[0]} found.")
    scene = replace(prepared.opened.scene, exports=exports)
    old_texts = safe.take(stack.settings.values)["given"] if stack.settings else {}
    new_texts = prepared.opened.texts
    earlier = Earlier(
        declare(document["processed"]) if document else None,
        frozenset(name for name, text in new_texts.items() if old_texts.get(name) != text),
    )
    standing = standing_of(resources, safe)
    changes = plan_changes(
        prepared.opened.template,
        scene,
        standing,
        ctx.need(ResourceTypes),
        prepared.settings.tags,
        earlier,
    )
    if changes or stack.settings is None:
        return changes, True
    scene = replace(scene, made=made_of(resources, safe))
    outputs = evaluated_outputs(prepared.opened.template, scene)
    same = outputs == stack.outputs and prepared.settings.tags == stack.settings.tags
    return changes, not same
