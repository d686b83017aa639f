"""What CloudWatch is told of each request: by API, by stage, and by method where settings say so.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulet.core.context import Platform
from cumulet.kit.ports import Metrics

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.match import Arrival
    from cumulet.services.apigateway.pipeline.served import ServedStage

Dimensions = tuple[tuple[str, str], ...]

_NAMESPACE = "AWS/ApiGateway"


def dimensions_of(api_name: str, stage: str) -> tuple[Dimensions, ...]:
    """Under what each request of a stage is counted."""
    api = ("ApiName", api_name)
    return (api,), (api, ("Stage", stage))


def measure(platform: Platform, stage: ServedStage, arrival: Arrival, status: int) -> None:
    """Count one answered request, with the errors and the times that it took."""
    record = platform.need(Metrics).record  # type: ignore[type-abstract]
    scope, journal = stage.scope, arrival.journal
    latency = max(0.0, platform.clock.now() * 1000 - arrival.epoch_ms)
    client_error = 1.0 if 400 <= status < 500 else 0.0
    server_error = 1.0 if status >= 500 else 0.0
    places = stage.dimensions
    if journal.matched is not None and journal.matched.method.settings.metrics_enabled:
        places = (*places, _of_method(stage, arrival))
    for place in places:
        record(scope, _NAMESPACE, "Count", place, 1.0)
        record(scope, _NAMESPACE, "Latency", place, latency, "Milliseconds")
        record(scope, _NAMESPACE, "4XXError", place, client_error)
        record(scope, _NAMESPACE, "5XXError", place, server_error)
        if journal.integration_ms is not None:
            taken = float(journal.integration_ms)
            record(scope, _NAMESPACE, "IntegrationLatency", place, taken, "Milliseconds")
        if journal.cache:
            name = "CacheHitCount" if journal.cache == "hit" else "CacheMissCount"
            record(scope, _NAMESPACE, name, place, 1.0)


def _of_method(stage: ServedStage, arrival: Arrival) -> Dimensions:
    matched = arrival.journal.matched
    path = "" if matched is None else matched.method.resource_path
    return (
        ("ApiName", stage.api_name),
        ("Method", arrival.request.method),
        ("Resource", path),
        ("Stage", stage.stage_name),
    )
