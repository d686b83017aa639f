"""Names, series and the page of Prometheus, held against Prometheus's own parsers."""

from __future__ import annotations

import logging
import math

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.app.telemetry.running import to_its_end

from cumulet.app.telemetry.limits import EVICT_SECONDS, GAUGE_SECONDS, IDLE_SECONDS, TOLD_SECONDS
from cumulet.app.telemetry.naming import family_of, label_of, snake
from cumulet.app.telemetry.prometheus import exposed, wants_open_metrics
from cumulet.app.telemetry.registry import Registry
from cumulet.app.telemetry.reports import Reports
from cumulet.app.telemetry.tee import tee
from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope

SCOPE = Scope("000000000000", "us-east-1")


class Sink:
    """CloudWatch's part, which keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def record(self, *values: object) -> None:
        self.told.append(values)

    def record_all(self, *values: object) -> None:
        self.told.append(values)


@pytest.mark.parametrize(
    ("namespace", "metric", "unit", "name", "kind"),
    [
        ("AWS/Lambda", "Invocations", "Count", "aws_lambda_invocations", "counter"),
        ("AWS/Lambda", "Duration", "Milliseconds", "aws_lambda_duration_seconds", "histogram"),
        (
            "AWS/Lambda",
            "ConcurrentExecutions",
            "Count",
            "aws_lambda_concurrent_executions",
            "gauge",
        ),
        ("AWS/ApiGateway", "4XXError", "Count", "aws_api_gateway_4xx_error", "counter"),
        ("AWS/SQS", "SentMessageSize", "Bytes", "aws_sqs_sent_message_size_bytes", "histogram"),
        (
            *("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Count"),
            *("aws_sqs_approximate_number_of_messages_visible", "gauge"),
        ),
        ("AWS/X", "Y", "Count/Second", "aws_x_y_per_second", "gauge"),
    ],
)
def test_names_and_kinds(namespace: str, metric: str, unit: str, name: str, kind: str):
    family = family_of(namespace, metric, unit)
    assert (family.name, family.kind) == (name, kind)


@pytest.mark.parametrize(
    ("given", "label"),
    [("TableName", "table_name"), ("cloud.account.id", "account_id"), ("äö", "_"), ("9x", "_9x")],
)
def test_labels_are_prometheus_own(given: str, label: str):
    assert label_of(given) == label


def test_snake_keeps_abbreviations_together():
    assert snake("APIGatewayURLCount") == "api_gateway_url_count"


@pytest.mark.parametrize("is_open", [False, True])
def test_labels_of_any_text_come_back_from_the_parser(is_open: bool):
    registry = Registry(ManualClock(), 10)
    nasty = 'a "quoted" \\ back\nline {brace},x="y"'
    for number, unit in enumerate(("Count", "Milliseconds", "Percent")):
        family = family_of("AWS/Test", f"Metric{number}", unit)
        series = registry.make(number, family, (("QueueName", nasty),))
        assert series is not None
        series.add((1.0, 2500.0, 1e9), 5.0)
    text = "".join(exposed(registry.shown(), (), is_open=is_open))
    parse = (
        openmetrics.text_string_to_metric_families if is_open else text_string_to_metric_families
    )
    samples = [one for family in parse(text) for one in family.samples]
    assert {one.labels["queue_name"] for one in samples} == {nasty}
    values = {one.name: one.value for one in samples if "le" not in one.labels}
    assert values["aws_test_metric0_total"] == 1_000_002_501.0
    assert values["aws_test_metric1_seconds_count"] == 3
    assert math.isclose(values["aws_test_metric1_seconds_sum"], 1_000_002.501)
    [most] = [one.value for one in samples if one.labels.get("le") == "2.5"]
    assert most == 2


@pytest.mark.parametrize(
    ("accept", "is_open"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4;q=0.3,*/*;q=0.2", False),
        ("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.4", True),
        ("application/openmetrics-text;q=0.1,text/plain", False),
        ("application/openmetrics-text;q=x", False),
        ("application/openmetrics-text;version=9.0.0", False),
    ],
)
def test_the_format_is_the_one_that_is_asked_for(accept: str, is_open: bool):
    assert wants_open_metrics(accept) is is_open


@to_its_end
async def test_series_are_bounded_and_idle_ones_make_room():
    clock = ManualClock()
    registry = Registry(clock, 2)
    family = family_of("AWS/SQS", "NumberOfMessagesSent", "Count")
    first = registry.make("a", family, ())
    assert first is not None
    registry.make("b", family, ())
    assert registry.make("c", family, ()) is None
    assert registry.dropped == 1
    await clock.advance(IDLE_SECONDS + EVICT_SECONDS)
    first.add((1.0,), clock.now())
    assert registry.make("c", family, ()) is not None
    assert registry.find("a") is first
    assert registry.find("b") is None


@to_its_end
async def test_a_gauge_of_what_may_be_gone_is_not_told():
    clock = ManualClock()
    registry = Registry(clock, 2)
    gauge = registry.make("a", family_of("AWS/SQS", "ApproximateNumberOfMessages", "Count"), ())
    assert gauge is not None
    gauge.add((3.0,), clock.now())
    assert registry.shown() == [gauge]
    await clock.advance(GAUGE_SECONDS + 1)
    assert registry.shown() == []


def test_what_is_no_number_does_not_spoil_a_sum():
    registry = Registry(ManualClock(), 2)
    series = registry.make("a", family_of("AWS/X", "Y", "Count"), ())
    assert series is not None
    series.add((1.0, math.nan, math.inf, -5.0, 2.0), 0.0)
    assert series.total == 3.0


def test_the_tee_tells_both_and_a_mistake_in_adding_up_reaches_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    clock, sink = ManualClock(), Sink()
    registry = Registry(clock, 10)
    port = tee(sink, registry, Reports(clock), clock)
    port.record(SCOPE, "AWS/SQS", "Sent", (("QueueName", "q"),), 2.0)
    port.record_all(SCOPE, "AWS/SQS", "Sent", (("QueueName", "q"),), [1.0, 3.0])
    port.record_all(SCOPE, "AWS/SQS", "Sent", (("QueueName", "q"),), [])
    assert len(sink.told) == 3
    [series] = registry.shown()
    assert series.total == 6.0

    def fails(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Registry, "find", fails)
    with caplog.at_level(logging.ERROR, "cumulet"):
        port.record(SCOPE, "AWS/SQS", "Sent", (), 1.0)
        port.record_all(SCOPE, "AWS/SQS", "Sent", (), [1.0])
    assert len(sink.told) == 5
    assert len(caplog.records) == 1


@to_its_end
async def test_what_is_dropped_is_said_once_in_a_while_with_its_count(
    caplog: pytest.LogCaptureFixture,
):
    clock = ManualClock()
    reports = Reports(clock)
    with caplog.at_level(logging.WARNING, "cumulet"):
        for _ in range(5):
            reports.drop("requests", 2, "away")
        await clock.advance(TOLD_SECONDS)
        reports.tell()
        reports.tell()
    assert ['"count": 2' in caplog.messages[0], '"count": 8' in caplog.messages[1]] == [True, True]
    assert len(caplog.messages) == 2
    assert reports.dropped["requests"] == 10
