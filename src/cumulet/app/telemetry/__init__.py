"""What this cloud tells its owner's own tools: OpenTelemetry's collectors, and Prometheus."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from cumulet import __version__
from cumulet.app.telemetry.limits import OWN_SERIES_MAX, SERIES_MAX
from cumulet.app.telemetry.naming import Family
from cumulet.app.telemetry.otlp.exporters import MEASURED, REQUESTS, MetricExporter, TraceExporter
from cumulet.app.telemetry.otlp.messages import Message
from cumulet.app.telemetry.otlp.sending import Sender
from cumulet.app.telemetry.process import Figure, data_figures, process_figures
from cumulet.app.telemetry.registry import Registry, Series
from cumulet.app.telemetry.reports import Reports
from cumulet.app.telemetry.requests import RequestCounter
from cumulet.app.telemetry.settings import TelemetrySettings
from cumulet.app.telemetry.surface import MetricsSurface
from cumulet.app.telemetry.tee import tee
from cumulet.core.clock import Clock, new_uuid
from cumulet.core.trace import Sink
from cumulet.kit.ports import Metrics
from cumulet.kv.embedded import EmbeddedStore

_SCOPE: Message = {"name": "cumulet", "version": __version__}
_DROPPED = Family(
    "cumulet_telemetry_dropped",
    "counter",
    "What could not be told: requests and metrics not sent, series that had no room.",
    "cumulet.telemetry.dropped",
    "1",
)
_SERIES = Family(
    "cumulet_telemetry_series", "gauge", "Series that are kept.", "cumulet.telemetry.series", "1"
)


class Telemetry:
    """Everything that is told, as the settings say. With none of them it costs nothing.

    Raises OSError or ValueError for certificates that cannot be read.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        clock: Clock,
        *,
        data: Path,
        store: EmbeddedStore,
        account: str,
        region: str,
        knows: Callable[[str, str], bool],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._data = data
        self._store = store
        self._reports = Reports(clock)
        self._of_aws = Registry(clock, SERIES_MAX)
        self._own = Registry(clock, OWN_SERIES_MAX)
        self._exporters: list[TraceExporter | MetricExporter] = []
        self.sinks: list[Sink] = []
        if settings.measures:
            self.sinks.append(RequestCounter(self._own, self._reports, clock, knows))
        self._add_exporters(account, region)
        self.surface = MetricsSurface(settings.scrape_token, self._series, self._figures)

    def _add_exporters(self, account: str, region: str) -> None:
        settings, clock, reports = self._settings, self._clock, self._reports
        resource = self._resource(account, region)
        if settings.traces is not None:
            sender = Sender(settings.traces, REQUESTS, clock, reports)
            traces = TraceExporter(sender, settings, resource, _SCOPE, clock, reports)
            self.sinks.append(traces)
            self._exporters.append(traces)
        if settings.metrics is not None:
            sender = Sender(settings.metrics, MEASURED, clock, reports)
            self._exporters.append(
                MetricExporter(
                    *(sender, settings, resource, _SCOPE, clock, reports),
                    *(self._series, self._figures),
                )
            )

    def _resource(self, account: str, region: str) -> Message:
        """https://opentelemetry.io/docs/specs/semconv/resource/"""
        told = {
            "service.name": self._settings.service_name,
            "service.version": __version__,
            "service.instance.id": new_uuid(self._clock),
            "cloud.account.id": account,
            "cloud.region": region,
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
            "telemetry.sdk.name": "cumulet",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.version": __version__,
        }
        return {"attributes": {**told, **dict(self._settings.attributes)}}

    def port(self, first: Metrics) -> Metrics:
        """The port by which services measure: CloudWatch's own, or one that tells us too."""
        if not self._settings.measures:
            return first
        return tee(first, self._of_aws, self._reports, self._clock)

    async def start(self) -> None:
        """Begin to export."""
        for exporter in self._exporters:
            await exporter.start()

    async def stop(self) -> None:
        """Send what waits, all at once, so that a stop waits for the slowest only."""
        await asyncio.gather(*(exporter.stop() for exporter in self._exporters))

    def _series(self) -> list[Series]:
        return [*self._of_aws.shown(), *self._own.shown()]

    def _figures(self) -> Iterator[Figure]:
        yield from process_figures()
        yield from data_figures(self._data, self._store.failure, self._store.figures)
        left_out = self._of_aws.dropped + self._own.dropped
        for what, count in (*self._reports.dropped.items(), ("series", left_out)):
            yield Figure(_DROPPED, float(count), (("what", what),))
        yield Figure(_SERIES, float(len(self._of_aws) + len(self._own)))
