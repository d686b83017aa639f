import math
import struct

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cumulet.kv.tuples import AFTER, pack, pack_text_start, unpack

TEXTS = st.text(st.characters(exclude_categories=()))
NUMBERS = st.one_of(
    st.integers(),
    st.integers(-300, 300),
    st.integers(-(1 << 200), 1 << 200),
    st.sampled_from([1 << b for b in range(80)]).flatmap(
        lambda n: st.sampled_from([n - 1, n, n + 1, -n, -n - 1, -n + 1])
    ),
)
FLAT = st.one_of(st.none(), st.binary(), TEXTS, NUMBERS, st.floats(allow_nan=False), st.booleans())
ELEMENTS = st.recursive(FLAT, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=5)
TUPLES = st.lists(ELEMENTS, max_size=4).map(tuple)

RANKS = [type(None), bytes, str, tuple, int, float]


def order(value):
    """A sort key for one element, written independently of the encoding."""
    if isinstance(value, bool):
        return (9, value)
    rank = RANKS.index(type(value))
    if value is None:
        return (rank,)
    if isinstance(value, tuple):
        return (rank, [order(element) for element in value])
    if isinstance(value, float) and value == 0:
        return (rank, value, 0 if math.copysign(1, value) < 0 else 1)
    return (rank, value, 0)


def tuple_order(values):
    return [order(value) for value in values]


@given(TUPLES)
@example(("a\0", "", b"\0\xff", b"", "\ud800", "\U0010ffff"))
@example((float("inf"), -0.0, (1 << 64), -(1 << 64), -(1 << 64) + 1, ((), ((None,),))))
def test_a_tuple_comes_back_as_it_went(values):
    packed = pack(values)
    again = unpack(packed)
    assert again == values
    assert [type(value) for value in again] == [type(value) for value in values]
    assert pack(again) == packed


@given(TUPLES, TUPLES)
def test_bytes_sort_as_tuples_do(left, right):
    assert (pack(left) < pack(right)) == (tuple_order(left) < tuple_order(right))
    assert (pack(left) == pack(right)) == (tuple_order(left) == tuple_order(right))


@given(NUMBERS, NUMBERS)
def test_integers_of_any_size_sort_by_value(left, right):
    assert (pack((left,)) < pack((right,))) == (left < right)


@given(st.lists(ELEMENTS, max_size=3).map(tuple), TUPLES)
def test_what_follows_a_prefix_lies_in_its_range_and_nothing_else(prefix, other):
    begin = pack(prefix)
    inside = begin <= pack(other) < begin + AFTER
    assert inside == (tuple_order(other[: len(prefix)]) == tuple_order(prefix))


@given(TEXTS, TEXTS, TUPLES)
def test_texts_that_begin_alike_lie_in_one_range(start, text, rest):
    begin = pack_text_start(start)
    for candidate in (text, start + text):
        inside = begin <= pack((candidate, *rest)) < begin + AFTER
        assert inside == candidate.startswith(start)


def test_nan_comes_back():
    (value,) = unpack(pack((math.nan,)))
    assert math.isnan(value)


@pytest.mark.parametrize("value", [[], {}, object(), 1j, bytearray()])
def test_a_type_without_an_order_is_refused(value):
    with pytest.raises(TypeError, match="cannot hold"):
        pack((value,))


def test_an_integer_beyond_bounds_is_refused():
    assert unpack(pack((1 << 30_000, -(1 << 30_000)))) == (1 << 30_000, -(1 << 30_000))
    for number in (1 << 40_000, -(1 << 40_000)):
        with pytest.raises(ValueError, match="too large"):
            pack((number,))


def test_nesting_is_bounded_in_both_directions():
    nested: tuple = ()
    for _ in range(16):
        nested = (nested,)
    with pytest.raises(ValueError, match="nested"):
        pack((nested,))
    with pytest.raises(ValueError, match="not a packed"):
        unpack(b"\x05" * 10_000)


@given(st.binary(max_size=24))
def test_any_bytes_unpack_or_raise_value_error(data):
    try:
        values = unpack(data)
    except ValueError:
        return
    # Bytes that we would not have written (a long form of a short number) may still be read.
    assert unpack(pack(values)) == values or any(value != value for value in _flat(values))


def _flat(values):
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        else:
            yield value


@given(TUPLES)
def test_a_tuple_cut_short_is_refused_or_is_a_shorter_one(values):
    packed = pack(values)
    assume(packed)
    try:
        short = unpack(packed[:-1])
    except ValueError:
        return
    assert short == values[: len(short)] or len(short) == len(values)


def test_the_first_elements_can_be_read_alone():
    assert unpack(pack(("a", 1, None)), count=2) == ("a", 1)
    assert unpack(b"??" + pack(("a",)), start=2) == ("a",)


def test_doubles_are_eight_bytes_in_order():
    values = [-math.inf, -1.5, -struct.unpack(">d", b"\0" * 7 + b"\x01")[0], 0.0, 1e-300, math.inf]
    assert sorted(values) == [unpack(key)[0] for key in sorted(pack((value,)) for value in values)]
