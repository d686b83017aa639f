"""Attribute values: what is refused in which words, and what they count for.

The words are AWS's own:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.items.comparing import begins_with, compare, contains, equal, size_of
from cumulet.services.dynamodb.items.values import check_item, check_value


def deep(levels, inner):
    for _ in range(levels):
        inner = {"L": [inner]}
    return inner


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "Supplied AttributeValue is empty, must contain exactly one of"),
        ({"S": "a", "N": "1"}, "Supplied AttributeValue has more than one datatypes set"),
        ({"NULL": False}, "One or more parameter values were invalid: Null attribute value types"),
        ({"SS": []}, "One or more parameter values were invalid: An string set  may not be empty"),
        ({"NS": []}, "One or more parameter values were invalid: An number set  may not be empty"),
        ({"BS": []}, "One or more parameter values were invalid: Binary sets should not be empty"),
        (
            {"SS": ["a", "b", "a"]},
            "One or more parameter values were invalid: Input collection [a, b, a] contains dup",
        ),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        (deep(33, {"S": "x"}), "Nesting Levels have exceeded supported limits"),
    ],
)
def test_a_wrong_value_is_refused(value, said):
    with pytest.raises(ValidationException) as caught:
        check_value(value)
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize("value", ["text", {"S": 1}, {"N": 1}, {"L": {}}, {"M": []}, {"SS": [1]}])
def test_what_is_no_value_at_all_is_a_matter_of_the_wire(value):
    with pytest.raises(MalformedRequest):
        check_value(value)


def test_thirty_two_levels_are_allowed():
    assert check_value(deep(32, {"S": "x"})) == 32 * 4 + 1


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"a": {"S": "bc"}}, 3),
        ({"ä": {"S": "ß"}}, 4),
        ({"a": {"N": "12345"}}, 1 + 4),
        ({"a": {"B": "AAEC"}}, 1 + 3),
        ({"a": {"BOOL": True}}, 2),
        ({"a": {"NULL": True}}, 2),
        ({"a": {"L": [{"S": "x"}, {"S": "y"}]}}, 1 + 3 + 2 + 2),
        ({"a": {"M": {"k": {"S": "x"}}}}, 1 + 3 + 1 + 1 + 1),
        ({"a": {"SS": ["x", "yz"]}}, 1 + 3),
    ],
)
def test_items_count_names_and_values(item, size):
    assert check_item(item) == size


def test_numbers_and_bytes_get_one_spelling():
    item = {"n": {"N": "1.50e1"}, "b": {"B": b"\0\1"}, "s": {"NS": ["1e0", "02"]}}
    check_item(item)
    assert item == {"n": {"N": "15"}, "b": {"B": "AAE="}, "s": {"NS": ["1", "2"]}}


def test_sets_are_equal_in_any_order():
    assert equal({"SS": ["a", "b"]}, {"SS": ["b", "a"]})
    assert equal({"M": {"x": {"NS": ["1", "2"]}}}, {"M": {"x": {"NS": ["2", "1"]}}})
    assert not equal({"S": "1"}, {"N": "1"})


def test_values_of_two_types_have_no_order():
    assert compare("<", {"N": "2"}, {"N": "10"})
    assert not compare("<", {"S": "a"}, {"N": "10"})
    assert compare("<>", None, {"N": "10"})
    assert compare("<", {"B": "AA=="}, {"B": "AQ=="})


def test_parts_and_elements():
    assert begins_with({"S": "abc"}, {"S": "ab"})
    assert contains({"S": "abc"}, {"S": "bc"})
    assert contains({"L": [{"N": "1"}]}, {"N": "1"})
    assert contains({"NS": ["1", "2"]}, {"N": "2"})
    assert not contains({"NS": ["1"]}, {"S": "1"})
    assert size_of({"S": "ä"}) == {"N": "2"}
    assert size_of({"N": "5"}) is None
