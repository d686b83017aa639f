"""Stop sequences are found however the text is cut."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.bedrock.providers.stops import StopFinder

TEXTS = st.text("ab", max_size=20)


@settings(max_examples=200)
@given(st.lists(TEXTS, max_size=6), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3))
def test_it_is_as_if_the_text_came_whole(pieces: list[str], stops: list[str]) -> None:
    finder = StopFinder(stops)
    given_on = "".join(finder.feed(piece) for piece in pieces)
    if finder.found is None:
        given_on += finder.end()
    whole = "".join(pieces)
    places = [whole.find(stop) for stop in stops if stop in whole]
    if places:
        assert finder.found is not None
        # The end that is found first as the text comes is not always the one that begins first.
        assert given_on + finder.found == whole[: len(given_on) + len(finder.found)]
        assert not any(stop in given_on for stop in stops)
    else:
        assert (finder.found, given_on) == (None, whole)


def test_text_that_cannot_begin_a_stop_is_not_held_back() -> None:
    finder = StopFinder(["###"])
    assert finder.feed("one #") == "one "
    assert finder.feed(" two") == "# two"


def test_nothing_is_given_on_after_a_stop() -> None:
    finder = StopFinder(["END"])
    assert finder.feed("one EN") == "one "
    assert finder.feed("D two") == ""
    assert finder.found == "END"
    assert finder.feed("three") == ""
