"""Accounts, ARNs and principals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.identity import (
    ANONYMOUS,
    Arn,
    Scope,
    is_account,
    parse_arn,
    root_principal,
    service_principal,
)

SCOPE = Scope("123456789012", "eu-west-1")
PART = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"))
REST = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


def test_a_scope_names_its_resources() -> None:
    assert SCOPE.arn("sqs", "jobs") == "arn:aws:sqs:eu-west-1:123456789012:jobs"
    assert SCOPE.global_arn("iam", "role/x") == "arn:aws:iam::123456789012:role/x"


@given(st.tuples(PART, PART, PART, PART, REST))
@settings(max_examples=50)
def test_an_arn_is_the_same_after_it_was_read(parts: tuple[str, str, str, str, str]) -> None:
    arn = Arn(*parts)
    assert parse_arn(str(arn)) == arn


@pytest.mark.parametrize(
    "text", ["", "arn", "arn:aws:s3", "arn:aws:s3:::", "urn:aws:s3:::b", "arn:aws:s3::b"]
)
def test_what_is_no_arn_has_no_parts(text: str) -> None:
    assert parse_arn(text) is None


def test_the_resource_of_an_arn_keeps_its_colons() -> None:
    arn = parse_arn("arn:aws:lambda:us-east-1:000000000000:function:f:live")
    assert arn is not None
    assert arn.resource == "function:f:live"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("0" * 12, True), ("1" * 11, False), ("1" * 13, False), ("1" * 11 + "a", False)],
)
def test_an_account_has_twelve_digits(text: str, is_one: bool) -> None:
    assert is_account(text) is is_one
    assert not is_account(text + "\n")


def test_root_is_the_account_itself() -> None:
    root = root_principal("123456789012", "AKIA")
    assert root.is_root
    assert root.arn == root.policy_arn == "arn:aws:iam::123456789012:root"
    assert root.access_key_id == "AKIA"


def test_a_service_says_what_it_acts_for() -> None:
    caller = service_principal("lambda.amazonaws.com", "1" * 12, {"aws:SourceArn": "a"})
    assert (caller.kind, caller.account) == ("service", "1" * 12)
    assert caller.context == {"aws:SourceArn": "a"}
    assert not caller.is_root


def test_nobody_has_no_account() -> None:
    assert (ANONYMOUS.kind, ANONYMOUS.account, ANONYMOUS.is_root) == ("anonymous", "", False)
