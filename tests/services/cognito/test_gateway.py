"""Gateways let in who has a pool's token, and nobody else."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import Pool, make_pool, name


def get(url: str, token: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", token)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


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


def test_an_http_api_takes_tokens_of_its_client(cloud: Any, pool: Pool) -> None:
    gateway = cloud.client("apigatewayv2")
    api = gateway.create_api(Name=name("http"), ProtocolType="HTTP")["ApiId"]
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="pool",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": [pool.client]},
    )["AuthorizerId"]
    target = f"{cloud.endpoint}/{pool.id}/.well-known/jwks.json"
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri=target,
        PayloadFormatVersion="1.0",
    )["IntegrationId"]
    gateway.create_route(
        ApiId=api,
        RouteKey="GET /keys",
        Target=f"integrations/{integration}",
        AuthorizationType="JWT",
        AuthorizerId=authorizer,
    )
    gateway.create_stage(ApiId=api, StageName="v1", AutoDeploy=True)
    url = f"{cloud.endpoint}/_aws/execute-api/{api}/v1/keys"
    tokens = pool.tokens(pool.user())
    status, text = get(url, f"Bearer {tokens['AccessToken']}")
    assert (status, "keys" in text) == (200, True), text
    assert get(url)[0] == 401
    other = pool.admin.create_user_pool_client(
        UserPoolId=pool.id, ClientName="other", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    elsewhere = Pool(cloud, pool.admin, pool.anyone, pool.id, other)
    foreign = elsewhere.tokens(pool.user())["AccessToken"]
    assert get(url, f"Bearer {foreign}")[0] == 401
    gateway.delete_api(ApiId=api)
