"""Operations that show stacks, their events and their resources."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import Event, Resource, Stack
from cumulet.services.cloudformation.operations.finding import (
    need_stack,
    page,
    page_start,
    stack_arn,
)
from cumulet.services.cloudformation.planning.intake import safe_of
from cumulet.services.cloudformation.template.parameters import MASK


@operation("DescribeStacks", resource=stack_arn)
async def describe_stacks(ctx: Context, request: Any) -> dict[str, Any]:
    """A stack by name or ARN, or every living one."""
    if name := request.get("StackName"):
        stack = await need_stack(ctx, name)
        return {"Stacks": [shown_stack(ctx, stack)]}
    stacks = await _newest_first(ctx, request)
    found = page("Stacks", stacks, limits.PAGE_ITEMS, _position)
    found["Stacks"] = [shown_stack(ctx, one) for one in found["Stacks"] if one.exists]
    return found


@operation("ListStacks", resource="*")
async def list_stacks(ctx: Context, request: Any) -> dict[str, Any]:
    """Summaries of stacks, those that were deleted included."""
    wanted = set(request.get("StackStatusFilter") or ())
    stacks = await _newest_first(ctx, request)
    found = page("StackSummaries", stacks, limits.PAGE_ITEMS, _position)
    found["StackSummaries"] = [
        _summary(one) for one in found["StackSummaries"] if not wanted or one.status in wanted
    ]
    return found


def _position(stack: Stack) -> list[Any]:
    return [int(stack.created_at * 1e6), stack.id]


async def _newest_first(ctx: Context, request: Any) -> list[Stack]:
    start = page_start(request)

    async def load(tx: Any, scope: Scope) -> list[Stack]:
        return await store.STACKS.lookup(
            tx,
            scope,
            "created",
            limit=limits.PAGE_ITEMS + 1,
            after=tuple(start) if start else None,
            reverse=True,
        )

    return await ctx.transact(load)


def shown_stack(ctx: Context, stack: Stack) -> dict[str, Any]:
    """A stack as DescribeStacks shows it."""
    settings = stack.shown
    shown: dict[str, Any] = {
        "StackId": stack.arn,
        "StackName": stack.name,
        "CreationTime": stack.created_at,
        "StackStatus": stack.status,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "EnableTerminationProtection": stack.termination_protection,
        "DriftInformation": _drift_information(stack),
        "Tags": [],
        **_times(stack),
    }
    if settings is not None:
        shown["Capabilities"] = list(settings.capabilities)
        shown["Tags"] = [{"Key": k, "Value": v} for k, v in settings.tags.items()]
        shown["Parameters"] = shown_parameters(ctx, settings)
        if settings.description:
            shown["Description"] = settings.description
        if settings.role_arn:
            shown["RoleARN"] = settings.role_arn
    if stack.status_reason and stack.status_reason != "User Initiated":
        shown["StackStatusReason"] = stack.status_reason
    if stack.outputs:
        shown["Outputs"] = [_output(one) for one in stack.outputs]
    if stack.timeout_minutes:
        shown["TimeoutInMinutes"] = stack.timeout_minutes
    if stack.change_set_arn:
        shown["ChangeSetId"] = stack.change_set_arn
    if stack.retain_except_on_create:
        shown["RetainExceptOnCreate"] = True
    if stack.mode != "STANDARD":
        shown["DeploymentConfig"] = {"Mode": stack.mode}
    return shown


def shown_parameters(ctx: Context, settings: Any) -> list[dict[str, Any]]:
    """The parameters of settings, with NoEcho ones masked."""
    values = safe_of(ctx).take(settings.values)
    shown: list[dict[str, Any]] = []
    for name, text in values["given"].items():
        one = {
            "ParameterKey": name,
            "ParameterValue": MASK if name in settings.hidden else text,
        }
        if name in values["looked_up"]:
            one["ResolvedValue"] = MASK if name in settings.hidden else values["looked_up"][name]
        shown.append(one)
    return shown


def _output(output: Any) -> dict[str, Any]:
    shown = {"OutputKey": output.key, "OutputValue": output.value}
    if output.description:
        shown["Description"] = output.description
    if output.export_name:
        shown["ExportName"] = output.export_name
    return shown


def _times(stack: Stack) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if stack.updated_at is not None:
        shown["LastUpdatedTime"] = stack.updated_at
    if stack.deleted_at is not None:
        shown["DeletionTime"] = stack.deleted_at
    if stack.parent_arn:
        shown["ParentId"] = stack.parent_arn
        shown["RootId"] = stack.root_arn
    return shown


def _drift_information(stack: Stack) -> dict[str, Any]:
    shown: dict[str, Any] = {"StackDriftStatus": stack.drift}
    if stack.drift_checked_at is not None:
        shown["LastCheckTimestamp"] = stack.drift_checked_at
    return shown


def _summary(stack: Stack) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "StackId": stack.arn,
        "StackName": stack.name,
        "CreationTime": stack.created_at,
        "StackStatus": stack.status,
        "DriftInformation": _drift_information(stack),
        **_times(stack),
    }
    if stack.shown is not None and stack.shown.description:
        shown["TemplateDescription"] = stack.shown.description
    if stack.status_reason and stack.status_reason != "User Initiated":
        shown["StackStatusReason"] = stack.status_reason
    return shown


@operation("DescribeStackEvents", resource=stack_arn)
async def describe_stack_events(ctx: Context, request: Any) -> dict[str, Any]:
    """A stack's history, the newest first."""
    stack = await need_stack(ctx, request["StackName"], "Stack [{}] does not exist")
    start = page_start(request)

    async def load(tx: Any, scope: Scope) -> list[Event]:
        return await store.EVENTS.scan(
            tx,
            scope,
            stack.id,
            limit=limits.PAGE_ITEMS + 1,
            after=(stack.id, start) if start is not None else None,
            reverse=True,
        )

    events = await ctx.transact(load)
    found = page("StackEvents", events, limits.PAGE_ITEMS, lambda event: event.ordinal)
    found["StackEvents"] = [_event(stack, event) for event in found["StackEvents"]]
    return found


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "StackId": stack.arn,
        "EventId": event.id,
        "StackName": stack.name,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": event.at,
        "ResourceStatus": event.status,
    }
    if event.reason:
        shown["ResourceStatusReason"] = event.reason
    if event.token:
        shown["ClientRequestToken"] = event.token
    return shown


