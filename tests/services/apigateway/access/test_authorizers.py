"""Authorizers: create, list, change, delete, try.

https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html
"""

from __future__ import annotations

import json

import pytest
from tests.services.apigateway.access.conftest import unique, uri_of
from tests.services.apigateway.conftest import refused

FUNCTION = uri_of("arn:aws:lambda:us-east-1:000000000000:function:auth")
POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_aBcDeF123"
HEADER = "method.request.header.X-Who"


def test_a_token_authorizer_lives(client, api):
    made = client.create_authorizer(
        restApiId=api.id, name="a", type="TOKEN", authorizerUri=FUNCTION, identitySource=HEADER
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    expected = {
        "id": made["id"],
        "name": "a",
        "type": "TOKEN",
        "authType": "custom",
        "authorizerUri": FUNCTION,
        "identitySource": HEADER,
        "authorizerResultTtlInSeconds": 300,
    }
    one = {"restApiId": api.id, "authorizerId": made["id"]}
    assert {k: v for k, v in made.items() if k != "ResponseMetadata"} == expected
    assert client.get_authorizers(restApiId=api.id)["items"] == [expected]
    changed = client.update_authorizer(
        **one,
        patchOperations=[
            {"op": "replace", "path": "/name", "value": "b"},
            {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "0"},
            {"op": "add", "path": "/identityValidationExpression", "value": "[a-z]+"},
        ],
    )
    assert (changed["name"], changed["authorizerResultTtlInSeconds"]) == ("b", 0)
    assert client.get_authorizer(**one)["identityValidationExpression"] == "[a-z]+"
    client.delete_authorizer(**one)
    with refused("NotFoundException", "Invalid Authorizer identifier specified"):
        client.get_authorizer(**one)


def test_a_pool_authorizer_has_pools_that_can_be_changed(client, api):
    made = client.create_authorizer(
        restApiId=api.id,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=[POOL],
        identitySource="method.request.header.Authorization",
    )
    assert (made["authType"], made["providerARNs"]) == ("cognito_user_pools", [POOL])
    assert "authorizerResultTtlInSeconds" not in made
    other = POOL.replace("123", "456")
    changed = client.update_authorizer(
        restApiId=api.id,
        authorizerId=made["id"],
        patchOperations=[
            {"op": "add", "path": "/providerARNs", "value": other},
            {"op": "remove", "path": "/providerARNs", "value": POOL},
        ],
    )
    assert changed["providerARNs"] == [other]


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "TOKEN", "authorizerUri": FUNCTION},
        {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": "header.X"},
        {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": f"{HEADER},{HEADER}"},
        {"type": "TOKEN", "authorizerUri": "arn:aws:s3:::x", "identitySource": HEADER},
        {"type": "TOKEN", "identitySource": HEADER},
        {"type": "REQUEST", "authorizerUri": FUNCTION},
        {"type": "REQUEST", "authorizerUri": FUNCTION, "identitySource": "method.request.body.x"},
        {"type": "COGNITO_USER_POOLS", "identitySource": HEADER},
        {"type": "COGNITO_USER_POOLS", "identitySource": HEADER, "providerARNs": [FUNCTION]},
        {"type": "COGNITO_USER_POOLS", "identitySource": HEADER, "providerARNs": [POOL],
         "authorizerUri": FUNCTION},
        {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": HEADER,
         "authorizerResultTtlInSeconds": 3601},
        {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": HEADER,
         "identityValidationExpression": "(("},
        {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": HEADER,
         "authorizerCredentials": "arn:aws:s3:::x"},
        {"type": "JWT", "jwtConfiguration": {
            "issuers": [{"issuer": "https://a", "audiences": ["b"]}],
            "defaultAlgorithms": ["RS256"]}},
    ],
)  # fmt: skip
def test_what_cannot_be_an_authorizer_is_refused(client, api, settings):
    with refused("BadRequestException"):
        client.create_authorizer(restApiId=api.id, name="a", **settings)
    assert client.get_authorizers(restApiId=api.id)["items"] == []


def test_names_are_unique_and_the_api_must_exist(client, api):
    settings = {"name": "a", "type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": HEADER}
    client.create_authorizer(restApiId=api.id, **settings)
    with refused(
        "ConflictException",
        "Authorizer name must be unique. Authorizer a already exists in this RestApi.",
    ):
        client.create_authorizer(restApiId=api.id, **settings)
    with refused("ConflictException"):
        client.create_authorizer(restApiId="nothere", **settings)


