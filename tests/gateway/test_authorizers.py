"""What authorizers, keys and throttles do besides refusing: who is asked, and what is passed on.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.gateway.admitted import (
    ALL,
    ARN,
    DENIED,
    FRESH,
    ISSUER,
    KEY,
    MANY,
    POOL,
    REQUEST,
    TOKEN,
    WHO,
    Answers,
    Keys,
    anyone,
    asked,
    by,
    cast,
    grant,
    stage,
    statement,
)
from tests.gateway.cast import SCOPE, method, stage_of

from cumulet.core.clock import ManualClock
from cumulet.kit.ports import WebIdentities
from cumulet.services.apigateway.admission.authorizers import Grants
from cumulet.services.apigateway.admission.buckets import Buckets, Rate


def test_all_is_well_and_the_backend_is_told_who_came(play):
    said = grant(
        statement("Allow", f"{ARN}/prod/*"),
        context={"text": "x", "number": 1, "share": 0.5, "yes": True, "nothing": None},
    )
    served = stage(**by(TOKEN, apiKeyRequired=True))
    played = play(served, "GET", "/it", headers=[*WHO, *KEY], answers=Answers(said), **cast())
    assert played.response.status == 200
    assert asked(played) == ["auth", "f"]
    assert json.loads(played.calls[0][2]["Payload"]) == {
        "type": "TOKEN",
        "methodArn": f"{ARN}/prod/GET/it",
        "authorizationToken": "ann",
    }
    gateway = played.calls[0][3]
    assert (gateway.kind, gateway.arn) == ("service", "apigateway.amazonaws.com")
    assert gateway.context["aws:SourceArn"] == f"{ARN}/authorizers/tok"
    context = played.event["requestContext"]
    assert context["authorizer"] == {
        "principalId": "ann",
        "integrationLatency": 0,
        "text": "x",
        "number": "1",
        "share": "0.5",
        "yes": "true",
    }
    assert context["identity"]["apiKey"] == "good"
    assert context["identity"]["apiKeyId"] == "k1"


def test_a_request_authorizer_sees_the_request_without_its_body(play):
    played = play(
        stage(**by(REQUEST)), "GET", "/it", query="q=1&q=2", headers=WHO, body=b"secret",
        answers=Answers(), **cast(),
    )  # fmt: skip
    assert played.response.status == 200
    event = json.loads(played.calls[0][2]["Payload"])
    assert "body" not in event
    assert (event["type"], event["methodArn"]) == ("REQUEST", f"{ARN}/prod/GET/it")
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/it", "/it", "GET")
    assert event["headers"]["Who"] == "ann"
    assert event["queryStringParameters"] == {"q": "2"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert (event["pathParameters"], event["stageVariables"]) == ({}, {"v": "1"})
    assert event["requestContext"]["stage"] == "prod"


def test_an_answer_is_kept_for_its_time_and_judged_for_each_method(play):
    said = Answers(grant(statement("Allow", f"{ARN}/prod/GET/it")))
    grants = Grants()
    served = stage(**by(TOKEN))
    with_cache = {"headers": WHO, "answers": said, **cast()}
    with_cache["parts"][Grants] = grants
    assert asked(play(served, "GET", "/it", **with_cache)) == ["auth", "f"]
    assert asked(play(served, "GET", "/it", **with_cache)) == ["f"]
    elsewhere = play(served, "GET", "/other", **with_cache)
    assert (elsewhere.response.status, elsewhere.body) == (403, {"Message": DENIED})
    assert asked(elsewhere) == []
    other = {**with_cache, "headers": [("Who", "bob")]}
    assert asked(play(served, "GET", "/it", **other)) == ["auth", "f"]
    redeployed = stage_of(
        {"/it": [method("GET", **by(TOKEN))]},
        deployment={"id": "dep2", "authorizers": ALL},
    )
    assert asked(play(redeployed, "GET", "/it", **with_cache)) == ["auth", "f"]
    clock = played_clock(301)
    assert asked(play(served, "GET", "/it", **with_cache, clock=clock)) == ["auth", "f"]


def played_clock(seconds: float) -> Any:
    clock = ManualClock()
    asyncio.run(clock.advance(seconds))
    return clock


def test_without_a_time_the_function_is_asked_each_time(play):
    grants = Grants()
    for _ in range(2):
        given = cast()
        given["parts"][Grants] = grants
        played = play(stage(**by(FRESH)), "GET", "/it", answers=Answers(), **given)
        assert asked(played) == ["auth", "f"]


@pytest.mark.parametrize(
    ("resource", "said", "status"),
    [
        ("Allow", statement("Allow"), 200),
        ("Allow", statement("Allow", f"{ARN}/none"), 200),
        ("Allow", statement("Deny"), 403),
        ("none", statement("Allow"), 200),
        ("none", statement("Allow", f"{ARN}/none"), 403),
        ("none", statement("Deny"), 403),
        ("Deny", statement("Allow"), 403),
    ],
)
def test_a_resource_policy_and_a_lambda_authorizer_together(play, resource, said, status):
    """Table A of AWS's page on the authorization flow."""
    document = anyone("Allow", f"{ARN}/none") if resource == "none" else anyone(resource)
    served = stage(document, **by(TOKEN))
    played = play(served, "GET", "/it", headers=WHO, answers=Answers(grant(said)), **cast())
    assert played.response.status == status


