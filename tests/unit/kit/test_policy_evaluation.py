"""Whole decisions: which policies must agree, and in which words a refusal is told.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import json
from typing import Any

import pytest

from cumulet.core.identity import (
    ANONYMOUS,
    Principal,
    root_principal,
    service_principal,
)
from cumulet.kit.policy import IdentityPolicies, Policy, Question, decide, parse_policy

HOME, AWAY = "111122223333", "444455556666"
QUEUE = f"arn:aws:sqs:eu-west-1:{HOME}:jobs"
USER = Principal(
    "user", HOME, f"arn:aws:iam::{HOME}:user/bob", "AIDAB", f"arn:aws:iam::{HOME}:user/bob"
)
FAR = Principal(
    "user", AWAY, f"arn:aws:iam::{AWAY}:user/eve", "AIDAE", f"arn:aws:iam::{AWAY}:user/eve"
)
ROLE_ARN = f"arn:aws:iam::{HOME}:role/path/worker"
SESSION_ARN = f"arn:aws:sts::{HOME}:assumed-role/worker/one"
SESSION = Principal("role", HOME, SESSION_ARN, "AROAW:one", ROLE_ARN)


def policy(*statements: dict[str, Any], name: str = "p") -> Policy:
    return parse_policy(name, json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def allow(action: str = "sqs:*", resource: str = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def deny(action: str = "sqs:*", resource: str = "*", **rest: Any) -> dict[str, Any]:
    return {**allow(action, resource, **rest), "Effect": "Deny"}


def ask(
    caller: Principal,
    identity: IdentityPolicies | None = None,
    resource: tuple[Policy, ...] = (),
    **rest: Any,
) -> tuple[str, str]:
    question = Question(caller, "sqs:SendMessage", QUEUE, rest.pop("context", {}))
    found = decide(question, identity or IdentityPolicies(), resource, HOME, **rest)
    return found.effect, found.reason


YES = policy(allow())
NO = policy(deny())
OTHER = policy(allow("s3:*"))


def test_what_no_policy_allows_is_refused() -> None:
    effect, reason = ask(USER, IdentityPolicies((OTHER,)))
    assert effect == "implicit_deny"
    assert reason == "because no identity-based policy allows the sqs:SendMessage action"


@pytest.mark.parametrize(
    ("identity", "resource", "where"),
    [
        (IdentityPolicies((YES, NO)), (), "an identity-based policy"),
        (IdentityPolicies((YES,), NO), (), "a permissions boundary"),
        (IdentityPolicies((YES,), None, (YES, NO)), (), "a session policy"),
        (
            IdentityPolicies((YES,)),
            (policy(deny(Principal="*")),),
            "a resource-based policy",
        ),
    ],
)
def test_a_deny_anywhere_wins(
    identity: IdentityPolicies, resource: tuple[Policy, ...], where: str
) -> None:
    assert ask(USER, identity, resource) == ("deny", f"with an explicit deny in {where}")


@pytest.mark.parametrize(
    ("identity", "missing"),
    [
        (IdentityPolicies((YES,), OTHER), "permissions boundary"),
        (IdentityPolicies((YES,), YES, (OTHER,)), "session policy"),
        (IdentityPolicies((OTHER,), YES, (YES,)), "identity-based policy"),
    ],
)
def test_every_kind_of_policy_that_is_there_must_allow(
    identity: IdentityPolicies, missing: str
) -> None:
    effect, reason = ask(USER, identity)
    assert effect == "implicit_deny"
    assert reason == f"because no {missing} allows the sqs:SendMessage action"


def test_one_session_policy_of_several_suffices() -> None:
    assert ask(USER, IdentityPolicies((YES,), None, (OTHER, YES)))[0] == "allow"


def test_the_account_itself_needs_no_policy_and_obeys_a_resource_that_denies() -> None:
    root = root_principal(HOME)
    assert ask(root)[0] == "allow"
    assert ask(root, None, (policy(deny(Principal="*")),))[0] == "deny"
    assert ask(root_principal(AWAY))[0] == "implicit_deny"
    assert ask(root_principal(AWAY), None, (policy(allow(Principal={"AWS": AWAY})),))[0] == "allow"


@pytest.mark.parametrize(
    ("principal", "effect"),
    [
        ({"AWS": USER.arn}, "allow"),
        ("*", "allow"),
        ({"AWS": HOME}, "implicit_deny"),
        ({"AWS": f"arn:aws:iam::{HOME}:root"}, "implicit_deny"),
        ({"AWS": f"arn:aws:iam::{HOME}:user/alice"}, "implicit_deny"),
        ({"Service": "lambda.amazonaws.com"}, "implicit_deny"),
    ],
)
def test_a_resource_of_the_same_account_may_admit_a_user_by_itself(
    principal: Any, effect: str
) -> None:
    assert ask(USER, None, (policy(allow(Principal=principal)),))[0] == effect


def test_a_user_whom_the_resource_names_is_not_limited_by_its_boundary() -> None:
    named = (policy(allow(Principal={"AWS": USER.arn})),)
    assert ask(USER, IdentityPolicies((), OTHER), named)[0] == "allow"
    assert ask(USER, IdentityPolicies((), NO), named)[0] == "deny"


def test_a_role_that_the_resource_names_is_limited_by_boundary_and_session() -> None:
    named = (policy(allow(Principal={"AWS": ROLE_ARN})),)
    assert ask(SESSION, None, named)[0] == "allow"
    assert ask(SESSION, IdentityPolicies((), OTHER), named)[0] == "implicit_deny"
    assert ask(SESSION, IdentityPolicies((), None, (OTHER,)), named)[0] == "implicit_deny"
    by_session = (policy(allow(Principal={"AWS": SESSION_ARN})),)
    assert ask(SESSION, IdentityPolicies((), OTHER, (OTHER,)), by_session)[0] == "allow"


def test_two_accounts_must_both_allow() -> None:
    named = (policy(allow(Principal={"AWS": FAR.arn})),)
    trusted = (policy(allow(Principal={"AWS": AWAY})),)
    assert ask(FAR, IdentityPolicies((YES,)), named)[0] == "allow"
    assert ask(FAR, IdentityPolicies((YES,)), trusted)[0] == "allow"
    assert ask(FAR, None, named) == (
        "implicit_deny",
        "because no identity-based policy allows the sqs:SendMessage action",
    )
    assert ask(FAR, IdentityPolicies((YES,))) == (
        "implicit_deny",
        "because no resource-based policy allows the sqs:SendMessage action",
    )


def test_services_and_strangers_have_only_what_the_resource_grants() -> None:
    service = service_principal("s3.amazonaws.com", HOME, {"aws:SourceArn": "arn:aws:s3:::b"})
    granted = policy(
        allow(
            Principal={"Service": "s3.amazonaws.com"},
            Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}},
        )
    )
    assert ask(service, None, (granted,), context=service.context)[0] == "allow"
    assert ask(service, None, (granted,))[0] == "implicit_deny"
    assert ask(service)[0] == "implicit_deny"
    assert ask(ANONYMOUS, None, (granted,))[0] == "implicit_deny"
    assert ask(ANONYMOUS, None, (policy(allow(Principal="*")),))[0] == "allow"


def test_a_deny_with_not_principal_spares_only_who_is_named_on_every_side() -> None:
    account = f"arn:aws:iam::{HOME}:root"
    spared = policy(deny(NotPrincipal={"AWS": [USER.arn, account]}))
    assert ask(USER, IdentityPolicies((YES,)), (spared,))[0] == "allow"
    assert ask(SESSION, IdentityPolicies((YES,)), (spared,))[0] == "deny"
    half = policy(deny(NotPrincipal={"AWS": [USER.arn]}))
    assert ask(USER, IdentityPolicies((YES,)), (half,))[0] == "deny"
    whole = policy(deny(NotPrincipal={"AWS": [ROLE_ARN, SESSION_ARN, account]}))
    assert ask(SESSION, IdentityPolicies((YES,)), (whole,))[0] == "allow"


def test_where_the_resource_always_has_a_say_identity_policies_do_not_suffice() -> None:
    everything = IdentityPolicies((policy(allow("*")),))
    assert ask(USER, everything, (), resource_must_allow=True)[0] == "implicit_deny"
    delegated = (policy(allow(Principal={"AWS": HOME})),)
    assert ask(USER, everything, delegated, resource_must_allow=True)[0] == "allow"
    assert ask(USER, None, delegated, resource_must_allow=True)[0] == "implicit_deny"


def test_a_decision_names_the_policies_that_decided() -> None:
    question = Question(USER, "sqs:SendMessage", QUEUE, {})
    both = IdentityPolicies((policy(allow(), name="one"), policy(deny(), name="two")))
    assert decide(question, both, (), HOME).policies == ("two",)


def test_web_identities_are_named_by_their_provider() -> None:
    provider = f"arn:aws:iam::{HOME}:oidc-provider/issuer.example"
    caller = Principal("federated", HOME, provider, "subject")
    trusted = (policy(allow(Principal={"Federated": provider})),)
    assert ask(caller, None, trusted, resource_must_allow=True)[0] == "allow"
    other = (policy(allow(Principal={"Federated": "accounts.google.com"})),)
    assert ask(caller, None, other, resource_must_allow=True)[0] == "implicit_deny"
