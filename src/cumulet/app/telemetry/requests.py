"""The requests of this cloud as metrics: how many, how long, and with what errors."""

from __future__ import annotations

from collections.abc import Callable

from cumulet.app.telemetry.naming import SECONDS_BOUNDS, Family
from cumulet.app.telemetry.registry import Registry, Series
from cumulet.app.telemetry.reports import Reports
from cumulet.core.clock import Clock
from cumulet.core.trace import Trace

_DURATION = Family(
    "cumulet_request_duration_seconds",
    "histogram",
    "How long requests took until their answer was made.",
    "http.server.request.duration",
    "s",
    "seconds",
    bounds=SECONDS_BOUNDS,
)
_ERRORS = Family(
    "cumulet_request_errors",
    "counter",
    "Requests that were answered with an error of AWS's, by its code.",
    "cumulet.request.errors",
    "{request}",
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "_OTHER"
"""What strangers may make up has one name, as OpenTelemetry has it for methods."""


class RequestCounter:
    """A sink of the edge. `knows` says whether a service has an operation."""

    def __init__(
        self,
        registry: Registry,
        reports: Reports,
        clock: Clock,
        knows: Callable[[str, str], bool],
    ) -> None:
        self._registry = registry
        self._reports = reports
        self._now = clock.now
        self._knows = knows

    def __call__(self, trace: Trace) -> None:
        """Count one request that was answered."""
        try:
            self._count(trace)
        except Exception as cause:
            self._reports.failed("a request was not counted", cause)

    def _count(self, trace: Trace) -> None:
        answer = trace.answer
        if answer is None:
            return
        fields = trace.fields
        place = self._place(fields.get("surface", ""), fields)
        method = answer.method if answer.method in _METHODS else _OTHER
        now = self._now()
        series = self._series(
            _DURATION,
            (
                *place,
                ("http.request.method", method),
                ("http.response.status_code", str(answer.status)),
            ),
        )
        if series is not None:
            series.add((answer.ended - trace.started,), now)
        if error := fields.get("error"):
            errors = self._series(_ERRORS, (*place, ("error.type", str(error))))
            if errors is not None:
                errors.add((1.0,), now)

    def _place(self, surface: str, fields: dict[str, object]) -> tuple[tuple[str, str], ...]:
        service, operation = str(fields.get("service", "")), str(fields.get("operation", ""))
        if service and not self._knows(service, operation):
            service, operation = _OTHER, _OTHER
        return (
            ("cumulet.surface", str(surface)),
            ("rpc.service", service),
            ("rpc.method", operation),
        )

    def _series(self, family: Family, labels: tuple[tuple[str, str], ...]) -> Series | None:
        key = (family.name, labels)
        return self._registry.find(key) or self._registry.make(key, family, labels)
