"""OTLP: messages against OpenTelemetry's own, answers, spans, and loops that never end."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from tests.unit.app.telemetry.running import to_its_end

from cumulet.app.telemetry.limits import ATTEMPTS_MAX
from cumulet.app.telemetry.otlp import sending
from cumulet.app.telemetry.otlp.answers import Partial, parse_partial, retry_after
from cumulet.app.telemetry.otlp.exporters import TraceExporter
from cumulet.app.telemetry.otlp.messages import TRACES, to_json, to_protobuf
from cumulet.app.telemetry.otlp.sending import Sender
from cumulet.app.telemetry.otlp.spans import is_sampled, spans_of, trace_id_of
from cumulet.app.telemetry.reports import Reports
from cumulet.app.telemetry.settings import Receiver, TelemetrySettings
from cumulet.core.clock import ManualClock, SystemClock
from cumulet.core.trace import Answered, Trace
from cumulet.services.apigateway.pipeline.integrations.outbound import OutboundError, WholeAnswer

REQUEST_ID = "0a0b0c0d-0e0f-4a0b-8c0d-0e0f00010203"


def answered(**fields: Any) -> Trace:
    trace = Trace("", "", REQUEST_ID, 1_700_000_000.0)
    trace.note_all(fields)
    start = trace.started
    trace.add_span("outer", start + 0.001, start + 0.010)
    trace.add_span("inner", start + 0.002, start + 0.005)
    trace.add_span("later", start + 0.011, start + 0.012)
    trace.answer = Answered("POST", "/p", "h:80", "::1", 200, start + 0.02, 3, None)
    return trace


def whole(trace: Trace) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans_of(trace)}]}]}


def test_spans_are_nested_by_their_times():
    data = TracesData.FromString(to_protobuf(TRACES, whole(answered())))
    spans = {one.name: one for one in data.resource_spans[0].scope_spans[0].spans}
    assert spans["outer"].parent_span_id == spans["POST"].span_id
    assert spans["inner"].parent_span_id == spans["outer"].span_id
    assert spans["later"].parent_span_id == spans["POST"].span_id
    assert len({one.span_id for one in spans.values()}) == 4
    assert {len(one.trace_id) for one in spans.values()} == {16}
    assert spans["POST"].parent_span_id == b""
    assert abs(spans["POST"].end_time_unix_nano - spans["POST"].start_time_unix_nano - 2e7) < 1000


def test_values_of_every_kind_are_read_back():
    pairs = {"t": "ü\ud800", "b": True, "n": -(1 << 63), "big": 1 << 70, "f": 0.5, "none": None}
    trace = answered(**pairs)
    data = TracesData.FromString(to_protobuf(TRACES, whole(trace)))
    found = data.resource_spans[0].scope_spans[0].spans[0].attributes
    told = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in found}
    assert told["cumulet.t"] == "ü?"
    assert told["cumulet.b"] is True
    assert told["cumulet.n"] == -(1 << 63)
    assert told["cumulet.big"] == str(1 << 70)
    assert told["cumulet.f"] == 0.5
    assert told["cumulet.none"] == "None"
    for name in ("t", "big"):
        assert json.loads(to_json(TRACES, whole(answered(**{name: pairs[name]}))))


def test_numbers_of_64_bits_are_texts_in_json():
    [resource] = json.loads(to_json(TRACES, whole(answered())))["resourceSpans"]
    [span, *_] = resource["scopeSpans"][0]["spans"]
    assert isinstance(span["startTimeUnixNano"], str)
    assert len(span["traceId"]) == 32
    assert {"key": "http.response.status_code", "value": {"intValue": "200"}} in span["attributes"]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793"),
        ("1-00000000-000000000000000000000000", None),
        ("made-up", None),
    ],
)
def test_trace_ids_are_always_of_sixteen_bytes(text: str, known: str | None):
    made = trace_id_of(text)
    assert len(made) == 16
    assert any(made)
    assert known is None or made.hex() == known


def test_sampling_takes_its_share():
    ids = [trace_id_of(f"made-up-{number}") for number in range(4_000)]
    assert 800 < sum(is_sampled(one, 0.25) for one in ids) < 1_200
    assert not any(is_sampled(one, 0.0) for one in ids)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("-1", 0.0), ("1e9", 120.0), ("nan", None), ("soon", None), ("", None)],
)
def test_retry_after_is_read_and_bounded(text: str, seconds: float | None):
    assert retry_after(text, 0.0) == seconds


def test_retry_after_may_be_a_date():
    assert retry_after("Thu, 01 Jan 1970 00:00:10 GMT", 4.0) == 6.0


def test_partial_answers_are_read_in_both_encodings():
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = 300
    answer.partial_success.error_message = "no"
    body = answer.SerializeToString()
    assert parse_partial(body, is_json=False) == Partial(300, "no")
    told = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "no"}}'
    assert parse_partial(told, is_json=True) == Partial(2, "no")


@pytest.mark.parametrize("body", [b"", b"\xff\xff", b"\x0a\x7f", b"[1]", b"null", b"<a>", b"\x0f"])
@pytest.mark.parametrize("is_json", [False, True])
def test_an_answer_that_is_none_says_nothing(body: bytes, is_json: bool):
    assert parse_partial(body, is_json=is_json) == Partial(0, "")


class Backend:
    """Answers of the other side, one for each attempt: a status, or an error to raise."""

    def __init__(self, *answers: int | BaseException) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def exchange(self, *_: Any) -> WholeAnswer:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, BaseException):
            raise answer
        return WholeAnswer(answer, [("Retry-After", "7")] if answer == 429 else [], b"")


@to_its_end
async def test_a_batch_is_given_up_after_its_attempts_and_the_pauses_grow(
    monkeypatch: pytest.MonkeyPatch,
):
    backend = Backend(*[OutboundError("away")] * 10)
    monkeypatch.setattr(sending, "exchange", backend.exchange)
    clock = ManualClock()
    reports = Reports(clock)
    sender = Sender(Receiver("http://h/"), "requests", clock, reports)
    work = asyncio.get_running_loop().create_task(sender.send(b"", 5))
    began, attempts_at = clock.now(), []
    while not work.done():
        seen = backend.asked
        await clock.advance(0.1)
        if backend.asked != seen:
            attempts_at.append(clock.now() - began)
        assert clock.now() - began < 300
    assert backend.asked == ATTEMPTS_MAX
    gaps = [after - before for before, after in itertools.pairwise(attempts_at)]
    assert gaps[-1] > gaps[0]
    assert reports.dropped["requests"] == 5


@to_its_end
async def test_the_receivers_own_time_is_kept(monkeypatch: pytest.MonkeyPatch):
    backend = Backend(429)
    monkeypatch.setattr(sending, "exchange", backend.exchange)
    clock = ManualClock()
    sender = Sender(Receiver("http://h/"), "requests", clock, Reports(clock))
    work = asyncio.get_running_loop().create_task(sender.send(b"", 1))
    await clock.advance(0)
    await clock.advance(6.9)
    assert backend.asked == 1
    await clock.advance(0.2)
    await work
    assert backend.asked == 2


@pytest.mark.parametrize(
    "failure", [RuntimeError("a mistake"), asyncio.CancelledError(), MemoryError()], ids=repr
)
@to_its_end
async def test_no_failure_ends_the_loop(monkeypatch: pytest.MonkeyPatch, failure: BaseException):
    backend = Backend(failure)
    monkeypatch.setattr(sending, "exchange", backend.exchange)
    clock, reports = SystemClock(), Reports(SystemClock())
    settings = TelemetrySettings(delay_seconds=0.01)
    sender = Sender(Receiver("http://h/"), "requests", clock, reports)
    exporter = TraceExporter(sender, settings, {"attributes": {}}, {}, clock, reports)
    await exporter.start()
    exporter(answered())
    end = time.monotonic() + 60
    while not reports.dropped["requests"]:
        assert time.monotonic() < end
        await clock.sleep(0.01)
    exporter(answered())
    while backend.asked < 2:
        assert time.monotonic() < end
        await clock.sleep(0.01)
    await exporter.stop()
    assert reports.dropped["requests"] == 1


@to_its_end
async def test_a_queue_that_is_full_drops_and_counts(monkeypatch: pytest.MonkeyPatch):
    backend = Backend()
    monkeypatch.setattr(sending, "exchange", backend.exchange)
    clock = SystemClock()
    reports = Reports(clock)
    settings = TelemetrySettings(queue_traces=3, delay_seconds=60)
    sender = Sender(Receiver("http://h/"), "requests", clock, reports)
    exporter = TraceExporter(sender, settings, {"attributes": {}}, {}, clock, reports)
    for _ in range(10):
        exporter(answered())
    await exporter.stop()
    assert (reports.dropped["requests"], backend.asked) == (7, 1)
