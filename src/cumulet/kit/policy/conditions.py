"""Condition blocks: every operator, `…IfExists`, and the two set qualifiers.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
and https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import operator as compare
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias

from cumulet.core.wildcards import Glob
from cumulet.kit.policy.model import MalformedPolicy
from cumulet.kit.policy.patterns import (
    ArnGlob,
    Facts,
    Texts,
    as_literal,
    as_texts,
    fill_in,
    has_variables,
    parse_tokens,
)

ADDRESSES_REMEMBERED_MAX: Final = 1_024

Test: TypeAlias = Callable[[str, Facts], bool]
"""Whether one value of the request fits one of the values of the policy."""

_Make: TypeAlias = Callable[[Sequence[str], bool], Test]


class Condition:
    """One operator on one key."""

    __slots__ = ("if_exists", "key", "negated", "qualifier", "test")

    def __init__(
        self, key: str, test: Test, *, negated: bool, if_exists: bool, qualifier: str
    ) -> None:
        self.key = key.lower()
        self.test = test
        self.negated = negated
        self.if_exists = if_exists
        self.qualifier = qualifier

    def holds(self, facts: Facts) -> bool:
        """Whether the request fulfils it."""
        values = facts.values(self.key)
        if self.qualifier:
            # An empty text counts as an absent value in a set.
            values = tuple(value for value in values if value)
        if not values:
            if self.if_exists or self.qualifier == "ForAllValues":
                return True
            return self.negated and not self.qualifier
        test, negated = self.test, self.negated
        if self.qualifier == "ForAllValues":
            return all(test(value, facts) is not negated for value in values)
        if self.qualifier == "ForAnyValue":
            return any(test(value, facts) is not negated for value in values)
        return any(test(value, facts) for value in values) is not negated


class Absence:
    """The `Null` operator: whether the key is absent."""

    __slots__ = ("key", "wanted")

    def __init__(self, key: str, wanted: frozenset[bool]) -> None:
        self.key = key.lower()
        self.wanted = wanted

    def holds(self, facts: Facts) -> bool:
        """Whether the request fulfils it."""
        return (not facts.values(self.key)) in self.wanted


def parse_conditions(block: Any, *, variables: bool) -> tuple[Condition | Absence, ...]:
    """The conditions of a `Condition` element. Raises MalformedPolicy."""
    if not isinstance(block, Mapping):
        raise MalformedPolicy("Syntax errors in policy.")
    found: list[Condition | Absence] = []
    for name, keys in block.items():
        if not isinstance(keys, Mapping):
            raise MalformedPolicy("Syntax errors in policy.")
        found.extend(_parse_one(name, key, given, variables) for key, given in keys.items())
    return tuple(found)


def _parse_one(name: str, key: str, given: Any, variables: bool) -> Condition | Absence:
    values = _policy_values(given)
    qualifier, colon, base = name.rpartition(":")
    if colon and qualifier not in ("ForAllValues", "ForAnyValue"):
        raise MalformedPolicy(f"Invalid Condition type : {name}.")
    if base == "Null":
        return Absence(key, frozenset(_parse_flag(value) for value in values))
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    if base not in _OPERATORS:
        raise MalformedPolicy(f"Invalid Condition type : {name}.")
    negated, make = _OPERATORS[base]
    return Condition(
        key,
        make(values, variables),
        negated=negated,
        if_exists=if_exists,
        qualifier=qualifier,
    )


def _policy_values(given: Any) -> tuple[str, ...]:
    items = given if isinstance(given, list) else [given]
    if not all(isinstance(item, str | int | float | bool) for item in items):
        raise MalformedPolicy("Syntax errors in policy.")
    return as_texts(items)


def _equal_texts(values: Sequence[str], variables: bool) -> Test:
    parsed = [parse_tokens(value, variables=variables) for value in values]
    fixed = frozenset(as_literal(tokens) for tokens in parsed if not has_variables(tokens))
    dynamic = [tokens for tokens in parsed if has_variables(tokens)]

    def test(value: str, facts: Facts) -> bool:
        if value in fixed:
            return True
        for tokens in dynamic:
            filled = fill_in(tokens, facts)
            if filled is not None and as_literal(filled) == value:
                return True
        return False

    return test


def _equal_texts_ignoring_case(values: Sequence[str], variables: bool) -> Test:
    parsed = [parse_tokens(value, variables=variables) for value in values]

    def test(value: str, facts: Facts) -> bool:
        wanted = value.lower()
        for tokens in parsed:
            filled = fill_in(tokens, facts)
            if filled is not None and as_literal(filled).lower() == wanted:
                return True
        return False

    return test


def _like_texts(values: Sequence[str], variables: bool) -> Test:
    return Texts(values, Glob, variables=variables).match


def _like_arns(values: Sequence[str], variables: bool) -> Test:
    return Texts(values, ArnGlob, variables=variables).match


def _compared(
    read: Callable[[str], float | None], relation: Callable[[float, float], bool]
) -> _Make:
    def make(values: Sequence[str], variables: bool) -> Test:
        limits = [read(value) for value in values]
        known = [limit for limit in limits if limit is not None]
        if len(known) != len(limits):
            raise MalformedPolicy("Syntax errors in policy.")

        def test(value: str, facts: Facts) -> bool:
            given = read(value)
            return given is not None and any(relation(given, limit) for limit in known)

        return test

    return make


def read_number(text: str) -> float | None:
    """A whole number exactly, a decimal one as a float, or None."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def read_time(text: str) -> float | None:
    """Seconds since the epoch from those seconds or an ISO 8601 date, or None."""
    number = read_number(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _parse_flag(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise MalformedPolicy("Syntax errors in policy.")
    return lowered == "true"


def _flags(values: Sequence[str], variables: bool) -> Test:
    wanted = frozenset("true" if _parse_flag(value) else "false" for value in values)
    return lambda value, facts: value.lower() in wanted


def _bytes(values: Sequence[str], variables: bool) -> Test:
    wanted = [_decode(value) for value in values]
    if None in wanted:
        raise MalformedPolicy("Syntax errors in policy.")
    return lambda value, facts: _decode(value) in wanted


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _addresses(values: Sequence[str], variables: bool) -> Test:
    try:
        networks = [ipaddress.ip_network(value, strict=False) for value in values]
    except ValueError as cause:
        raise MalformedPolicy("Syntax errors in policy.") from cause

    def test(value: str, facts: Facts) -> bool:
        address = _address(value)
        return address is not None and any(address in network for network in networks)

    return test


@lru_cache(maxsize=ADDRESSES_REMEMBERED_MAX)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _ordering(kind: str, read: Callable[[str], float | None]) -> dict[str, tuple[bool, _Make]]:
    return {
        f"{kind}Equals": (False, _compared(read, compare.eq)),
        f"{kind}NotEquals": (True, _compared(read, compare.eq)),
        f"{kind}LessThan": (False, _compared(read, compare.lt)),
        f"{kind}LessThanEquals": (False, _compared(read, compare.le)),
        f"{kind}GreaterThan": (False, _compared(read, compare.gt)),
        f"{kind}GreaterThanEquals": (False, _compared(read, compare.ge)),
    }


_OPERATORS: Mapping[str, tuple[bool, _Make]] = {
    "StringEquals": (False, _equal_texts),
    "StringNotEquals": (True, _equal_texts),
    "StringEqualsIgnoreCase": (False, _equal_texts_ignoring_case),
    "StringNotEqualsIgnoreCase": (True, _equal_texts_ignoring_case),
    "StringLike": (False, _like_texts),
    "StringNotLike": (True, _like_texts),
    "ArnEquals": (False, _like_arns),
    "ArnLike": (False, _like_arns),
    "ArnNotEquals": (True, _like_arns),
    "ArnNotLike": (True, _like_arns),
    "Bool": (False, _flags),
    "BinaryEquals": (False, _bytes),
    "IpAddress": (False, _addresses),
    "NotIpAddress": (True, _addresses),
    **_ordering("Numeric", read_number),
    **_ordering("Date", read_time),
}
"""Each operator: whether it is the negation of its test, and how the test is made."""
