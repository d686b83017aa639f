"""Lambda: functions, versions, aliases, layers, invocation, function URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.services.lambda_.operations import (
    alias,
    attributes,
    concurrency,
    event_config,
    function,
    invoke,
    layer,
    permission,
    update,
    url,
)
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.store import TABLES


def _provides(platform: Platform) -> Mapping[type, Any]:
    return {Functions: Functions(platform)}


SERVICE = Service(
    name="lambda",
    prefix="lambda",
    operations=operations_of(
        function,
        update,
        invoke,
        alias,
        permission,
        layer,
        concurrency,
        event_config,
        url,
        attributes,
    ),
    provides=_provides,
    tables=TABLES,
)
