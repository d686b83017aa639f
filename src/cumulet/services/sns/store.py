"""The tables of SNS."""

from __future__ import annotations

from typing import Any

from cumulet.kit.workers.deliveries import DeliveryTables
from cumulet.kv.table import Table
from cumulet.services.sns.model import Deduplication, SigningKey, Subscription, Topic

SERVICE = "sns"

TOPICS: Table[Topic] = Table(SERVICE, "topic", Topic, lambda topic: (topic.name,))
SUBSCRIPTIONS: Table[Subscription] = Table(
    SERVICE,
    "subscription",
    Subscription,
    lambda one: (one.topic, one.id),
    indexes={
        "endpoint": lambda one: [(one.topic, one.protocol, one.endpoint)],
        "token": lambda one: [(one.topic, one.token)] if one.token else [],
        "pending": lambda one: [(one.created_at,)] if one.is_pending else [],
    },
)
DEDUPLICATIONS: Table[Deduplication] = Table(
    SERVICE,
    "deduplication",
    Deduplication,
    lambda one: (one.topic, one.place, one.id),
    indexes={"expires": lambda one: [(one.expires_at,)]},
)
SIGNING_KEYS: Table[SigningKey] = Table(
    SERVICE, "signing key", SigningKey, lambda key: (key.id,), extent="global"
)
QUEUE = DeliveryTables(SERVICE)

TABLES: tuple[Table[Any], ...] = (
    TOPICS,
    SUBSCRIPTIONS,
    DEDUPLICATIONS,
    SIGNING_KEYS,
    *QUEUE.all,
)
