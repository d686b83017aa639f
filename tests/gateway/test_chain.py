"""Every refusal of the admission chain, in AWS's order: status, headers, body, and who was asked.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.gateway.cast import SCOPE, URI, method, stage_of

from cumulet.core.clock import ManualClock
from cumulet.core.errors import AwsError
from cumulet.kit.ports import WebIdentities
from cumulet.services.apigateway.admission.authorizers import Grants
from cumulet.services.apigateway.admission.buckets import Buckets, Rate
from cumulet.services.apigateway.admission.model import Authorizer, Quota
from cumulet.services.apigateway.admission.usage.passes import NoPass, Pass, Passes
from cumulet.services.apigateway.admission.usage.quotas import Quotas

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123"
AUTHORIZER_URI = URI.replace(":f/", ":auth/")
TOKEN = Authorizer(
    api_id="abc123",
    id="tok",
    name="t",
    type="TOKEN",
    authorizer_uri=AUTHORIZER_URI,
    identity_source="method.request.header.Who",
    identity_validation_expression="[a-z]+",
    authorizer_result_ttl_in_seconds=300,
)
REQUEST = Authorizer(
    api_id="abc123",
    id="req",
    name="r",
    type="REQUEST",
    authorizer_uri=AUTHORIZER_URI,
    identity_source="method.request.header.Who, method.request.querystring.q, stageVariables.v",
    authorizer_result_ttl_in_seconds=60,
)
FRESH = Authorizer(
    api_id="abc123",
    id="fresh",
    name="f",
    type="REQUEST",
    authorizer_uri=AUTHORIZER_URI,
    authorizer_result_ttl_in_seconds=0,
)
POOL = Authorizer(
    api_id="abc123",
    id="pool",
    name="p",
    type="COGNITO_USER_POOLS",
    provider_arns=("arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_x",),
    identity_source="method.request.header.Authorization",
)
ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x"
ALL = {one.id: one for one in (TOKEN, REQUEST, FRESH, POOL)}
CHECKED = {"requestValidatorId": "v", "requestParameters": {"method.request.querystring.n": True}}


def stage(policy=None, source="HEADER", **members: Any):
    """`GET /it` with these members, and `GET /other` that is the same."""
    settings = {} if policy is None else {"policy": json.dumps(policy)}
    return stage_of(
        {"/it": [method("GET", **members)], "/other": [method("GET", **members)]},
        deployment={"authorizers": ALL, "validators": {"v": (False, True)}},
        variables={"v": "1"},
        apiKeySource=source,
        **settings,
    )


def by(authorizer: Authorizer, **members: Any) -> dict[str, Any]:
    kind = "COGNITO_USER_POOLS" if authorizer is POOL else "CUSTOM"
    return {"authorizationType": kind, "authorizerId": authorizer.id, **members}


def statement(effect: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def anyone(effect: str, resource: str = "*") -> dict[str, Any]:
    return policy(statement(effect, resource, Principal="*"))


def grant(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"principalId": "ann", "policyDocument": policy(*statements), **more}


ALLOWED = grant(statement("Allow"))


class Answers:
    """Lambda: what the authorizer says, and a backend that is content with everything."""

    def __init__(self, said: Any = ALLOWED, error: str = "", raises: AwsError | None = None):
        self.said, self.error, self.raises = said, error, raises

    def __call__(self, service: str, operation: str, request: dict[str, Any]) -> Any:
        if not request["FunctionName"].endswith(":auth"):
            return {"StatusCode": 200, "Payload": b'{"statusCode": 200}'}
        if self.raises is not None:
            return self.raises
        said = {"errorMessage": self.error} if self.error else self.said
        payload = said if isinstance(said, str) else json.dumps(said)
        failed = {"FunctionError": "Unhandled"} if self.error else {}
        return {"StatusCode": 200, "Payload": payload.encode(), **failed}


class Keys:
    """The keys of the stage by value, and their quotas by key; as `Passes` and `Quotas`."""

    def __init__(self, left: int = 100, **throttles: Any) -> None:
        quota = Quota(limit=left, offset=0, period="DAY")
        self.known = Pass("k1", "n", "p1", quota, throttles.get("rate"), throttles.get("of") or {})
        self.left = left

    async def find(self, scope: Any, api_id: str, stage_name: str, value: str) -> Pass:
        assert (scope, api_id, stage_name) == (SCOPE, "abc123", "prod")
        if value != "good":
            raise NoPass("no API key has this value")
        return self.known

    async def take(self, *_: Any) -> bool:
        self.left -= 1
        return self.left >= 0

    def give_back(self, *_: Any) -> None:
        self.left += 1


class Identities:
    """Verifies `signed:` tokens: what follows is their claims."""

    async def verify(self, token: str) -> dict[str, object] | None:
        return json.loads(token[7:]) if token.startswith("signed:") else None


def cast(keys: Keys | None = None, **more: Any) -> dict[str, Any]:
    keys = keys or Keys()
    parts = {Passes: keys, Quotas: keys, WebIdentities: Identities(), **more}
    return {"parts": parts}


def asked(played: Any) -> list[str]:
    """The functions that were invoked."""
    return [request["FunctionName"].rpartition(":")[2] for _, _, request, _ in played.calls]


WHO = [("Who", "ann")]
KEY = [("x-api-key", "good")]
UNAUTHORIZED = (401, "UnauthorizedException", {"message": "Unauthorized"})
FORBIDDEN = (403, "ForbiddenException", {"message": "Forbidden"})
MANY = (429, "TooManyRequestsException", {"message": "Too Many Requests"})
EXCEEDED = (429, "LimitExceededException", {"message": "Limit Exceeded"})
MISCONFIGURED = (500, "AuthorizerConfigurationException", {"message": None})
FAILED = (500, "AuthorizerFailureException", {"message": None})
DENIED = "User is not authorized to access this resource"
IMPLICIT = (403, "AccessDeniedException", {"Message": DENIED})
EXPLICIT = (403, "AccessDeniedException", {"Message": f"{DENIED} with an explicit deny"})
BY_POLICY = (
    403,
    "AccessDeniedException",
    {
        "Message": "User: anonymous is not authorized to perform: execute-api:Invoke on resource: "
        "arn:aws:execute-api:eu-west-1:********9012:abc123/prod/GET/it with an explicit deny"
    },
)
MISSING = (
    400,
    "BadRequestException",
    {"message": "Missing required request parameters: [n]"},
)
NOT_SIGNED = (
    403,
    "MissingAuthenticationTokenException",
    {"message": "Missing Authentication Token"},
)
NARROW = {"/it/GET": Rate("n", 0, 0)}

# Each row: what is wrong, the stage, the request's headers, what is answered, who was asked.
CHAIN = [
    # Everything is wrong at once: the first refusal of the chain is the resource policy's.
    ("policy", stage(anyone("Deny"), **by(TOKEN, apiKeyRequired=True, **CHECKED)), [],
     {}, {}, BY_POLICY, []),
    ("no token", stage(**by(TOKEN, apiKeyRequired=True, **CHECKED)), [], {}, {}, UNAUTHORIZED, []),
    ("bad token", stage(**by(TOKEN)), [("Who", "ANN 7")], {}, {}, UNAUTHORIZED, []),
    ("unauthorized", stage(**by(TOKEN)), WHO, {"error": "Unauthorized"}, {}, UNAUTHORIZED,
     ["auth"]),
    ("denied", stage(**by(TOKEN, apiKeyRequired=True)), WHO,
     {"said": grant(statement("Deny"))}, {}, EXPLICIT, ["auth"]),
    ("denied among others", stage(**by(TOKEN)), WHO,
     {"said": grant(statement("Allow"), statement("Deny", f"{ARN}/*/GET/it"))}, {}, EXPLICIT,
     ["auth"]),
    ("not allowed", stage(**by(TOKEN)), WHO,
     {"said": grant(statement("Allow", f"{ARN}/prod/GET/else"))}, {}, IMPLICIT, ["auth"]),
    ("condition", stage(**by(TOKEN)), WHO,
     {"said": grant(statement("Allow", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))},
     {}, IMPLICIT, ["auth"]),
    ("other action", stage(**by(TOKEN)), WHO,
     {"said": grant({**statement("Allow"), "Action": "execute-api:Other"})}, {}, IMPLICIT,
     ["auth"]),
    ("crashed", stage(**by(TOKEN)), WHO, {"error": "boom"}, {}, FAILED, ["auth"]),
    ("not invocable", stage(**by(TOKEN)), WHO, {"raises": AwsError("no")}, {}, MISCONFIGURED,
     ["auth"]),
    ("no JSON", stage(**by(TOKEN)), WHO, {"said": "{"}, {}, MISCONFIGURED, ["auth"]),
    ("no object", stage(**by(TOKEN)), WHO, {"said": []}, {}, MISCONFIGURED, ["auth"]),
    ("no policy", stage(**by(TOKEN)), WHO, {"said": {"principalId": "a"}}, {}, MISCONFIGURED,
     ["auth"]),
    ("no principal", stage(**by(TOKEN)), WHO,
     {"said": {"policyDocument": policy(statement("Allow"))}}, {}, MISCONFIGURED, ["auth"]),
    ("bad policy", stage(**by(TOKEN)), WHO,
     {"said": grant({"Effect": "Perhaps", "Action": "*", "Resource": "*"})}, {}, MISCONFIGURED,
     ["auth"]),
    ("nested context", stage(**by(TOKEN)), WHO,
     {"said": grant(statement("Allow"), context={"a": [1]})}, {}, MISCONFIGURED, ["auth"]),
    ("no such authorizer", stage(**{**by(TOKEN), "authorizerId": "gone"}), WHO, {}, {},
     MISCONFIGURED, []),
    ("a source missing", stage(**by(REQUEST)), WHO, {}, {}, UNAUTHORIZED, []),
    ("no pool token", stage(**by(POOL)), [], {}, {}, UNAUTHORIZED, []),
    ("false pool token", stage(**by(POOL)), [("Authorization", "forged")], {}, {}, UNAUTHORIZED,
     []),
    ("not signed", stage(authorizationType="AWS_IAM"), [], {}, {}, NOT_SIGNED, []),
    ("no key", stage(apiKeyRequired=True, **CHECKED), [], {}, {}, FORBIDDEN, []),
    ("no key after the authorizer", stage(**by(TOKEN, apiKeyRequired=True)), WHO, {}, {},
     FORBIDDEN, ["auth"]),
    ("unknown key", stage(apiKeyRequired=True), [("x-api-key", "bad")], {}, {}, FORBIDDEN, []),
    ("key of the authorizer missing", stage(source="AUTHORIZER", **by(TOKEN, apiKeyRequired=True)),
     [*WHO, *KEY], {}, {}, FORBIDDEN, ["auth"]),
    ("quota", stage(apiKeyRequired=True, **CHECKED), KEY, {}, {"left": 0}, EXCEEDED, []),
    ("quota before throttle", stage(apiKeyRequired=True), KEY, {},
     {"left": 0, "rate": Rate("p", 0, 0)}, EXCEEDED, []),
    ("plan's throttle", stage(apiKeyRequired=True, **CHECKED), KEY, {}, {"rate": Rate("p", 0, 0)},
     MANY, []),
    ("plan's method throttle", stage(apiKeyRequired=True, **CHECKED), KEY, {}, {"of": NARROW},
     MANY, []),
    ("parameters at last", stage(apiKeyRequired=True, **CHECKED), KEY, {}, {}, MISSING, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("served", "headers", "answers", "keys", "refusal", "functions"),
    [row[1:] for row in CHAIN],
    ids=[row[0] for row in CHAIN],
)
def test_a_refusal(play, served, headers, answers, keys, refusal, functions):
    played = play(
        served, "GET", "/it", headers=headers, answers=Answers(**answers), **cast(Keys(**keys))
    )
    status, kind, body = refusal
    assert (played.response.status, played.body) == (status, body)
    assert played.response.headers == [
        ("x-amzn-RequestId", "req-1"),
        ("x-amzn-ErrorType", kind),
        ("x-amz-apigw-id", "ext="),
        ("Content-Type", "application/json"),
    ]
    assert asked(played) == functions


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
