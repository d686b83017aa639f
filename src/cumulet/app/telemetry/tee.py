"""The tee: what services measure goes to CloudWatch, and is also added up for the owner's tools."""

from __future__ import annotations

from collections.abc import Sequence

from cumulet.app.telemetry.naming import family_of
from cumulet.app.telemetry.registry import Registry
from cumulet.app.telemetry.reports import Reports
from cumulet.core.clock import Clock
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics

_Dimensions = tuple[tuple[str, str], ...]


def tee(first: Metrics, registry: Registry, reports: Reports, clock: Clock) -> Metrics:
    """A port that tells both. Its type makes sure that the tee has all that a port has."""
    return _Tee(first, registry, reports, clock)


class _Tee:
    """Tells CloudWatch first; a mistake in adding up never reaches the service that measured."""

    def __init__(self, first: Metrics, registry: Registry, reports: Reports, clock: Clock) -> None:
        self._first = first
        self._registry = registry
        self._reports = reports
        self._now = clock.now

    def record(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: _Dimensions,
        value: float,
        unit: str = "Count",
    ) -> None:
        """Add one value, measured now."""
        self._first.record(scope, namespace, name, dimensions, value, unit)
        self._add(scope, namespace, name, dimensions, (value,), unit)

    def record_all(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: _Dimensions,
        values: Sequence[float],
        unit: str = "Count",
    ) -> None:
        """Add values that were measured in the last second or so."""
        self._first.record_all(scope, namespace, name, dimensions, values, unit)
        self._add(scope, namespace, name, dimensions, values, unit)

    def _add(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: _Dimensions,
        values: Sequence[float],
        unit: str,
    ) -> None:
        try:
            key = (scope, namespace, name, dimensions, unit)
            series = self._registry.find(key) or self._registry.make(
                key,
                family_of(namespace, name, unit),
                (("cloud.account.id", scope.account), ("cloud.region", scope.region), *dimensions),
            )
            if series is not None:
                series.add(values, self._now())
        except Exception as cause:
            self._reports.failed("a measurement was not added up", cause)
