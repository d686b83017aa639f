"""Publishing: one message, or up to ten; each is on disk for every subscription when answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.core.usage import SNS_FIFO_REQUESTS, SNS_REQUESTS, blocks
from cumulet.kit.ports import Metrics, Usage
from cumulet.kit.service import OwnedPolicies, operation
from cumulet.kit.workers.deliveries import Draft, Load
from cumulet.kv.contract import Transaction
from cumulet.services.sns.errors import (
    BatchEntryIdsNotDistinctException,
    BatchRequestTooLongException,
    EmptyBatchRequestException,
    InvalidBatchEntryIdException,
    TooManyEntriesInBatchRequestException,
    invalid,
    no_topic,
)
from cumulet.services.sns.hall import (
    ON_TOPIC,
    Subscribers,
    TopicHall,
    find_topic,
    name_in,
    owned_topic,
)
from cumulet.services.sns.limits import BATCH_MAX, DEDUPLICATION_SECONDS, MESSAGE_BYTES_MAX
from cumulet.services.sns.model import Deduplication, Message, Topic, topic_arn
from cumulet.services.sns.rules.messages import Published, read_message
from cumulet.services.sns.sending.carry import (
    NAMESPACE,
    TopicDeliveries,
    count_failed,
    notification,
)
from cumulet.services.sns.store import DEDUPLICATIONS, QUEUE, TOPICS

Request = dict[str, Any]

_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")
_encode = msgspec.msgpack.encode


class _Sent(NamedTuple):
    id: str
    sequence: str


def _target(request: Request) -> str:
    if request.get("PhoneNumber"):
        raise invalid("PhoneNumber Reason: text messages are not supported by Cumulet.")
    arn = request.get("TopicArn") or request.get("TargetArn")
    if not arn:
        raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
    if ":endpoint/" in arn:
        raise invalid("TargetArn Reason: mobile push is not supported by Cumulet.")
    return str(arn)


def publish_resource(ctx: Context, request: Request) -> str:
    """The topic that a message is for, as IAM's resource."""
    return name_in(ctx, _target(request)).arn


async def publish_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """Whose the topic is, and its policy."""
    return await owned_topic(ctx, name_in(ctx, _target(request)))


@operation("Publish", resource=publish_resource, resource_policy=publish_policy)
async def publish(ctx: Context, request: Request) -> dict[str, Any]:
    """Give a message to everybody who subscribed to a topic."""
    scope, ready = await find_topic(ctx, _target(request))
    published = read_message(ready.topic, request)
    [sent] = await _send(ctx, scope, ready.topic, [published])
    return _answer(sent)


@operation("PublishBatch", action="Publish", **ON_TOPIC)
async def publish_batch(ctx: Context, request: Request) -> dict[str, Any]:
    """Publish up to ten messages; each succeeds or fails on its own."""
    scope, ready = await find_topic(ctx, request["TopicArn"])
    entries = _check_batch(request["PublishBatchRequestEntries"])
    ids, drafts, failed, total = [], [], [], 0
    for entry in entries:
        try:
            published = read_message(ready.topic, entry)
        except AwsError as error:
            code = error.code.removesuffix("Exception")
            refusal = {"Id": entry["Id"], "Code": code, "Message": error.message}
            failed.append({**refusal, "SenderFault": True})
            total += len((entry.get("Message") or "").encode())
            continue
        total += published.size_bytes
        ids.append(entry["Id"])
        drafts.append(published)
    if total > MESSAGE_BYTES_MAX:
        raise BatchRequestTooLongException(
            "The length of all the messages put together is more than the limit."
        )
    sent = await _send(ctx, scope, ready.topic, drafts) if drafts else []
    done = [{"Id": name, **_answer(one)} for name, one in zip(ids, sent, strict=True)]
    return {"Successful": done, "Failed": failed}


def _check_batch(entries: Sequence[Request]) -> Sequence[Request]:
    if not entries:
        raise EmptyBatchRequestException("The batch request doesn't contain any entries.")
    if len(entries) > BATCH_MAX:
        raise TooManyEntriesInBatchRequestException(
            "The batch request contains more entries than permissible."
        )
    ids = [entry["Id"] for entry in entries]
    if not all(_ENTRY_ID.match(one) for one in ids):
        raise InvalidBatchEntryIdException(
            "The Id of a batch entry in a batch request doesn't abide by the specification."
        )
    if len(set(ids)) != len(ids):
        raise BatchEntryIdsNotDistinctException(
            "Two or more batch entries in the request have the same Id."
        )
    return entries


