"""Stages with admission, and the parts that it asks: authorizers, keys, quotas, identities."""

from __future__ import annotations

import json
from typing import Any

from tests.gateway.cast import SCOPE, URI, method, stage_of

from cumulet.core.errors import AwsError
from cumulet.kit.ports import WebIdentities
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
DENIED = "User is not authorized to access this resource"
MANY = (429, "TooManyRequestsException", {"message": "Too Many Requests"})
