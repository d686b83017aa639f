"""Ids, events and CORS."""

from __future__ import annotations

import uuid

import pytest

from cumulet.core.clock import ManualClock
from cumulet.core.http import BytesBody, Headers, Request, Response
from cumulet.core.trace import current
from cumulet.edge.middleware import (
    RequestIds,
    allow_origin,
    close_trace,
    open_trace,
    preflight,
)


def request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", "/p", "", Headers(pairs), BytesBody(b"body"))


def test_ids_are_random_uuids_and_never_repeat():
    ids = RequestIds(ManualClock())
    made = [ids.new() for _ in range(2000)]
    assert len(set(made)) == 2000
    for one in made:
        parsed = uuid.UUID(one)
        assert str(parsed) == one
        assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)


@pytest.mark.parametrize(
    ("header", "root", "parent"),
    [
        ("Root=1-abc-def;Parent=123;Sampled=1", "1-abc-def", "123"),
        ("Root=1-abc-def", "1-abc-def", ""),
        ("Self=1-x; Root=1-abc-def", "1-abc-def", ""),
        ("Root=1-a b", "1-00000064-0123456789abcdef01234567", ""),
        ("nonsense", "1-00000064-0123456789abcdef01234567", ""),
        ("", "1-00000064-0123456789abcdef01234567", ""),
        ("Root=" + "a" * 100, "1-00000064-0123456789abcdef01234567", ""),
    ],
)
def test_trace_is_continued_or_begun(header, root, parent):
    # https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
    given = request(x_amzn_trace_id=header) if header else request()
    trace = open_trace(given, "01234567-89ab-cdef-0123-456789abcdef", 100.0)
    assert (trace.trace_id, trace.parent_id) == (root, parent)
    assert current.get() is trace


def test_event_holds_what_is_known():
    told = []
    given = request(host="h")
    trace = open_trace(given, "id", 0.0)
    trace.note(service="sts")
    close_trace([told.append], trace, given, Response(201, [], b"abc"))
    event = told[0].event()
    assert (event["request_id"], event["trace_id"][:11]) == ("id", "1-00000000-")
    assert (event["method"], event["path"], event["host"]) == ("POST", "/p", "h")
    assert (event["status"], event["service"]) == (201, "sts")
    assert (event["request_bytes"], event["answer_bytes"]) == (4, 3)
    assert event["duration_ms"] >= 0


def test_only_a_browsers_question_is_a_preflight():
    asked = Headers([("Access-Control-Request-Method", "PUT"), ("Origin", "o")])
    assert preflight(Request("OPTIONS", "/", "", asked)) is not None
    assert preflight(Request("OPTIONS", "/", "", Headers())) is None
    assert preflight(Request("POST", "/", "", asked)) is None


def test_origin_is_allowed_only_when_there_is_one():
    plain, paged = Response(), Response()
    allow_origin(request(), plain)
    allow_origin(request(origin="http://page"), paged)
    assert plain.headers == []
    assert ("access-control-allow-origin", "*") in paged.headers


def test_a_browser_is_told_once_that_its_origin_may_call():
    asked = Headers([("Access-Control-Request-Method", "POST"), ("Origin", "http://page")])
    question = Request("OPTIONS", "/", "", asked)
    answer = preflight(question)
    assert answer is not None
    allow_origin(question, answer)
    names = [name for name, _ in answer.headers]
    # Browsers refuse an answer that says it twice.
    assert names.count("access-control-allow-origin") == 1
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("header", "trace_id", "parent", "sampled"),
    [
        (f"00-{'ab' * 16}-{'cd' * 8}-01", f"1-{'ab' * 4}-{'ab' * 12}", "cd" * 8, True),
        (f"00-{'ab' * 16}-{'cd' * 8}-00", f"1-{'ab' * 4}-{'ab' * 12}", "cd" * 8, False),
        (f"01-{'ab' * 16}-{'cd' * 8}-03-more", f"1-{'ab' * 4}-{'ab' * 12}", "cd" * 8, True),
    ],
)
def test_a_traceparent_names_trace_and_parent(
    header: str, trace_id: str, parent: str, sampled: bool
):
    """https://www.w3.org/TR/trace-context/#traceparent-header"""
    trace = open_trace(request(traceparent=header), "r", 1_700_000_000.0)
    assert (trace.trace_id, trace.parent_id, trace.is_sampled) == (trace_id, parent, sampled)


@pytest.mark.parametrize(
    "header",
    [
        f"00-{'00' * 16}-{'cd' * 8}-01",
        f"00-{'ab' * 16}-{'00' * 8}-01",
        f"ff-{'ab' * 16}-{'cd' * 8}-01",
        f"00-{'ab' * 16}-{'cd' * 8}-01-more",
        f"00-{'AB' * 16}-{'cd' * 8}-01",
        "00-abc-def-01",
    ],
)
def test_what_is_no_traceparent_begins_a_trace_of_its_own(header: str):
    given = "0a0b0c0d-0e0f-4a0b-8c0d-0e0f00010203"
    trace = open_trace(request(traceparent=header), given, 1_700_000_000.0)
    assert trace.trace_id.startswith("1-6553f100-0a0b0c0d")
    assert (trace.parent_id, trace.is_sampled) == ("", None)


def test_the_header_of_x_ray_goes_before_a_traceparent():
    both = {
        "x_amzn_trace_id": "Root=1-abc-def;Parent=12",
        "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01",
    }
    trace = open_trace(request(**both), "r", 1_700_000_000.0)
    assert (trace.trace_id, trace.parent_id, trace.is_sampled) == ("1-abc-def", "12", None)
