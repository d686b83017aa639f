"""Custom resources: made by a Lambda function that answers at an address of ours.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import parse_arn
from cumulet.kit.resources import (
    CUSTOM_RESOURCE,
    Draft,
    Kind,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
)
from cumulet.services.cloudformation.engine.schedule import StepFailed
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import CUSTOM_SECONDS_DEFAULT
from cumulet.services.cloudformation.planning.opening import ANY_ATTRIBUTE
from cumulet.services.cloudformation.resources.tickets import (
    mark_sent,
    open_ticket,
    ticket_url,
    wait_for_answers,
)
from cumulet.services.cloudformation.template.values import as_text


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _ask(ctx, "Create", props, draft, {})


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if old.get("ServiceToken") != new.get("ServiceToken"):
        raise ValidationError("Modifying service token is not allowed.")
    more = {"PhysicalResourceId": physical_id, "OldResourceProperties": _texts(old)}
    return await _ask(ctx, "Update", new, draft, more)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    raise TypeError("the function of a custom resource must be told of the stack")


async def _delete_knowing(ctx: Context, physical_id: str, props: Props, draft: Draft) -> None:
    await _ask(ctx, "Delete", props, draft, {"PhysicalResourceId": physical_id})


async def _ask(
    ctx: Context, kind: str, props: Props, draft: Draft, more: Mapping[str, Any]
) -> Provisioned:
    function = _function(props)
    seconds = _seconds(props)
    shown = _texts(props)
    purpose = f"{draft.stack_id}/{draft.logical_id}/{draft.token}/{kind}"
    ticket = await open_ticket(ctx, purpose, "response", draft.stack_id, draft.logical_id)
    request_id = str(uuid.UUID(ticket.secret[:32]))
    request = {
        "RequestType": kind,
        "ServiceToken": function,
        "ResponseURL": ticket_url(ctx, ticket),
        "StackId": draft.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": draft.logical_id,
        "ResourceType": draft.type_name or CUSTOM_RESOURCE,
        "ResourceProperties": shown,
        **more,
    }
    if not ticket.sent:
        await ctx.call(
            "lambda",
            "Invoke",
            FunctionName=function,
            InvocationType="Event",
            Payload=json.dumps(request).encode(),
        )
        await mark_sent(ctx, ticket)
    # A deletion is not broken off because its stack goes back: that is what it is part of.
    stack = "" if kind == "Delete" else draft.stack_id
    deadline = ticket.created_at + seconds
    try:
        answers = await wait_for_answers(ctx, ticket.secret, 1, deadline, stack)
    except TimeoutError:
        raise StepFailed(
            "CloudFormation did not receive a response from your Custom Resource. Please check "
            f"your logs for requestId [{request_id}]. If you are using the Python "
            "cfn-response module, you may need to update your Lambda function code so that "
            "CloudFormation can attach the updated version."
        ) from None
    return _finished(kind, json.loads(answers[0]), request)


def _finished(kind: str, answer: Mapping[str, Any], request: Mapping[str, Any]) -> Provisioned:
    physical_id = str(answer.get("PhysicalResourceId") or request.get("PhysicalResourceId") or "")
    reason = str(answer.get("Reason") or "")
    request_id = request["RequestId"]
    if answer.get("Status") == "SUCCESS":
        if not physical_id:
            raise StepFailed("Invalid PhysicalResourceId")
        data = answer.get("Data")
        return Provisioned(physical_id, data if isinstance(data, dict) else {})
    failure = StepFailed(
        f"Received response status [{answer.get('Status')}] from custom resource. Message "
        f"returned: {reason} (RequestId: {request_id})"
    )
    if kind == "Create" and physical_id:
        raise PartlyMade(physical_id) from failure
    raise failure


def _function(props: Props) -> str:
    token = props.get("ServiceToken")
    if not isinstance(token, str) or not token:
        raise ValidationError("Property ServiceToken cannot be empty.")
    arn = parse_arn(token)
    if arn is None or arn.service not in ("lambda", "sns"):
        raise ValidationError(f"Invalid service token: {token}")
    if arn.service == "sns":
        raise ValidationError(
            "ServiceToken names an SNS topic: SNS is not implemented, use a Lambda function."
        )
    return token


def _seconds(props: Props) -> float:
    given = props.get("ServiceTimeout")
    if given is None:
        return CUSTOM_SECONDS_DEFAULT
    text = as_text(given) or ""
    if not text.isdigit() or not 1 <= int(text) <= CUSTOM_SECONDS_DEFAULT:
        raise ValidationError("ServiceTimeout must be between 1 and 3600 seconds.")
    return float(text)


def _texts(value: Any) -> Any:
    """Every scalar as text, as functions of custom resources get them on AWS."""
    if isinstance(value, Mapping):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return as_text(value)


CUSTOM = ResourceType(
    name=CUSTOM_RESOURCE,
    properties=Kind("map"),
    create=_create,
    update=_update,
    delete=_delete,
    delete_knowing=_delete_knowing,
    attributes=frozenset({ANY_ATTRIBUTE}),
)
