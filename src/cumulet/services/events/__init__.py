"""EventBridge and EventBridge Scheduler: events to targets, and times. A table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.services.events.archives.operations import archive, replay
from cumulet.services.events.archives.ready import Archives
from cumulet.services.events.archives.store import ARCHIVE_TABLES
from cumulet.services.events.archives.workers import ARCHIVE_WORKERS
from cumulet.services.events.delivery import EventDeliveries
from cumulet.services.events.hall import Buses
from cumulet.services.events.operations import bus, event, rule, tag, target
from cumulet.services.events.resources import EVENT_RESOURCES, SCHEDULER_RESOURCES
from cumulet.services.events.scheduler import firing
from cumulet.services.events.scheduler.firing import ScheduleDeliveries
from cumulet.services.events.scheduler.operations import group, schedule
from cumulet.services.events.store import EVENT_TABLES, SCHEDULER_TABLES
from cumulet.services.events.targets.roles import Roles
from cumulet.services.events.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    return {
        Buses: Buses(platform),
        Roles: Roles(platform),
        EventDeliveries: EventDeliveries(platform),
        Archives: Archives(platform),
    }


def _provides_schedules(platform: Platform) -> Mapping[type, Any]:
    return {ScheduleDeliveries: ScheduleDeliveries(platform)}


EVENTS = Service(
    name="events",
    prefix="events",
    operations=operations_of(bus, rule, target, event, tag, archive, replay),
    workers=(*WORKERS, *ARCHIVE_WORKERS),
    resources=EVENT_RESOURCES,
    provides=_provides,
    tables=(*EVENT_TABLES, *ARCHIVE_TABLES),
)
SCHEDULER = Service(
    name="scheduler",
    prefix="scheduler",
    operations=operations_of(schedule, group),
    workers=firing.WORKERS,
    resources=SCHEDULER_RESOURCES,
    provides=_provides_schedules,
    tables=SCHEDULER_TABLES,
)
SERVICES = (EVENTS, SCHEDULER)
