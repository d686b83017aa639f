"""Properties against a type's schema."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.kit.resource_schema import PropertyError, checked
from cumulet.kit.resources import (
    CUSTOM_RESOURCE,
    FLAG,
    JSON,
    NUMBER,
    TAGS,
    TEXT,
    Kind,
    ResourceType,
    ResourceTypes,
    list_of,
    map_of,
    struct,
)

KIND = struct(
    {
        "Text": TEXT,
        "Number": NUMBER,
        "Flag": FLAG,
        "Json": JSON,
        "List": list_of(NUMBER),
        "Map": map_of(TEXT),
        "Free": Kind("map"),
        "Inner": struct({"Deep": FLAG}, "Deep"),
        "Tags": TAGS,
    }
)


@pytest.mark.parametrize(
    ("given_", "value"),
    [
        ({"Text": 3}, {"Text": "3"}),
        ({"Text": True}, {"Text": "true"}),
        ({"Number": "30"}, {"Number": 30}),
        ({"Number": "2.5"}, {"Number": 2.5}),
        ({"Number": 4.0}, {"Number": 4}),
        ({"Flag": "TRUE"}, {"Flag": True}),
        ({"Json": '{"a": [1]}'}, {"Json": {"a": [1]}}),
        ({"Json": [1, {"b": None}]}, {"Json": [1, {"b": None}]}),
        ({"List": ["1", 2]}, {"List": [1, 2]}),
        ({"Map": {"a": 1}}, {"Map": {"a": "1"}}),
        ({"Free": {"a": {"b": [1, "x"]}}}, {"Free": {"a": {"b": [1, "x"]}}}),
        ({"Inner": {"Deep": "false"}}, {"Inner": {"Deep": False}}),
    ],
)
def test_values_take_the_form_that_the_type_says(given_, value):
    assert checked(KIND, given_) == value


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"Nope": 1}, "Encountered unsupported property Nope"),
        ({"Inner": {"Deep": True, "Deeper": 1}}, "Encountered unsupported property Inner.Deeper"),
        ({"Inner": {}}, "Property Inner.Deep cannot be empty."),
        ({"Tags": [{"Key": "a"}]}, "Property Tags.0.Value cannot be empty."),
        ({"Text": None}, "Property Text cannot be empty."),
        ({"Text": ["a"]}, "Value of property Text must be of type String"),
        ({"Number": "many"}, "Value of property Number must be of type Number"),
        ({"Number": True}, "Value of property Number must be of type Number"),
        ({"Number": "inf"}, "Value of property Number must be of type Number"),
        ({"Flag": 1}, "Value of property Flag must be of type Boolean"),
        ({"Json": "{"}, "Value of property Json must be an object"),
        ({"List": "1"}, "Value of property List must be of type List"),
        ({"Map": []}, "Value of property Map must be an object"),
        ("x", "Value of property Properties must be an object"),
    ],
)
def test_what_does_not_fit_is_named(given_, words):
    with pytest.raises(PropertyError, match=re.escape(words)):
        checked(KIND, given_)


def test_what_is_not_known_yet_fits_everywhere():
    later = object()
    wanted = {"Number": later, "List": [1, later], "Inner": later}
    assert checked(KIND, wanted, lambda value: value is later) == wanted


@settings(max_examples=80, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "Number": st.integers() | st.integers().map(str) | st.floats(-1e9, 1e9),
            "Flag": st.booleans() | st.sampled_from(["true", "false"]),
            "Text": st.text() | st.integers() | st.booleans(),
            "List": st.lists(st.integers() | st.integers().map(str)),
        },
    )
)
def test_what_has_been_checked_stays_as_it_is(value):
    once = checked(KIND, value)
    assert checked(KIND, once) == once


async def _nothing(*_):
    raise AssertionError


def test_types_are_found_by_name_and_custom_ones_by_their_prefix():
    one = ResourceType("AWS::A::B", KIND, _nothing, _nothing)
    custom = ResourceType(CUSTOM_RESOURCE, KIND, _nothing, _nothing)
    types = ResourceTypes([one, custom])
    assert types["AWS::A::B"] is one
    assert types["Custom::Whatever"] is custom
    assert "Custom::Whatever" in types
    assert "AWS::A::C" not in types
    assert len(types) == 2
    with pytest.raises(ValueError, match="two services declare the resource type AWS::A::B"):
        ResourceTypes([one, one])
