"""Log lines: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html"""

from __future__ import annotations

import json

import pytest

from cumulet.services.lambda_.model import Logging
from cumulet.services.lambda_.running import report
from cumulet.services.lambda_.running.report import Report, Start

TEXT = Logging("g")
JSON = Logging("g", "JSON", "WARN", "INFO")
DONE = Report("id", 1.234, 3, 128, 40, None, "success", "", "")


def test_the_report_as_text() -> None:
    assert report.report_line(TEXT, 0, DONE) == (
        "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 40 MB\t\n"
    )
    cold = DONE._replace(init_ms=100.5)
    assert "\tInit Duration: 100.50 ms\t\n" in report.report_line(TEXT, 0, cold)
    late = DONE._replace(status="timeout", error_type="Sandbox.Timedout")
    assert report.report_line(TEXT, 0, late).endswith("\tStatus: timeout\t\n")
    dead = DONE._replace(status="failure", error_type="Runtime.ExitError")
    assert report.report_line(TEXT, 0, dead).endswith(
        "\tStatus: error\tError Type: Runtime.ExitError\t\n"
    )


def test_the_trace_line_comes_only_when_tracing() -> None:
    assert "XRAY" not in report.report_line(TEXT, 0, DONE)
    traced = report.report_line(TEXT, 0, DONE._replace(trace_id="Root=1-2-3;Parent=ab;Sampled=1"))
    assert traced.splitlines()[1] == "XRAY TraceId: 1-2-3\tSegmentId: ab\tSampled: true\t"


def test_the_report_as_a_record() -> None:
    record = json.loads(report.report_line(JSON, 0, DONE._replace(init_ms=2.0)))
    assert record["type"] == "platform.report"
    assert record["time"] == "1970-01-01T00:00:00.000Z"
    assert record["record"] == {
        "requestId": "id",
        "metrics": {
            "durationMs": 1.234,
            "billedDurationMs": 3,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 40,
            "initDurationMs": 2.0,
        },
        "status": "success",
    }


def test_start_and_init() -> None:
    assert report.start_line(TEXT, 0, "id", "7") == "START RequestId: id Version: 7\n"
    start = Start("nodejs22.x", "arn:r", "f", "$LATEST", 128, "i")
    assert report.init_line(TEXT, 0, start) == (
        "INIT_START Runtime Version: nodejs:22.v1\tRuntime Version ARN: arn:r\n"
    )
    record = json.loads(report.init_line(JSON, 0, start))["record"]
    assert record["functionName"] == "f"
    assert record["instanceMaxMemory"] == 134_217_728


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ('{"level": "ERROR"}', True),
        ('{"level": "WARN"}', True),
        ('{"level": "INFO"}', False),
        ('{"level": "debug"}', False),
        ('{"level": "OTHER"}', True),
        ('{"level": 7}', True),
        ('{"no": "level"}', True),
        ("{broken", True),
        ("plain text", True),
    ],
)
def test_records_below_the_level_are_left_out(line: str, written: bool) -> None:
    assert report.allows_application(JSON, line) is written
    assert report.allows_application(TEXT, line)


def test_system_lines_below_the_level_are_left_out() -> None:
    quiet = Logging("g", "JSON", "INFO", "WARN")
    assert not report.allows_system(quiet, "INFO")
    assert report.allows_system(quiet, "WARN")
    assert report.allows_system(TEXT, "DEBUG")
