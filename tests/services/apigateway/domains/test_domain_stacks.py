"""Domains, certificates and documentation in stacks, by CloudFormation's types and SAM's `Domain`.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-domainconfiguration.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.services.apigateway.domains.test_domain_names import refused
from tests.services.apigateway.domains.test_mutual_tls import BUCKET, bucket

__all__ = ["bucket"]

WAIT = {"Delay": 1, "MaxAttempts": 60}
DEFINITION = {
    "openapi": "3.0.1",
    "info": {"title": "stacked", "version": "1"},
    "paths": {
        "/hello": {
            "get": {
                "responses": {"200": {}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {
                        "default": {
                            "statusCode": "200",
                            "responseTemplates": {"application/json": '"$context.path"'},
                        }
                    },
                },
            }
        }
    },
}


class Stack:
    """One stack under test."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def make(self, template: dict[str, Any]) -> dict[str, str]:
        """Creates it; the outputs."""
        self.client.create_stack(StackName=self.name, **self._body(template))
        return self._outputs("stack_create_complete")

    def change(self, template: dict[str, Any]) -> dict[str, str]:
        """Updates it; the outputs."""
        self.client.update_stack(StackName=self.name, **self._body(template))
        return self._outputs("stack_update_complete")

    def drop(self) -> None:
        """Deletes it."""
        self.client.delete_stack(StackName=self.name)
        waiter = self.client.get_waiter("stack_delete_complete")
        waiter.wait(StackName=self.name, WaiterConfig=WAIT)

    def _body(self, template: dict[str, Any]) -> dict[str, Any]:
        capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        return {"TemplateBody": json.dumps(template), "Capabilities": capabilities}

    def _outputs(self, waiter: str) -> dict[str, str]:
        self.client.get_waiter(waiter).wait(StackName=self.name, WaiterConfig=WAIT)
        shown = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in shown.get("Outputs", ())}


@pytest.fixture
def stack(secure):
    made: list[Stack] = []

    def make(name: str) -> Stack:
        made.append(Stack(secure.client("cloudformation"), name))
        return made[-1]

    yield make
    for one in made:
        one.drop()


def reference(name: str, attribute: str = "") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def whole(base: str, description: str, addresses: str = "ipv4") -> dict[str, Any]:
    api = reference("Api")
    part = {"RestApiId": api, "Location": {"Type": "API"}, "Properties": '{"a": 1}'}
    return {
        "Resources": {
            "Certificate": resource(
                "CertificateManager::Certificate",
                DomainName="stack.example.com",
                ValidationMethod="DNS",
                Tags=[{"Key": "a", "Value": description}],
            ),
            "Domain": resource(
                "ApiGateway::DomainName",
                DomainName="stack.example.com",
                RegionalCertificateArn=reference("Certificate"),
                EndpointConfiguration={"Types": ["REGIONAL"], "IpAddressType": addresses},
                Tags=[{"Key": "a", "Value": description}],
            ),
            "Api": resource("ApiGateway::RestApi", Body=DEFINITION),
            "Deployment": resource("ApiGateway::Deployment", RestApiId=api, StageName="live"),
            "Mapping": {
                **resource(
                    "ApiGateway::BasePathMapping",
                    DomainName=reference("Domain"),
                    BasePath=base,
                    RestApiId=api,
                    Stage="live",
                ),
                "DependsOn": "Deployment",
            },
            "Second": {
                **resource(
                    "ApiGatewayV2::ApiMapping",
                    DomainName=reference("Domain"),
                    ApiMappingKey="deep/er",
                    ApiId=api,
                    Stage="live",
                ),
                "DependsOn": "Deployment",
            },
            "Client": resource("ApiGateway::ClientCertificate", Description=description),
            "Part": resource("ApiGateway::DocumentationPart", **part),
            "Version": {
                **resource(
                    "ApiGateway::DocumentationVersion", RestApiId=api, DocumentationVersion="1"
                ),
                "DependsOn": "Part",
            },
        },
        "Outputs": {
            "Target": {"Value": reference("Domain", "RegionalDomainName")},
            "Client": {"Value": reference("Client")},
            "Api": {"Value": api},
        },
    }