def _answer(sent: _Sent) -> dict[str, Any]:
    answer = {"MessageId": sent.id}
    if sent.sequence:
        answer["SequenceNumber"] = sent.sequence
    return answer


async def _send(
    ctx: Context, scope: Scope, topic: Topic, drafts: Sequence[Published]
) -> list[_Sent]:
    """Queue messages for all whose filters they pass, in one transaction. Raises NotFound."""
    subscribers = await ctx.need(TopicHall).subscribers(scope, topic.name)
    messages = [_message(ctx, scope, topic, one) for one in drafts]
    loads = [_load(ctx, scope, one, subscribers) for one in messages]

    async def write(tx: Transaction, _: Scope) -> tuple[list[_Sent], int] | None:
        now = await TOPICS.load(tx, scope, topic.name)
        if now is None or now.uid != topic.uid:
            return None
        sent, full = [], 0
        for message, load in zip(messages, loads, strict=True):
            known = await _deduplicate(tx, scope, now, message)
            if known is None:
                known = _Sent(message.id, message.sequence)
                full += len(await QUEUE.add(tx, scope, load))
            sent.append(known)
        return sent, full

    outcome = await ctx.transact(write)
    if outcome is None:
        raise no_topic()
    _measure(ctx, scope, topic, drafts, len(loads) * _confirmed(subscribers), loads)
    if outcome[1]:
        count_failed(ctx, scope, topic.name, "too many messages wait already", outcome[1])
    return outcome[0]


def _message(ctx: Context, scope: Scope, topic: Topic, published: Published) -> Message:
    number = ctx.need(TopicDeliveries).next_sequence() if topic.is_fifo else 0
    return Message(
        new_uuid(ctx.clock),
        topic_arn(scope, topic.name),
        ctx.clock.now(),
        published.text,
        texts=published.texts,
        subject=published.subject,
        attributes=published.attributes,
        group=published.group,
        deduplication=published.deduplication,
        sequence=f"{number:020d}" if topic.is_fifo else "",
        signature_version=topic.attributes.get("SignatureVersion", "1"),
        trace_header=ctx.kept_trace_header,
    )


def _load(ctx: Context, scope: Scope, message: Message, subscribers: Subscribers) -> Load:
    drafts: list[Draft] = []
    for subscriber in subscribers.values():
        one = subscriber.subscription
        if one.is_pending or (subscriber.passes is not None and not subscriber.passes(message)):
            continue
        drafts.append(notification(scope, one, message.group if message.sequence else ""))
    sequence = ctx.need(TopicDeliveries).next_sequence(max(1, len(drafts)))
    return Load(message.id, _encode(message), drafts, message.published_at, sequence)


async def _deduplicate(
    tx: Transaction, scope: Scope, topic: Topic, message: Message
) -> _Sent | None:
    """The message that this one repeats; else it is remembered itself."""
    if not message.sequence:
        return None
    by_group = topic.attributes.get("FifoThroughputScope") == "MessageGroup"
    # A group's name cannot be empty, so the topic's own place is no group's.
    place = message.group if by_group else ""
    known = await DEDUPLICATIONS.load(tx, scope, topic.uid, place, message.deduplication)
    if known is not None and known.expires_at > message.published_at:
        return _Sent(known.message_id, known.sequence)
    expires = message.published_at + DEDUPLICATION_SECONDS
    fresh = Deduplication(
        topic.uid, place, message.deduplication, expires, message.id, message.sequence
    )
    await DEDUPLICATIONS.save(tx, scope, fresh)
    return None


def _confirmed(subscribers: Subscribers) -> int:
    return sum(not one.subscription.is_pending for one in subscribers.values())


def _measure(
    ctx: Context,
    scope: Scope,
    topic: Topic,
    drafts: Sequence[Published],
    possible: int,
    loads: Sequence[Load],
) -> None:
    metrics = ctx.need(Metrics)
    named = (("TopicName", topic.name),)
    metrics.record(scope, NAMESPACE, "NumberOfMessagesPublished", named, len(drafts))
    for one in drafts:
        metrics.record(scope, NAMESPACE, "PublishSize", named, one.size_bytes, "Bytes")
    charged = SNS_FIFO_REQUESTS if topic.is_fifo else SNS_REQUESTS
    count = sum(blocks(one.size_bytes) for one in drafts)
    if count:
        arn = topic_arn(scope, topic.name)
        ctx.need(Usage).used(scope, arn, charged, float(count), ctx.trace)
    left_out = possible - sum(len(load.drafts) for load in loads)
    if left_out:
        metrics.record(scope, NAMESPACE, "NumberOfNotificationsFilteredOut", named, left_out)
