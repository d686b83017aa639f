"""Permissions by label: statements of a queue's policy, added and removed one by one."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, is_account
from cumulet.kit.service import operation
from cumulet.services.sqs.errors import InvalidParameterValueException, OverLimit, invalid_value
from cumulet.services.sqs.hall import find_queue, queue_policy, queue_resource
from cumulet.services.sqs.limits import (
    PERMISSION_ACTIONS_MAX,
    PERMISSION_LABEL_MAX,
    STATEMENTS_MAX,
)
from cumulet.services.sqs.model import Queue, queue_arn
from cumulet.services.sqs.operations.queue import change_queue

Request = dict[str, Any]
Statements = list[dict[str, Any]]

_SHARED = frozenset(
    ("*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility",
     "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue")
)  # fmt: skip


@operation("AddPermission", resource=queue_resource, resource_policy=queue_policy)
async def add_permission(ctx: Context, request: Request) -> None:
    """Let accounts do some actions on a queue."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    statement = _statement(scope, queue, request)
    label = statement["Sid"]

    def add(now: Queue) -> Queue:
        statements = _statements(now)
        if any(one.get("Sid") == label for one in statements):
            raise invalid_value(label, "Label", "Already exists.")
        if len(statements) >= STATEMENTS_MAX:
            raise OverLimit(f"A policy can have {STATEMENTS_MAX} statements.")
        return _with(now, scope, [*statements, statement])

    await change_queue(ctx, scope, queue, add)


def _statement(scope: Scope, queue: Queue, request: Request) -> dict[str, Any]:
    label, accounts, actions = request["Label"], request["AWSAccountIds"], request["Actions"]
    if not 0 < len(label) <= PERMISSION_LABEL_MAX:
        raise invalid_value(
            label, "Label", f"Must be 1 to {PERMISSION_LABEL_MAX} characters in length."
        )
    if not accounts or not actions:
        raise InvalidParameterValueException("AWSAccountIds and Actions must not be empty.")
    if len(actions) > PERMISSION_ACTIONS_MAX:
        raise OverLimit(
            f"{len(actions)} Actions were found, maximum allowed is {PERMISSION_ACTIONS_MAX}."
        )
    for account in accounts:
        if not is_account(account):
            raise invalid_value(accounts, "PrincipalId", "Unable to verify.")
    for action in actions:
        if action not in _SHARED:
            raise invalid_value(
                f"SQS:{action}",
                "ActionName",
                "Only the queue owner is allowed to invoke this action.",
            )
    named = [f"arn:aws:iam::{account}:root" for account in accounts]
    done = [f"SQS:{action}" for action in actions]
    return {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": named[0] if len(named) == 1 else named},
        "Action": done[0] if len(done) == 1 else done,
        "Resource": queue_arn(scope, queue.name),
    }


@operation("RemovePermission", resource=queue_resource, resource_policy=queue_policy)
async def remove_permission(ctx: Context, request: Request) -> None:
    """Remove the statement with that label."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    label = request["Label"]

    def remove(now: Queue) -> Queue:
        statements = _statements(now)
        kept = [one for one in statements if one.get("Sid") != label]
        if len(kept) == len(statements):
            raise invalid_value(label, "Label", "can't find label.")
        return _with(now, scope, kept)

    await change_queue(ctx, scope, queue, remove)


def _statements(queue: Queue) -> Statements:
    given = json.loads(queue.attributes.get("Policy") or "{}").get("Statement", [])
    return given if isinstance(given, list) else [given]


def _with(queue: Queue, scope: Scope, statements: Statements) -> Queue:
    attributes = {key: value for key, value in queue.attributes.items() if key != "Policy"}
    if statements:
        before = json.loads(queue.attributes.get("Policy") or "{}")
        document = {
            "Version": before.get("Version", "2008-10-17"),
            "Id": before.get("Id", f"{queue_arn(scope, queue.name)}/SQSDefaultPolicy"),
            "Statement": statements,
        }
        attributes["Policy"] = json.dumps(document)
    return msgspec.structs.replace(queue, attributes=attributes)
