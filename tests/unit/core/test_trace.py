"""The one event of a request: fields, spans, and the operator's log."""

from __future__ import annotations

import logging

import pytest

from cumulet.core import trace
from cumulet.core.trace import Trace, log_cause, log_line


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
    assert 0 <= length_us <= event.duration_ms() * 1000


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
