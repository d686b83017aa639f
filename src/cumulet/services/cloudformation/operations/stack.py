"""Operations that change stacks."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.errors import AlreadyExistsException, ValidationError
from cumulet.services.cloudformation.model import Stack
from cumulet.services.cloudformation.operations.finding import (
    find_stack,
    need_living_stack,
    stack_arn,
)
from cumulet.services.cloudformation.planning.begin import (
    Asked,
    StackChanged,
    begin_create,
    begin_phase,
    begin_update,
    interrupt,
    new_stack,
    planned,
    require_updatable,
)
from cumulet.services.cloudformation.planning.intake import prepare, require_role
from cumulet.services.cloudformation.planning.stack_policy import POLICY_BYTES_MAX, parse_policy
from cumulet.services.cloudformation.template.source import fetch_text

_TRIES_MAX = 5
"""How often a deletion looks again at a stack whose work ends just then."""
_DELETABLE = frozenset(
    (
        "CREATE_COMPLETE",
        "CREATE_FAILED",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "DELETE_FAILED",
        "UPDATE_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "REVIEW_IN_PROGRESS",
    )
)


@operation("CreateStack", resource=stack_arn)
async def create_stack(ctx: Context, request: Any) -> dict[str, Any]:
    """Create a stack; the work goes on after the answer."""
    name = request["StackName"]
    token = request.get("ClientRequestToken", "")
    existing = await find_stack(ctx, name)
    if existing is not None:
        if token and existing.tokens.get(token) == "create":
            return {"StackId": existing.arn}
        raise AlreadyExistsException(f"Stack [{name}] already exists")
    on_failure = _on_failure(request)
    stack = new_stack(ctx, name)
    prepared = await prepare(ctx, request, stack, None)
    changes = {
        "termination_protection": bool(request.get("EnableTerminationProtection")),
        "retain_except_on_create": bool(request.get("RetainExceptOnCreate")),
        "policy": await _policy_text(ctx, request, "StackPolicy"),
        "mode": deployment_mode(request),
    }
    asked = Asked(
        on_failure=on_failure,
        disable_rollback=on_failure == "DO_NOTHING",
        timeout_minutes=request.get("TimeoutInMinutes"),
        token=token,
        changes=changes,
    )
    created = await begin_create(ctx, stack, prepared, asked)
    return {"StackId": created.arn, "OperationId": new_uuid(ctx.clock)}


def _on_failure(request: Any) -> str:
    if "OnFailure" in request and "DisableRollback" in request:
        raise ValidationError("You can specify either DisableRollback or OnFailure, but not both.")
    if request.get("DisableRollback") or _config(request).get("DisableRollback"):
        return "DO_NOTHING"
    return str(request.get("OnFailure", "ROLLBACK"))


def _config(request: Any) -> dict[str, Any]:
    return request.get("DeploymentConfig") or {}


def deployment_mode(request: Any) -> str:
    """`STANDARD` or `EXPRESS`; both wait for every resource here."""
    return str(_config(request).get("Mode") or request.get("DeploymentMode") or "STANDARD")


def disables_rollback(request: Any) -> bool:
    """Whether a failed update is to stay as it is."""
    return bool(request.get("DisableRollback") or _config(request).get("DisableRollback"))


async def _policy_text(ctx: Context, request: Any, prefix: str) -> str:
    body, url = request.get(f"{prefix}Body"), request.get(f"{prefix}URL")
    if body is not None and url is not None:
        raise ValidationError("You cannot specify both StackPolicyURL and StackPolicyBody")
    text = await fetch_text(ctx, url, what="StackPolicyURL") if url else body or ""
    if text:
        if len(text.encode()) > POLICY_BYTES_MAX:
            raise ValidationError(f"A stack policy may not exceed {POLICY_BYTES_MAX} bytes.")
        parse_policy(text)
    return str(text)


@operation("UpdateStack", resource=stack_arn)
async def update_stack(ctx: Context, request: Any) -> dict[str, Any]:
    """Bring a stack to another template, parameters or tags."""
    name = request["StackName"]
    stack = await need_living_stack(ctx, name)
    token = request.get("ClientRequestToken", "")
    if token and stack.tokens.get(token) == "update":
        return {"StackId": stack.arn}
    require_updatable(stack, stack)
    prepared = await prepare(ctx, request, stack, stack.settings or stack.target)
    changes: dict[str, Any] = {
        "policy_for_update": await _policy_text(ctx, request, "StackPolicyDuringUpdate"),
        "mode": deployment_mode(request),
    }
    if policy := await _policy_text(ctx, request, "StackPolicy"):
        changes["policy"] = policy
    if "RetainExceptOnCreate" in request:
        changes["retain_except_on_create"] = request["RetainExceptOnCreate"]
    _, differs = await planned(ctx, stack, prepared)
    if not differs and not stack.status.endswith("_FAILED"):
        raise ValidationError("No updates are to be performed.")
    asked = Asked(disable_rollback=disables_rollback(request), token=token, changes=changes)
    updated = await begin_update(ctx, stack, prepared, asked)
    return {"StackId": updated.arn, "OperationId": new_uuid(ctx.clock)}


@operation("DeleteStack", resource=stack_arn)
async def delete_stack(ctx: Context, request: Any) -> dict[str, Any]:
    """Delete a stack and what it made; one that does not exist is no error."""
    for _ in range(_TRIES_MAX - 1):
        try:
            return await _delete(ctx, request)
        except StackChanged:
            continue
    return await _delete(ctx, request)


async def _delete(ctx: Context, request: Any) -> dict[str, Any]:
    stack = await find_stack(ctx, request["StackName"])
    if stack is None or not stack.exists or stack.status == "DELETE_IN_PROGRESS":
        return {}
    if stack.termination_protection:
        raise ValidationError(
            f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        )
    retain = tuple(request.get("RetainResources") or ())
    forced = request.get("DeletionMode") == "FORCE_DELETE_STACK"
    if (retain or forced) and stack.status != "DELETE_FAILED":
        raise ValidationError(
            f"Invalid operation on stack [{stack.arn}]. Specify which resources to retain only "
            "when the stack is in the DELETE_FAILED state."
        )
    if forced:
        retain = (*retain, *await _undeletable(ctx, stack))
    changes: dict[str, Any] = {}
    if role := request.get("RoleARN"):
        await require_role(ctx, role)
        if stack.settings is not None:
            changes["settings"] = msgspec.structs.replace(stack.settings, role_arn=role)
    asked = Asked(token=request.get("ClientRequestToken", ""), retain=retain, changes=changes)
    if stack.status == "CREATE_IN_PROGRESS":
        await interrupt(ctx, stack, "delete", "DELETE_IN_PROGRESS", asked)
        return {}
    if stack.status not in _DELETABLE:
        raise ValidationError(
            f"Stack [{stack.name}] cannot be deleted while in status {stack.status}"
        )
    await begin_phase(ctx, stack, "delete", "removal", "DELETE_IN_PROGRESS", asked)
    return {}


async def _undeletable(ctx: Context, stack: Stack) -> list[str]:
    async def load(tx: Any, scope: Scope) -> list[str]:
        found = await store.scan_resources(tx, scope, stack.id)
        return [name for name, one in found.items() if one.status == "DELETE_FAILED"]

    return await ctx.transact(load)


@operation("CancelUpdateStack", resource=stack_arn)
async def cancel_update_stack(ctx: Context, request: Any) -> dict[str, Any]:
    """Break off an update and go back."""
    stack = await need_living_stack(ctx, request["StackName"])
    if stack.status != "UPDATE_IN_PROGRESS":
        raise ValidationError(
            f"CancelUpdateStack cannot be called from current stack status: {stack.status}"
        )
    asked = Asked(token=request.get("ClientRequestToken", ""))
    await interrupt(ctx, stack, "rollback", stack.status, asked)
    return {}


@operation("ContinueUpdateRollback", resource=stack_arn)
async def continue_update_rollback(ctx: Context, request: Any) -> dict[str, Any]:
    """Go on with a rollback that failed, when its cause has been removed."""
    stack = await need_living_stack(ctx, request["StackName"])
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise ValidationError(
            f"Stack:{stack.arn} is in {stack.status} state and can not continue rolling back."
        )
    skip = tuple(request.get("ResourcesToSkip") or ())

    async def load(tx: Any, scope: Scope) -> list[str]:
        found = await store.scan_resources(tx, scope, stack.id)
        return [n for n in skip if n not in found or found[n].status != "UPDATE_FAILED"]

    wrong = await ctx.transact(load)
    if wrong:
        raise ValidationError(
            "You can skip only resources that are in the UPDATE_FAILED state because a rollback "
            f"failed: {wrong}"
        )
    await _begin_rollback(ctx, stack, request, skip)
    return {}


@operation("RollbackStack", resource=stack_arn)
async def rollback_stack(ctx: Context, request: Any) -> dict[str, Any]:
    """Bring a stack whose creation or update failed, and was left so, back to where it was."""
    stack = await need_living_stack(ctx, request["StackName"])
    if stack.status == "CREATE_FAILED":
        asked = Asked(token=request.get("ClientRequestToken", ""))
        await begin_phase(ctx, stack, "rollback", "removal", "ROLLBACK_IN_PROGRESS", asked)
    elif stack.status == "UPDATE_FAILED":
        await _begin_rollback(ctx, stack, request, ())
    else:
        raise ValidationError(
            f"Stack:{stack.arn} is in {stack.status} state and can not be rolled back."
        )
    return {"StackId": stack.arn, "OperationId": new_uuid(ctx.clock)}


async def _begin_rollback(ctx: Context, stack: Stack, request: Any, skip: tuple[str, ...]) -> None:
    changes: dict[str, Any] = {}
    if role := request.get("RoleARN"):
        await require_role(ctx, role)
        if stack.target is not None:
            changes["target"] = msgspec.structs.replace(stack.target, role_arn=role)
    asked = Asked(token=request.get("ClientRequestToken", ""), skip=skip, changes=changes)
    await begin_phase(ctx, stack, "rollback", "rollback", "UPDATE_ROLLBACK_IN_PROGRESS", asked)


@operation("UpdateTerminationProtection", resource=stack_arn)
async def update_termination_protection(ctx: Context, request: Any) -> dict[str, Any]:
    """Protect a stack from deletion, or stop protecting it."""
    stack = await need_living_stack(ctx, request["StackName"])
    if stack.parent_arn:
        raise ValidationError("Termination protection of a nested stack is set on its root stack.")
    await _change(ctx, stack, termination_protection=request["EnableTerminationProtection"])
    return {"StackId": stack.arn}


@operation("SetStackPolicy", resource=stack_arn)
async def set_stack_policy(ctx: Context, request: Any) -> dict[str, Any]:
    """Say which updates of which resources are allowed."""
    stack = await need_living_stack(ctx, request["StackName"])
    policy = await _policy_text(ctx, request, "StackPolicy")
    if not policy:
        raise ValidationError("You must specify either StackPolicyURL or StackPolicyBody")
    await _change(ctx, stack, policy=policy)
    return {}


@operation("GetStackPolicy", resource=stack_arn)
async def get_stack_policy(ctx: Context, request: Any) -> dict[str, Any]:
    """The stack's policy, if it has one."""
    stack = await need_living_stack(ctx, request["StackName"])
    return {"StackPolicyBody": stack.policy} if stack.policy else {}


async def _change(ctx: Context, stack: Stack, **changes: Any) -> None:
    async def write(tx: Any, scope: Scope) -> None:
        current = await store.load_stack_by_id(tx, scope, stack.id)
        if current is not None:
            await store.STACKS.save(tx, scope, msgspec.structs.replace(current, **changes))

    await ctx.transact(write)