@pytest.mark.parametrize(("resource", "status"), [("Allow", 200), ("none", 403), ("Deny", 403)])
def test_a_resource_policy_must_allow_beside_a_user_pool(play, resource, status):
    document = anyone("Allow", f"{ARN}/none") if resource == "none" else anyone(resource)
    played = play(
        stage(document, **by(POOL)), "GET", "/it", headers=[pool_token()],
        answers=Answers(), **cast(),
    )  # fmt: skip
    assert played.response.status == status


def pool_token(prefix: str = "", **claims: Any) -> tuple[str, str]:
    given = {"iss": ISSUER, "token_use": "id", "sub": "s", **claims}
    return ("Authorization", f"{prefix}signed:{json.dumps(given)}")


@pytest.mark.parametrize(
    ("claims", "scopes", "status"),
    [
        ({}, None, 200),
        ({"token_use": "access"}, None, 401),
        ({"iss": ISSUER + "y"}, None, 401),
        ({"iss": "http://localhost:4566/eu-west-1_x"}, None, 200),
        ({}, ["read"], 401),
        ({"token_use": "access", "scope": "write"}, ["read"], 401),
        ({"token_use": "access", "scope": "write read"}, ["read", "x"], 200),
        ({"token_use": "access"}, ["read"], 401),
    ],
)
def test_tokens_of_user_pools(play, claims, scopes, status):
    members = by(POOL) if scopes is None else by(POOL, authorizationScopes=scopes)
    played = play(
        stage(**members), "GET", "/it", headers=[pool_token(**claims)], answers=Answers(), **cast()
    )
    assert played.response.status == status
    if status == 401:
        assert played.body == {"message": "Unauthorized"}


def test_claims_reach_the_backend_as_texts(play):
    token = pool_token("Bearer ", exp=1_537_300_907, groups=["a", "b"], email_verified=True)
    played = play(stage(**by(POOL)), "GET", "/it", headers=[token], answers=Answers(), **cast())
    assert played.event["requestContext"]["authorizer"] == {
        "claims": {
            "iss": ISSUER,
            "token_use": "id",
            "sub": "s",
            "exp": "Tue Sep 18 20:01:47 UTC 2018",
            "groups": "a,b",
            "email_verified": "true",
        }
    }


def test_without_a_keeper_of_pools_no_token_counts(play):
    class Nobody(dict):
        """Parts without the one that verifies tokens, as a cloud without Cognito has them."""

        def get(self, kind, default=None):
            if kind is WebIdentities:
                raise KeyError(kind)
            return super().get(kind, default)

    given = cast()
    given["parts"] = Nobody(given["parts"])
    played = play(stage(**by(POOL)), "GET", "/it", headers=[pool_token()], **given)
    assert (played.response.status, played.body) == (401, {"message": "Unauthorized"})


def test_the_key_may_come_from_the_authorizer(play):
    said = grant(statement("Allow"), usageIdentifierKey="good")
    served = stage(source="AUTHORIZER", **by(TOKEN, apiKeyRequired=True))
    played = play(served, "GET", "/it", headers=WHO, answers=Answers(said), **cast())
    assert played.response.status == 200
    assert played.event["requestContext"]["identity"]["apiKeyId"] == "k1"


def test_what_a_throttle_refuses_uses_nothing_of_the_quota(play):
    keys = Keys(left=5, rate=Rate("p", 0, 2))
    given = cast(keys)
    given["parts"][Buckets] = Buckets()
    statuses = [
        play(stage(apiKeyRequired=True), "GET", "/it", headers=KEY, answers=Answers(), **given)
        .response.status
        for _ in range(6)
    ]  # fmt: skip
    assert statuses == [200, 200, 429, 429, 429, 429]
    assert keys.left == 3


def test_a_stages_own_throttle_holds_without_a_key(play):
    routes = {"/it": [method("GET")], "/free": [method("GET")]}
    settings = {"it/GET": {"throttlingRateLimit": 0.0, "throttlingBurstLimit": 1}}
    served = stage_of(routes, method_settings=settings)
    given = cast()
    given["parts"][Buckets] = Buckets()
    assert play(served, "GET", "/it", answers=Answers(), **given).response.status == 200
    refusal = play(served, "GET", "/it", answers=Answers(), **given)
    assert (refusal.response.status, refusal.headers["x-amzn-errortype"], refusal.body) == MANY
    assert play(served, "GET", "/free", answers=Answers(), **given).response.status == 200


def test_an_accounts_throttle_is_shared_by_its_apis(play):
    buckets = Buckets()
    given = cast()
    given["parts"][Buckets] = buckets
    served = stage_of({"/it": [method("GET")]})
    clock = played_clock(0)
    while buckets.take(("account", *SCOPE), 10_000, 5_000, clock.monotonic()):
        pass
    refusal = play(served, "GET", "/it", answers=Answers(), clock=clock, **given)
    assert (refusal.response.status, refusal.headers["x-amzn-errortype"], refusal.body) == MANY
