"""What is told of WebSocket APIs: metrics, access logs and execution logs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import Trace
from cumulet.core.usage import SOCKET_BLOCK_BYTES, SOCKET_MESSAGES, SOCKET_MINUTES, blocks
from cumulet.kit.ports import LogSink, Metrics, Usage
from cumulet.services.apigateway.pipeline.faults import GatewayFault
from cumulet.services.apigateway.v2.sockets.connections.model import Connection
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedRoute, ServedStage
from cumulet.services.apigateway.v2.sockets.event import CONNECT, MESSAGE, Happening
from cumulet.services.apigateway.v2.sockets.limits import ERROR_TEXT_MAX

_NAMESPACE = "AWS/ApiGateway"
_MINUTES_MAX = 120
"""No connection is longer, were it not for a process that went and left it behind.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""


@dataclass(slots=True)
class Outcome:
    """How an event went. `backend_status` 0 says that no backend was asked or none answered."""

    status: int = 200
    fault: GatewayFault | None = None
    backend_status: int = 0
    backend_ms: int | None = None
    latency_ms: int = 0
    asked_backend: bool = False


def report(
    platform: Platform,
    stage: ServedStage,
    route: ServedRoute | None,
    happening: Happening,
    outcome: Outcome,
) -> None:
    """Tell of one event, once it is over."""
    _count(platform, stage, route, happening, outcome)
    if stage.access_format is not None:
        line = stage.access_format(_values(stage, happening, outcome))
        _write(platform, stage, stage.access_group, happening, line)
    settings = route.settings if route is not None else stage.settings
    level = settings.logging_level
    if level == "INFO" or (level == "ERROR" and outcome.fault is not None):
        for line in _execution_lines(
            happening, outcome, with_data=bool(settings.data_trace_enabled)
        ):
            group = f"/aws/apigateway/{stage.api_id}/{stage.stage_name}"
            _write(platform, stage, group, happening, line)


def _arn(record: Connection) -> str:
    return f"arn:aws:apigateway:{record.region}::/apis/{record.api_id}"


def _charge_message(
    platform: Platform | Context, record: Connection, size: int, trace: Trace | None = None
) -> None:
    """Messages both ways count, one for each 32 KB: https://aws.amazon.com/api-gateway/pricing/"""
    scope, count = Scope(record.account, record.region), blocks(size, SOCKET_BLOCK_BYTES)
    platform.need(Usage).used(scope, _arn(record), SOCKET_MESSAGES, float(count), trace)


def charge_minutes(platform: Platform, record: Connection) -> None:
    """The minutes of a connection that has ended; one that was begun counts as whole."""
    scope, now_ms = Scope(record.account, record.region), platform.clock.now() * 1000
    minutes = math.ceil((now_ms - record.connected_at_ms) / 60_000)
    minutes = min(max(1, minutes), _MINUTES_MAX)
    platform.need(Usage).used(scope, _arn(record), SOCKET_MINUTES, float(minutes))


def count_message_out(
    platform: Platform | Context, record: Connection, size: int, trace: Trace | None = None
) -> None:
    """A message of so many bytes went to a client."""
    _charge_message(platform, record, size, trace)
    metrics = platform.need(Metrics)
    scope, api = Scope(record.account, record.region), ("ApiId", record.api_id)
    for dimensions in ((api,), (api, ("Stage", record.stage))):
        metrics.record(scope, _NAMESPACE, "MessageCount", dimensions, 1.0, "Count")


def _count(
    platform: Platform,
    stage: ServedStage,
    route: ServedRoute | None,
    happening: Happening,
    outcome: Outcome,
) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html"""
    fault = outcome.fault
    if happening.kind == MESSAGE:
        _charge_message(platform, happening.connection, len(happening.body.encode()))
        _record(platform, stage, route, "MessageCount", 1.0, "Count")
    elif happening.kind == CONNECT and outcome.asked_backend:
        _record(platform, stage, route, "ConnectCount", 1.0, "Count")
    if fault is not None and fault.status < 500 and not outcome.asked_backend:
        _record(platform, stage, route, "ClientError", 1.0, "Count")
    if outcome.backend_status >= 400:
        _record(platform, stage, route, "IntegrationError", 1.0, "Count")
    if fault is not None and outcome.asked_backend:
        _record(platform, stage, route, "ExecutionError", 1.0, "Count")
    if outcome.backend_ms is not None:
        _record(
            platform, stage, route, "IntegrationLatency", float(outcome.backend_ms), "Milliseconds"
        )


def _record(
    platform: Platform,
    stage: ServedStage,
    route: ServedRoute | None,
    name: str,
    value: float,
    unit: str,
) -> None:
    """Under the API, under its stage, and under the route when its metrics are detailed."""
    metrics = platform.need(Metrics)
    api = ("ApiId", stage.api_id)
    by_stage = (api, ("Stage", stage.stage_name))
    metrics.record(stage.scope, _NAMESPACE, name, (api,), value, unit)
    metrics.record(stage.scope, _NAMESPACE, name, by_stage, value, unit)
    if route is not None and route.settings.detailed_metrics_enabled:
        by_route = (*by_stage, ("Route", route.key))
        metrics.record(stage.scope, _NAMESPACE, name, by_route, value, unit)


def _values(stage: ServedStage, happening: Happening, outcome: Outcome) -> dict[str, Any]:
    """`$context` as access logs see it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
    """
    fault = outcome.fault
    values: dict[str, Any] = {
        **happening.context,
        "accountId": stage.scope.account,
        "status": fault.status if fault is not None else outcome.status,
        "requestTimeEpoch": happening.context["requestTimeEpoch"],
        "responseLatency": outcome.latency_ms,
    }
    if outcome.backend_ms is not None:
        values["integration"] = {
            "latency": outcome.backend_ms,
            "status": outcome.backend_status or None,
            "integrationStatus": outcome.backend_status or None,
            "requestId": happening.context["requestId"],
        }
        values["integrationLatency"] = outcome.backend_ms
        values["integrationStatus"] = outcome.backend_status or None
    if fault is not None:
        values["error"] = {
            "message": fault.message,
            "messageString": f'"{fault.message}"',
            "responseType": fault.kind,
        }
        if outcome.asked_backend:
            values["integrationErrorMessage"] = fault.cause
    return values


def _execution_lines(happening: Happening, outcome: Outcome, *, with_data: bool) -> list[str]:
    request_id = happening.context["requestId"]
    what = f"{happening.kind} on route {happening.context['routeKey']}"
    lines = [f"Starting execution for request: {request_id}", f"Event: {what}"]
    if with_data and happening.body:
        lines.append(f"Message: {happening.body[:ERROR_TEXT_MAX]}")
    if outcome.backend_ms is not None:
        lines.append(f"Integration answered {outcome.backend_status} in {outcome.backend_ms} ms")
    if outcome.fault is not None:
        cause = outcome.fault.cause or outcome.fault.message
        lines.append(f"Execution failed due to: {cause}")
    else:
        lines.append("Successfully completed execution")
    return [f"({request_id}) {line}" for line in lines]


def _write(
    platform: Platform, stage: ServedStage, group: str, happening: Happening, line: str
) -> None:
    sink = platform.need(LogSink)
    stream = _stream_of(stage.api_id, stage.stage_name)
    sink.write(stage.scope, group, stream, int(happening.context["requestTimeEpoch"]), line)


@lru_cache(maxsize=1_000)
def _stream_of(api_id: str, stage: str) -> str:
    return hashlib.sha256(f"{api_id}/{stage}".encode()).hexdigest()[:32]
