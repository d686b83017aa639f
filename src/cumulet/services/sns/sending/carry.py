"""Carrying messages out: to queues, functions and endpoints, again where it failed, or to where
dead letters go.

Follows https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from cumulet.core import usage
from cumulet.core.clock import new_uuid
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import Headers, Request
from cumulet.core.identity import Scope, parse_arn, service_principal
from cumulet.core.trace import log_line
from cumulet.kit.ports import Metrics, Usage
from cumulet.kit.workers.deliveries import Deliveries, Draft, Job, Later, may_pass
from cumulet.services.sns.hall import Ready, Subscriber, TopicHall
from cumulet.services.sns.limits import RAW_ATTRIBUTES_MAX
from cumulet.services.sns.model import Message, Subscription, subscription_arn, topic_arn
from cumulet.services.sns.rules.attributes import redrive_target
from cumulet.services.sns.rules.retries import (
    DEFAULT_CONTENT_TYPE,
    content_type_of,
    http_wait,
    managed_wait,
    retry_of,
)
from cumulet.services.sns.sending.endpoints import EndpointError, post
from cumulet.services.sns.sending.envelopes import envelope, lambda_event
from cumulet.services.sns.store import QUEUE

NAMESPACE = "AWS/SNS"
PRINCIPAL = "sns.amazonaws.com"
_AGENT = "Amazon Simple Notification Service Agent"
_BODY_CHARACTERS_MAX = 1_024
_decode = msgspec.msgpack.Decoder(Message).decode


class Refused(Exception):
    """The receiver did not take it. `passes` says whether it may another time."""

    def __init__(self, code: str, reason: str, *, passes: bool) -> None:
        super().__init__(reason)
        self.code = code
        self.passes = passes


class TopicDeliveries(Deliveries):
    """The deliveries of all topics."""

    def __init__(self, platform: Platform) -> None:
        async def carry(job: Job, data: bytes) -> Later | None:
            return await carry_out(platform, job, data)

        super().__init__(platform, QUEUE, carry)


def notification(scope: Scope, one: Subscription, group: str = "") -> Draft:
    """The delivery of a message to a subscription; within a group they keep their order."""
    lane = subscription_arn(scope, one)
    return Draft(f"{lane} {group}" if group else lane, _task(one), bool(group))


def question(scope: Scope, one: Subscription) -> Draft:
    """The delivery of a message that is about the subscription itself."""
    return Draft(f"{subscription_arn(scope, one)} about", _task(one))


def _task(one: Subscription) -> dict[str, Any]:
    return {"topic": one.topic, "id": one.id, "protocol": one.protocol, "endpoint": one.endpoint}


async def carry_out(platform: Platform, job: Job, data: bytes) -> Later | None:
    """One attempt of a delivery; says when to try again."""
    message = _decode(data)
    topic, name = job.task["topic"], job.task["id"]
    hall = platform.need(TopicHall)
    ready = await hall.find(job.scope, topic)
    subscriber = (await hall.subscribers(job.scope, topic)).get(name)
    is_notice = message.kind == "Notification"
    if ready is None or (subscriber is None and message.kind != "UnsubscribeConfirmation"):
        return None
    if subscriber is None:
        one = Subscription(topic, name, job.task["protocol"], job.task["endpoint"], "", 0.0)
        subscriber = Subscriber(one, None, {})
    try:
        await _send(platform, job.scope, ready, subscriber, message)
    except Refused as refusal:
        wait = _wait(platform, job, ready, subscriber) if refusal.passes else None
        if wait is not None:
            return Later(wait)
        if is_notice:
            await _give_up(platform, job, ready, subscriber, message, refusal)
        return None
    if is_notice:
        _count(platform, job.scope, topic, "NumberOfNotificationsDelivered")
        protocol = subscriber.subscription.protocol
        if (charged := _CHARGED.get(protocol)) is not None:
            arn = topic_arn(job.scope, topic)
            platform.need(Usage).used(job.scope, arn, charged, 1.0)
    return None


_CHARGED = {
    "http": usage.SNS_HTTP,
    "https": usage.SNS_HTTP,
    "email": usage.SNS_EMAIL,
    "email-json": usage.SNS_EMAIL,
    "sqs": usage.SNS_QUEUE,
    "lambda": usage.SNS_FUNCTION,
}
"""What a delivery counts as: https://aws.amazon.com/sns/pricing/"""


