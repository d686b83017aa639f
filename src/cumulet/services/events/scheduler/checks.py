"""What a schedule may be: its expression, its window, its target."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import parse_arn
from cumulet.services.events.errors import ValidationException
from cumulet.services.events.expressions import InvalidExpression, parse_expression
from cumulet.services.events.limits import INPUT_BYTES_MAX
from cumulet.services.events.scheduler.firing import CALLS, SERVICE, UNIVERSAL
from cumulet.services.events.scheduler.timing import zone_of
from cumulet.services.events.targets.roles import Roles, check_pass_role

_KNOWN = ("lambda", "sqs", "sns", "events")
_NOT_HERE = (
    "EcsParameters",
    "KinesisParameters",
    "SageMakerPipelineParameters",
    "EventBridgePutEventsV2Parameters",
    "EventBridgePutRawEventsParameters",
)


def check_times(request: Mapping[str, Any]) -> None:
    """Raises ValidationException for an expression, zone, window or dates that cannot be."""
    expression = request["ScheduleExpression"]
    try:
        parse_expression(expression)
    except InvalidExpression as cause:
        raise ValidationException(f"Invalid Schedule Expression {expression}.") from cause
    zone = request.get("ScheduleExpressionTimezone")
    try:
        zone_of(zone or "UTC")
    except ValueError as cause:
        raise ValidationException(f"Invalid Timezone {zone}.") from cause
    window = request["FlexibleTimeWindow"]
    minutes = window.get("MaximumWindowInMinutes")
    if (window["Mode"] == "FLEXIBLE") != (minutes is not None):
        raise ValidationException(
            "MaximumWindowInMinutes must be specified for FLEXIBLE windows, and only for them."
        )
    start, end = request.get("StartDate"), request.get("EndDate")
    if start is not None and end is not None and seconds_of(start) >= seconds_of(end):
        raise ValidationException("The StartDate you specify must come before the EndDate.")
    if request.get("KmsKeyArn"):
        raise ValidationException("KmsKeyArn is not supported by Cumulet.")


def seconds_of(time: Any) -> float:
    """A timestamp of a request in epoch seconds."""
    return float(time.timestamp()) if hasattr(time, "timestamp") else float(time)


async def check_target(ctx: Context, target: Mapping[str, Any], schedule: str) -> None:
    """Raises ValidationException for a target that cannot be; AccessDenied when not passed."""
    arn = parse_arn(target["Arn"])
    if arn is None:
        raise ValidationException(f"Provided Arn is not in correct format: {target['Arn']}")
    for key in _NOT_HERE:
        if target.get(key):
            raise ValidationException(f"{key} is not supported by Cumulet.")
    if arn.service == "scheduler":
        _check_universal(arn.resource, target)
    elif arn.service not in _KNOWN:
        raise ValidationException(
            f"Targets of {arn.service} are not supported by Cumulet: {target['Arn']}"
        )
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if arn.service == "sqs" and arn.resource.endswith(".fifo") and not group:
        raise ValidationException("MessageGroupId must be specified for a FIFO queue.")
    if group and arn.service != "sqs":
        raise ValidationException("SqsParameters are for queues only.")
    if arn.service == "sns" and arn.resource.endswith(".fifo"):
        raise ValidationException("FIFO topics are not supported as targets.")
    _check_bus(arn.service, target)
    if len((target.get("Input") or "").encode()) > INPUT_BYTES_MAX:
        raise ValidationException("The input is too long.")
    await _check_role(ctx, target["RoleArn"], schedule)


def _check_universal(resource: str, target: Mapping[str, Any]) -> None:
    action = resource.removeprefix(UNIVERSAL)
    if not resource.startswith(UNIVERSAL) or action not in CALLS:
        raise ValidationException(
            f"The universal target {target['Arn']} is not supported by Cumulet, which knows "
            f"{', '.join(sorted(CALLS))}."
        )
    _check_json(target.get("Input") or "")


def _check_bus(service: str, target: Mapping[str, Any]) -> None:
    given = target.get("EventBridgeParameters") or {}
    if (service == "events") != bool(given):
        raise ValidationException(
            "EventBridgeParameters must be specified for event buses, and only for them."
        )
    if service == "events":
        if "$" in given["Source"]:
            raise ValidationException("Paths in Source are not supported by Cumulet.")
        _check_json(target.get("Input") or "{}")


def _check_json(text: str) -> None:
    try:
        is_object = isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise ValidationException("Invalid Input: it must be a JSON object for this target.")


async def _check_role(ctx: Context, role: str, schedule: str) -> None:
    await check_pass_role(ctx, role, SERVICE)
    try:
        await ctx.need(Roles).take(role, SERVICE, schedule)
    except AccessDenied as cause:
        raise ValidationException(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the "
            "role."
        ) from cause