async def load_resources(ctx: Context, stack: Stack) -> list[Resource]:
    """A stack's resources in the order of their logical ids."""

    async def load(tx: Any, scope: Scope) -> dict[str, Resource]:
        return await store.scan_resources(tx, scope, stack.id)

    return list((await ctx.transact(load)).values())


@operation("DescribeStackResources", resource=stack_arn)
async def describe_stack_resources(ctx: Context, request: Any) -> dict[str, Any]:
    """The resources of a stack, or of the stack that made a physical resource."""
    name, physical_id = request.get("StackName"), request.get("PhysicalResourceId")
    if name and physical_id:
        raise ValidationError("StackName and PhysicalResourceId cannot both be specified")
    if name:
        stack = await need_stack(ctx, name)
    elif physical_id:
        stack = await _stack_of(ctx, physical_id)
    else:
        raise ValidationError("Either StackName or PhysicalResourceId must be specified")
    logical_id = request.get("LogicalResourceId")
    resources = await load_resources(ctx, stack)
    if logical_id:
        resources = [one for one in resources if one.logical_id == logical_id]
        if not resources:
            raise ValidationError(f"Resource {logical_id} does not exist for stack {stack.name}")
    return {
        "StackResources": [
            {
                "StackName": stack.name,
                "StackId": stack.arn,
                "Timestamp": one.updated_at,
                **_shown(one),
            }
            for one in resources[: limits.PAGE_ITEMS]
        ]
    }


async def _stack_of(ctx: Context, physical_id: str) -> Stack:
    async def load(tx: Any, scope: Scope) -> Stack | None:
        for one in await store.RESOURCES.lookup(
            tx, scope, "physical", physical_id[:1024], limit=limits.PAGE_ITEMS
        ):
            stack = await store.load_stack_by_id(tx, scope, one.stack_id)
            if stack is not None and stack.exists and one.is_there:
                return stack
        return None

    stack = await ctx.transact(load)
    if stack is None:
        raise ValidationError(f"Stack for {physical_id} does not exist")
    return stack


def _shown(resource: Resource) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "DriftInformation": {"StackResourceDriftStatus": resource.drift},
    }
    if resource.physical_id:
        shown["PhysicalResourceId"] = resource.physical_id
    if resource.reason:
        shown["ResourceStatusReason"] = resource.reason
    if resource.drift_checked_at is not None:
        shown["DriftInformation"]["LastCheckTimestamp"] = resource.drift_checked_at
    return shown


@operation("DescribeStackResource", resource=stack_arn)
async def describe_stack_resource(ctx: Context, request: Any) -> dict[str, Any]:
    """One resource of a stack."""
    stack = await need_stack(ctx, request["StackName"], "Stack '{}' does not exist")
    logical_id = request["LogicalResourceId"]

    async def load(tx: Any, scope: Scope) -> Resource | None:
        return await store.RESOURCES.load(tx, scope, stack.id, logical_id)

    one = await ctx.transact(load)
    if one is None:
        raise ValidationError(f"Resource {logical_id} does not exist for stack {stack.name}")
    detail = {
        "StackName": stack.name,
        "StackId": stack.arn,
        "LastUpdatedTimestamp": one.updated_at,
        "Metadata": one.metadata or "{}",
        **_shown(one),
    }
    return {"StackResourceDetail": detail}


@operation("ListStackResources", resource=stack_arn)
async def list_stack_resources(ctx: Context, request: Any) -> dict[str, Any]:
    """Summaries of a stack's resources."""
    stack = await need_stack(ctx, request["StackName"])
    start = page_start(request)
    resources = [
        one for one in await load_resources(ctx, stack) if start is None or one.logical_id > start
    ]
    found = page("StackResourceSummaries", resources, limits.PAGE_ITEMS, lambda o: o.logical_id)
    found["StackResourceSummaries"] = [
        {"LastUpdatedTimestamp": one.updated_at, **_shown(one)}
        for one in found["StackResourceSummaries"]
    ]
    return found
