"""API keys, throttles and custom domains in front of WebSocket APIs."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from tests.services.apigateway.sockets.conftest import SocketApi, told
from websockets import InvalidStatus


def answering(api: SocketApi) -> str:
    """A mock that answers with the connection's id and API key id."""
    made = api.integration("MOCK", RequestTemplates={"$default": '{"statusCode": 200}'})
    api.client.create_integration_response(
        ApiId=api.id,
        IntegrationId=made,
        IntegrationResponseKey="$default",
        ResponseTemplates={
            "$default": '{"id": "$context.connectionId", "key": "$context.identity.apiKeyId"}'
        },
    )
    return made


def refusal(api: SocketApi, **headers: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as raised:
        api.connect(additional_headers=headers)
    answer = raised.value.response
    return answer.status_code, json.loads(answer.body)["message"]


def test_api_key_of_a_usage_plan_opens_the_door(sockets: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
    mock = answering(sockets)
    sockets.route("$connect", mock, ApiKeyRequired=True)
    sockets.route("$default", mock, answers=True)
    sockets.deploy()
    keys = sockets.cloud.client("apigateway")
    made = keys.create_api_key(name=sockets.id, enabled=True)
    value = made["value"]
    assert refusal(sockets) == (403, "Forbidden")
    assert refusal(sockets, **{"X-Api-Key": value}) == (403, "Forbidden")
    plan = keys.create_usage_plan(
        name=sockets.id,
        apiStages=[{"apiId": sockets.id, "stage": "prod"}],
        quota={"limit": 2, "period": "MONTH"},
    )["id"]
    keys.create_usage_plan_key(usagePlanId=plan, keyId=made["id"], keyType="API_KEY")
    for _ in range(2):
        client = sockets.connect(additional_headers={"X-Api-Key": value})
        assert told(client, {})["key"] == made["id"]
    assert refusal(sockets, **{"X-Api-Key": value}) == (429, "Limit Exceeded")
    assert refusal(sockets, **{"X-Api-Key": "x" * 20}) == (403, "Forbidden")


def test_throttle_of_a_route_lets_its_burst_through(sockets: SocketApi):
    sockets.route("$default", answering(sockets), answers=True)
    tight = {"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 3}
    sockets.deploy(RouteSettings={"$default": tight})
    client = sockets.connect()
    answers = [told(client, {}) for _ in range(5)]
    assert sum("id" in answer for answer in answers) == 3
    assert sum(answer.get("message") == "Too Many Requests" for answer in answers) == 2


def test_custom_domain_takes_sockets_and_connections(sockets: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domains.html
    sockets.route("$default", answering(sockets), answers=True)
    sockets.deploy()
    cloud: Any = sockets.cloud
    name = f"{uuid.uuid4().hex[:8]}.example.com"
    certificate = cloud.client("acm").request_certificate(DomainName=name)["CertificateArn"]
    client = sockets.client
    client.create_domain_name(
        DomainName=name,
        DomainNameConfigurations=[{"CertificateArn": certificate, "EndpointType": "REGIONAL"}],
    )
    client.create_api_mapping(DomainName=name, ApiId=sockets.id, Stage="prod", ApiMappingKey="chat")
    try:
        by_domain = sockets.connect(uri=f"ws://{name}:{sockets.port}/chat")
        connection = told(by_domain, {})["id"]
        assert sockets.by_host(
            "POST", connection, b"hello", host=f"{name}:{sockets.port}", base="/chat"
        ) == (200, b"")
        assert by_domain.recv(timeout=20) == "hello"
        with pytest.raises(InvalidStatus, match="403"):
            sockets.connect(uri=f"ws://{name}:{sockets.port}/other")
    finally:
        client.delete_domain_name(DomainName=name)
