"""Numbers: one spelling, the bounds, sizes and the order of their bytes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
"""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.items.numbers import (
    add_numbers,
    canonical_number,
    number_bytes,
    number_size,
)

DIGITS = st.from_regex(r"[1-9][0-9]{0,37}", fullmatch=True)


@st.composite
def numbers(draw):
    """Any number that DynamoDB holds, spelt in any way."""
    digits, sign = draw(DIGITS), draw(st.sampled_from(("", "-", "+")))
    exponent = draw(st.integers(-130, 125 - len(digits) + 1))
    return draw(st.sampled_from((f"{sign}{digits}e{exponent}", f"{sign}0{digits}E{exponent:+d}")))


@settings(max_examples=200, deadline=None)
@given(numbers())
def test_the_spelling_changes_and_the_number_does_not(text):
    found = canonical_number(text)
    assert Decimal(found) == Decimal(text)
    assert "e" not in found.lower()
    assert canonical_number(found) == found


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(numbers(), st.integers(-999, 999).map(str)), min_size=2, max_size=6))
def test_bytes_sort_as_the_numbers_do(texts):
    canonical = [canonical_number(text) for text in texts]
    assert sorted(canonical, key=number_bytes) == sorted(canonical, key=Decimal) or len(
        set(canonical)
    ) < len(canonical)
    for one in canonical:
        for other in canonical:
            assert (number_bytes(one) < number_bytes(other)) == (Decimal(one) < Decimal(other))
            if one != other:
                assert not number_bytes(one).startswith(number_bytes(other))


@pytest.mark.parametrize(
    "text", ["1e125", "-9.9999999999999999999999999999999999999e125", "1e-130"]
)
def test_the_bounds_are_inside(text):
    assert Decimal(canonical_number(text)) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1e126", "Number overflow. Attempting to store a number with magnitude larger"),
        ("1e-131", "Number underflow. Attempting to store a number with magnitude smaller"),
        ("1" * 39, "Attempting to store more than 38 significant digits in a Number"),
        ("dog", "The parameter cannot be converted to a numeric value: dog"),
        ("", "The parameter cannot be converted to a numeric value"),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
        ("Infinity", "The parameter cannot be converted to a numeric value: Infinity"),
        (" 1", "The parameter cannot be converted to a numeric value:  1"),
        (".", "The parameter cannot be converted to a numeric value: ."),
        ("١", "The parameter cannot be converted to a numeric value: ١"),
    ],
)
def test_what_is_no_number_is_refused(text, said):
    with pytest.raises(ValidationException) as caught:
        canonical_number(text)
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 1), ("1", 2), ("12", 2), ("123", 3), ("-123", 4), ("1000", 2), ("0.05", 2)],
)
def test_two_digits_count_for_a_byte(text, size):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    assert number_size(text) == size


@settings(max_examples=100, deadline=None)
@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_sums_are_exact(one, other):
    assert add_numbers(str(one), str(other)) == str(one + other)
    assert add_numbers(str(one), str(other), subtract=True) == str(one - other)


def test_a_sum_that_needs_more_digits_is_refused():
    with localcontext() as context:
        context.prec = 60
        with pytest.raises(ValidationException, match="Number overflow"):
            add_numbers(canonical_number("1e50"), "1")
