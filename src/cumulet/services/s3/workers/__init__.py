"""Background work of S3."""

from __future__ import annotations

from cumulet.core.identity import Scope
from cumulet.kit.workers import Worker
from cumulet.services.s3 import store
from cumulet.services.s3.front.logs import deliver_logs
from cumulet.services.s3.workers.freed import drop_freed
from cumulet.services.s3.workers.lifecycle import carry_out_lifecycles
from cumulet.services.s3.workers.notifications import deliver_events
from cumulet.services.s3.workers.sizes import measure_sizes

_EVERYWHERE = Scope("", "")

WORKERS = (
    Worker("s3 freed blobs", drop_freed, wakes_on=store.FREED.prefix(_EVERYWHERE)),
    Worker("s3 lifecycle", carry_out_lifecycles),
    Worker("s3 events", deliver_events, wakes_on=store.EVENTS.prefix(_EVERYWHERE)),
    Worker("s3 access logs", deliver_logs),
    Worker("s3 storage metrics", measure_sizes),
)
