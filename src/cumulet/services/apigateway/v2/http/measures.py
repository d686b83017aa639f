"""What CloudWatch is told of HTTP APIs: by API, by stage, and by route where settings say so.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

from __future__ import annotations

from typing import NamedTuple

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics
from cumulet.kit.workers.regularly import Regularly
from cumulet.services.apigateway.v2.http.prepared.served import Dimensions

MEASURED_SECONDS = 1.0
"""How long measurements wait here: less than the minute by which CloudWatch keeps them."""

MEASURED_MAX = 1_000
"""Requests of one stage or route that wait at most. Ours."""

_NAMESPACE = "AWS/ApiGateway"
_MS = "Milliseconds"
_Name = tuple[Scope, tuple[Dimensions, ...]]


class Measured(NamedTuple):
    """One answered request. `integration_ms` is None when no backend was asked."""

    status: int
    latency_ms: float
    integration_ms: float | None
    size_bytes: int


class HttpMeasures(Regularly):
    """Gathers what is measured, and tells it every second and at the end."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.clock, MEASURED_SECONDS, "measures of HTTP APIs", self.tell)
        self._platform = platform
        self._waiting: dict[_Name, list[Measured]] = {}

    def add(self, scope: Scope, dimensions: tuple[Dimensions, ...], measured: Measured) -> None:
        """Count one request under each of these."""
        name = (scope, dimensions)
        waiting = self._waiting.get(name)
        if waiting is None:
            waiting = self._waiting[name] = []
        waiting.append(measured)
        if len(waiting) >= MEASURED_MAX:
            del self._waiting[name]
            self._tell(name, waiting)

    def tell(self) -> None:
        """Tell CloudWatch all that waits."""
        waiting, self._waiting = self._waiting, {}
        for name, measured in waiting.items():
            self._tell(name, measured)

    def _tell(self, name: _Name, measured: list[Measured]) -> None:
        record = self._platform.need(Metrics).record_all
        scope, places = name
        failures = [1.0 if 400 <= one.status < 500 else 0.0 for one in measured]
        errors = [1.0 if one.status >= 500 else 0.0 for one in measured]
        latency = [one.latency_ms for one in measured]
        asked = [one.integration_ms for one in measured if one.integration_ms is not None]
        sizes = [float(one.size_bytes) for one in measured]
        for place in places:
            record(scope, _NAMESPACE, "Count", place, [1.0] * len(measured))
            record(scope, _NAMESPACE, "4xx", place, failures)
            record(scope, _NAMESPACE, "5xx", place, errors)
            record(scope, _NAMESPACE, "Latency", place, latency, _MS)
            record(scope, _NAMESPACE, "DataProcessed", place, sizes, "Bytes")
            if asked:
                record(scope, _NAMESPACE, "IntegrationLatency", place, asked, _MS)
