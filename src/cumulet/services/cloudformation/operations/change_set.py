"""Operations on change sets."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.resources import ResourceTypes
from cumulet.kit.service import operation
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.errors import (
    AlreadyExistsException,
    ChangeSetNotFoundException,
    InvalidChangeSetStatusException,
    LimitExceededException,
    ValidationError,
)
from cumulet.services.cloudformation.macros.sam import TransformFailed
from cumulet.services.cloudformation.model import ChangeSet, Stack, caller_of
from cumulet.services.cloudformation.operations.change_words import hide_values, shown_change
from cumulet.services.cloudformation.operations.describe import shown_parameters
from cumulet.services.cloudformation.operations.finding import (
    change_set_arn,
    find_stack,
    need_stack,
    page_start,
    stack_arn,
)
from cumulet.services.cloudformation.operations.stack import deployment_mode, disables_rollback
from cumulet.services.cloudformation.planning.begin import (
    Asked,
    begin_create,
    begin_update,
    new_stack,
    planned,
    require_updatable,
    stack_event,
)
from cumulet.services.cloudformation.planning.intake import Prepared, prepare, safe_of
from cumulet.services.cloudformation.planning.opening import open_settings

_NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set."
)


@operation("CreateChangeSet", resource=stack_arn)
async def create_change_set(ctx: Context, request: Any) -> dict[str, Any]:
    """Work out what a template would change, and keep it for execution."""
    kind = request.get("ChangeSetType", "UPDATE")
    if kind == "IMPORT":
        raise ValidationError("ChangeSetType IMPORT is not supported.")
    stack = await _target(ctx, request, kind)
    token = request.get("ClientToken", "")
    held = await _find(ctx, request["ChangeSetName"], stack.id)
    if held is not None:
        if token and held.token == token:
            return {"Id": held.arn, "StackId": stack.arn}
        raise AlreadyExistsException(f"ChangeSet {held.name} already exists")
    change_set = _new(ctx, request, kind, stack)
    try:
        prepared = await prepare(ctx, request, stack, stack.settings, by_change_set=True)
    except TransformFailed as refused:
        await _keep(ctx, stack, _failed(change_set, refused.message), None, [])
        return {"Id": change_set.arn, "StackId": stack.arn}
    change_set = msgspec.structs.replace(change_set, settings=prepared.settings)
    try:
        changes, differs = await planned(ctx, stack, prepared)
    except AwsError as refused:
        await _keep(ctx, stack, _failed(change_set, refused.message), prepared, [])
        return {"Id": change_set.arn, "StackId": stack.arn}
    if not differs:
        change_set = _failed(change_set, _NO_CHANGES)
    shown = hide_values([shown_change(one) for one in changes], _hidden(prepared))
    await _keep(ctx, stack, change_set, prepared, shown)
    return {"Id": change_set.arn, "StackId": stack.arn}


async def _target(ctx: Context, request: Any, kind: str) -> Stack:
    """The stack that the change set is for: for CREATE one that is not there yet."""
    name = request["StackName"]
    stack = await find_stack(ctx, name)
    if stack is not None and not stack.exists:
        stack = None
    if kind == "CREATE":
        if stack is None:
            return new_stack(ctx, name)
        if stack.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(
                f"Stack [{stack.arn}] already exists and cannot be created again with the "
                f"changeSet [{request['ChangeSetName']}]."
            )
        return stack
    if stack is None:
        raise ValidationError(f"Stack [{name}] does not exist")
    return require_updatable(stack, stack)


def _new(ctx: Context, request: Any, kind: str, stack: Stack) -> ChangeSet:
    name = request["ChangeSetName"]
    change_set_id = new_uuid(ctx.clock)
    return ChangeSet(
        stack_id=stack.id,
        id=change_set_id,
        name=name,
        arn=ctx.scope.arn("cloudformation", f"changeSet/{name}/{change_set_id}"),
        kind=kind,
        status="CREATE_COMPLETE",
        execution_status="AVAILABLE",
        created_at=ctx.clock.now(),
        caller=caller_of(ctx.caller),
        description=request.get("Description", ""),
        on_failure=request.get("OnStackFailure", ""),
        token=request.get("ClientToken", ""),
        mode=deployment_mode(request),
        nested=bool(request.get("IncludeNestedStacks")),
        disable_rollback=disables_rollback(request),
        changes_id=new_uuid(ctx.clock),
    )


def _failed(change_set: ChangeSet, reason: str) -> ChangeSet:
    return msgspec.structs.replace(
        change_set, status="FAILED", execution_status="UNAVAILABLE", status_reason=reason
    )


def _hidden(prepared: Prepared) -> list[str]:
    return [prepared.opened.texts[name] for name in prepared.settings.hidden]


async def _keep(
    ctx: Context,
    stack: Stack,
    change_set: ChangeSet,
    prepared: Prepared | None,
    changes: list[dict[str, Any]],
) -> None:
    event = stack_event(ctx, stack, "REVIEW_IN_PROGRESS", "User Initiated")

    async def write(tx: Any, scope: Scope) -> None:
        held = await store.CHANGE_SETS.scan(tx, scope, stack.id, limit=limits.CHANGE_SETS_MAX)
        if len(held) >= limits.CHANGE_SETS_MAX:
            raise LimitExceededException(
                f"A stack can have at most {limits.CHANGE_SETS_MAX} change sets."
            )
        if await store.load_stack_by_id(tx, scope, stack.id) is None:
            other = await store.load_stack(tx, scope, stack.name)
            if other is not None:
                raise AlreadyExistsException(f"Stack [{stack.name}] already exists")
            await store.STACKS.save(tx, scope, stack)
            await store.add_event(tx, scope, event)
        if prepared is not None:
            await store.save_document(
                tx, scope, prepared.settings.template_id, dict(prepared.document)
            )
        await store.save_document(tx, scope, change_set.changes_id, changes)
        await store.CHANGE_SETS.save(tx, scope, change_set)

    await ctx.transact(write)


async def _find(ctx: Context, name: str, stack_id: str | None) -> ChangeSet | None:
    async def load(tx: Any, scope: Scope) -> ChangeSet | None:
        return await store.load_change_set(tx, scope, name, stack_id)

    return await ctx.transact(load)


async def _need(ctx: Context, request: Any) -> tuple[ChangeSet, Stack]:
    """The change set that a request names, with its stack. Raises ChangeSetNotFoundException."""
    name, stack_name = request["ChangeSetName"], request.get("StackName")
    stack_id = None
    if not name.startswith("arn:"):
        if not stack_name:
            raise ValidationError("StackName must be specified if ChangeSetName is not an ARN.")
        stack_id = (await need_stack(ctx, stack_name, "Stack [{}] does not exist")).id
    found = await _find(ctx, name, stack_id)
    if found is None:
        raise ChangeSetNotFoundException(f"ChangeSet [{name}] does not exist")

    async def load(tx: Any, scope: Scope) -> Stack | None:
        return await store.load_stack_by_id(tx, scope, found.stack_id)

    stack = await ctx.transact(load)
    if stack is None:
        raise ChangeSetNotFoundException(f"ChangeSet [{name}] does not exist")
    return found, stack


@operation("DescribeChangeSet", resource=change_set_arn)
async def describe_change_set(ctx: Context, request: Any) -> dict[str, Any]:
    """A change set with its changes, property by property."""
    change_set, stack = await _need(ctx, request)
    start = page_start(request) or 0

    async def load(tx: Any, scope: Scope) -> Any:
        return await store.load_document(tx, scope, change_set.changes_id)

    changes = await ctx.transact(load) or []
    whole = bool(request.get("IncludePropertyValues"))
    shown: dict[str, Any] = {
        **_summary(change_set, stack),
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": [],
        "Tags": [],
        "Changes": [
            one if whole else _without_values(one)
            for one in changes[start : start + limits.PAGE_ITEMS]
        ],
    }
    if change_set.settings is not None:
        shown["Capabilities"] = list(change_set.settings.capabilities)
        shown["Tags"] = [{"Key": k, "Value": v} for k, v in change_set.settings.tags.items()]
        shown["Parameters"] = shown_parameters(ctx, change_set.settings)
    if change_set.on_failure:
        shown["OnStackFailure"] = change_set.on_failure
    if change_set.mode != "STANDARD":
        shown["DeploymentConfig"] = {"Mode": change_set.mode}
    if start + limits.PAGE_ITEMS < len(changes):
        shown["NextToken"] = make_token(start + limits.PAGE_ITEMS)
    return shown


def _without_values(change: dict[str, Any]) -> dict[str, Any]:
    inner = dict(change["ResourceChange"])
    inner.pop("BeforeContext", None)
    inner.pop("AfterContext", None)
    inner["Details"] = [
        {
            **detail,
            "Target": {
                k: v
                for k, v in detail["Target"].items()
                if k not in ("BeforeValue", "AfterValue", "Path", "AttributeChangeType")
            },
        }
        for detail in inner.get("Details", ())
    ]
    return {**change, "ResourceChange": inner}


def _summary(change_set: ChangeSet, stack: Stack) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "StackId": stack.arn,
        "StackName": stack.name,
        "ChangeSetId": change_set.arn,
        "ChangeSetName": change_set.name,
        "ExecutionStatus": change_set.execution_status,
        "Status": change_set.status,
        "CreationTime": change_set.created_at,
        "IncludeNestedStacks": change_set.nested,
        "ImportExistingResources": False,
    }
    if change_set.status_reason:
        shown["StatusReason"] = change_set.status_reason
    if change_set.description:
        shown["Description"] = change_set.description
    return shown


@operation("ListChangeSets", resource=stack_arn)
async def list_change_sets(ctx: Context, request: Any) -> dict[str, Any]:
    """The change sets of a stack that were not executed."""
    stack = await need_stack(ctx, request["StackName"], "Stack [{}] does not exist")
    start = page_start(request)

    async def load(tx: Any, scope: Scope) -> list[ChangeSet]:
        after = (stack.id, start) if start is not None else None
        return await store.CHANGE_SETS.scan(
            tx, scope, stack.id, limit=limits.PAGE_ITEMS + 1, after=after
        )

    found = await ctx.transact(load)
    shown = found[: limits.PAGE_ITEMS]
    answer: dict[str, Any] = {
        "Summaries": [
            _summary(one, stack) for one in shown if one.execution_status != "EXECUTE_COMPLETE"
        ]
    }
    if len(found) > limits.PAGE_ITEMS:
        answer["NextToken"] = make_token(shown[-1].id)
    return answer


@operation("DeleteChangeSet", resource=change_set_arn)
async def delete_change_set(ctx: Context, request: Any) -> dict[str, Any]:
    """Forget a change set; one that does not exist is no error."""
    try:
        change_set, _ = await _need(ctx, request)
    except ChangeSetNotFoundException:
        return {}

    async def write(tx: Any, scope: Scope) -> None:
        unused = change_set.execution_status != "EXECUTE_COMPLETE"
        await store.drop_change_set(tx, scope, change_set, with_template=unused)

    await ctx.transact(write)
    return {}


@operation("ExecuteChangeSet", resource=change_set_arn)
async def execute_change_set(ctx: Context, request: Any) -> dict[str, Any]:
    """Bring the stack to what the change set says; its other change sets are dropped."""
    change_set, stack = await _need(ctx, request)
    token = request.get("ClientRequestToken", "")
    if change_set.execution_status == "EXECUTE_COMPLETE" and token and token in stack.tokens:
        return {}
    if change_set.execution_status != "AVAILABLE" or change_set.settings is None:
        raise InvalidChangeSetStatusException(
            f"ChangeSet [{change_set.arn}] cannot be executed in its current status of "
            f"[{change_set.status}]"
        )
    prepared = await _prepared_again(ctx, change_set, stack)
    asked = _asked(change_set, request, token)
    if change_set.kind == "CREATE":
        await begin_create(ctx, stack, prepared, asked)
    else:
        await begin_update(ctx, stack, prepared, asked)
    done = msgspec.structs.replace(change_set, execution_status="EXECUTE_COMPLETE")

    async def write(tx: Any, scope: Scope) -> None:
        for other in await store.CHANGE_SETS.scan(
            tx, scope, stack.id, limit=limits.CHANGE_SETS_MAX
        ):
            if other.id != change_set.id:
                unused = other.execution_status != "EXECUTE_COMPLETE"
                await store.drop_change_set(tx, scope, other, with_template=unused)
        await store.CHANGE_SETS.save(tx, scope, done)

    await ctx.transact(write)
    return {}


def _asked(change_set: ChangeSet, request: Any, token: str) -> Asked:
    keeps = bool(request.get("DisableRollback")) or change_set.disable_rollback
    on_failure = change_set.on_failure or ("DO_NOTHING" if keeps else "ROLLBACK")
    changes: dict[str, Any] = {"change_set_arn": change_set.arn, "mode": change_set.mode}
    if "RetainExceptOnCreate" in request:
        changes["retain_except_on_create"] = request["RetainExceptOnCreate"]
    return Asked(
        on_failure=on_failure,
        disable_rollback=keeps or on_failure == "DO_NOTHING",
        token=token,
        changes=changes,
    )


async def _prepared_again(ctx: Context, change_set: ChangeSet, stack: Stack) -> Prepared:
    settings = change_set.settings
    assert settings is not None

    async def load(tx: Any, scope: Scope) -> Any:
        return await store.load_document(tx, scope, settings.template_id)

    document = await ctx.transact(load)
    opened = open_settings(
        ctx.scope, stack, settings, document, safe_of(ctx), ctx.need(ResourceTypes)
    )
    return Prepared(opened, document)
