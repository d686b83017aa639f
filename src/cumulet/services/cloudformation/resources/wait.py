"""Wait conditions and their handles.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import (
    NUMBER,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.services.cloudformation.engine.schedule import StepFailed
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import SIGNALS_MAX, WAIT_SECONDS_MAX
from cumulet.services.cloudformation.resources.tickets import (
    open_ticket,
    ticket_url,
    wait_for_answers,
)


async def _create_handle(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    purpose = f"{draft.stack_id}/{draft.logical_id}/{draft.token}/handle"
    ticket = await open_ticket(ctx, purpose, "signal", draft.stack_id, draft.logical_id)
    return Provisioned(ticket_url(ctx, ticket))


async def _keep(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return Provisioned(physical_id)


async def _delete_nothing(ctx: Context, physical_id: str, props: Props) -> None:
    """The addresses of a stack go with it."""


async def _create_condition(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    count, seconds = int(props.get("Count", 1)), int(props["Timeout"])
    if not 0 <= count <= SIGNALS_MAX or not 1 <= seconds <= WAIT_SECONDS_MAX:
        raise ValidationError("Count or Timeout of the WaitCondition is out of range.")
    secret = props["Handle"].rsplit("/", 1)[-1]
    physical_id = f"{draft.stack_id}/{draft.logical_id}/{draft.token[:12]}"
    begun = await open_ticket(
        ctx, f"{physical_id}/begun", "begun", draft.stack_id, draft.logical_id
    )
    deadline = begun.created_at + seconds
    have: dict[str, Any] = {}
    wanted = 1  # Each answer is looked at as it comes: one failure is enough.
    while len(have) < count:
        try:
            answers = await wait_for_answers(ctx, secret, wanted, deadline, draft.stack_id)
        except TimeoutError:
            raise PartlyMade(physical_id) from StepFailed(
                f"WaitCondition timed out. Received {len(have)} conditions when expecting {count}"
            )
        for answer in map(json.loads, answers):
            if answer.get("Status") != "SUCCESS":
                reason = answer.get("Reason", "")
                raise PartlyMade(physical_id) from StepFailed(
                    f"WaitCondition received failed message: '{reason}'"
                )
            have[str(answer.get("UniqueId"))] = answer.get("Data", "")
        wanted = len(answers) + 1
    return Provisioned(physical_id, {"Data": json.dumps(have, separators=(",", ":"))})


WAIT_HANDLE = ResourceType(
    name="AWS::CloudFormation::WaitConditionHandle",
    properties=struct({}),
    create=_create_handle,
    update=_keep,
    delete=_delete_nothing,
)

WAIT_CONDITION = ResourceType(
    name="AWS::CloudFormation::WaitCondition",
    properties=struct({"Count": NUMBER, "Handle": TEXT, "Timeout": NUMBER}, "Handle", "Timeout"),
    create=_create_condition,
    delete=_delete_nothing,
    attributes=frozenset({"Data"}),
)
