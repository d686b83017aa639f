"""Heads of answers: dated, framed, and never of more lines than were meant."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.clock import ManualClock
from cumulet.core.http import Response
from cumulet.edge.http1.answer import BadResponse, HeadWriter


def write(response: Response, method: str = "GET", newest: bool = True) -> str:
    return HeadWriter(ManualClock()).write(response, method, newest, True).head.decode("latin-1")


def test_date_is_of_the_clock_and_made_once_a_second():
    clock = ManualClock(784_111_777.0)
    writer = HeadWriter(clock)
    head = writer.write(Response(), "GET", True, True).head
    # The example of https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    assert b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" in head


def test_own_date_is_kept():
    assert write(Response(200, [("Date", "x")])).lower().count("date:") == 1


def test_unknown_status_has_an_empty_phrase():
    assert write(Response(599)).startswith("HTTP/1.1 599 \r\n")


texts = st.text(st.sampled_from("ab:, \r\n\t\0é☃"), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(texts, texts), max_size=3))
def test_no_header_makes_another_line(headers):
    try:
        head = write(Response(200, headers))
    except BadResponse:
        return
    lines = head.split("\r\n")
    assert lines[-2:] == ["", ""]
    names = [line.partition(":")[0] for line in lines[1:-2]]
    assert sorted(names) == sorted([*(name for name, _ in headers), "date", "content-length"])
    assert "\n" not in head.replace("\r\n", "")
