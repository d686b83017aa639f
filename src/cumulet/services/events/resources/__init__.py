"""CloudFormation types of EventBridge and its Scheduler."""

from cumulet.services.events.resources.archive import ARCHIVE
from cumulet.services.events.resources.bus import BUS, BUS_POLICY
from cumulet.services.events.resources.rule import RULE
from cumulet.services.events.resources.schedule import GROUP, SCHEDULE

EVENT_RESOURCES = (RULE, BUS, BUS_POLICY, ARCHIVE)
SCHEDULER_RESOURCES = (SCHEDULE, GROUP)