def _count(platform: Platform | Context, scope: Scope, topic: str, name: str, by: int = 1) -> None:
    metrics = platform.need(Metrics)
    metrics.record(scope, NAMESPACE, name, (("TopicName", topic),), by)


def count_failed(
    platform: Platform | Context, scope: Scope, topic: str, because: str, count: int = 1
) -> None:
    """Tell of messages that will not reach a subscription."""
    _count(platform, scope, topic, "NumberOfNotificationsFailed", count)
    log_line(
        logging.WARNING,
        "a notification could not be delivered",
        topic=topic_arn(scope, topic),
        because=because,
        count=count,
    )


def _wait(platform: Platform, job: Job, ready: Ready, subscriber: Subscriber) -> float | None:
    age = platform.clock.now() - job.made
    if subscriber.subscription.protocol not in ("http", "https"):
        return managed_wait(job.attempts + 1, age)
    policy = _policy(ready, subscriber)
    return http_wait(retry_of(policy), job.attempts + 1, age)


def _policy(ready: Ready, subscriber: Subscriber) -> Any:
    """The delivery policy that counts: the subscription's own, if the topic lets it have one."""
    if subscriber.delivery and not ready.delivery["http"]["disableSubscriptionOverrides"]:
        return subscriber.delivery
    return ready.delivery


async def _send(
    platform: Platform, scope: Scope, ready: Ready, subscriber: Subscriber, message: Message
) -> None:
    """Bring a message to a subscription. Raises Refused."""
    one = subscriber.subscription
    ctx = _as_service(platform, scope, one.topic, message)
    try:
        match one.protocol:
            case "sqs":
                await _to_queue(platform, ctx, one, message)
            case "lambda":
                await ctx.call(
                    "lambda",
                    "Invoke",
                    FunctionName=one.endpoint,
                    InvocationType="Event",
                    Payload=await lambda_event(platform, message, subscription_arn(scope, one)),
                )
            case _:
                await _to_endpoint(platform, scope, ready, subscriber, message)
    except AwsError as error:
        raise Refused(error.code, error.message, passes=may_pass(error)) from error


def _as_service(platform: Platform, scope: Scope, topic: str, message: Message) -> Context:
    """SNS itself, speaking for a topic; receivers' policies say whether it may come in."""
    said = {"aws:SourceArn": topic_arn(scope, topic), "aws:SourceAccount": scope.account}
    request = None
    if message.trace_header:
        headers = Headers([("x-amzn-trace-id", message.trace_header)])
        request = Request("POST", "/", headers=headers, scheme="https")
    caller = service_principal(PRINCIPAL, scope.account, said)
    return platform.context(scope, caller, request=request, request_id=new_uuid(platform.clock))


async def _to_queue(platform: Platform, ctx: Context, one: Subscription, message: Message) -> None:
    body, attributes = await _queue_message(platform, ctx.scope, one, message)
    await _put(ctx, one.endpoint, body, attributes, message)


async def _queue_message(
    platform: Platform, scope: Scope, one: Subscription, message: Message
) -> tuple[str, dict[str, Any]]:
    """The body and the attributes that a queue gets. Raises Refused."""
    text = message.text_for(one.protocol)
    if not one.is_raw or message.kind != "Notification":
        return await envelope(platform, message, text, subscription_arn(scope, one)), {}
    if len(message.attributes) > RAW_ATTRIBUTES_MAX and one.protocol == "sqs":
        raise Refused("InvalidParameterValue", "too many message attributes", passes=False)
    return text, _queue_attributes(message)


