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
