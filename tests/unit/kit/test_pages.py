"""Tokens of pages: what was put in comes out, and nothing else is taken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.kit.pages import make_token, read_token

POSITION = st.lists(st.one_of(st.text(), st.integers(-(2**53), 2**53)), max_size=5)


@given(POSITION)
@settings(max_examples=50)
def test_a_position_comes_out_of_its_token(position: list[str | int]) -> None:
    token = make_token(position)
    assert token.isascii()
    assert read_token(token) == position


@pytest.mark.parametrize(
    "token", ["", "x", "not a token", "AAAA", "é", "W10", make_token([1])[:-3]]
)
def test_what_is_no_token_of_ours_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="not a pagination token"):
        read_token(token)
