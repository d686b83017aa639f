"""Names of resources that a template leaves unnamed, and the list of types."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.kit.resources import CUSTOM_RESOURCE, TEXT, Draft, ResourceType, ResourceTypes, struct

NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,127}", fullmatch=True)
TOKEN = st.from_regex(r"[a-z0-9]{12,24}", fullmatch=True)


@given(stack=NAME, logical=NAME, token=TOKEN, length=st.integers(32, 255), lower=st.booleans())
@settings(max_examples=100)
def test_a_name_fits_and_holds_stack_resource_and_token(
    stack: str, logical: str, token: str, length: int, lower: bool
) -> None:
    name = Draft("id", stack, logical, token).name(length, lower=lower)
    assert len(name) <= length
    assert re.fullmatch(r"[A-Za-z0-9-]+", name)
    assert name.lower().endswith(f"-{token[:12]}")
    assert name.lower().startswith(stack[:1].lower())
    assert name == Draft("id", stack, logical, token, resumed=True).name(length, lower=lower)
    if lower:
        assert name == name.lower()


def test_a_name_that_has_room_is_written_out() -> None:
    assert Draft("id", "shop", "Orders", "abcdefghijkl99").name() == "shop-Orders-ABCDEFGHIJKL"


def test_two_tokens_make_two_names() -> None:
    assert Draft("i", "s", "L", "a" * 12).name() != Draft("i", "s", "L", "b" * 12).name()


async def nothing(*arguments: Any) -> Any:
    return None


def one(name: str) -> ResourceType:
    return ResourceType(name, struct({"Name": TEXT}, "Name"), create=nothing, delete=nothing)


def test_a_type_is_declared_once() -> None:
    with pytest.raises(ValueError, match="AWS::X::Y"):
        ResourceTypes([one("AWS::X::Y"), one("AWS::X::Y")])


def test_custom_types_are_all_the_custom_resource() -> None:
    types = ResourceTypes([one(CUSTOM_RESOURCE), one("AWS::X::Y")])
    assert types["Custom::Anything"] is types[CUSTOM_RESOURCE]
    assert set(types) == {CUSTOM_RESOURCE, "AWS::X::Y"}
    assert len(types) == 2
    with pytest.raises(KeyError):
        types["AWS::X::Z"]
