from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.identity import Scope
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.forms.names import (
    FunctionRef,
    LayerRef,
    parse_function,
    parse_layer,
    parse_layer_version,
    parse_new_function,
)

HERE = Scope("111122223333", "eu-west-1")
THERE = Scope("444455556666", "eu-west-1")

NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True)
QUALIFIERS = st.one_of(
    st.just(""),
    st.just("$LATEST"),
    st.from_regex(r"[0-9]{1,4}|[a-z][a-z0-9_-]{0,9}", fullmatch=True),
)


@settings(max_examples=60)
@given(NAMES, QUALIFIERS)
def test_every_way_to_name_a_function_means_the_same(name: str, qualifier: str) -> None:
    suffix = f":{qualifier}" if qualifier else ""
    expected = FunctionRef(HERE, name, qualifier)
    for text in (
        f"arn:aws:lambda:eu-west-1:111122223333:function:{name}{suffix}",
        f"111122223333:function:{name}{suffix}",
        f"function:{name}{suffix}",
    ):
        assert parse_function(HERE, text) == expected
    assert parse_function(HERE, name, qualifier or None) == expected
    assert parse_function(HERE, expected.arn) == expected


def test_an_arn_of_another_account_keeps_its_account() -> None:
    ref = parse_function(HERE, "arn:aws:lambda:eu-west-1:444455556666:function:f:live")
    assert ref == FunctionRef(THERE, "f", "live")
    assert ref.unqualified_arn == "arn:aws:lambda:eu-west-1:444455556666:function:f"


def test_a_qualifier_may_be_said_twice_but_not_differently() -> None:
    assert parse_function(HERE, "f:1", "1").qualifier == "1"
    with pytest.raises(InvalidParameterValueException):
        parse_function(HERE, "f:1", "2")


def test_another_region_is_not_found_here() -> None:
    with pytest.raises(ResourceNotFoundException):
        parse_function(HERE, "arn:aws:lambda:us-east-1:111122223333:function:f")


@pytest.mark.parametrize("text", ["", "a b", "f:1:2", "arn:aws:s3:::b", "f:$OTHER", "f\n"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterValueException):
        parse_function(HERE, text)


def test_a_new_function_is_named_without_qualifier_and_in_64_letters() -> None:
    assert parse_new_function(HERE, "x" * 64).name == "x" * 64
    for text in ("x" * 65, "f:1", "arn:aws:lambda:eu-west-1:444455556666:function:f"):
        with pytest.raises(InvalidParameterValueException):
            parse_new_function(HERE, text)


def test_layers_by_name_and_arn() -> None:
    arn = "arn:aws:lambda:eu-west-1:444455556666:layer:l:7"
    assert parse_layer(HERE, "l", 3) == LayerRef(HERE, "l", 3)
    assert parse_layer(HERE, arn) == parse_layer_version(arn) == LayerRef(THERE, "l", 7)
    assert parse_layer_version(arn).arn == arn
    assert parse_layer(HERE, arn.rpartition(":")[0], 2) == LayerRef(THERE, "l", 2)
    with pytest.raises(InvalidParameterValueException):
        parse_layer_version(arn.rpartition(":")[0])
