"""What operations and deliveries share in memory: topics in use, and their subscriptions' filters.

Both stay true as long as the store does.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.policy import parse_policy
from cumulet.kit.service import OwnedPolicies
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Transaction
from cumulet.services.sns.errors import invalid, no_topic
from cumulet.services.sns.limits import SCOPES_MAX, SUBSCRIPTIONS_MAX
from cumulet.services.sns.model import Subscription, Topic, TopicName, topic_arn
from cumulet.services.sns.rules.attributes import effective_policy, policy_of
from cumulet.services.sns.rules.filters import Passes, passes_of
from cumulet.services.sns.store import SUBSCRIPTIONS, TOPICS

Request = dict[str, Any]


class Ready(NamedTuple):
    """A topic made ready: its policies, and its delivery policy with the defaults."""

    topic: Topic
    owned: OwnedPolicies
    delivery: Mapping[str, Any]


class Subscriber(NamedTuple):
    """A subscription made ready; without `passes` it gets everything."""

    subscription: Subscription
    passes: Passes | None
    delivery: Mapping[str, Any]


Subscribers = dict[str, Subscriber]


class _Views(NamedTuple):
    topics: CachedView[str, Ready | None]
    subscribers: CachedView[str, Subscribers]


class TopicHall:
    """Topics that are in use, ready in memory until they change."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._views: OrderedDict[Scope, _Views] = OrderedDict()

    async def find(self, scope: Scope, name: str) -> Ready | None:
        """A topic, or None."""
        return await self._of(scope).topics.get(name)

    async def subscribers(self, scope: Scope, name: str) -> Subscribers:
        """The subscriptions of a topic by their ids, pending ones too."""
        return await self._of(scope).subscribers.get(name)

    def _of(self, scope: Scope) -> _Views:
        views = self._views.get(scope)
        if views is None:
            views = self._views[scope] = _Views(self._topics(scope), self._subscribers(scope))
            if len(self._views) > SCOPES_MAX:
                for view in self._views.popitem(last=False)[1]:
                    view.close()
        return views

    def _topics(self, scope: Scope) -> CachedView[str, Ready | None]:
        async def load(name: str) -> Ready | None:
            async def read(tx: Transaction, scope: Scope) -> Topic | None:
                return await TOPICS.load(tx, scope, name)

            topic = await self._platform.transact(read, scope)
            if topic is None:
                return None
            policy = parse_policy(topic_arn(scope, name), policy_of(scope, topic))
            owned = OwnedPolicies(scope.account, (policy,))
            return Ready(topic, owned, effective_policy(topic.attributes))

        return CachedView(self._store, TOPICS.prefix(scope), load)

    def _subscribers(self, scope: Scope) -> CachedView[str, Subscribers]:
        async def load(name: str) -> Subscribers:
            async def read(tx: Transaction, scope: Scope) -> list[Subscription]:
                return await SUBSCRIPTIONS.scan(tx, scope, name, limit=SUBSCRIPTIONS_MAX)

            found = await self._platform.transact(read, scope)
            return {one.id: _ready(one) for one in found}

        def affected(key: bytes) -> Iterable[str]:
            owned = SUBSCRIPTIONS.owned(key)
            return () if owned is None else (str(owned[1][0]),)

        return CachedView(self._store, SUBSCRIPTIONS.prefix(scope), load, affects=affected)


def _ready(subscription: Subscription) -> Subscriber:
    delivery = json.loads(subscription.attributes.get("DeliveryPolicy") or "{}")
    return Subscriber(subscription, passes_of(subscription), delivery)


def name_in(ctx: Context, arn: str) -> TopicName:
    """The topic that an ARN names. Raises InvalidParameterException."""
    parts = parse_arn(arn)
    if parts is None or parts.service != "sns" or ":" in parts.resource:
        raise invalid(f"TopicArn Reason: An ARN must have at least 6 elements, not {arn}"
                      if parts is None else "TopicArn")  # fmt: skip
    if parts.region != ctx.scope.region or not parts.account:
        raise invalid("TopicArn")
    return TopicName(Scope(parts.account, parts.region), parts.resource)


def named_in_subscription(ctx: Context, arn: str) -> tuple[TopicName, str]:
    """The topic and id that a subscription's ARN names. Raises InvalidParameterException."""
    parts = parse_arn(arn)
    pieces = parts.resource.split(":") if parts is not None else []
    if parts is None or parts.service != "sns" or len(pieces) != 2 or not parts.account:
        raise invalid("SubscriptionArn Reason: An ARN must have at least 6 elements"
                      if parts is None else "SubscriptionId")  # fmt: skip
    if parts.region != ctx.scope.region:
        raise invalid("SubscriptionArn")
    return TopicName(Scope(parts.account, parts.region), pieces[0]), pieces[1]


async def find_topic(ctx: Context, arn: str) -> tuple[Scope, Ready]:
    """The topic that an ARN names and whose it is. Raises NotFoundException."""
    named = name_in(ctx, arn)
    found = await ctx.need(TopicHall).find(named.scope, named.name)
    if found is None:
        raise no_topic()
    return named.scope, found


async def owned_topic(ctx: Context, named: TopicName) -> OwnedPolicies:
    """The topic's owner and policies; one that is not there has none."""
    found = await ctx.need(TopicHall).find(named.scope, named.name)
    return OwnedPolicies(named.scope.account) if found is None else found.owned


def topic_resource(ctx: Context, request: Request) -> str:
    """The topic of a request, as IAM's resource."""
    return name_in(ctx, request["TopicArn"]).arn


async def topic_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """Whose the topic of a request is, and its policy."""
    return await owned_topic(ctx, name_in(ctx, request["TopicArn"]))


def subscribed_resource(ctx: Context, request: Request) -> str:
    """The topic of the subscription that a request names, as IAM's resource."""
    return named_in_subscription(ctx, request["SubscriptionArn"])[0].arn


async def subscribed_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """Whose the topic of a subscription is, and its policy."""
    return await owned_topic(ctx, named_in_subscription(ctx, request["SubscriptionArn"])[0])


ON_TOPIC: dict[str, Any] = {"resource": topic_resource, "resource_policy": topic_policy}
"""How permission is asked for what is done to a topic."""

ON_SUBSCRIPTION: dict[str, Any] = {
    "resource": subscribed_resource,
    "resource_policy": subscribed_policy,
}
"""How permission is asked for what is done to a subscription: on its topic."""
