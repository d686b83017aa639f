"""The one event of a request: fields, spans, and the operator's log."""

from __future__ import annotations

import logging

import pytest

from cumulet.core import trace
from cumulet.core.trace import Answered, Trace, log_cause, log_line


def test_an_event_collects_fields_and_spans() -> None:
    event = Trace("id", "parent")
    event.note(service="s3")
    event.note(status=200)
    with event.span("work", part=1):
        pass
    [(name, start_us, length_us, fields)] = event.spans
    assert event.fields == {"service": "s3", "status": 200}
    assert (name, fields) == ("work", {"part": 1})
    assert start_us >= 0
    assert 0 <= length_us < 60_000_000


def test_what_is_noted_later_counts_and_notes_are_bounded() -> None:
    event = Trace()
    for number in range(trace._NOTES_MAX * 2):
        event.note_all({"last": number, f"n{number % 10}": number})
    assert event.fields["last"] == trace._NOTES_MAX * 2 - 1
    assert len(event.fields) == 11
    assert len(event._notes) <= trace._NOTES_MAX


def test_an_event_tells_how_its_request_was_answered() -> None:
    event = Trace(request_id="01234567-89ab-cdef-0123-456789abcdef", opened=100.0)
    event.note(service="s3")
    event.answer = Answered("GET", "/p", "h", "::1", 200, event.started + 0.5, 3, None)
    told = event.event()
    assert told["trace_id"] == "1-00000064-0123456789abcdef01234567"
    assert (told["method"], told["path"], told["status"]) == ("GET", "/p", 200)
    assert (told["service"], told["request_bytes"]) == ("s3", 3)
    assert told["duration_ms"] == pytest.approx(500)
    assert not {"ended", "answer_bytes", "parent_id", "spans_dropped"} & told.keys()


def test_a_span_is_kept_when_its_work_fails() -> None:
    event = Trace()
    with pytest.raises(ValueError, match="broken"), event.span("work"):
        raise ValueError("broken")
    assert [span[0] for span in event.spans] == ["work"]


def test_spans_are_bounded_and_say_how_many_were_left_out() -> None:
    event = Trace()
    for _ in range(trace._SPANS_MAX + 7):
        event.add_span("work", event.started, event.started)
    assert len(event.spans) == trace._SPANS_MAX
    assert event.spans_dropped == 7


def test_a_span_goes_to_the_request_in_hand() -> None:
    event = Trace()
    with trace.span("nobody listens"):
        pass
    token = trace.current.set(event)
    try:
        with trace.span("work", n=1):
            pass
    finally:
        trace.current.reset(token)
    assert [span[0] for span in event.spans] == ["work"]


def test_a_line_is_a_sentence_and_its_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cumulet"):
        log_line(logging.INFO, "lease taken", worker="w")
        log_line(logging.DEBUG, "too fine")
    assert [record.getMessage() for record in caplog.records] == ['lease taken {"worker": "w"}']


def test_a_cause_is_written_with_its_request_and_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cause = ValueError("the cause")
    log_cause("id-1", "operation failed", cause, service="s3")
    [record] = caplog.records
    assert "request_id=id-1" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is cause
