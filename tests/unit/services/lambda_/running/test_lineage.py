"""Loops: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.trace_header import Sampled
from cumulet.services.lambda_.running.tracing.lineage import extend, joined, mark_of


def test_visits_are_counted_for_each_function() -> None:
    header = "Root=1-a-b;Sampled=0"
    for expected in (1, 2, 3):
        header, visits = extend(header, "aaaaaaaa")
        assert visits == expected
        header, _ = extend(header, "bbbbbbbb")
    assert header == "Root=1-a-b;Sampled=0;Lineage=aaaaaaaa:3|bbbbbbbb:3"


def test_other_fields_stay() -> None:
    assert extend("Root=1;Lineage=x:1;Sampled=1", "x") == ("Root=1;Lineage=x:2;Sampled=1", 2)


ONE, TWO = (f"1-5759e988-{digit * 24}" for digit in "ab")
CALLER = "c" * 16


def test_a_batch_goes_on_in_the_first_trace_that_is_recorded_and_links_to_the_others() -> None:
    headers = [
        "",
        f"Root={TWO};Sampled=0;Lineage=x:1|y:2",
        f"Root={ONE};Parent={CALLER};Sampled=1;Lineage=x:1",
        f"Root={ONE};Sampled=1",
        f"Root={TWO};Parent={CALLER};Sampled=1",
    ]
    header, links = joined(headers)
    assert header == f"Root={ONE};Parent={CALLER};Sampled=1;Lineage=x:1|y:2"
    assert links == (Sampled(TWO, CALLER),)


def test_a_batch_that_is_not_recorded_keeps_its_longest_lineage() -> None:
    longest = f"Root={TWO};Sampled=0;Lineage=x:1|y:2"
    assert joined(["", longest, f"Root={ONE}"]) == (longest, ())
    assert joined([]) == ("", ())


def test_a_mark_is_the_functions_own() -> None:
    assert len(mark_of("arn:a")) == 8
    assert mark_of("arn:a") != mark_of("arn:b")


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_any_header_is_taken(text: str) -> None:
    header, visits = extend(text, "abcdef01")
    assert visits >= 1
    assert extend(header, "abcdef01")[1] == visits + 1
