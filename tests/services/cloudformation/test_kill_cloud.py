"""The whole cloud is killed while it deploys a function behind an API, and started again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from tests.services.cloudformation.waiting import TRUST, reasons, wait

CODE = "def handler(event, context): return {'statusCode': 200, 'body': 'here'}"


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def resource(type_name: str, *depends: str, **properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Type": f"AWS::{type_name}", "Properties": properties}
    return {**found, "DependsOn": list(depends)} if depends else found


def system() -> dict[str, Any]:
    uri = (
        "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}"
        "/invocations"
    )
    proxy = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": uri}}
    return {
        "Role": resource("IAM::Role", AssumeRolePolicyDocument=TRUST),
        "Function": resource(
            "Lambda::Function",
            Runtime="python3.11",
            Handler="index.handler",
            Role=att("Role", "Arn"),
            Code={"ZipFile": CODE},
            FunctionName="kill-function",
        ),
        "Version": resource("Lambda::Version", FunctionName=ref("Function")),
        "Alias": resource(
            "Lambda::Alias",
            FunctionName=ref("Function"),
            FunctionVersion=att("Version", "Version"),
            Name="live",
        ),
        "Api": resource("ApiGateway::RestApi", Name="kill-api"),
        "Path": resource(
            "ApiGateway::Resource",
            RestApiId=ref("Api"),
            ParentId=att("Api", "RootResourceId"),
            PathPart="here",
        ),
        "Get": resource(
            "ApiGateway::Method",
            RestApiId=ref("Api"),
            ResourceId=ref("Path"),
            HttpMethod="GET",
            AuthorizationType="NONE",
            Integration=proxy,
        ),
        "Deployment": resource("ApiGateway::Deployment", "Get", RestApiId=ref("Api")),
        "Stage": resource(
            "ApiGateway::Stage",
            RestApiId=ref("Api"),
            DeploymentId=ref("Deployment"),
            StageName="prod",
        ),
        "Allow": resource(
            "Lambda::Permission",
            FunctionName=ref("Function"),
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        ),
        "Bucket": resource("S3::Bucket"),
        "Value": resource("SSM::Parameter", Name="/kill/value", Type="String", Value="1"),
    }


def standing(cloud: Any) -> dict[str, int]:
    """How many of each there are, apart from those that the cloud has made for tools."""
    apis = cloud.client("apigateway").get_rest_apis()["items"]
    functions = cloud.client("lambda").list_functions()["Functions"]
    found = {
        "apis": len(apis),
        "functions": len(functions),
        "buckets": sum("kill-" in b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]),
        "roles": sum("kill-" in r["RoleName"] for r in cloud.client("iam").list_roles()["Roles"]),
        "versions": 0,
        "deployments": 0,
        "paths": 0,
    }
    for one in functions:
        versions = cloud.client("lambda").list_versions_by_function(
            FunctionName=one["FunctionName"]
        )
        found["versions"] += len(versions["Versions"]) - 1
    for api in apis:
        gateway = cloud.client("apigateway")
        found["deployments"] += len(gateway.get_deployments(restApiId=api["id"])["items"])
        found["paths"] += len(gateway.get_resources(restApiId=api["id"])["items"]) - 1
    return found


@pytest.mark.slow
def test_a_system_is_whole_after_the_cloud_was_killed_while_deploying_it(new_cloud):
    cloud = new_cloud()
    body = json.dumps({"Resources": system()})
    for events in (4, 13, 24):
        name = f"kill-{events}"
        cfn = cloud.client("cloudformation")
        made = cfn.create_stack(
            StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        while True:
            seen = cfn.describe_stack_events(StackName=name)["StackEvents"]
            if len(seen) >= events or seen[0]["ResourceStatus"] == "CREATE_COMPLETE":
                break
        cloud.kill()
        cloud.start()
        cfn = cloud.client("cloudformation")
        cfn.get_waiter("stack_exists").wait(StackName=name, WaiterConfig={"Delay": 0})
        try:
            wait(cfn, "stack_create_complete", name)
        except WaiterError:
            raise AssertionError((events, reasons(cfn, name))) from None
        assert set(standing(cloud).values()) == {1}, (events, standing(cloud))
        (api,) = cloud.client("apigateway").get_rest_apis()["items"]
        assert cloud.get(f"/restapis/{api['id']}/prod/_user_request_/here") == (200, b"here")
        cfn.delete_stack(StackName=name)
        while True:
            seen = cfn.describe_stack_events(StackName=made["StackId"])["StackEvents"]
            if seen[0]["ResourceStatus"] != "DELETE_IN_PROGRESS" or len(seen) > 37 + events // 4:
                break
        cloud.kill()
        cloud.start()
        cfn = cloud.client("cloudformation")
        try:
            wait(cfn, "stack_delete_complete", made["StackId"])
        except WaiterError:
            raise AssertionError((events, reasons(cfn, made["StackId"]))) from None
        assert set(standing(cloud).values()) == {0}, (events, standing(cloud))
