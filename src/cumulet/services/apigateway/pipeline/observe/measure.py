"""What CloudWatch is told of each request: by API, by stage, and by method where settings say so.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import Trace
from cumulet.core.usage import REST_REQUESTS
from cumulet.kit.ports import Metrics, Usage
from cumulet.kit.workers.regularly import Regularly

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.match import Arrival
    from cumulet.services.apigateway.pipeline.served import ServedStage

Dimensions = tuple[tuple[str, str], ...]

MEASURED_SECONDS = 1.0
"""How long measurements wait here: less than the minute by which CloudWatch keeps them."""

MEASURED_MAX = 1_000
"""Requests of one stage or method that wait at most. Ours."""

_NAMESPACE = "AWS/ApiGateway"
_UNCHARGED = frozenset(
    {
        *("UNAUTHORIZED", "ACCESS_DENIED", "INVALID_API_KEY", "INVALID_SIGNATURE"),
        *("EXPIRED_TOKEN", "MISSING_AUTHENTICATION_TOKEN", "THROTTLED", "QUOTA_EXCEEDED"),
    }
)
"""Refusals that AWS does not charge for: https://aws.amazon.com/api-gateway/pricing/"""
_Name = tuple[Scope, str, str, str, str]


class Tally:
    """Requests of one stage, or of one of its methods, of which CloudWatch has not heard yet."""

    __slots__ = ("client_errors", "integration", "latency", "server_errors", "told")

    def __init__(self) -> None:
        self.latency: list[float] = []
        self.integration: list[float] = []
        self.client_errors: list[float] = []
        self.server_errors: list[float] = []
        self.told: list[str] = []
        """`hit` and `miss` of the cache."""


class Measures(Regularly):
    """Gathers what is measured, and tells it every second and at the end."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.clock, MEASURED_SECONDS, "measures of REST APIs", self.tell)
        self._platform = platform
        self._tallies: dict[_Name, Tally] = {}

    def measure(self, stage: ServedStage, arrival: Arrival, status: int, trace: Trace) -> None:
        """Count one answered request, with the errors and the times that it took."""
        self._add((stage.scope, stage.api_name, stage.stage_name, "", ""), arrival, status)
        fault = arrival.journal.fault
        if fault is None or fault.kind not in _UNCHARGED:
            arn = f"arn:aws:apigateway:{stage.scope.region}::/restapis/{stage.api_id}"
            self._platform.need(Usage).used(stage.scope, arn, REST_REQUESTS, 1.0, trace)
        matched = arrival.journal.matched
        if matched is not None and matched.method.settings.metrics_enabled:
            verb, path = arrival.request.method, matched.method.resource_path
            name = (stage.scope, stage.api_name, stage.stage_name, verb, path)
            self._add(name, arrival, status)

    def _add(self, name: _Name, arrival: Arrival, status: int) -> None:
        tally = self._tallies.get(name)
        if tally is None:
            tally = self._tallies[name] = Tally()
        journal = arrival.journal
        now_ms = int(self._platform.clock.now() * 1000)
        tally.latency.append(float(max(0, now_ms - arrival.epoch_ms)))
        tally.client_errors.append(1.0 if 400 <= status < 500 else 0.0)
        tally.server_errors.append(1.0 if status >= 500 else 0.0)
        if journal.integration_ms is not None:
            tally.integration.append(float(journal.integration_ms))
        if journal.cache:
            tally.told.append(journal.cache)
        if len(tally.latency) >= MEASURED_MAX:
            del self._tallies[name]
            self._tell(name, tally)

    def tell(self) -> None:
        """Tell CloudWatch all that waits."""
        tallies, self._tallies = self._tallies, {}
        for name, tally in tallies.items():
            self._tell(name, tally)

    def _tell(self, name: _Name, tally: Tally) -> None:
        record = self._platform.need(Metrics).record_all
        scope = name[0]
        hits = [1.0] * tally.told.count("hit")
        misses = [1.0] * tally.told.count("miss")
        for place in _places(name):
            record(scope, _NAMESPACE, "Count", place, [1.0] * len(tally.latency))
            record(scope, _NAMESPACE, "Latency", place, tally.latency, "Milliseconds")
            record(scope, _NAMESPACE, "4XXError", place, tally.client_errors)
            record(scope, _NAMESPACE, "5XXError", place, tally.server_errors)
            if tally.integration:
                unit = "Milliseconds"
                record(scope, _NAMESPACE, "IntegrationLatency", place, tally.integration, unit)
            if hits:
                record(scope, _NAMESPACE, "CacheHitCount", place, hits)
            if misses:
                record(scope, _NAMESPACE, "CacheMissCount", place, misses)


def _places(name: _Name) -> tuple[Dimensions, ...]:
    """Under what the requests of a stage, or of one of its methods, are counted."""
    _, api_name, stage, verb, path = name
    api = ("ApiName", api_name)
    if verb:
        return ((api, ("Method", verb), ("Resource", path), ("Stage", stage)),)
    return (api,), (api, ("Stage", stage))
