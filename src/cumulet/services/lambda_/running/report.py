"""The platform's own lines in a function's log, as text or as JSON. Pure.

Follows https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html and,
for the records, https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cumulet.core.clock import iso_time
from cumulet.core.trace_header import field_of
from cumulet.sandbox import Failed, Outcome
from cumulet.services.lambda_.model import Logging

LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "WARNING": 3, "ERROR": 4, "FATAL": 5}
_DEFAULT_LEVEL = "INFO"
_RAW_MAX = 65_536
"""Longest application line that is read to find its level."""


class Start(NamedTuple):
    """An initialisation: of which runtime, function and version."""

    runtime: str
    runtime_arn: str
    function: str
    version: str
    memory_mb: int
    instance: str


class Report(NamedTuple):
    """What an invocation used and how it ended. `status` is success, error, failure or timeout.

    `trace_id` is the trace header of a traced call, else empty.
    """

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None
    status: str
    error_type: str
    trace_id: str


def allows_system(logging: Logging, level: str) -> bool:
    """Whether a platform line of that level is written; the text format writes all."""
    if logging.format != "JSON":
        return True
    return LEVELS[level] >= LEVELS[logging.system_level or _DEFAULT_LEVEL]


def allows_application(logging: Logging, line: str) -> bool:
    """Whether a line of the function is written: JSON lines that state a level may be too low."""
    if logging.format != "JSON" or not line.startswith("{") or len(line) > _RAW_MAX:
        return True
    try:
        record = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return True
    level = record.get("level") if isinstance(record, dict) else None
    rank = LEVELS.get(level.upper()) if isinstance(level, str) else None
    if rank is None:
        return True
    return rank >= LEVELS[logging.application_level or _DEFAULT_LEVEL]


def init_line(logging: Logging, seconds: float, start: Start) -> str:
    """The line at the beginning of an environment's life."""
    runtime = f"{_spelled(start.runtime)}.v1"
    if logging.format == "JSON":
        record: dict[str, Any] = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": runtime,
            "runtimeVersionArn": start.runtime_arn,
            "functionName": start.function,
            "functionVersion": start.version,
            "instanceId": start.instance,
            "instanceMaxMemory": start.memory_mb * 1_048_576,
        }
        return _record(seconds, "platform.initStart", record)
    return f"INIT_START Runtime Version: {runtime}\tRuntime Version ARN: {start.runtime_arn}\n"


def _spelled(runtime: str) -> str:
    """`python3.12` as INIT_START writes it: `python:3.12`."""
    for family in ("python", "nodejs", "provided", "java", "ruby", "dotnet"):
        if runtime.startswith(family):
            return f"{family}:{runtime[len(family) :].removesuffix('.x').removeprefix('.')}"
    return runtime


def start_line(logging: Logging, seconds: float, request_id: str, version: str) -> str:
    """The line at the beginning of an invocation."""
    if logging.format == "JSON":
        record = {"requestId": request_id, "version": version}
        return _record(seconds, "platform.start", record)
    return f"START RequestId: {request_id} Version: {version}\n"


def end_line(request_id: str) -> str:
    """The line at the end of an invocation; the JSON format has none at its usual level."""
    return f"END RequestId: {request_id}\n"


def report_line(logging: Logging, seconds: float, report: Report) -> str:
    """The last line of an invocation."""
    if logging.format == "JSON":
        return _report_record(seconds, report)
    line = (
        f"REPORT RequestId: {report.request_id}\tDuration: {report.duration_ms:.2f} ms\t"
        f"Billed Duration: {report.billed_ms} ms\tMemory Size: {report.memory_mb} MB\t"
        f"Max Memory Used: {report.max_memory_mb} MB\t"
    )
    if report.init_ms is not None:
        line += f"Init Duration: {report.init_ms:.2f} ms\t"
    if report.status == "timeout":
        line += "Status: timeout\t"
    elif report.status != "success" and report.error_type.startswith("Runtime."):
        line += f"Status: error\tError Type: {report.error_type}\t"
    line += "\n"
    if report.trace_id:
        root, parent = field_of(report.trace_id, "Root"), field_of(report.trace_id, "Parent")
        line += f"XRAY TraceId: {root}\tSegmentId: {parent}\tSampled: true\t\n"
    return line


def _report_record(seconds: float, report: Report) -> str:
    metrics: dict[str, Any] = {
        "durationMs": round(report.duration_ms, 3),
        "billedDurationMs": report.billed_ms,
        "memorySizeMB": report.memory_mb,
        "maxMemoryUsedMB": report.max_memory_mb,
    }
    if report.init_ms is not None:
        metrics["initDurationMs"] = round(report.init_ms, 3)
    record: dict[str, Any] = {
        "requestId": report.request_id,
        "metrics": metrics,
        "status": report.status,
    }
    if report.status != "success":
        record["errorType"] = report.error_type
    if report.trace_id:
        record["tracing"] = {
            "spanId": field_of(report.trace_id, "Parent"),
            "type": "X-Amzn-Trace-Id",
            "value": report.trace_id,
        }
    return _record(seconds, "platform.report", record)


def _record(seconds: float, kind: str, record: dict[str, Any]) -> str:
    whole = {"time": iso_time(seconds), "type": kind, "record": record}
    return msgspec.json.encode(whole).decode() + "\n"


def status_of(outcome: Outcome) -> tuple[str, str]:
    """The status word of the report line, and the error type."""
    if not isinstance(outcome, Failed):
        return "success", ""
    if outcome.error_type == "Sandbox.Timedout":
        return "timeout", outcome.error_type
    if outcome.kind == "Unhandled":
        return "error", outcome.error_type
    return "failure", outcome.error_type
