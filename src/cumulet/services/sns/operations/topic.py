"""Topics: make, describe, change, list, delete."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.sns.errors import (
    TagLimitExceededException,
    TopicLimitExceededException,
    invalid,
    no_topic,
)
from cumulet.services.sns.hall import ON_TOPIC, TopicHall, find_topic, name_in
from cumulet.services.sns.limits import LIST_PAGE, SUBSCRIPTIONS_MAX, TAGS_MAX, TOPICS_MAX
from cumulet.services.sns.model import Topic, topic_arn
from cumulet.services.sns.rules.attributes import check_name, check_topic_attribute, shown_topic
from cumulet.services.sns.store import SUBSCRIPTIONS, TOPICS

Request = dict[str, Any]


def named_resource(ctx: Context, request: Request) -> str:
    """The topic that is to be made, as IAM's resource."""
    return topic_arn(ctx.scope, request["Name"])


@operation("CreateTopic", resource=named_resource)
async def create_topic(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a topic; the same name with the same settings answers the topic that is there."""
    name = request["Name"]
    attributes = {key: value for key, value in (request.get("Attributes") or {}).items() if value}
    if request.get("DataProtectionPolicy"):
        raise invalid("Attributes Reason: DataProtectionPolicy is not supported by Cumulet.")
    is_fifo = attributes.get("FifoTopic") == "true"
    check_name(name, is_fifo)
    for key, value in attributes.items():
        check_topic_attribute(key, value, is_fifo=is_fifo, is_new=True)
    if not is_fifo:
        for key in ("FifoTopic", "ContentBasedDeduplication"):
            attributes.pop(key, None)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
    if len(tags) > TAGS_MAX:
        raise TagLimitExceededException(
            f"Could not complete request: tag quota of per resource exceeded ({TAGS_MAX})"
        )
    made = Topic(name, new_label(ctx.clock, 16), ctx.clock.now(), attributes, tags)
    outcome = await ctx.transact(_insert, made)
    if outcome == "full":
        raise TopicLimitExceededException("Topic limit exceeded")
    if outcome:
        raise invalid(f"{outcome} Reason: Topic already exists with different {outcome.lower()}")
    return {"TopicArn": topic_arn(ctx.scope, name)}


async def _insert(tx: Transaction, scope: Scope, made: Topic) -> str:
    """Write the topic; or tell what of the one that is there differs."""
    there = await TOPICS.load(tx, scope, made.name)
    if there is None:
        if len(await TOPICS.scan(tx, scope, limit=TOPICS_MAX)) >= TOPICS_MAX:
            return "full"
        await TOPICS.save(tx, scope, made)
        return ""
    if any(there.attributes.get(key, "") != value for key, value in made.attributes.items()):
        return "Attributes"
    if any(there.tags.get(key) != value for key, value in made.tags.items()):
        return "Tags"
    return ""


@operation("DeleteTopic", **ON_TOPIC)
async def delete_topic(ctx: Context, request: Request) -> None:
    """Delete a topic with its subscriptions; one that is not there is no error."""
    named = name_in(ctx, request["TopicArn"])

    async def drop(tx: Transaction, _: Scope) -> None:
        if await TOPICS.drop(tx, named.scope, named.name) is None:
            return
        found = await SUBSCRIPTIONS.scan(tx, named.scope, named.name, limit=SUBSCRIPTIONS_MAX)
        for one in found:
            await SUBSCRIPTIONS.drop(tx, named.scope, one.topic, one.id)

    await ctx.transact(drop)


@operation("ListTopics")
async def list_topics(ctx: Context, request: Request) -> dict[str, Any]:
    """The ARNs of the account's topics in this region, by name, a hundred at a time."""
    after = read_position(request)

    async def read(tx: Transaction, scope: Scope) -> list[Topic]:
        return await TOPICS.scan(tx, scope, limit=LIST_PAGE + 1, after=after)

    found = await ctx.transact(read)
    answer: dict[str, Any] = {
        "Topics": [{"TopicArn": topic_arn(ctx.scope, one.name)} for one in found[:LIST_PAGE]]
    }
    if len(found) > LIST_PAGE:
        answer["NextToken"] = make_token([found[LIST_PAGE - 1].name])
    return answer


def read_position(request: Request) -> tuple[str, ...] | None:
    """Where a list goes on. Raises InvalidParameterException."""
    token = request.get("NextToken")
    if not token:
        return None
    try:
        return tuple(str(one) for one in read_token(token))
    except (ValueError, TypeError):
        raise invalid("NextToken") from None


@operation("GetTopicAttributes", **ON_TOPIC)
async def get_topic_attributes(ctx: Context, request: Request) -> dict[str, Any]:
    """What was set of a topic, and how many subscriptions it has."""
    scope, ready = await find_topic(ctx, request["TopicArn"])
    subscribers = await ctx.need(TopicHall).subscribers(scope, ready.topic.name)
    pending = sum(one.subscription.is_pending for one in subscribers.values())
    shown = shown_topic(scope, ready.topic, len(subscribers) - pending, pending)
    return {"Attributes": shown}


@operation("SetTopicAttributes", **ON_TOPIC)
async def set_topic_attributes(ctx: Context, request: Request) -> None:
    """Change one attribute; an empty value takes it back to what it was at first."""
    key, value = request["AttributeName"], request.get("AttributeValue") or ""
    scope, ready = await find_topic(ctx, request["TopicArn"])
    if value or key not in ("Policy", "DisplayName", "KmsMasterKeyId", "DeliveryPolicy"):
        check_topic_attribute(key, value, is_fifo=ready.topic.is_fifo)

    def change(now: Topic) -> Topic:
        attributes = {**now.attributes, key: value}
        kept = {name: one for name, one in attributes.items() if one}
        return msgspec.structs.replace(now, attributes=kept)

    await change_topic(ctx, scope, ready.topic, change)


async def change_topic(ctx: Context, scope: Scope, topic: Topic, change: Any) -> None:
    """Write `change(topic)` for the topic as it is now. Raises NotFoundException."""

    async def write(tx: Transaction, _: Scope) -> bool:
        now = await TOPICS.load(tx, scope, topic.name)
        if now is None or now.uid != topic.uid:
            return False
        await TOPICS.save(tx, scope, change(now))
        return True

    if not await ctx.transact(write):
        raise no_topic()
