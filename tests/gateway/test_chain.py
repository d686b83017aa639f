"""Every refusal of the admission chain, in AWS's order: status, headers, body, and who was asked.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""

from __future__ import annotations

import pytest
from tests.gateway.admitted import (
    ARN,
    CHECKED,
    DENIED,
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
    policy,
    stage,
    statement,
)

from cumulet.core.errors import AwsError
from cumulet.services.apigateway.admission.buckets import Rate

UNAUTHORIZED = (401, "UnauthorizedException", {"message": "Unauthorized"})
FORBIDDEN = (403, "ForbiddenException", {"message": "Forbidden"})
EXCEEDED = (429, "LimitExceededException", {"message": "Limit Exceeded"})
MISCONFIGURED = (500, "AuthorizerConfigurationException", {"message": None})
FAILED = (500, "AuthorizerFailureException", {"message": None})
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
