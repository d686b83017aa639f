"""APIs as CloudFormation makes them: what CDK and SAM generate, changed in place, removed whole.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid

import pytest
from botocore.exceptions import WaiterError


def mock(name, template, *, depends=None):
    """A method as CDK writes it, with a MOCK integration."""
    return {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": {"Ref": name} if name else {"Fn::GetAtt": ["Api", "RootResourceId"]},
            "HttpMethod": "GET",
            "AuthorizationType": "NONE",
            "RequestParameters": {"method.request.querystring.q": "false"},
            "MethodResponses": [
                {
                    "StatusCode": "200",
                    "ResponseParameters": {"method.response.header.X-A": True},
                    "ResponseModels": {"application/json": "Empty"},
                }
            ],
            "Integration": {
                "Type": "MOCK",
                "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                "IntegrationResponses": [
                    {
                        "StatusCode": "200",
                        "ResponseParameters": {"method.response.header.X-A": "'1'"},
                        "ResponseTemplates": {"application/json": template},
                    }
                ],
            },
        },
    }


def template(text, deployment, **stage):
    return {
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {
                    "Name": "from-a-template",
                    "EndpointConfiguration": {"Types": ["REGIONAL"]},
                    "Tags": [{"Key": "k", "Value": "v"}],
                },
            },
            "Pets": {
                "Type": "AWS::ApiGateway::Resource",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "PathPart": "pets",
                },
            },
            "Get": mock("Pets", text),
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}},
                "DependsOn": ["Get"],
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": deployment},
                    "StageName": "live",
                    **stage,
                },
            },
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


@pytest.fixture
def stack(cloud):
    formation = cloud.client("cloudformation")
    name = f"s-{uuid.uuid4().hex[:10]}"

    class Stack:
        def apply(self, document, *, update=False):
            act = formation.update_stack if update else formation.create_stack
            act(StackName=name, TemplateBody=json.dumps(document))
            kind = "stack_update_complete" if update else "stack_create_complete"
            formation.get_waiter(kind).wait(
                StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
            found = formation.describe_stacks(StackName=name)["Stacks"][0]
            return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

        def fail(self, document):
            formation.create_stack(StackName=name, TemplateBody=json.dumps(document))
            with pytest.raises(WaiterError):
                formation.get_waiter("stack_create_complete").wait(
                    StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
                )
            events = formation.describe_stack_events(StackName=name)["StackEvents"]
            return " ".join(one.get("ResourceStatusReason", "") for one in events)

        def remove(self):
            formation.delete_stack(StackName=name)
            formation.get_waiter("stack_delete_complete").wait(
                StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )

    made = Stack()
    yield made
    made.remove()


def get(cloud, api, path, stage="live"):
    try:
        with urllib.request.urlopen(
            f"{cloud.endpoint}/_aws/execute-api/{api}/{stage}{path}"
        ) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def test_an_api_of_single_resources_is_made_changed_and_removed(cloud, client, stack):
    outputs = stack.apply(template('"one"', "D1", Variables={"a": "1"}))
    api = outputs["Api"]
    status, body, headers = get(cloud, api, "/pets")
    assert (status, body, headers["X-A"]) == (200, b'"one"', "1")
    tags = client.get_rest_api(restApiId=api)["tags"]
    assert tags == {"k": "v"}
    changed = template('"two"', "D2", Variables={"b": "2"}, Description="d")
    assert stack.apply(changed, update=True)["Api"] == api
    assert get(cloud, api, "/pets")[1] == b'"two"'
    stage = client.get_stage(restApiId=api, stageName="live")
    assert (stage["variables"], stage["description"]) == ({"b": "2"}, "d")
    assert len(client.get_deployments(restApiId=api)["items"]) == 1
    stack.remove()
    assert get(cloud, api, "/pets")[0] == 403
    assert api not in [one["id"] for one in client.get_rest_apis(limit=500)["items"]]


def body(text):
    return {
        "swagger": "2.0",
        "info": {"title": "by-document", "version": "1.0"},
        "paths": {
            "/a": {
                "get": {
                    "responses": {"200": {"description": "ok"}},
                    "x-amazon-apigateway-integration": {
                        "type": "mock",
                        "requestTemplates": {"application/json": '{"statusCode": 200}'},
                        "responses": {
                            "default": {
                                "statusCode": "200",
                                "responseTemplates": {"application/json": text},
                            }
                        },
                    },
                }
            }
        },
    }


def by_document(text, deployment):
    return {
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGateway::RestApi",
                "Properties": {
                    "Body": body(text),
                    "Description": "said by the template",
                    "BinaryMediaTypes": ["image/png"],
                    "Parameters": {"endpointConfigurationTypes": "REGIONAL"},
                },
            },
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "Stage"},
            },
            "Live": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {
                    "RestApiId": {"Ref": "Api"},
                    "DeploymentId": {"Ref": deployment},
                    "StageName": "live",
                },
            },
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}},
    }


def test_an_api_of_a_document_is_made_changed_and_removed(cloud, client, stack):
    api = stack.apply(by_document('"one"', "D1"))["Api"]
    found = client.get_rest_api(restApiId=api)
    assert (found["name"], found["description"]) == ("by-document", "said by the template")
    assert found["binaryMediaTypes"] == ["image/png"]
    assert get(cloud, api, "/a")[1] == b'"one"'
    assert get(cloud, api, "/a", "Stage")[1] == b'"one"'
    assert stack.apply(by_document('"two"', "D2"), update=True)["Api"] == api
    assert get(cloud, api, "/a")[1] == b'"two"'
    found = client.get_rest_api(restApiId=api)
    assert (found["description"], found["binaryMediaTypes"]) == (
        "said by the template",
        ["image/png"],
    )


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("AWS::ApiGateway::Stage", "WebAclArn", "x"),
        ("AWS::ApiGateway::Method", "AuthorizerUri", "x"),
    ],
)
def test_a_property_that_is_not_honoured_fails_the_stack_by_name(stack, kind, name, value):
    document = template('"x"', "D1")
    for resource in document["Resources"].values():
        if resource["Type"] == kind:
            resource["Properties"][name] = value
    assert name in stack.fail(document)
