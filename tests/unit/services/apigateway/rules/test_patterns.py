"""Patterns of users: what they mean, and that none takes the machine away."""

from __future__ import annotations

import time

import pytest

from cumulet.services.apigateway.rules.patterns import (
    BadPattern,
    Overlong,
    compile_pattern,
    fits,
    is_in,
)


@pytest.mark.parametrize(
    ("pattern", "text", "whole", "part"),
    [
        (r".*not found.*", "it is\nnot found\nhere", True, True),
        (r"4\d{2}", "404", True, True),
        (r"4\d{2}", "x404", False, True),
        (r"^(?!5).*", "404", True, True),
        (r"(?i)error", "ERROR", True, True),
        (r"(\n|.)+", "a\nb", True, True),
        (r"(ab)\1", "abab", True, True),
        (r"a++b", "aab", True, True),
    ],
)
def test_what_patterns_mean(pattern, text, whole, part):
    compiled = compile_pattern(pattern)
    assert (fits(compiled, text), is_in(compiled, text)) == (whole, part)


def test_lines_end_where_it_is_said():
    assert not fits(compile_pattern("a.b", dots_match_all=False), "a\nb")


@pytest.mark.parametrize("pattern", [r"(a|a)*$", r"(?:a|aa)+$"])
def test_a_comparison_ends_in_time(pattern):
    begun = time.perf_counter()
    with pytest.raises(Overlong):
        fits(compile_pattern(pattern), "a" * 60 + "c")
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "[a",
        "a" * 10_001,
        "((((a{1000}){1000}){1000}){1000}){1000}",
        "((a|b){200}){200}",
        "a{99999999999999999999}",
        "(" * 5_000,
    ],
)
def test_what_is_no_pattern_or_too_large_a_one(pattern):
    begun = time.perf_counter()
    with pytest.raises(BadPattern):
        compile_pattern(pattern)
    assert time.perf_counter() - begun < 5