def _queue_attributes(message: Message) -> dict[str, Any]:
    return {
        name: {
            # A queue knows no arrays: they are texts of a type of their own.
            "DataType": kind,
            ("StringValue" if isinstance(value, str) else "BinaryValue"): value,
        }
        for name, (kind, value) in message.attributes.items()
    }


async def _put(
    ctx: Context, queue: str, body: str, attributes: dict[str, Any], message: Message
) -> None:
    """Send to a queue by its ARN; FIFO queues get the group and what tells repeats."""
    arn = parse_arn(queue)
    assert arn is not None, "a subscription's endpoint was checked when it was made"
    more: dict[str, Any] = {}
    if attributes:
        more["MessageAttributes"] = attributes
    if message.group:
        more["MessageGroupId"] = message.group
    if arn.resource.endswith(".fifo"):
        # What is about the subscription itself is in no group.
        more["MessageGroupId"] = message.group or message.id
        more["MessageDeduplicationId"] = message.deduplication or message.id
    url = f"{ctx.endpoint}/{arn.account}/{arn.resource}"
    there = ctx.acting_as(ctx.caller, region=arn.region)
    await there.call("sqs", "SendMessage", QueueUrl=url, MessageBody=body, **more)


async def _to_endpoint(
    platform: Platform, scope: Scope, ready: Ready, subscriber: Subscriber, message: Message
) -> None:
    one = subscriber.subscription
    text = message.text_for(one.protocol)
    arn = subscription_arn(scope, one)
    is_raw = one.is_raw and message.kind == "Notification"
    body = text if is_raw else await envelope(platform, message, text, arn)
    headers = [
        ("x-amz-sns-message-type", message.kind),
        ("x-amz-sns-message-id", message.id),
        ("x-amz-sns-topic-arn", message.topic_arn),
    ]
    if message.kind != "SubscriptionConfirmation":
        headers.append(("x-amz-sns-subscription-arn", arn))
    if is_raw:
        headers.append(("x-amz-sns-rawdelivery", "true"))
    kind = content_type_of(_policy(ready, subscriber)) or DEFAULT_CONTENT_TYPE
    headers += [("Content-Type", kind), ("User-Agent", _AGENT)]
    try:
        status = await post(one.endpoint, headers, body.encode())
    except EndpointError as error:
        raise Refused("EndpointError", str(error), passes=True) from error
    if not 200 <= status < 300:
        passes = status >= 500 or status == 429
        raise Refused("EndpointError", f"the endpoint answered {status}", passes=passes)


async def _give_up(
    platform: Platform,
    job: Job,
    ready: Ready,
    subscriber: Subscriber,
    message: Message,
    refusal: Refused,
) -> None:
    """The last attempt failed: to the queue of dead letters, if there is one."""
    one = subscriber.subscription
    count_failed(platform, job.scope, one.topic, f"{refusal.code}: {refusal}")
    target = redrive_target(one.attributes.get("RedrivePolicy", ""))
    if not target:
        return
    ctx = _as_service(platform, job.scope, one.topic, message)
    text = message.text_for(one.protocol)
    attributes = _queue_attributes(message) if one.is_raw else {}
    body = text
    if not one.is_raw:
        body = await envelope(platform, message, text, subscription_arn(job.scope, one))
    told = {
        "RequestID": ctx.request_id,
        "ErrorCode": refusal.code,
        "ErrorMessage": str(refusal)[:_BODY_CHARACTERS_MAX] or refusal.code,
    }
    room = RAW_ATTRIBUTES_MAX - len(told)
    attributes = dict(list(attributes.items())[:room]) | {
        name: {"DataType": "String", "StringValue": value} for name, value in told.items()
    }
    try:
        await _put(ctx, target, body, attributes, message)
        _count(platform, job.scope, one.topic, "NumberOfNotificationsRedrivenToDlq")
    except AwsError as error:
        _count(platform, job.scope, one.topic, "NumberOfNotificationsFailedToRedriveToDlq")
        log_line(
            logging.WARNING,
            "a dead letter could not be kept and is lost",
            queue=target,
            because=error.message,
        )
