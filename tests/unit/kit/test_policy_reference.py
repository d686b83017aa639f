"""The evaluator against a slow one that is written straight from the rules, and its laws."""

import itertools
import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.identity import Principal
from cumulet.kit.policy import IdentityPolicies, Policy, Question, decide, parse_policy
from cumulet.kit.policy.patterns import Glob, parse_tokens

ACCOUNT = "111122223333"
USER = Principal("user", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/b", "AIDAB")

texts = st.text("abc", max_size=4)
patterns = st.text("ab*?", max_size=6)
actions = st.sampled_from(["s:Get", "s:Put", "t:Get", "s:G*", "*", "s:?ut", "S:GET"])
resources = st.sampled_from(["arn:aws:s:::a", "arn:aws:s:::ab", "arn:aws:s:::*", "*", "arn:*:b"])
conditions = st.dictionaries(
    st.sampled_from(
        [
            *("StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"),
            *("ForAllValues:StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringNotLike"),
        ]
    ),
    st.dictionaries(
        st.sampled_from(["k:one", "k:two"]), st.lists(patterns, min_size=1, max_size=2), min_size=1
    ),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Deny"]))}
    found[draw(st.sampled_from(["Action", "NotAction"]))] = draw(st.lists(actions, min_size=1))
    found[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(
        st.lists(resources, min_size=1)
    )
    if block := draw(conditions):
        found["Condition"] = block
    return found


policies = st.lists(statements(), min_size=1, max_size=3)
contexts = st.dictionaries(
    st.sampled_from(["k:one", "K:TWO"]), st.one_of(texts, st.lists(texts, max_size=2))
)
questions = st.tuples(
    st.sampled_from(["s:Get", "s:Put", "t:Get"]),
    st.sampled_from(["arn:aws:s:::a", "arn:aws:s:::ab", "arn:aws:s:::b", "*"]),
    contexts,
)


def like(pattern: str, text: str) -> bool:
    """All the ways to read the stars, one after the other."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(like(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and like(pattern[1:], text[1:])


def slow_condition(name: str, key: str, wanted: list[str], context: dict[str, Any]) -> bool:
    qualifier, _, base = name.rpartition(":")
    if_exists, base = base.endswith("IfExists"), base.removesuffix("IfExists")
    found = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    values = [] if found is None else [found] if isinstance(found, str) else found
    if qualifier:
        values = [value for value in values if value != ""]
    negated = "Not" in base
    fits = like if base.endswith("Like") else lambda pattern, text: pattern == text
    if not values:
        return if_exists or qualifier == "ForAllValues" or (negated and not qualifier)
    told = [any(fits(pattern, value) for pattern in wanted) for value in values]
    if qualifier == "ForAllValues":
        return all(one != negated for one in told)
    if qualifier == "ForAnyValue":
        return any(one != negated for one in told)
    return any(told) != negated


def slow_applies(statement: dict[str, Any], question: tuple[str, str, dict[str, Any]]) -> bool:
    action, resource, context = question
    asked = statement.get("Action", statement.get("NotAction"))
    means_action = any(like(one.lower(), action.lower()) for one in asked)
    named = statement.get("Resource", statement.get("NotResource"))
    means_resource = any(like(one, resource) for one in named)
    return (
        means_action == ("Action" in statement)
        and means_resource == ("Resource" in statement)
        and all(
            slow_condition(operator, key, wanted, context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def slow_decision(document: list[dict[str, Any]], question: tuple[str, str, dict[str, Any]]) -> str:
    applying = [one["Effect"] for one in document if slow_applies(one, question)]
    if "Deny" in applying:
        return "deny"
    return "allow" if "Allow" in applying else "implicit_deny"


def parsed(document: list[dict[str, Any]]) -> Policy:
    return parse_policy("p", json.dumps({"Version": "2012-10-17", "Statement": document}))


def effect(question: tuple[str, str, dict[str, Any]], identity: IdentityPolicies) -> str:
    return decide(Question(USER, *question), identity, (), ACCOUNT).effect


@settings(max_examples=400, deadline=None)
@given(policies, questions)
def test_it_decides_as_the_slow_evaluator(
    document: list[dict[str, Any]], question: tuple[str, str, dict[str, Any]]
) -> None:
    assert effect(question, IdentityPolicies((parsed(document),))) == slow_decision(
        document, question
    )


@settings(max_examples=100, deadline=None)
@given(policies, statements(), questions)
def test_one_more_deny_never_allows_more(
    document: list[dict[str, Any]],
    more: dict[str, Any],
    question: tuple[str, str, dict[str, Any]],
) -> None:
    before = effect(question, IdentityPolicies((parsed(document),)))
    after = effect(question, IdentityPolicies((parsed([*document, {**more, "Effect": "Deny"}]),)))
    assert after != "allow" or before == "allow"


@settings(max_examples=100, deadline=None)
@given(policies, policies, questions)
def test_a_boundary_and_a_session_only_ever_take_away(
    document: list[dict[str, Any]],
    limit: list[dict[str, Any]],
    question: tuple[str, str, dict[str, Any]],
) -> None:
    own, bound = parsed(document), parsed(limit)
    alone = effect(question, IdentityPolicies((own,)))
    for identity in (IdentityPolicies((own,), bound), IdentityPolicies((own,), None, (bound,))):
        assert effect(question, identity) != "allow" or alone == "allow"


@settings(max_examples=60, deadline=None)
@given(policies, questions)
def test_the_order_of_statements_does_not_matter(
    document: list[dict[str, Any]], question: tuple[str, str, dict[str, Any]]
) -> None:
    orders = itertools.permutations(document)
    assert len({effect(question, IdentityPolicies((parsed(list(one)),))) for one in orders}) == 1


@settings(max_examples=300, deadline=None)
@given(st.text("ab*?", max_size=8), st.text("abc", max_size=8))
def test_wildcards_match_as_a_regular_expression_does(pattern: str, text: str) -> None:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    wanted = re.fullmatch(expression, text, re.DOTALL) is not None
    assert Glob(parse_tokens(pattern, variables=True)).matches(text) is wanted


@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "*?a" * 40 + "b", "*" * 2_000])
def test_no_pattern_is_slow_on_any_text(pattern: str) -> None:
    glob = Glob(parse_tokens(pattern, variables=True))
    start = time.perf_counter()
    glob.matches("a" * 2_000)
    # A pattern that backtracks would need longer than the world is old.
    assert time.perf_counter() - start < 2