def test_a_stack_has_a_domain_with_all_that_belongs_to_it(secure, stack):
    client = secure.client("apigateway")
    one = stack("whole")
    told = one.make(whole("shop", "first"))
    name = "stack.example.com"
    assert secure.get(name, "/shop/hello").json == "/shop/hello"
    assert secure.get(name, "/deep/er/hello").status == 200
    assert client.get_domain_name(domainName=name)["regionalDomainName"] == told["Target"]
    place = {"clientCertificateId": told["Client"]}
    assert client.get_client_certificate(**place)["description"] == "first"
    assert client.get_documentation_versions(restApiId=told["Api"])["items"][0]["version"] == "1"
    told = one.change(whole("store", "second", "dualstack"))
    assert secure.get(name, "/shop/hello").status == 403
    assert secure.get(name, "/store/hello").json == "/store/hello"
    assert client.get_client_certificate(**place)["description"] == "second"
    shown = client.get_domain_name(domainName=name)
    assert shown["tags"]["a"] == "second"
    assert shown["endpointConfiguration"]["ipAddressType"] == "dualstack"


def test_sam_s_domain_with_mutual_tls(secure, stack, bucket, client_authority):
    name = "sam.example.com"
    known = client_authority("known")
    bucket("sam", known.pem)
    domain = {
        "DomainName": name,
        "CertificateArn": reference("Certificate"),
        "EndpointConfiguration": "REGIONAL",
        "BasePath": ["shop"],
        "SecurityPolicy": "TLS_1_2",
        "MutualTlsAuthentication": {"TruststoreUri": f"s3://{BUCKET}/sam"},
    }
    api = resource(
        "Serverless::Api",
        StageName="live",
        DefinitionBody=DEFINITION,
        DisableExecuteApiEndpoint=True,
        EndpointConfiguration={"Type": "REGIONAL"},
        Domain=domain,
    )
    certificate = resource("CertificateManager::Certificate", DomainName=name)
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"Certificate": certificate, "Api": api},
        "Outputs": {"Api": {"Value": reference("Api")}},
    }
    told = stack("sam-domain").make(template)
    shows = known.client("alice")
    assert secure.get(name, "/shop/hello", shows=shows).json == "/shop/hello"
    closed = secure.get("localhost", "/live/hello", host=f"{told['Api']}.execute-api.localhost")
    assert closed.status == 403
    refused(
        secure.client("apigateway").delete_rest_api,
        "BadRequestException",
        "base path mappings",
        restApiId=told["Api"],
    )


def test_a_domain_of_v2_in_a_stack(secure, stack):
    name = "second.example.com"

    def template(**more: Any) -> dict[str, Any]:
        configuration = {"CertificateArn": reference("Certificate"), "EndpointType": "REGIONAL"}
        return {
            "Resources": {
                "Certificate": resource("CertificateManager::Certificate", DomainName=name),
                "Domain": resource(
                    "ApiGatewayV2::DomainName",
                    DomainName=name,
                    DomainNameConfigurations=[configuration],
                    **more,
                ),
            },
            "Outputs": {"Target": {"Value": reference("Domain", "RegionalDomainName")}},
        }

    one = stack("second")
    told = one.make(template(Tags={"a": "1"}))
    second = secure.client("apigatewayv2")
    shown = second.get_domain_name(DomainName=name)
    assert shown["DomainNameConfigurations"][0]["ApiGatewayDomainName"] == told["Target"]
    assert shown["Tags"]["a"] == "1"
    one.change(template(Tags={"b": "2"}))
    tags = second.get_domain_name(DomainName=name)["Tags"]
    assert (tags.get("a"), tags["b"]) == (None, "2")
