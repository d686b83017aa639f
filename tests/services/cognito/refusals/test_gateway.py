"""A REST API takes its pool's tokens, and tells its integration who came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import Pool, make_pool, name
from tests.services.cognito.refusals.doors import get


@pytest.fixture(scope="module")
def rest(cloud: Any, pool: Pool) -> Iterator[str]:
    """A REST API whose method has a Cognito authorizer; it answers with the caller's name."""
    gateway = cloud.client("apigateway")
    api = gateway.create_rest_api(name=name("api"))["id"]
    arn = f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pool.id}"
    authorizer = gateway.create_authorizer(
        restApiId=api,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=[arn],
        identitySource="method.request.header.Authorization",
    )["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer, **at)
    gateway.put_integration(
        type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **at
    )
    gateway.put_method_response(statusCode="200", **at)
    shown = "\"$context.authorizer.claims['cognito:username']\""
    gateway.put_integration_response(
        statusCode="200", responseTemplates={"application/json": shown}, **at
    )
    gateway.create_deployment(restApiId=api, stageName="v1")
    yield f"{cloud.endpoint}/restapis/{api}/v1/_user_request_/"
    gateway.delete_rest_api(restApiId=api)


def test_a_rest_api_takes_identity_tokens_of_its_pool(cloud: Any, pool: Pool, rest: str) -> None:
    user = pool.user()
    tokens = pool.tokens(user)
    assert get(rest, tokens["IdToken"]) == (200, json.dumps(user))
    assert get(rest, f"Bearer {tokens['IdToken']}")[0] == 200
    head, body, signature = tokens["IdToken"].split(".")
    other = make_pool(cloud)
    for false in (
        "",
        tokens["AccessToken"],
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"eyJhbGciOiJub25lIn0.{body}.",
        other.tokens(other.user())["IdToken"],
    ):
        assert get(rest, false)[0] == 401, false
    other.admin.delete_user_pool(UserPoolId=other.id)
