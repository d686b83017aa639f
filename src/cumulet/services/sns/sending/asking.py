"""Questions to endpoints: whether they want a topic's messages, and that they get no more."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.workers.deliveries import Load
from cumulet.services.sns.model import Message, Subscription, Topic, topic_arn
from cumulet.services.sns.sending.carry import TopicDeliveries, question

_encode: Any = msgspec.msgpack.encode


def invitation(ctx: Context, scope: Scope, topic: Topic, one: Subscription, token: str) -> Load:
    """The message that asks to confirm a subscription."""
    text = (
        f"You have chosen to subscribe to the topic {topic_arn(scope, topic.name)}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    return _load(ctx, scope, topic, one, "SubscriptionConfirmation", text, token)


def farewell(ctx: Context, scope: Scope, topic: Topic, one: Subscription, token: str) -> Load:
    """The message that tells of a subscription's end, with the way back."""
    text = (
        "You have chosen to deactivate subscription "
        f"{topic_arn(scope, topic.name)}:{one.id}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included "
        "in this message."
    )
    return _load(ctx, scope, topic, one, "UnsubscribeConfirmation", text, token)


def _load(
    ctx: Context,
    scope: Scope,
    topic: Topic,
    one: Subscription,
    kind: str,
    text: str,
    token: str,
) -> Load:
    now = ctx.clock.now()
    version = topic.attributes.get("SignatureVersion", "1")
    arn = topic_arn(scope, topic.name)
    message = Message(
        new_uuid(ctx.clock), arn, now, text, kind=kind, token=token, signature_version=version
    )
    sequence = ctx.need(TopicDeliveries).next_sequence()
    return Load(message.id, _encode(message), [question(scope, one)], now, sequence)
