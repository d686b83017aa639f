"""Parameters of Systems Manager: values by name, in versions, sealed when they are secret."""

from __future__ import annotations

from cumulet.kit.service import Service, operations_of
from cumulet.services.ssm.operations import label, parameter, tag, value
from cumulet.services.ssm.resources import RESOURCES
from cumulet.services.ssm.store import TABLES

SERVICE = Service(
    name="ssm",
    prefix="ssm",
    operations=operations_of(parameter, value, label, tag),
    resources=RESOURCES,
    tables=TABLES,
)