def test_an_api_has_ten_authorizers_at_most(client, api):
    settings = {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": HEADER}
    for number in range(10):
        client.create_authorizer(restApiId=api.id, name=f"a{number}", **settings)
    with refused("LimitExceededException"):
        client.create_authorizer(restApiId=api.id, name="eleven", **settings)
    first = client.get_authorizers(restApiId=api.id, limit=6)
    rest = client.get_authorizers(restApiId=api.id, limit=6, position=first["position"])
    assert len({one["id"] for one in [*first["items"], *rest["items"]]}) == 10


def test_methods_name_authorizers_of_their_kind_and_keep_them(client, api):
    function = client.create_authorizer(
        restApiId=api.id, name="f", type="TOKEN", authorizerUri=FUNCTION, identitySource=HEADER
    )["id"]
    pool = client.create_authorizer(
        restApiId=api.id,
        name="p",
        type="COGNITO_USER_POOLS",
        providerARNs=[POOL],
        identitySource=HEADER,
    )["id"]
    sentence = (
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
        "COGNITO_USER_POOLS requires a valid authorizer."
    )
    for kind, one in (("CUSTOM", pool), ("COGNITO_USER_POOLS", function), ("CUSTOM", "none")):
        with refused("BadRequestException", sentence):
            api.method("GET", "a", auth=kind, authorizerId=one)
    with refused("BadRequestException"):
        api.method("GET", "a", auth="CUSTOM", authorizerId=function, authorizationScopes=["x"])
    place = api.method("GET", "a", auth="CUSTOM", authorizerId=function, apiKeyRequired=True)
    shown = client.get_method(**place)
    assert (shown["authorizerId"], shown["apiKeyRequired"]) == (function, True)
    with refused("ConflictException"):
        client.delete_authorizer(restApiId=api.id, authorizerId=function)
    changed = client.update_method(
        **place,
        patchOperations=[
            {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
            {"op": "replace", "path": "/authorizerId", "value": pool},
            {"op": "add", "path": "/authorizationScopes", "value": "read"},
            {"op": "add", "path": "/authorizationScopes", "value": "write"},
            {"op": "remove", "path": "/authorizationScopes", "value": "read"},
            {"op": "replace", "path": "/apiKeyRequired", "value": "false"},
        ],
    )
    assert (changed["authorizerId"], changed["authorizationScopes"]) == (pool, ["write"])
    open_again = client.update_method(
        **place,
        patchOperations=[
            {"op": "remove", "path": "/authorizationScopes", "value": "write"},
            {"op": "replace", "path": "/authorizationType", "value": "NONE"},
        ],
    )
    assert "authorizerId" not in open_again
    client.delete_authorizer(restApiId=api.id, authorizerId=function)


def test_an_authorizer_can_be_tried_before_it_is_deployed(client, api, function):
    one = {
        "restApiId": api.id,
        "authorizerId": client.create_authorizer(
            restApiId=api.id,
            name="f",
            type="TOKEN",
            authorizerUri=uri_of(function),
            identitySource=HEADER,
            identityValidationExpression="[a-z]+",
        )["id"],
    }
    good = client.test_invoke_authorizer(**one, headers={"X-Who": "ann"})
    assert (good["clientStatus"], good["principalId"]) == (200, "ann")
    assert json.loads(good["policy"])["Statement"][0]["Effect"] == "Allow"
    assert good["authorization"]["name"] == ["Ann"]
    assert good["latency"] >= 0
    assert "authorizer" in good["log"]
    for token, status in (("nobody", 401), ("", 401), ("UPPER", 401), ("crash", 500)):
        tried = client.test_invoke_authorizer(**one, headers={"X-Who": token} if token else {})
        assert tried["clientStatus"] == status, token
    with refused("NotFoundException", "Invalid Authorizer identifier specified"):
        client.test_invoke_authorizer(restApiId=api.id, authorizerId="none")


def test_giving_a_role_needs_permission(cloud, client, api):
    iam, name = cloud.client("iam"), unique("giver")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    iam.put_user_policy(
        UserName=name,
        PolicyName="gateway",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"}],
            }
        ),
    )
    user = cloud.client("apigateway", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    settings = {"type": "TOKEN", "authorizerUri": FUNCTION, "identitySource": HEADER}
    role = "arn:aws:iam::000000000000:role/given"
    with refused("AccessDeniedException"):
        user.create_authorizer(restApiId=api.id, name="a", authorizerCredentials=role, **settings)
    made = user.create_authorizer(restApiId=api.id, name="a", **settings)["id"]
    with refused("AccessDeniedException"):
        user.update_authorizer(
            restApiId=api.id,
            authorizerId=made,
            patchOperations=[{"op": "replace", "path": "/authorizerCredentials", "value": role}],
        )
