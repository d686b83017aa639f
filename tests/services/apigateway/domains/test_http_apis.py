"""HTTP APIs behind custom domains: beside REST APIs, and with mutual TLS.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html
"""

from __future__ import annotations

import ssl

import pytest
from tests.services.apigateway.domains.test_domain_names import refused
from tests.services.apigateway.domains.test_domain_stacks import reference, resource, stack
from tests.services.apigateway.domains.test_mutual_tls import BUCKET, bucket

__all__ = ["bucket", "stack"]


@pytest.fixture
def http_api(secure, backend):
    """An HTTP API that passes everything on to the backend."""
    second = secure.client("apigatewayv2")
    made = second.create_api(Name="behind", ProtocolType="HTTP", Target=backend.url + "/{proxy}")
    yield made["ApiId"]
    for domain in second.get_domain_names()["Items"]:
        name = domain["DomainName"]
        for mapping in second.get_api_mappings(DomainName=name)["Items"]:
            if mapping["ApiId"] == made["ApiId"]:
                second.delete_api_mapping(DomainName=name, ApiMappingId=mapping["ApiMappingId"])
    second.delete_api(ApiId=made["ApiId"])


def test_an_http_api_and_a_rest_api_share_a_domain(secure, http_api, backend):
    second = secure.client("apigatewayv2")
    rest = secure.rest_api("beside")
    secure.domain("shared.example.com")
    name = {"DomainName": "shared.example.com"}
    second.create_api_mapping(**name, ApiId=rest, Stage="prod", ApiMappingKey="rest")
    second.create_api_mapping(**name, ApiId=http_api, Stage="$default", ApiMappingKey="http/v2")
    assert secure.get("shared.example.com", "/rest/a").json["path"] == "/rest/a"
    assert secure.get("shared.example.com", "/http/v2").status == 200
    assert secure.get("shared.example.com", "/http").status == 403
    assert len(backend.seen) == 1
    refused(
        second.create_api_mapping,
        "BadRequestException",
        "Invalid stage identifier specified",
        **name,
        ApiId=http_api,
        Stage="none",
        ApiMappingKey="x",
    )
    refused(second.delete_api, "BadRequestException", "base path mappings", ApiId=http_api)
    refused(
        secure.client("apigateway").update_domain_name,
        "BadRequestException",
        "Only REST APIs",
        domainName="shared.example.com",
        patchOperations=[
            {"op": "replace", "path": "/endpointConfiguration/types/REGIONAL", "value": "EDGE"},
            {
                "op": "replace",
                "path": "/certificateArn",
                "value": secure.certificate("shared.example.com"),
            },
        ],
    )
    socket_api = second.create_api(
        Name="talks", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    second.create_stage(ApiId=socket_api, StageName="live")
    refused(
        second.create_api_mapping,
        "BadRequestException",
        "WebSocket",
        **name,
        ApiId=socket_api,
        Stage="live",
        ApiMappingKey="talk",
    )


def test_mutual_tls_keeps_others_from_an_http_api(
    secure, http_api, backend, bucket, client_authority
):
    second = secure.client("apigatewayv2")
    name = "mutual-beside.example.com"
    known, foreign = client_authority("known"), client_authority("foreign")
    bucket(name, known.pem)
    second.create_domain_name(
        DomainName=name,
        DomainNameConfigurations=[{"CertificateArn": secure.certificate(name)}],
        MutualTlsAuthentication={"TruststoreUri": f"s3://{BUCKET}/{name}"},
    )
    second.create_api_mapping(DomainName=name, ApiId=http_api, Stage="$default")
    assert secure.get(name, shows=known.client("alice")).status == 200
    for shows in (None, foreign.client("mallory")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            secure.get(name, shows=shows)
    crossed = secure.get("localhost", host=name)
    assert (crossed.status, crossed.json) == (403, {"message": "Forbidden"})
    assert len(backend.seen) == 1
    changed = second.update_domain_name(
        DomainName=name, MutualTlsAuthentication={"TruststoreUri": ""}
    )
    assert "MutualTlsAuthentication" not in changed
    assert secure.get(name).status == 200


def test_sam_s_domain_of_an_http_api(secure, stack, backend):
    name = "sam-http.example.com"
    integration = {
        "type": "http_proxy",
        "httpMethod": "ANY",
        "uri": backend.url,
        "payloadFormatVersion": "1.0",
    }
    definition = {
        "openapi": "3.0.1",
        "info": {"title": "sam-http", "version": "1"},
        "paths": {"/hello": {"get": {"x-amazon-apigateway-integration": integration}}},
    }
    domain = {
        "DomainName": name,
        "CertificateArn": reference("Certificate"),
        "BasePath": ["shop"],
        "EndpointConfiguration": "REGIONAL",
    }
    api = resource("Serverless::HttpApi", DefinitionBody=definition, Domain=domain)
    certificate = resource("CertificateManager::Certificate", DomainName=name)
    stack("sam-http-domain").make(
        {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {"Certificate": certificate, "Api": api},
        }
    )
    assert secure.get(name, "/shop/hello").status == 200
    assert secure.get(name, "/shop/other").status == 404
    assert secure.get(name, "/hello").status == 403
