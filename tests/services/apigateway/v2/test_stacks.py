"""HTTP and WebSocket APIs in stacks, also as SAM writes them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.services.apigateway.conftest import refused
from tests.services.apigateway.v2.conftest import HttpApi

DELAY = {"Delay": 0.2, "MaxAttempts": 300}


@pytest.fixture
def stack(cloud: Any) -> Iterator[Callable[..., dict[str, str]]]:
    """Brings a stack to a template; answers its outputs."""
    client = cloud.client("cloudformation")
    name = f"http-{uuid.uuid4().hex[:8]}"
    seen: list[str] = []

    def bring(body: Any) -> dict[str, str]:
        request = {
            "StackName": name,
            "TemplateBody": body if isinstance(body, str) else json.dumps(body),
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        if seen:
            client.update_stack(**request)
            waiter = "stack_update_complete"
        else:
            seen.append(client.create_stack(**request)["StackId"])
            waiter = "stack_create_complete"
        try:
            client.get_waiter(waiter).wait(StackName=name, WaiterConfig=DELAY)
        except Exception as error:
            events = client.describe_stack_events(StackName=name)["StackEvents"]
            reasons = [
                f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}"
                for one in events
                if "FAILED" in one["ResourceStatus"]
            ]
            raise AssertionError(reasons) from error
        told = client.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in told}

    yield bring
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=seen[0], WaiterConfig=DELAY)


PARTS: dict[str, Any] = {
    "Api": {
        "Type": "AWS::ApiGatewayV2::Api",
        "Properties": {
            "Name": "stacked",
            "ProtocolType": "HTTP",
            "CorsConfiguration": {"AllowOrigins": ["*"], "MaxAge": 5},
            "Tags": {"a": "1"},
        },
    },
    "Backend": {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "IntegrationType": "HTTP_PROXY",
            "IntegrationMethod": "ANY",
            "PayloadFormatVersion": "1.0",
            "RequestParameters": {"overwrite:header.x-a": "1", "overwrite:header.x-b": "2"},
            "ResponseParameters": {
                "200": {"ResponseParameters": [{"Destination": "append:header.x-c", "Source": "3"}]}
            },
        },
    },
    "Jwt": {
        "Type": "AWS::ApiGatewayV2::Authorizer",
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "Name": "jwt",
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Audience": ["me"], "Issuer": "https://issuer.example"},
        },
    },
    "Open": {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "RouteKey": "GET /open",
            "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Backend"}]]},
        },
    },
    "Closed": {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "RouteKey": "GET /closed",
            "AuthorizationType": "JWT",
            "AuthorizerId": {"Ref": "Jwt"},
            "Target": {"Fn::Sub": "integrations/${Backend}"},
        },
    },
    "Stage": {
        "Type": "AWS::ApiGatewayV2::Stage",
        "DependsOn": ["Open"],
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "StageName": "$default",
            "AutoDeploy": True,
            "StageVariables": {"v": "1", "w": "2"},
            "RouteSettings": {"GET /open": {"ThrottlingBurstLimit": 100}},
            "DefaultRouteSettings": {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 50},
        },
    },
}


def template(backend_url: str, **changes: Any) -> dict[str, Any]:
    resources = copy.deepcopy(PARTS)
    resources["Backend"]["Properties"]["IntegrationUri"] = backend_url
    for name, change in changes.items():
        properties = resources[name]["Properties"]
        properties.update(change)
        for key in [key for key, value in properties.items() if value is None]:
            del properties[key]
    outputs = {
        "Id": {"Value": {"Ref": "Api"}},
        "Endpoint": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
        "Route": {"Value": {"Ref": "Open"}},
    }
    return {"Resources": resources, "Outputs": outputs}


def test_an_http_api_is_made_changed_and_removed_with_its_stack(v2, cloud, stack, backend):
    told = stack(template(backend.url))
    api = HttpApi(v2, cloud.endpoint, told["Id"])
    assert told["Endpoint"] == v2.get_api(ApiId=api.id)["ApiEndpoint"]
    answer = api.call("GET", "/open", headers={"Origin": "https://x.example"})
    assert answer.status == 200
    assert (answer.json["headers"]["x-a"], answer.headers["x-c"]) == ("1", "3")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert api.call("GET", "/closed").status == 401
    again = stack(
        template(
            backend.url,
            Api={"CorsConfiguration": None, "Tags": {"b": "2"}, "Description": "new"},
            Backend={
                "RequestParameters": {"overwrite:header.x-b": "4"},
                "ResponseParameters": None,
            },
            Closed={"AuthorizationType": None, "AuthorizerId": None},
            Stage={
                "StageVariables": {"w": "2"},
                "RouteSettings": None,
                "DefaultRouteSettings": {"ThrottlingRateLimit": 60},
            },
        )
    )
    assert again == told
    answer = api.call("GET", "/open", headers={"Origin": "https://x.example"})
    assert "x-a" not in answer.json["headers"]
    assert answer.json["headers"]["x-b"] == "4"
    assert "x-c" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    assert api.call("GET", "/closed").status == 200
    found = v2.get_api(ApiId=api.id)
    assert (found["Tags"], found["Description"]) == ({"b": "2"}, "new")
    stage = v2.get_stage(ApiId=api.id, StageName="$default")
    assert stage["StageVariables"] == {"w": "2"}
    assert stage["RouteSettings"] == {}
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 60


_API = {"ApiId": {"Ref": "Api"}}
SOCKETS: dict[str, Any] = {
    "Resources": {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "sockets",
                "ProtocolType": "WEBSOCKET",
                "RouteSelectionExpression": "$request.body.action",
            },
        },
        "Backend": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                **_API,
                "IntegrationType": "MOCK",
                "RequestTemplates": {"application/json": '{"statusCode": 200}'},
            },
        },
        "Answer": {
            "Type": "AWS::ApiGatewayV2::IntegrationResponse",
            "Properties": {
                **_API,
                "IntegrationId": {"Ref": "Backend"},
                "IntegrationResponseKey": "$default",
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **_API,
                "RouteKey": "$default",
                "RouteResponseSelectionExpression": "$default",
                "Target": {"Fn::Sub": "integrations/${Backend}"},
            },
        },
        "RouteAnswer": {
            "Type": "AWS::ApiGatewayV2::RouteResponse",
            "Properties": {
                **_API,
                "RouteId": {"Ref": "Route"},
                "RouteResponseKey": "$default",
            },
        },
        "Model": {
            "Type": "AWS::ApiGatewayV2::Model",
            "Properties": {**_API, "Name": "M", "Schema": {"type": "object"}},
        },
        "Deployment": {
            "Type": "AWS::ApiGatewayV2::Deployment",
            "DependsOn": ["Route"],
            "Properties": _API,
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                **_API,
                "StageName": "prod",
                "DeploymentId": {"Ref": "Deployment"},
            },
        },
    },
    "Outputs": {"Id": {"Value": {"Ref": "Api"}}, "Made": {"Value": {"Ref": "Deployment"}}},
}


def test_a_websocket_api_is_made_with_its_stack(v2, stack):
    told = stack(SOCKETS)
    place = {"ApiId": told["Id"]}
    assert v2.get_stage(**place, StageName="prod")["DeploymentId"] == told["Made"]
    [route] = v2.get_routes(**place)["Items"]
    assert len(v2.get_route_responses(**place, RouteId=route["RouteId"])["Items"]) == 1
    [model] = v2.get_models(**place)["Items"]
    assert json.loads(model["Schema"]) == {"type": "object"}


def test_managed_overrides_and_vpc_links_are_refused_by_name(cloud):
    client = cloud.client("cloudformation")
    for kind in ("AWS::ApiGatewayV2::ApiGatewayManagedOverrides", "AWS::ApiGatewayV2::VpcLink"):
        body = {"Resources": {"R": {"Type": kind, "Properties": {}}}}
        with refused("ValidationError"):
            client.create_stack(StackName="refused", TemplateBody=json.dumps(body))


SAM = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{Runtime: python3.11, Handler: index.handler}}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: prod
      CorsConfiguration: {{AllowOrigins: ["https://a.example"], AllowMethods: [GET]}}
      DefaultRouteSettings: {{ThrottlingBurstLimit: 100, ThrottlingRateLimit: 100}}
      FailOnWarnings: true
      Auth:
        EnableIamAuthorizer: true
        Authorizers:
          Guard:
            FunctionArn: !GetAtt Doorkeeper.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            Identity: {{Headers: [Authorization], ReauthorizeEvery: 60}}
          Tokens:
            IdentitySource: $request.header.Authorization
            JwtConfiguration: {{issuer: "https://issuer.example", audience: [me]}}
  Doorkeeper:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: |
        def handler(event, context):
            return {{"isAuthorized": event["headers"].get("authorization") == "open"}}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: |
        def handler(event, context):
            return {{"route": event["routeKey"], "text": "{text}"}}
      Events:
        Open: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: "/open/{{id}}", Method: get}}}}
        Any: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /any, Method: any}}}}
        Guarded:
          Type: HttpApi
          Properties:
            {{ApiId: !Ref Api, Path: /guarded, Method: get, Auth: {{Authorizer: Guard}}}}
        Tokens:
          Type: HttpApi
          Properties:
            {{ApiId: !Ref Api, Path: /tokens, Method: get, Auth: {{Authorizer: Tokens}}}}
        Signed:
          Type: HttpApi
          Properties:
            {{ApiId: !Ref Api, Path: /signed, Method: get, Auth: {{Authorizer: AWS_IAM}}}}
        Implicit: {{Type: HttpApi}}
Outputs:
  Id: {{Value: !Ref Api}}
  Implicit: {{Value: !Ref ServerlessHttpApi}}
"""


def test_serverless_http_apis_deploy_and_behave(v2, cloud, stack):
    told = stack(SAM.format(text="one"))
    api = HttpApi(v2, cloud.endpoint, told["Id"])
    answer = api.call("GET", "/prod/open/7", headers={"Origin": "https://a.example"})
    assert (answer.status, answer.json) == (200, {"route": "GET /open/{id}", "text": "one"})
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert api.call("DELETE", "/prod/any").json["route"] == "ANY /any"
    assert api.call("GET", "/prod/guarded").status == 401
    assert api.call("GET", "/prod/guarded", headers={"Authorization": "no"}).status == 403
    assert api.call("GET", "/prod/guarded", headers={"Authorization": "open"}).status == 200
    assert api.call("GET", "/prod/tokens").status == 401
    assert api.call("GET", "/prod/signed").status == 403
    assert api.call("GET", "/prod/nothing").status == 404
    implicit = HttpApi(v2, cloud.endpoint, told["Implicit"])
    assert implicit.call("PUT", "/whatever", body=b"").json["route"] == "$default"
    stack(SAM.format(text="two"))
    assert api.call("GET", "/prod/open/7").json["text"] == "two"
