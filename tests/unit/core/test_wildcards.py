"""Wildcards, whose matching takes no longer than texts are long."""

from __future__ import annotations

import pytest

from cumulet.core.wildcards import wildcards


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("a", "a", True),
        ("a", "A", False),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("*b*", "abc", True),
        ("a*c*", "acb", True),
        ("?", "", False),
        ("?", "a", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*?", "", False),
        ("a*?c", "abxc", True),
        ("ab*ba", "aba", False),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("*\n", "a\n", True),
    ],
)
def test_stars_stand_for_any_and_question_marks_for_one(
    pattern: str, text: str, fits: bool
) -> None:
    assert wildcards(pattern).matches(text) is fits


def test_no_pattern_is_slow() -> None:
    assert not wildcards("*a" * 2_000 + "*b").matches("a" * 20_000)
    assert not wildcards("*?a" * 200 + "*b").matches("a" * 20_000)
