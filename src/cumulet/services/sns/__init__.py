"""SNS: topics and subscriptions. A table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.services.sns.hall import TopicHall
from cumulet.services.sns.operations import permission, publish, subscription, tag, topic
from cumulet.services.sns.resources import RESOURCES
from cumulet.services.sns.sending.carry import TopicDeliveries
from cumulet.services.sns.sending.signing import Signer
from cumulet.services.sns.store import TABLES
from cumulet.services.sns.surface import Links
from cumulet.services.sns.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    return {
        TopicHall: TopicHall(platform),
        Signer: Signer(platform),
        TopicDeliveries: TopicDeliveries(platform),
    }


SERVICE = Service(
    name="sns",
    prefix="sns",
    operations=operations_of(topic, subscription, publish, permission, tag),
    workers=WORKERS,
    surfaces=(Links(),),
    resources=RESOURCES,
    provides=_provides,
    tables=TABLES,
)
