"""Loops: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.lambda_.running.tracing import extend, field_of, mark_of, sampled


def test_visits_are_counted_for_each_function() -> None:
    header = "Root=1-a-b;Sampled=0"
    for expected in (1, 2, 3):
        header, visits = extend(header, "aaaaaaaa")
        assert visits == expected
        header, _ = extend(header, "bbbbbbbb")
    assert header == "Root=1-a-b;Sampled=0;Lineage=aaaaaaaa:3|bbbbbbbb:3"


def test_other_fields_stay() -> None:
    assert extend("Root=1;Lineage=x:1;Sampled=1", "x") == ("Root=1;Lineage=x:2;Sampled=1", 2)


def test_a_traced_call_has_a_parent_and_is_sampled() -> None:
    header = sampled("Root=1-a-b;Parent=old;Sampled=0;Lineage=x:1", "new")
    assert header == "Root=1-a-b;Parent=new;Sampled=1;Lineage=x:1"
    assert field_of(header, "Root") == "1-a-b"
    assert field_of(header, "Nothing") == ""


def test_a_mark_is_the_functions_own() -> None:
    assert len(mark_of("arn:a")) == 8
    assert mark_of("arn:a") != mark_of("arn:b")


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_any_header_is_taken(text: str) -> None:
    header, visits = extend(text, "abcdef01")
    assert visits >= 1
    assert extend(header, "abcdef01")[1] == visits + 1
