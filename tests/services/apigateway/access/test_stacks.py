"""Authorizers, keys and plans in stacks, by CloudFormation's own types and by SAM's `Auth`.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-apiauth.html
"""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import WaiterError
from tests.services.apigateway.access.conftest import AUTHORIZER, unique, uri_of
from tests.services.apigateway.conftest import Api

WAIT = {"Delay": 1, "MaxAttempts": 90}
INDENT = "\n            "
SAM = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Gate:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token:
            FunctionArn: !GetAtt Judge.Arn
            Identity: {{Header: X-Who, ValidationExpression: "[a-z]+", ReauthorizeEvery: 30}}
        UsagePlan:
          CreateUsagePlan: PER_API
          Quota: {{Limit: 3, Period: DAY}}
          Throttle: {{RateLimit: 100, BurstLimit: 50}}
  Judge:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: |{INDENT}{AUTHORIZER.strip().replace(chr(10), INDENT)}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {{"statusCode": 200, "body": str(event["requestContext"].get("authorizer"))}}
      Events:
        Judged:
          Type: Api
          Properties: {{RestApiId: !Ref Gate, Path: /judged, Method: get}}
        Keyed:
          Type: Api
          Properties:
            RestApiId: !Ref Gate
            Path: /keyed
            Method: get
            Auth: {{ApiKeyRequired: true, Authorizer: NONE}}
        Open:
          Type: Api
          Properties: {{RestApiId: !Ref Gate, Path: /open, Method: get, Auth: {{Authorizer: NONE}}}}
Outputs:
  Api: {{Value: !Ref Gate}}
  Key: {{Value: !Ref GateApiKey}}
