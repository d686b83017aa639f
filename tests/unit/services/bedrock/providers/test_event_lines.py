"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.bedrock.limits import LINE_BYTES_MAX
from cumulet.services.bedrock.providers.event_lines import EventLines, TooLong

STREAM = b": hello\r\n\r\ndata: one\n\nevent: x\ndata:two\ndata: three\r\n\r\nid: 4\n\ndata: last"


@settings(max_examples=100)
@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    lines = EventLines()
    places = [0, *sorted(cuts), len(STREAM)]
    found = [event for start, end in pairwise(places) for event in lines.feed(STREAM[start:end])]
    assert found + lines.end() == [b"one", b"two\nthree", b"last"]


def test_an_event_without_end_is_refused() -> None:
    lines = EventLines()
    assert lines.feed(b"x" * LINE_BYTES_MAX) == []
    with pytest.raises(TooLong):
        lines.feed(b"x")
