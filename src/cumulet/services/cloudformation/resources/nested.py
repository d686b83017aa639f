"""`AWS::CloudFormation::Stack`: a stack as a resource of another.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.resources import (
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.engine.apply import Engine
from cumulet.services.cloudformation.engine.schedule import StepFailed
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import NESTED_DEPTH_MAX
from cumulet.services.cloudformation.model import STACK_TYPE, Stack
from cumulet.services.cloudformation.planning.begin import (
    Asked,
    begin_create,
    begin_phase,
    begin_update,
    new_stack,
    planned,
)
from cumulet.services.cloudformation.planning.intake import prepare
from cumulet.services.cloudformation.planning.opening import ANY_ATTRIBUTE


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    parent = await _load(ctx, draft.stack_id)
    if parent is None or parent.depth >= NESTED_DEPTH_MAX:
        raise ValidationError(f"Stacks can be nested at most {NESTED_DEPTH_MAX} levels deep.")
    name = draft.name(128)
    stack = await _load(ctx, name)
    if stack is None:
        fresh = new_stack(ctx, name, parent)
        prepared = await prepare(ctx, _request(props, parent), fresh, None)
        asked = Asked(token=draft.token, timeout_minutes=_minutes(props))
        stack = await begin_create(ctx, fresh, prepared, asked)
    stack = await _settled(ctx, stack, draft.stack_id)
    if stack.status != "CREATE_COMPLETE":
        failure = StepFailed(_failure(stack, "created"))
        raise PartlyMade(stack.arn) from failure
    return _provisioned(stack)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    stack, parent = await _load(ctx, physical_id), await _load(ctx, draft.stack_id)
    if stack is None or parent is None or not stack.exists:
        raise ValidationError(f"Stack [{physical_id}] does not exist")
    if stack.in_progress:
        stack = await _settled(ctx, stack, draft.stack_id)
    prepared = await prepare(ctx, _request(new, parent), stack, None)
    _, differs = await planned(ctx, stack, prepared)
    if differs or stack.status.endswith("_FAILED"):
        stack = await begin_update(ctx, stack, prepared, Asked(token=""))
        stack = await _settled(ctx, stack, draft.stack_id)
        if stack.status != "UPDATE_COMPLETE":
            raise StepFailed(_failure(stack, "updated"))
    return _provisioned(stack)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    stack = await _load(ctx, physical_id)
    if stack is None or not stack.exists:
        return
    if stack.in_progress:
        stack = await _settled(ctx, stack, "")
    if stack.exists:
        stack = await begin_phase(ctx, stack, "delete", "removal", "DELETE_IN_PROGRESS", Asked())
        stack = await _settled(ctx, stack, "")
    if stack.exists:
        raise StepFailed(_failure(stack, "deleted"))


async def _load(ctx: Context, name_or_arn: str) -> Stack | None:
    async def load(tx: Any, scope: Scope) -> Stack | None:
        return await store.load_stack(tx, scope, name_or_arn)

    return await ctx.transact(load)


async def _settled(ctx: Context, stack: Stack, parent_arn: str) -> Stack:
    """The stack when its work has ended; waiting ends early when the parent goes back."""
    engine = ctx.need(Engine)
    parent = engine.work_on(ctx.scope, parent_arn.rsplit("/", 1)[-1]) if parent_arn else None
    return await engine.wait_until_idle(parent, ctx.scope, stack.id)


def _request(props: Props, parent: Stack) -> dict[str, Any]:
    settings = parent.target or parent.settings
    own = {tag["Key"]: tag["Value"] for tag in props.get("Tags", ())}
    return {
        "TemplateURL": props["TemplateURL"],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in props.get("Parameters", {}).items()
        ],
        "Tags": [{"Key": name, "Value": value} for name, value in own.items()],
        "Capabilities": settings.capabilities if settings is not None else (),
        "NotificationARNs": props.get("NotificationARNs", ()),
    }


def _minutes(props: Props) -> int | None:
    return int(props["TimeoutInMinutes"]) if "TimeoutInMinutes" in props else None


def _failure(stack: Stack, verb: str) -> str:
    return f"Embedded stack {stack.arn} was not successfully {verb}: {stack.status_reason}"


def _provisioned(stack: Stack) -> Provisioned:
    return Provisioned(
        stack.arn, {f"Outputs.{output.key}": output.value for output in stack.outputs}
    )


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    stack = await _load(ctx, physical_id)
    return None if stack is None or not stack.exists else {"TemplateURL": props["TemplateURL"]}


NESTED = ResourceType(
    name=STACK_TYPE,
    properties=struct(
        {
            "NotificationARNs": list_of(TEXT),
            "Parameters": map_of(TEXT),
            "Tags": TAGS,
            "TemplateURL": TEXT,
            "TimeoutInMinutes": NUMBER,
        },
        "TemplateURL",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    attributes=frozenset({ANY_ATTRIBUTE}),
)
