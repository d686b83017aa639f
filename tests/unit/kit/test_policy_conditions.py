"""Condition operators, one row per rule of the documentation.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from typing import Any

import pytest

from cumulet.core.identity import Principal
from cumulet.kit.policy import (
    IdentityPolicies,
    MalformedPolicy,
    Question,
    decide,
    parse_policy,
)

USER = Principal("user", "111122223333", "arn:aws:iam::111122223333:user/bob", "AIDAB")


def holds(condition: dict[str, Any], context: dict[str, Any]) -> bool:
    document = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition},
    }
    policies = IdentityPolicies((parse_policy("p", document),))
    return decide(Question(USER, "a:B", "*", context), policies, (), "111122223333").allowed


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a*", "ab", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", None, True),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringNotEqualsIgnoreCase", "A", "a", False),
        ("StringLike", "a*c", "abbc", True),
        ("StringLike", "a?c", "abbc", False),
        ("StringLike", "${*}", "*", True),
        ("StringLike", "${*}", "a", False),
        ("StringNotLike", "a*", "abc", False),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", 10, 9, True),
        ("NumericLessThan", 10, 10, False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "x", False),
        ("NumericGreaterThanEquals", "10", "11", True),
        ("NumericEquals", "9007199254740993", "9007199254740992", False),
        ("DateLessThan", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59Z", True),
        ("DateGreaterThan", "2030-01-01", "2029-12-31T23:59:59Z", False),
        ("DateEquals", "1577836800", "2020-01-01T00:00:00Z", True),
        ("DateNotEquals", "1577836800", "2020-01-01T00:00:01Z", True),
        ("DateLessThanEquals", "2020-01-01T02:00:00+02:00", "2020-01-01T00:00:00Z", True),
        ("DateGreaterThanEquals", "2020-01-01", "2020-01-01T00:00:00Z", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("Bool", "false", None, False),
        ("BoolIfExists", "true", None, True),
        ("BinaryEquals", "QUJD", "QUJD", True),
        ("BinaryEquals", "QUJD", "QUJE", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.1", "10.0.0.1", True),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        ("IpAddress", "10.0.0.0/8", "192.168.0.1", False),
        ("NotIpAddress", "10.0.0.0/8", "192.168.0.1", True),
        ("ArnEquals", "arn:aws:sns:*:1:x", "arn:aws:sns:eu-west-1:1:x", True),
        ("ArnLike", "arn:aws:sns:*:1:x", "arn:aws:sns:a:b:1:x", False),
        ("ArnLike", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k:with:colons", True),
        ("ArnLike", "arn:*:s3:::b", "arn:aws:s3::9:b", False),
        ("ArnNotLike", "arn:aws:sns:*:1:x", "arn:aws:sns:eu-west-1:2:x", True),
        ("ArnNotEquals", "arn:aws:sns:*:1:x", None, True),
        ("Null", "true", None, True),
        ("Null", "true", "a", False),
        ("Null", "false", "a", True),
        ("Null", "false", None, False),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], None, True),
        ("ForAllValues:StringEquals", ["a"], "", True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a"], ["c"], False),
        ("ForAnyValue:StringEquals", ["a"], None, False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
        ("ForAnyValue:StringNotEquals", ["a"], None, False),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
        ("ForAnyValue:StringLike", ["x-*"], ["y", "x-1"], True),
        ("ForAnyValue:StringEqualsIfExists", ["a"], None, True),
    ],
)
def test_operators(operator: str, wanted: Any, given: Any, expected: bool) -> None:
    context = {} if given is None else {"aws:Key": given}
    assert holds({operator: {"aws:Key": wanted}}, context) is expected


def test_keys_are_found_without_regard_to_case() -> None:
    assert holds({"StringEquals": {"AWS:sourceip": "x"}}, {"aws:SourceIp": "x"})


def test_every_operator_and_every_key_must_hold() -> None:
    both = {"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}}
    assert holds(both, {"a:x": "1", "a:y": "2", "a:z": "true"})
    assert not holds(both, {"a:x": "1", "a:y": "2", "a:z": "false"})
    assert not holds(both, {"a:x": "1", "a:y": "3", "a:z": "true"})


@pytest.mark.parametrize(
    ("wanted", "context", "expected"),
    [
        ("home/${aws:username}/*", {"aws:username": "bob", "s3:prefix": "home/bob/x"}, True),
        ("home/${aws:username}/*", {"aws:username": "al", "s3:prefix": "home/bob/x"}, False),
        ("home/${aws:username}/*", {"s3:prefix": "home//x"}, False),
        ("home/${aws:username, 'all'}/*", {"s3:prefix": "home/all/x"}, True),
        ("${aws:PrincipalTag/Team}", {"aws:PrincipalTag/team": "t", "s3:prefix": "t"}, True),
        # What a variable stands for is literal: a star in it is a star.
        ("${aws:username}", {"aws:username": "*", "s3:prefix": "anything"}, False),
        ("${$}{aws:username}", {"aws:username": "b", "s3:prefix": "${aws:username}"}, True),
        # A key with several values has no one value to stand for.
        ("${aws:TagKeys}", {"aws:TagKeys": ["a", "b"], "s3:prefix": "a"}, False),
    ],
)
def test_variables(wanted: str, context: dict[str, Any], expected: bool) -> None:
    assert holds({"StringLike": {"s3:prefix": wanted}}, context) is expected


@pytest.mark.parametrize(
    "condition",
    [
        {"StringSimilar": {"a:x": "1"}},
        {"ForSomeValues:StringEquals": {"a:x": "1"}},
        {"NumericEquals": {"a:x": "ten"}},
        {"DateEquals": {"a:x": "yesterday"}},
        {"IpAddress": {"a:x": "10.0.0.0/99"}},
        {"Bool": {"a:x": "maybe"}},
        {"Null": {"a:x": "perhaps"}},
        {"BinaryEquals": {"a:x": "***"}},
        {"StringEquals": "a"},
        {"StringEquals": {"a:x": {"y": "z"}}},
        {"StringEquals": {"a:x": "${aws:username, all}"}},
        "always",
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(condition: Any) -> None:
    with pytest.raises(MalformedPolicy):
        holds(condition, {})
