"""The doors at which a pool's tokens are shown: each gives 200, or refuses."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

from botocore.exceptions import ClientError
from tests.services.cognito.client import Pool, name


def get(url: str, token: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def get_user(pool: Pool, token: str) -> int:
    """200, or 400 when the token is refused; one that has not even a token's form, as a value."""
    try:
        pool.anyone.get_user(AccessToken=token)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return 400 if code in ("NotAuthorizedException", "InvalidParameterException") else 500
    return 200


def rest_api(cloud: Any, pool: Pool, scopes: list[str] | None = None, shown: str = "") -> str:
    """A REST API whose method has a Cognito authorizer; `shown` is the template of its answers."""
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
    asked = {"authorizationScopes": scopes} if scopes else {}
    gateway.put_method(
        authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer, **asked, **at
    )
    gateway.put_integration(
        type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}, **at
    )
    gateway.put_method_response(statusCode="200", **at)
    templates = {"application/json": shown} if shown else {}
    gateway.put_integration_response(statusCode="200", responseTemplates=templates, **at)
    gateway.create_deployment(restApiId=api, stageName="v1")
    return f"{cloud.endpoint}/restapis/{api}/v1/_user_request_/"


def http_api(cloud: Any, pool: Pool) -> str:
    """An HTTP API whose route has a JWT authorizer for the pool and its client."""
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
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri=f"{cloud.endpoint}/{pool.id}/.well-known/jwks.json",
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
    return f"{cloud.endpoint}/_aws/execute-api/{api}/v1/keys"
