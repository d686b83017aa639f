"""Systems Manager: parameters by name, and hosts (with EC2's view of them) that run commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.services.ssm.hosts import store as hosts_store
from cumulet.services.ssm.hosts.look import Lookout
from cumulet.services.ssm.hosts.operations import command, instance
from cumulet.services.ssm.hosts.runner import Runner
from cumulet.services.ssm.hosts.surface import HostSurface
from cumulet.services.ssm.hosts.workers import WORKERS
from cumulet.services.ssm.operations import label, parameter, tag, value
from cumulet.services.ssm.resources import RESOURCES
from cumulet.services.ssm.store import TABLES


def _provides(platform: Platform) -> Mapping[type, Any]:
    return {Lookout: Lookout(platform.clock), Runner: Runner(platform)}


SERVICE = Service(
    name="ssm",
    prefix="ssm",
    operations=operations_of(parameter, value, label, tag, command),
    resources=RESOURCES,
    tables=TABLES,
)

EC2 = Service(
    name="ec2",
    prefix="ec2",
    operations=operations_of(instance),
    workers=WORKERS,
    surfaces=(HostSurface(),),
    provides=_provides,
    tables=hosts_store.TABLES,
)

SERVICES = (SERVICE, EC2)
