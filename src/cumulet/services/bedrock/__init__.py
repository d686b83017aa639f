"""Bedrock: models that run here, or on a server of the user's, behind Bedrock's own interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.services.bedrock.configuration import ModelsFile, read_models_file
from cumulet.services.bedrock.operations import (
    converse,
    count_tokens,
    foundation_model,
    inference_profile,
    invoke_model,
)
from cumulet.services.bedrock.registry import Registry


def _provides(platform: Platform) -> Mapping[type, Any]:
    entries = read_models_file(platform.need(ModelsFile))
    return {Registry: Registry(entries, platform.clock)}


SERVICES = (
    Service(
        name="bedrock-runtime",
        prefix="bedrock",
        operations=operations_of(converse, invoke_model, count_tokens),
        provides=_provides,
    ),
    Service(
        name="bedrock",
        prefix="bedrock",
        operations=operations_of(foundation_model, inference_profile),
    ),
)
