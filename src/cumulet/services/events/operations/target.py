"""Targets of rules: put, removed, listed."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Arn, Scope, parse_arn
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.services.events.errors import LimitExceededException, ValidationException
from cumulet.services.events.hall import ON_RULE, find_bus
from cumulet.services.events.limits import TARGETS_MAX
from cumulet.services.events.model import Rule, rule_arn
from cumulet.services.events.operations.bus import page_of
from cumulet.services.events.operations.rule import SERVICE, change_rule, find_rule
from cumulet.services.events.targets.inputs import check_input
from cumulet.services.events.targets.roles import check_pass_role
from cumulet.services.events.targets.sending import LOGS_PREFIX

Request = dict[str, Any]

_KNOWN = ("lambda", "sqs", "sns", "events", "logs")
_NOT_HERE = (
    *("KinesisParameters", "RunCommandParameters", "EcsParameters", "BatchParameters"),
    *("HttpParameters", "RedshiftDataParameters", "SageMakerPipelineParameters"),
    "AppSyncParameters",
)


@operation("PutTargets", **ON_RULE)
async def put_targets(ctx: Context, request: Request) -> dict[str, Any]:
    """Add targets to a rule, or change those with the same ids."""
    named, rule = await find_rule(ctx, request, request["Rule"])
    arn = rule_arn(named.scope, named.name, rule.name)
    given = {target["Id"]: target for target in request["Targets"]}
    for target in given.values():
        check_target(target, named.scope, arn)
        if target.get("RoleArn"):
            await check_pass_role(ctx, target["RoleArn"], SERVICE)

    def change(now: Rule) -> tuple[Rule, None]:
        targets = {target["Id"]: target for target in now.targets} | given
        if len(targets) > TARGETS_MAX:
            raise LimitExceededException(
                "The requested resource exceeds the maximum number allowed."
            )
        return msgspec.structs.replace(now, targets=tuple(targets.values())), None

    await change_rule(ctx, named, rule.name, change)
    return {"FailedEntryCount": 0, "FailedEntries": []}


def check_target(target: Request, scope: Scope, rule: str) -> None:
    """Raises ValidationException for a target that a rule cannot have here."""
    name, arn = target["Id"], parse_arn(target["Arn"])
    if arn is None:
        raise ValidationException(
            f"Parameter {target['Arn']} is not valid. "
            "Reason: Provided Arn is not in correct format."
        )
    if arn.service not in _KNOWN or (arn.service == "events" and ":event-bus/" not in str(arn)):
        raise ValidationException(
            f"Parameter {target['Arn']} is not valid. Reason: targets of this kind are not "
            "supported by Cumulet."
        )
    for key in _NOT_HERE:
        if target.get(key):
            raise ValidationException(f"{key} of target {name} is not supported by Cumulet.")
    _check_kind(target, arn, scope)
    check_input(target)
    letter = (target.get("DeadLetterConfig") or {}).get("Arn")
    if letter:
        check_dead_letter(letter, scope)


def _check_kind(target: Request, arn: Arn, scope: Scope) -> None:
    name = target["Id"]
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    is_fifo = arn.resource.endswith(".fifo")
    if arn.service == "sqs" and is_fifo and not group:
        raise ValidationException(
            f"Parameter(s) SqsParameters must be specified for target: {name}."
        )
    if group and arn.service != "sqs":
        raise ValidationException(f"Parameter(s) SqsParameters not supported for target: {name}.")
    if arn.service == "sns" and is_fifo:
        raise ValidationException(f"FIFO topics are not supported as targets: {name}.")
    if arn.service == "logs":
        if not arn.resource.startswith(LOGS_PREFIX):
            raise ValidationException(f"Parameter {target['Arn']} is not valid.")
        if (arn.account, arn.region) != scope:
            raise ValidationException(
                f"Log groups of another account or region are not supported: {name}."
            )
        if target.get("RoleArn"):
            raise ValidationException(f"RoleArn is not supported for target {name}.")


def check_dead_letter(queue: str, scope: Scope) -> None:
    """Raises ValidationException unless dead letters can go there."""
    arn = parse_arn(queue)
    if arn is None or arn.service != "sqs" or arn.resource.endswith(".fifo"):
        raise ValidationException(
            f"Parameter {queue} is not valid. Reason: dead letters go to a standard SQS queue."
        )
    if arn.region != scope.region:
        raise ValidationException(
            f"Parameter {queue} is not valid. Reason: the queue must be of the same region."
        )


@operation("RemoveTargets", **ON_RULE)
async def remove_targets(ctx: Context, request: Request) -> dict[str, Any]:
    """Take targets away by their ids."""
    named, _ = await find_bus(ctx, request.get("EventBusName"))
    ids = set(request["Ids"])

    def change(now: Rule) -> tuple[Rule, list[str]]:
        kept = tuple(target for target in now.targets if target["Id"] not in ids)
        unknown = sorted(ids - {target["Id"] for target in now.targets})
        return msgspec.structs.replace(now, targets=kept), unknown

    unknown = await change_rule(ctx, named, request["Rule"], change)
    failed = [
        {
            "TargetId": one,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"Rule {request['Rule']} does not have target {one}.",
        }
        for one in unknown
    ]
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@operation("ListTargetsByRule", **ON_RULE)
async def list_targets_by_rule(ctx: Context, request: Request) -> dict[str, Any]:
    """The targets of a rule."""
    named, rule = await find_rule(ctx, request, request["Rule"])
    most, after = page_of(request)
    targets = sorted(rule.targets, key=lambda target: str(target["Id"]))
    page = [target for target in targets if not after or target["Id"] > after[-1]]
    answer: dict[str, Any] = {"Targets": page[:most]}
    if len(page) > most:
        answer["NextToken"] = make_token([named.name, page[most - 1]["Id"]])
    return answer
