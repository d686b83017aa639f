"""Subscriptions: asked for, confirmed, described, changed, listed and ended."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from cumulet.core.clock import new_hex, new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.sns.errors import (
    AuthorizationErrorException,
    FilterPolicyLimitExceededException,
    SubscriptionLimitExceededException,
    invalid,
    no_subscription,
    no_topic,
)
from cumulet.services.sns.hall import (
    ON_SUBSCRIPTION,
    ON_TOPIC,
    Subscriber,
    TopicHall,
    find_topic,
    name_in,
    named_in_subscription,
)
from cumulet.services.sns.limits import (
    ENDPOINT_CHARACTERS_MAX,
    FILTER_POLICIES_MAX,
    LIST_PAGE,
    SUBSCRIPTIONS_MAX,
)
from cumulet.services.sns.model import (
    Subscription,
    Topic,
    TopicName,
    subscription_arn,
    topic_arn,
)
from cumulet.services.sns.operations.topic import read_position
from cumulet.services.sns.rules.attributes import check_subscription_attributes
from cumulet.services.sns.sending.asking import farewell, invitation
from cumulet.services.sns.sending.endpoints import is_url
from cumulet.services.sns.store import QUEUE, SUBSCRIPTIONS, TOPICS

Request = dict[str, Any]

_TOKEN_CHARACTERS = 256
_NOT_HERE = ("application", "email", "email-json", "firehose", "sms")


def _conditions(ctx: Context, request: Request) -> dict[str, Any]:
    """SNS's own condition keys.

    https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html
    """
    keys = {"sns:Protocol": request["Protocol"]}
    if request.get("Endpoint"):
        keys["sns:Endpoint"] = request["Endpoint"]
    return keys


@operation("Subscribe", conditions=_conditions, **ON_TOPIC)
async def subscribe(ctx: Context, request: Request) -> dict[str, Any]:
    """Ask for a topic's messages. Endpoints of HTTP, and queues of others, must confirm it."""
    scope, ready = await find_topic(ctx, request["TopicArn"])
    one = _draft(ctx, scope, ready.topic, request)
    token = new_hex(ctx.clock, _TOKEN_CHARACTERS)
    if one.is_pending:
        one = msgspec.structs.replace(one, token=digest_of(token))
    load = invitation(ctx, scope, ready.topic, one, token)

    async def write(tx: Transaction, _: Scope) -> Subscription | str:
        made = await _insert(tx, scope, ready.topic, one)
        if isinstance(made, Subscription) and made.id == one.id and one.is_pending:
            await QUEUE.add(tx, scope, load)
        return made

    outcome = await ctx.transact(write)
    if isinstance(outcome, str):
        raise _refusal(outcome)
    if outcome.is_pending and not request.get("ReturnSubscriptionArn"):
        return {"SubscriptionArn": "pending confirmation"}
    return {"SubscriptionArn": subscription_arn(scope, outcome)}


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _refusal(reason: str) -> Exception:
    match reason:
        case "gone":
            return no_topic()
        case "full":
            return SubscriptionLimitExceededException("Subscription limit exceeded")
        case "filters":
            return FilterPolicyLimitExceededException("Filter policy limit exceeded")
    return invalid("Attributes Reason: Subscription already exists with different attributes")


def _draft(ctx: Context, scope: Scope, topic: Topic, request: Request) -> Subscription:
    protocol, endpoint = request["Protocol"], request.get("Endpoint") or ""
    _check_endpoint(topic, protocol, endpoint)
    attributes = {key: value for key, value in (request.get("Attributes") or {}).items() if value}
    check_subscription_attributes(attributes, scope, protocol, is_fifo=topic.is_fifo)
    if "RawMessageDelivery" in attributes:
        attributes["RawMessageDelivery"] = attributes["RawMessageDelivery"].lower()
    is_pending = protocol in ("http", "https")
    if protocol == "sqs":
        arn = parse_arn(endpoint)
        is_pending = arn is not None and arn.account != ctx.caller.account
    return Subscription(
        topic.name,
        new_uuid(ctx.clock),
        protocol,
        endpoint,
        ctx.caller.account or ctx.scope.account,
        ctx.clock.now(),
        attributes,
        is_pending=is_pending,
        was_authenticated=not is_pending,
    )


def _check_endpoint(topic: Topic, protocol: str, endpoint: str) -> None:
    if protocol in _NOT_HERE:
        raise invalid(f"Protocol Reason: {protocol} is not supported by Cumulet.")
    if protocol not in ("http", "https", "lambda", "sqs"):
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint or len(endpoint) > ENDPOINT_CHARACTERS_MAX:
        raise invalid("Endpoint")
    if protocol in ("http", "https"):
        if not is_url(endpoint, protocol):
            raise invalid("Endpoint must match the specified protocol")
    else:
        _check_target(topic, protocol, endpoint)
    if topic.is_fifo and protocol != "sqs":
        raise invalid(f"Protocol Reason: FIFO topics can not be subscribed to by {protocol}")


