"""What Lambda authorizers answer: reading it, judging by it, keeping it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.services.apigateway.admission.authorizers import (
    AuthorizerError,
    Grants,
    flat_context,
    judge,
    parse_grant,
)

ACCOUNT = "123456789012"
ARN = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:abc/prod"


def answer(*statements: dict[str, Any], **more: Any) -> bytes:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return json.dumps({"principalId": "ann", "policyDocument": document, **more}).encode()


def say(effect: str, resource: Any, action: str = "execute-api:Invoke", **more: Any) -> Any:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statements", "resource", "effect"),
    [
        ([say("Allow", "*")], f"{ARN}/GET/a", "allow"),
        ([say("Allow", f"{ARN}/*/pets/*")], f"{ARN}/GET/pets/1/toys", "allow"),
        ([say("Allow", f"{ARN}/GET/pets/?")], f"{ARN}/GET/pets/12", "implicit_deny"),
        ([say("Allow", [f"{ARN}/GET/a", f"{ARN}/GET/b"])], f"{ARN}/GET/b", "allow"),
        ([say("Allow", "*", "execute-api:*")], f"{ARN}/GET/b", "allow"),
        ([say("Allow", "*", "s3:*")], f"{ARN}/GET/b", "implicit_deny"),
        ([say("Allow", "*"), say("Deny", f"{ARN}/DELETE/*")], f"{ARN}/GET/b", "allow"),
        ([say("Allow", "*"), say("Deny", f"{ARN}/DELETE/*")], f"{ARN}/DELETE/b", "deny"),
        ([{**say("Allow", "*"), "Resource": "*"}], f"{ARN}/GET/", "allow"),
    ],
)
def test_a_policy_is_evaluated_whole(statements: Any, resource: str, effect: str) -> None:
    grant = parse_grant(answer(*statements))
    for _ in range(2):
        assert judge(grant, ACCOUNT, resource, {}).effect == effect


def test_conditions_are_asked_each_time() -> None:
    grant = parse_grant(
        answer(say("Allow", "*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    )
    near, far = {"aws:SourceIp": "10.1.1.1"}, {"aws:SourceIp": "9.9.9.9"}
    effects = [judge(grant, ACCOUNT, f"{ARN}/GET/a", keys).effect for keys in (near, far, near)]
    assert effects == ["allow", "implicit_deny", "allow"]


def test_without_conditions_no_keys_are_worked_out() -> None:
    def never() -> dict[str, Any]:
        raise AssertionError("the keys were asked for")

    grant = parse_grant(answer(say("Allow", "*")))
    for number in range(200):
        assert judge(grant, ACCOUNT, f"{ARN}/GET/{number}", never).allowed


def test_a_context_is_flat_and_becomes_texts() -> None:
    given = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": None}
    assert flat_context(given) == {"a": "x", "b": "1", "c": "1.5", "d": "true"}
    assert flat_context(None) == {}
    for bad in ([], "x", {"a": []}, {"a": {}}):
        with pytest.raises(AuthorizerError):
            flat_context(bad)


def test_a_usage_key_is_a_text() -> None:
    assert parse_grant(answer(say("Allow", "*"), usageIdentifierKey="k")).usage_key == "k"
    assert parse_grant(answer(say("Allow", "*"))).usage_key == ""
    with pytest.raises(AuthorizerError):
        parse_grant(answer(say("Allow", "*"), usageIdentifierKey=7))


def test_answers_are_kept_for_their_time_and_the_oldest_go() -> None:
    grants = Grants(entries_max=2)
    grants.keep("a", 1, until=10.0)
    grants.keep("b", 2, until=20.0)
    assert grants.find("a", 9.9) == 1
    grants.keep("c", 3, until=20.0)
    assert (grants.find("b", 0.0), grants.find("c", 0.0)) == (None, 3)
    assert grants.find("a", 10.0) is None
