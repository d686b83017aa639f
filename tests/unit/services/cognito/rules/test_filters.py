"""Filters of ListUsers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.cognito.errors import InvalidParameterException
from cumulet.services.cognito.rules.filters import Filter, parse_filter


@given(st.text(max_size=30))
def test_every_value_can_be_asked_for(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    if "\n" not in value:
        assert parse_filter(f'name ^= "{quoted}"') == Filter("name", value, True)


@pytest.mark.parametrize("text", ["name", "name = x", 'nickname = "x"', 'name = "x" and sub = "y"'])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterException):
        parse_filter(text)