"""


@pytest.fixture
def stack(cloud):
    formation = cloud.client("cloudformation")
    name = unique("access")

    class Stack:
        def apply(self, body, *, update=False):
            act = formation.update_stack if update else formation.create_stack
            text = body if isinstance(body, str) else json.dumps(body)
            act(
                StackName=name,
                TemplateBody=text,
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
            kind = "stack_update_complete" if update else "stack_create_complete"
            try:
                formation.get_waiter(kind).wait(StackName=name, WaiterConfig=WAIT)
            except WaiterError:
                events = formation.describe_stack_events(StackName=name)["StackEvents"]
                pytest.fail(" ".join(one.get("ResourceStatusReason", "") for one in events))
            found = formation.describe_stacks(StackName=name)["Stacks"][0]
            return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

        def remove(self):
            formation.delete_stack(StackName=name)
            formation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=WAIT)

    yield Stack()
    formation.delete_stack(StackName=name)


def test_sams_auth_admits_and_refuses(cloud, client, stack):
    said = stack.apply(SAM)
    api = Api(client, cloud.endpoint, said["Api"], "")
    value = client.get_api_key(apiKey=said["Key"], includeValue=True)["value"]
    assert api.call("GET", "/open", stage="live").status == 200
    assert api.call("GET", "/judged", stage="live").status == 401
    judged = api.call("GET", "/judged", stage="live", headers={"X-Who": "ann"})
    assert judged.status == 200
    assert "Ann" in judged.body.decode()
    assert api.call("GET", "/judged", stage="live", headers={"X-Who": "deny"}).status == 403
    assert api.call("GET", "/keyed", stage="live").status == 403
    headers = {"x-api-key": value}
    statuses = [api.call("GET", "/keyed", stage="live", headers=headers).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    stack.remove()


API = {"Ref": "Api"}
PLACE = {
    "RestApiId": API,
    "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
    "HttpMethod": "GET",
}
JUDGE = {
    "RestApiId": API,
    "Name": "judge",
    "Type": "TOKEN",
    "AuthorizerUri": uri_of("arn:aws:lambda:us-east-1:000000000000:function:none"),
    "IdentitySource": "method.request.header.X-Who",
}
JUDGED = {
    "AuthorizationType": "CUSTOM",
    "AuthorizerId": {"Ref": "Judge"},
    "ApiKeyRequired": True,
    "Integration": {"Type": "MOCK"},
}
OUTPUTS = {
    "Api": API,
    "Judge": {"Fn::GetAtt": ["Judge", "AuthorizerId"]},
    "Key": {"Fn::GetAtt": ["Key", "APIKeyId"]},
    "Plan": {"Fn::GetAtt": ["Plan", "Id"]},
    "PlanKey": {"Ref": "PlanKey"},
}


def template(*, limit, routes, ttl, enabled=True):
    """An API of which one method needs a key and an authorizer."""
    stage = {"Ref": "Stage"}
    plan = {
        "ApiStages": [{"ApiId": API, "Stage": stage, "Throttle": routes}],
        "Quota": {"Limit": limit, "Period": "MONTH", "Offset": 3},
        "Throttle": {"RateLimit": 5, "BurstLimit": 6},
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    properties = {
        "Api": ("RestApi", {"Name": "stacked"}),
        "Judge": ("Authorizer", {**JUDGE, "AuthorizerResultTtlInSeconds": ttl}),
        "Method": ("Method", {**PLACE, **JUDGED}),
        "Deployment": ("Deployment", {"RestApiId": API}),
        "Stage": (
            "Stage",
            {"RestApiId": API, "StageName": "live", "DeploymentId": {"Ref": "Deployment"}},
        ),
        "Key": (
            "ApiKey",
            {"Enabled": enabled, "StageKeys": [{"RestApiId": API, "StageName": stage}]},
        ),
        "Plan": ("UsagePlan", plan),
        "PlanKey": (
            "UsagePlanKey",
            {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        ),
    }
    resources = {
        name: {"Type": f"AWS::ApiGateway::{kind}", "Properties": given}
        for name, (kind, given) in properties.items()
    }
    resources["Deployment"]["DependsOn"] = "Method"
    return {
        "Resources": resources,
        "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
    }


def test_the_types_are_made_changed_and_removed(client, stack):
    said = stack.apply(
        template(limit=10, routes={"/GET": {"RateLimit": 1, "BurstLimit": 2}}, ttl=60)
    )
    plan = client.get_usage_plan(usagePlanId=said["Plan"])
    assert plan["quota"] == {"limit": 10, "period": "MONTH", "offset": 3}
    assert plan["apiStages"][0]["throttle"] == {"/GET": {"rateLimit": 1.0, "burstLimit": 2}}
    assert plan["tags"]["a"] == "b"
    key = client.get_api_key(apiKey=said["Key"])
    assert (key["enabled"], key["stageKeys"]) == (True, [f"{said['Api']}/live"])
    assert said["PlanKey"] == f"{said['Key']}:{said['Plan']}"
    keys = client.get_usage_plan_keys(usagePlanId=said["Plan"])["items"]
    assert [one["id"] for one in keys] == [said["Key"]]
    again = stack.apply(
        template(
            limit=20, routes={"/it/PUT": {"RateLimit": 3, "BurstLimit": 4}}, ttl=0, enabled=False
        ),
        update=True,
    )
    assert again == said
    plan = client.get_usage_plan(usagePlanId=said["Plan"])
    assert plan["quota"]["limit"] == 20
    assert plan["apiStages"][0]["throttle"] == {"/it/PUT": {"rateLimit": 3.0, "burstLimit": 4}}
    assert client.get_api_key(apiKey=said["Key"])["enabled"] is False
    judge = client.get_authorizer(restApiId=said["Api"], authorizerId=said["Judge"])
    assert judge["authorizerResultTtlInSeconds"] == 0
    stack.remove()
    assert said["Plan"] not in {one["id"] for one in client.get_usage_plans(limit=500)["items"]}
    assert said["Key"] not in {one["id"] for one in client.get_api_keys(limit=500)["items"]}
