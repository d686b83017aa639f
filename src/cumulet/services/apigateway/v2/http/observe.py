"""What is told of a request to an HTTP API once it is answered: metrics and the access log.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Platform
from cumulet.core.http import Response
from cumulet.core.trace import Trace
from cumulet.core.usage import HTTP_BLOCK_BYTES, HTTP_REQUESTS, blocks
from cumulet.kit.ports import LogSink, Usage
from cumulet.services.apigateway.v2.http.arrival import Arrival, Notes
from cumulet.services.apigateway.v2.http.facts import context_of
from cumulet.services.apigateway.v2.http.measures import HttpMeasures, Measured
from cumulet.services.apigateway.v2.http.prepared.served import AccessLog, ServedStage


def tell(
    platform: Platform, stage: ServedStage, arrival: Arrival, response: Response, trace: Trace
) -> None:
    """Count the request, and write its line."""
    size = len(response.body) if isinstance(response.body, bytes) else 0
    elapsed_ms = int((platform.clock.monotonic() - arrival.started) * 1000)
    notes = arrival.notes
    platform.need(HttpMeasures).add(
        stage.scope,
        notes.route.dimensions if notes.route is not None else stage.dimensions,
        Measured(response.status, elapsed_ms, notes.integration_ms, size + len(arrival.body)),
    )
    if response.status not in (401, 403, 429) or notes.integration_ms is not None:
        # Requests that were not let in are free: https://aws.amazon.com/api-gateway/pricing/
        arn = f"arn:aws:apigateway:{stage.scope.region}::/apis/{stage.api_id}"
        count = blocks(size + len(arrival.body), HTTP_BLOCK_BYTES)
        platform.need(Usage).used(stage.scope, arn, HTTP_REQUESTS, float(count), trace)
    if stage.access_log is not None:
        _write(platform, stage, stage.access_log, arrival, response.status, size, elapsed_ms)


def _write(
    platform: Platform,
    stage: ServedStage,
    log: AccessLog,
    arrival: Arrival,
    status: int,
    size: int,
    elapsed_ms: int,
) -> None:
    notes = arrival.notes
    values = context_of(stage, arrival, notes.route, notes.authorized)
    values |= _outcome(notes)
    values |= {
        "status": status,
        "responseLength": size,
        "responseLatency": elapsed_ms,
        "dataProcessed": size + len(arrival.body),
    }
    if notes.authorizer_error:
        values["authorizer"] = {**values.get("authorizer", {}), "error": notes.authorizer_error}
    sink = platform.need(LogSink)
    now_ms = int(platform.clock.now() * 1000)
    sink.write(stage.scope, log.group, log.stream, now_ms, log.write(values))


def _outcome(notes: Notes) -> dict[str, Any]:
    values: dict[str, Any] = {
        "integrationStatus": notes.integration_status,
        "integrationLatency": notes.integration_ms,
        "integrationErrorMessage": notes.integration_error or None,
        "integration": {
            "status": notes.integration_status,
            "integrationStatus": notes.integration_status,
            "latency": notes.integration_ms,
            "error": notes.integration_error or None,
        },
    }
    if notes.refusal is not None:
        message = notes.refusal.message
        values["error"] = {
            "message": message,
            "messageString": f'"{message}"',
            "responseType": notes.refusal.kind,
        }
    return values
