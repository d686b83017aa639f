"""Cost Explorer: what was used, and what AWS would have charged. A table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.ports import Usage
from cumulet.kit.service import Service, operations_of
from cumulet.services.ce import store
from cumulet.services.ce.gather import UsageGatherer
from cumulet.services.ce.operations import cost, dimension
from cumulet.services.ce.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    gatherer = UsageGatherer(platform)
    return {Usage: gatherer, UsageGatherer: gatherer}


SERVICE = Service(
    name="ce",
    prefix="ce",
    operations=operations_of(cost, dimension),
    workers=WORKERS,
    provides=_provides,
    tables=store.TABLES,
)
