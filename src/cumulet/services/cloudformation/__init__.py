"""CloudFormation: stacks, change sets, drift; resources are told to their services by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.kit.workers import Worker
from cumulet.services.cloudformation.engine.apply import Engine, take_up
from cumulet.services.cloudformation.engine.sweep import sweep
from cumulet.services.cloudformation.operations import (
    change_set,
    describe,
    drift,
    export,
    stack,
    template,
)
from cumulet.services.cloudformation.resources import RESOURCES
from cumulet.services.cloudformation.store import RUNS_PREFIX, TABLES
from cumulet.services.cloudformation.surface import Answers


def _provides(platform: Platform) -> Mapping[type, Any]:
    return {Engine: Engine(platform)}


SERVICE = Service(
    name="cloudformation",
    prefix="cloudformation",
    operations=operations_of(change_set, describe, drift, export, stack, template),
    workers=(
        Worker("cloudformation-stacks", take_up, RUNS_PREFIX),
        Worker("cloudformation-sweep", sweep),
    ),
    surfaces=(Answers(),),
    resources=RESOURCES,
    provides=_provides,
    tables=TABLES,
)
