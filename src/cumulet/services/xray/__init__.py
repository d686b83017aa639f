"""X-Ray: traces out of segments, graphs of services, sampling. A table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.ports import Segments
from cumulet.kit.service import Service, operations_of
from cumulet.services.xray import store
from cumulet.services.xray.operations import group, sampling, segment, statistics, trace
from cumulet.services.xray.recorder import Recorder
from cumulet.services.xray.shares import Shares
from cumulet.services.xray.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    recorder = Recorder(platform)
    return {Shares: Shares(platform.clock), Recorder: recorder, Segments: recorder}


SERVICE = Service(
    name="xray",
    prefix="xray",
    operations=operations_of(segment, trace, group, sampling, statistics),
    workers=WORKERS,
    provides=_provides,
    tables=store.TABLES,
)
