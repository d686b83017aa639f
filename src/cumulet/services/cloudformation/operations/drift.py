"""Operations that compare what stands with what the template says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.resources import ResourceTypes
from cumulet.kit.service import operation
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import DriftRun, Resource, Stack
from cumulet.services.cloudformation.operations.describe import load_resources
from cumulet.services.cloudformation.operations.finding import (
    need_living_stack,
    page,
    page_start,
    stack_arn,
)
from cumulet.services.cloudformation.planning.differences import differences
from cumulet.services.cloudformation.planning.intake import safe_of
from cumulet.services.cloudformation.template.lookups import resolved
from cumulet.services.cloudformation.template.values import to_json

_STABLE = frozenset(
    (
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
    )
)


async def _drift_stack(ctx: Context, name: str) -> Stack:
    stack = await need_living_stack(ctx, name)
    if stack.status not in _STABLE:
        raise ValidationError(
            f"Drift detection cannot be performed on stack [{stack.arn}] while it is in "
            f"{stack.status} state"
        )
    return stack


@operation("DetectStackDrift", resource=stack_arn)
async def detect_stack_drift(ctx: Context, request: Any) -> dict[str, Any]:
    """Compare every resource; the result is asked for by the id in the answer."""
    stack = await _drift_stack(ctx, request["StackName"])
    wanted = set(request.get("LogicalResourceIds") or ())
    checked: list[Resource] = []
    for one in await load_resources(ctx, stack):
        if one.is_there and (not wanted or one.logical_id in wanted):
            checked.append(await _check(ctx, one))
    drifted = [one for one in checked if one.drift in ("MODIFIED", "DELETED")]
    run = DriftRun(
        id=new_uuid(ctx.clock),
        stack_id=stack.id,
        status="DETECTION_COMPLETE",
        at=ctx.clock.now(),
        drift="DRIFTED" if drifted else "IN_SYNC",
        drifted_count=len(drifted),
    )

    async def write(tx: Any, scope: Scope) -> None:
        for one in checked:
            await _save(tx, scope, one)
        current = await store.load_stack_by_id(tx, scope, stack.id)
        if current is not None:
            await store.STACKS.save(
                tx,
                scope,
                msgspec.structs.replace(current, drift=run.drift, drift_checked_at=run.at),
            )
        await store.DRIFT_RUNS.save(tx, scope, run)

    await ctx.transact(write)
    return {"StackDriftDetectionId": run.id}


async def _save(tx: Any, scope: Scope, checked: Resource) -> None:
    """Keep the finding, unless the resource has changed since it was read."""
    current = await store.RESOURCES.load(tx, scope, checked.stack_id, checked.logical_id)
    if current is not None and current.updated_at == checked.updated_at:
        await store.RESOURCES.save(tx, scope, checked)


async def _check(ctx: Context, resource: Resource) -> Resource:
    type_ = ctx.need(ResourceTypes)[resource.type]
    safe = safe_of(ctx)
    status = "NOT_CHECKED"
    found: dict[str, Any] = {}
    if type_.read is not None:
        recorded = safe.take(resource.properties)
        expected = await resolved(ctx, resource.type, recorded)
        try:
            live = await type_.read(ctx, resource.physical_id, expected)
        except AwsError as cause:
            raise ValidationError(
                f"Failed to detect drift on resource [{resource.logical_id}]: {cause.message}"
            ) from cause
        status, found = _compared(expected, live)
    return msgspec.structs.replace(
        resource,
        drift=status,
        drift_checked_at=ctx.clock.now(),
        drift_details=safe.put(found),
    )


def _compared(
    expected: Mapping[str, Any], live: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    if live is None:
        return "DELETED", {"expected": dict(expected), "actual": {}, "differences": []}
    told = {name: value for name, value in expected.items() if name in live}
    found = differences(told, {name: live[name] for name in told})
    details = {"expected": dict(expected), "actual": dict(live), "differences": found}
    return ("MODIFIED" if found else "IN_SYNC"), details


@operation("DetectStackResourceDrift", resource=stack_arn)
async def detect_stack_resource_drift(ctx: Context, request: Any) -> dict[str, Any]:
    """Compare one resource."""
    stack = await _drift_stack(ctx, request["StackName"])
    logical_id = request["LogicalResourceId"]
    for one in await load_resources(ctx, stack):
        if one.logical_id == logical_id and one.is_there:
            checked = await _check(ctx, one)

            async def write(tx: Any, scope: Scope, checked: Resource = checked) -> None:
                await _save(tx, scope, checked)

            await ctx.transact(write)
            return {"StackResourceDrift": _shown(ctx, stack, checked)}
    raise ValidationError(f"Resource {logical_id} does not exist for stack {stack.name}")


@operation("DescribeStackDriftDetectionStatus", resource="*")
async def describe_stack_drift_detection_status(ctx: Context, request: Any) -> dict[str, Any]:
    """How a detection ended."""
    detection_id = request["StackDriftDetectionId"]

    async def load(tx: Any, scope: Scope) -> tuple[DriftRun, Stack] | None:
        run = await store.DRIFT_RUNS.load(tx, scope, detection_id)
        stack = await store.load_stack_by_id(tx, scope, run.stack_id) if run else None
        return (run, stack) if run is not None and stack is not None else None

    found = await ctx.transact(load)
    if found is None:
        raise ValidationError(f"Drift detection {detection_id} does not exist")
    run, stack = found
    return {
        "StackId": stack.arn,
        "StackDriftDetectionId": run.id,
        "StackDriftStatus": run.drift,
        "DetectionStatus": run.status,
        "DriftedStackResourceCount": run.drifted_count,
        "Timestamp": run.at,
    }


@operation("DescribeStackResourceDrifts", resource=stack_arn)
async def describe_stack_resource_drifts(ctx: Context, request: Any) -> dict[str, Any]:
    """What the last detections found, resource by resource."""
    stack = await need_living_stack(ctx, request["StackName"])
    wanted = set(request.get("StackResourceDriftStatusFilters") or ())
    start = page_start(request)
    size = int(request.get("MaxResults") or limits.PAGE_ITEMS)
    resources = [
        one
        for one in await load_resources(ctx, stack)
        if one.is_there
        and one.drift_checked_at is not None
        and (not wanted or one.drift in wanted)
        and (start is None or one.logical_id > start)
    ]
    found = page("StackResourceDrifts", resources, size, lambda one: one.logical_id)
    found["StackResourceDrifts"] = [_shown(ctx, stack, one) for one in found["StackResourceDrifts"]]
    return found


def _shown(ctx: Context, stack: Stack, resource: Resource) -> dict[str, Any]:
    details = safe_of(ctx).take(resource.drift_details)
    shown: dict[str, Any] = {
        "StackId": stack.arn,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        "StackResourceDriftStatus": resource.drift,
        "Timestamp": resource.drift_checked_at,
    }
    if resource.drift in ("MODIFIED", "IN_SYNC"):
        shown["ExpectedProperties"] = to_json(details["expected"])
        shown["ActualProperties"] = to_json(details["actual"])
        shown["PropertyDifferences"] = details["differences"]
    return shown
