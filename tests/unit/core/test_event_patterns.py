"""Event patterns, operator by operator, against the examples' kinds of AWS's page.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.event_patterns import InvalidPattern, compile_pattern


def matches(pattern: dict[str, Any], event: Any) -> bool:
    return compile_pattern(json.dumps(pattern))(event)


@pytest.mark.parametrize(
    ("alternatives", "yes", "no"),
    [
        (["a", "b"], ["a", "b", ["x", "b"]], ["c", "A", 1, None, ["x"]]),
        ([1], [1, 1.0], ["1", True, 2]),
        ([None], [None], ["", 0, False]),
        ([True], [True], [1, "true", False]),
        ([""], [""], [None, " "]),
        ([{"prefix": "ab"}], ["abc", "ab"], ["a", "ABc", 1]),
        ([{"prefix": {"equals-ignore-case": "ab"}}], ["ABc"], ["a"]),
        ([{"suffix": ".png"}], ["x.png"], ["x.PNG", "png"]),
        ([{"equals-ignore-case": "Alice"}], ["alice", "ALICE"], ["alic"]),
        ([{"anything-but": "x"}], ["y", 1], ["x"]),
        ([{"anything-but": ["x", 1]}], ["y", 2], ["x", 1]),
        ([{"anything-but": {"prefix": "in"}}], ["out"], ["inner"]),
        ([{"anything-but": {"suffix": [".a", ".b"]}}], ["x.c"], ["x.a", "x.b"]),
        ([{"numeric": [">", 0, "<=", 5]}], [1, 5, 0.1], [0, 6, "1", True]),
        ([{"numeric": ["=", 3.5]}], [3.5], [3]),
        ([{"exists": True}], ["x", None, 0, {"deep": 1}], []),
        ([{"cidr": "10.0.0.0/24"}], ["10.0.0.255"], ["10.0.1.0", "x", 5]),
        ([{"wildcard": "d*/*.png"}], ["dir/x.png", "d/.png"], ["dir/x.jpg", "x/d.png"]),
        ([{"wildcard": "a\\*b"}], ["a*b"], ["axb"]),
        (["x", {"prefix": "y"}], ["x", "yes"], ["z"]),
    ],
)
def test_alternatives(alternatives: list[Any], yes: list[Any], no: list[Any]) -> None:
    for value in yes:
        assert matches({"k": alternatives}, {"k": value}), value
    for value in no:
        assert not matches({"k": alternatives}, {"k": value}), value


def test_what_is_not_there() -> None:
    assert matches({"k": [{"exists": False}]}, {})
    assert not matches({"k": [{"exists": False}]}, {"k": 1})
    assert not matches({"k": [{"exists": True}]}, {})
    assert not matches({"k": [{"anything-but": "x"}]}, {})
    assert matches({"a": {"b": [{"exists": False}]}}, {"a": {}})
    assert matches({"a": {"b": [{"exists": False}]}}, {})
    assert not matches({"a": {"b": ["x"]}}, {"a": "x"})


def test_all_members_and_nested_ones_must_match() -> None:
    pattern = {"source": ["app"], "detail": {"state": ["on"], "deep": {"n": [1, 2]}}}
    event = {"source": "app", "detail": {"state": "on", "deep": {"n": 2}, "more": 1}}
    assert matches(pattern, event)
    assert not matches(pattern, {**event, "source": "other"})
    assert not matches(pattern, {"source": "app", "detail": {"state": "on"}})
    assert matches({"list": {"n": [1]}}, {"list": [{"n": 0}, {"n": 1}]})


def test_or_across_members() -> None:
    pattern = {"source": ["app"], "$or": [{"a": [1]}, {"b": [{"numeric": [">", 5]}]}]}
    assert matches(pattern, {"source": "app", "a": 1})
    assert matches(pattern, {"source": "app", "b": 6})
    assert not matches(pattern, {"source": "app", "b": 5})
    assert not matches(pattern, {"a": 1})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"a": "b"}',
        '{"a": []}',
        '{"a": {}}',
        '{"a": [{"unheard": 1}]}',
        '{"a": [{"prefix": 1}]}',
        '{"a": [{"numeric": [">"]}]}',
        '{"a": [{"numeric": ["~", 1]}]}',
        '{"a": [{"numeric": [">", 5000000001]}]}',
        '{"a": [{"exists": "yes"}]}',
        '{"a": [{"cidr": "10/99"}]}',
        '{"a": [{"wildcard": "a**b"}]}',
        '{"a": [["b"]]}',
        '{"$or": [{"a": [1]}]}',
        "{" + '"a": [' + '"x",' * 2_000 + '"x"]}',
    ],
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        compile_pattern(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab*", max_size=4), max_size=4), st.text("ab", max_size=12))
def test_wildcards_match_as_shell_patterns_do(parts: list[str], text: str) -> None:
    import fnmatch

    pattern = "*".join(part.replace("*", "") for part in parts)
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    wanted = fnmatch.fnmatchcase(text, pattern)
    assert matches({"k": [{"wildcard": pattern}]}, {"k": text}) is wanted