def _check_target(topic: Topic, protocol: str, endpoint: str) -> None:
    arn = parse_arn(endpoint)
    kind = {"sqs": "SQS endpoint ARN", "lambda": "Lambda endpoint ARN"}[protocol]
    if arn is None or arn.service != protocol or not arn.account or not arn.region:
        raise invalid(f"{kind}")
    if protocol == "lambda" and not arn.resource.startswith("function:"):
        raise invalid(f"{kind}")
    if protocol == "sqs" and not topic.is_fifo and arn.resource.endswith(".fifo"):
        raise invalid(
            "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to "
            "standard SNS topics"
        )


async def _insert(
    tx: Transaction, scope: Scope, topic: Topic, one: Subscription
) -> Subscription | str:
    """The subscription, or the one that is there already, or why it cannot be."""
    now = await TOPICS.load(tx, scope, topic.name)
    if now is None or now.uid != topic.uid:
        return "gone"
    same = (one.topic, one.protocol, one.endpoint)
    for there in await SUBSCRIPTIONS.lookup(tx, scope, "endpoint", *same, limit=1):
        if there.is_pending:
            # Asked for anew: a new token, and a new question to the endpoint.
            await SUBSCRIPTIONS.drop(tx, scope, there.topic, there.id)
            break
        has = there.attributes
        differs = any(has.get(key) != value for key, value in one.attributes.items())
        return "differs" if differs else there
    found = await SUBSCRIPTIONS.scan(tx, scope, one.topic, limit=SUBSCRIPTIONS_MAX)
    if len(found) >= SUBSCRIPTIONS_MAX:
        return "full"
    if "FilterPolicy" in one.attributes:
        filters = sum("FilterPolicy" in other.attributes for other in found)
        if filters >= FILTER_POLICIES_MAX:
            return "filters"
    await SUBSCRIPTIONS.save(tx, scope, one)
    return one


@operation("ConfirmSubscription", **ON_TOPIC)
async def confirm_subscription(ctx: Context, request: Request) -> dict[str, Any]:
    """Confirm with the token that the endpoint was sent."""
    named = name_in(ctx, request["TopicArn"])
    needs = str(request.get("AuthenticateOnUnsubscribe") or "").lower() == "true"
    done = await confirm(ctx, named, request["Token"], authenticated=True, needs=needs)
    return {"SubscriptionArn": subscription_arn(named.scope, done)}


async def confirm(
    ctx: Context, named: TopicName, token: str, *, authenticated: bool, needs: bool = False
) -> Subscription:
    """Confirm the subscription that the token is for. Raises SNS's errors."""
    wanted = digest_of(token)

    async def write(tx: Transaction, _: Scope) -> Subscription | None:
        found = await SUBSCRIPTIONS.lookup(tx, named.scope, "token", named.name, wanted, limit=1)
        if not found:
            return None
        one = found[0]
        if one.is_pending:
            one = msgspec.structs.replace(
                one,
                is_pending=False,
                was_authenticated=authenticated,
                needs_authentication=needs,
            )
            await SUBSCRIPTIONS.save(tx, named.scope, one)
        return one

    if await ctx.need(TopicHall).find(named.scope, named.name) is None:
        raise no_topic()
    done = await ctx.transact(write)
    if done is None:
        raise invalid("Token")
    return done


@operation("Unsubscribe", **ON_SUBSCRIPTION)
async def unsubscribe(ctx: Context, request: Request) -> None:
    """End a subscription; one that is not there is no error."""
    named, name = named_in_subscription(ctx, request["SubscriptionArn"])
    found = await _load(ctx, named, name)
    if found is not None and found.subscription.is_pending:
        raise invalid("This subscription is pending confirmation")
    await end(ctx, named, name)


async def end(ctx: Context, named: TopicName, name: str, *, says_goodbye: bool = False) -> None:
    """Remove a subscription; an endpoint that did not ask for it is told how to come back."""
    token = new_hex(ctx.clock, _TOKEN_CHARACTERS)
    ready = await ctx.need(TopicHall).find(named.scope, named.name)
    found = await _load(ctx, named, name)
    if ready is None or found is None:
        return
    load = farewell(ctx, named.scope, ready.topic, found.subscription, token)

    async def drop(tx: Transaction, _: Scope) -> None:
        gone = await SUBSCRIPTIONS.drop(tx, named.scope, named.name, name)
        topic = await TOPICS.load(tx, named.scope, named.name)
        if gone is None or topic is None:
            return
        counted = msgspec.structs.replace(topic, deleted=topic.deleted + 1)
        await TOPICS.save(tx, named.scope, counted)
        if says_goodbye and gone.protocol in ("http", "https"):
            back = msgspec.structs.replace(gone, is_pending=True, token=digest_of(token))
            await SUBSCRIPTIONS.save(tx, named.scope, back)
            await QUEUE.add(tx, named.scope, load)

    await ctx.transact(drop)


