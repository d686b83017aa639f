"""Permissions by label: statements of a topic's policy, added and removed one by one."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import is_account
from cumulet.kit.service import operation
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.hall import ON_TOPIC, find_topic
from cumulet.services.sns.limits import PERMISSION_LABEL_MAX, STATEMENTS_MAX
from cumulet.services.sns.model import Topic, topic_arn
from cumulet.services.sns.operations.topic import change_topic
from cumulet.services.sns.rules.attributes import policy_of

Request = dict[str, Any]

_SHARED = frozenset(
    ("Publish", "RemovePermission", "SetTopicAttributes", "DeleteTopic",
     "ListSubscriptionsByTopic", "GetTopicAttributes", "Receive", "AddPermission", "Subscribe",
     "*")
)  # fmt: skip


@operation("AddPermission", **ON_TOPIC)
async def add_permission(ctx: Context, request: Request) -> None:
    """Let accounts do some actions on a topic."""
    scope, ready = await find_topic(ctx, request["TopicArn"])
    statement = _statement(topic_arn(scope, ready.topic.name), request)

    def add(now: Topic) -> Topic:
        document = json.loads(policy_of(scope, now))
        statements = _listed(document["Statement"])
        if any(one.get("Sid") == statement["Sid"] for one in statements):
            raise invalid("Statement already exists")
        if len(statements) >= STATEMENTS_MAX:
            raise invalid("Policy Error: too many statements")
        return _with(now, {**document, "Statement": [*statements, statement]})

    await change_topic(ctx, scope, ready.topic, add)


def _statement(arn: str, request: Request) -> dict[str, Any]:
    label, accounts, actions = request["Label"], request["AWSAccountId"], request["ActionName"]
    if not 0 < len(label) <= PERMISSION_LABEL_MAX:
        raise invalid("Label")
    if not accounts or not all(is_account(one) for one in accounts):
        raise invalid("AWSAccountId")
    for action in actions:
        if action not in _SHARED:
            raise invalid("Policy statement action out of service scope!")
    named = [f"arn:aws:iam::{account}:root" for account in accounts]
    done = [f"SNS:{action}" for action in actions]
    return {
        "Sid": label,
        "Effect": "Allow",
        "Principal": {"AWS": named[0] if len(named) == 1 else named},
        "Action": done[0] if len(done) == 1 else done,
        "Resource": arn,
    }


@operation("RemovePermission", **ON_TOPIC)
async def remove_permission(ctx: Context, request: Request) -> None:
    """Remove the statement with that label, if there is one."""
    scope, ready = await find_topic(ctx, request["TopicArn"])
    label = request["Label"]

    def remove(now: Topic) -> Topic:
        document = json.loads(policy_of(scope, now))
        statements = _listed(document["Statement"])
        kept = [one for one in statements if one.get("Sid") != label]
        return _with(now, {**document, "Statement": kept}) if kept else _with(now, None)

    await change_topic(ctx, scope, ready.topic, remove)


def _listed(statements: Any) -> list[dict[str, Any]]:
    return statements if isinstance(statements, list) else [statements]


def _with(topic: Topic, document: dict[str, Any] | None) -> Topic:
    attributes = {key: value for key, value in topic.attributes.items() if key != "Policy"}
    if document is not None:
        attributes["Policy"] = json.dumps(document)
    return msgspec.structs.replace(topic, attributes=attributes)
