"""Keys as bytes: they sort as the values do, and none begins another."""

from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.dynamodb.items.keys import (
    after_start,
    inner_bytes,
    partition_bytes,
    sort_bytes,
    start_bytes,
)

TEXTS = st.text(max_size=6)
BINARIES = st.binary(max_size=6)


def binary(raw):
    return {"B": b64encode(raw).decode()}


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_texts_sort_by_their_bytes(one, other):
    order = one.encode() < other.encode()
    assert (sort_bytes({"S": one}) < sort_bytes({"S": other})) == order
    assert (inner_bytes({"S": one}) < inner_bytes({"S": other})) == order


@settings(max_examples=200, deadline=None)
@given(BINARIES, BINARIES, st.binary(max_size=3))
def test_binaries_sort_and_none_begins_another(one, other, behind):
    first, second = inner_bytes(binary(one)), inner_bytes(binary(other))
    assert (first < second) == (one < other)
    if one < other:
        # Whatever follows within a longer key does not change the order.
        assert first + behind + b"\xff" * 20 < second + b""
    if one != other:
        assert not first.startswith(second)


@settings(max_examples=200, deadline=None)
@given(BINARIES, BINARIES)
def test_what_begins_with_a_value_lies_in_its_range(start, rest):
    begin = start_bytes(binary(start))
    end = after_start(begin)
    assert begin <= inner_bytes(binary(start + rest))
    assert end is None or inner_bytes(binary(start + rest)) < end


def test_partitions_tell_types_and_parts_apart():
    places = {
        partition_bytes(values)
        for values in (
            ({"S": "1"},),
            ({"N": "1"},),
            ({"S": "ab"}, {"S": "c"}),
            ({"S": "a"}, {"S": "bc"}),
        )
    }
    assert len(places) == 4
    assert {len(place) for place in places} == {16}