async def _load(ctx: Context, named: TopicName, name: str) -> Subscriber | None:
    return (await ctx.need(TopicHall).subscribers(named.scope, named.name)).get(name)


async def _find(ctx: Context, request: Request) -> tuple[TopicName, Subscription]:
    named, name = named_in_subscription(ctx, request["SubscriptionArn"])
    found = await _load(ctx, named, name)
    if found is None:
        raise no_subscription()
    return named, found.subscription


@operation("GetSubscriptionAttributes", **ON_SUBSCRIPTION)
async def get_subscription_attributes(ctx: Context, request: Request) -> dict[str, Any]:
    """What was set of a subscription."""
    named, one = await _find(ctx, request)
    shown = {
        "SubscriptionArn": subscription_arn(named.scope, one),
        "TopicArn": named.arn,
        "Owner": one.owner,
        "Protocol": one.protocol,
        "Endpoint": one.endpoint,
        "PendingConfirmation": str(one.is_pending).lower(),
        "ConfirmationWasAuthenticated": str(one.was_authenticated).lower(),
        "RawMessageDelivery": "false",
        "SubscriptionPrincipal": f"arn:aws:iam::{one.owner}:root",
    }
    if one.attributes.get("FilterPolicy"):
        shown["FilterPolicyScope"] = "MessageAttributes"
    if one.protocol in ("http", "https") and "DeliveryPolicy" in one.attributes:
        shown["EffectiveDeliveryPolicy"] = one.attributes["DeliveryPolicy"]
    return {"Attributes": shown | one.attributes}


@operation("SetSubscriptionAttributes", **ON_SUBSCRIPTION)
async def set_subscription_attributes(ctx: Context, request: Request) -> None:
    """Change one attribute; an empty value takes it away."""
    named, one = await _find(ctx, request)
    key, value = request["AttributeName"], request.get("AttributeValue") or ""
    if one.is_pending:
        raise AuthorizationErrorException("Subscription is pending confirmation")
    ready = await ctx.need(TopicHall).find(named.scope, named.name)
    is_fifo = ready is not None and ready.topic.is_fifo
    merged = {**one.attributes, key: value}
    if not value and key not in ("FilterPolicy", "RedrivePolicy", "DeliveryPolicy"):
        raise invalid("AttributeValue" if key == "RawMessageDelivery" else "AttributeName")
    check_subscription_attributes(
        {name: text for name, text in merged.items() if text},
        named.scope,
        one.protocol,
        is_fifo=is_fifo,
    )
    if key == "RawMessageDelivery":
        value = value.lower()

    async def write(tx: Transaction, _: Scope) -> bool:
        now = await SUBSCRIPTIONS.load(tx, named.scope, one.topic, one.id)
        if now is None:
            return False
        attributes = {name: text for name, text in {**now.attributes, key: value}.items() if text}
        changed = msgspec.structs.replace(now, attributes=attributes)
        await SUBSCRIPTIONS.save(tx, named.scope, changed)
        return True

    if not await ctx.transact(write):
        raise no_subscription()


@operation("ListSubscriptionsByTopic", **ON_TOPIC)
async def list_subscriptions_by_topic(ctx: Context, request: Request) -> dict[str, Any]:
    """The subscriptions of a topic, a hundred at a time."""
    scope, ready = await find_topic(ctx, request["TopicArn"])
    return await _list(ctx, request, scope, ready.topic.name)


@operation("ListSubscriptions")
async def list_subscriptions(ctx: Context, request: Request) -> dict[str, Any]:
    """The subscriptions to the account's topics in this region, a hundred at a time."""
    return await _list(ctx, request, ctx.scope)


async def _list(ctx: Context, request: Request, scope: Scope, *topic: str) -> dict[str, Any]:
    after = read_position(request)

    async def read(tx: Transaction, _: Scope) -> list[Subscription]:
        return await SUBSCRIPTIONS.scan(tx, scope, *topic, limit=LIST_PAGE + 1, after=after)

    found = await ctx.transact(read)
    answer: dict[str, Any] = {"Subscriptions": [_shown(scope, one) for one in found[:LIST_PAGE]]}
    if len(found) > LIST_PAGE:
        last = found[LIST_PAGE - 1]
        answer["NextToken"] = make_token([last.topic, last.id])
    return answer


def _shown(scope: Scope, one: Subscription) -> dict[str, str]:
    arn = "PendingConfirmation" if one.is_pending else subscription_arn(scope, one)
    return {
        "SubscriptionArn": arn,
        "Owner": one.owner,
        "Protocol": one.protocol,
        "Endpoint": one.endpoint,
        "TopicArn": topic_arn(scope, one.topic),
    }
