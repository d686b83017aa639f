"""A stack of Lambda resources, deployed as users do.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from tests.services.lambda_.conftest import TRUST, payload_of, unique

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Text": {"Type": "String"}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "ManagedPolicyArns": [
                    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
                ],
            },
        },
        "Fn": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Timeout": "10",
                "Environment": {"Variables": {"TEXT": {"Ref": "Text"}}},
                "Code": {
                    "ZipFile": "import os\n"
                    "def handler(event, context):\n"
                    "    return os.environ['TEXT'] + context.function_version\n"
                },
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Fn"}}},
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Fn"},
                "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
            },
        },
        "Url": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"TargetFunctionArn": {"Ref": "Alias"}, "AuthType": "NONE"},
        },
        "UrlPermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Alias"},
                "Action": "lambda:InvokeFunctionUrl",
                "Principal": "*",
                "FunctionUrlAuthType": "NONE",
            },
        },
        "InvokePermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Alias"},
                "Action": "lambda:InvokeFunction",
                "Principal": "*",
                "InvokedViaFunctionUrl": True,
            },
        },
        "Rules": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Fn"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 0,
            },
        },
    },
    "Outputs": {
        "Name": {"Value": {"Ref": "Fn"}},
        "Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}},
    },
}


def test_a_stack_is_created_updated_and_deleted(cloud: Any, lam: Any) -> None:
    formation = cloud.client("cloudformation")
    name = unique("stack")

    def deploy(act: Any, waiter: str, text: str) -> dict[str, str]:
        act(
            StackName=name,
            TemplateBody=json.dumps(TEMPLATE),
            Parameters=[{"ParameterKey": "Text", "ParameterValue": text}],
            Capabilities=["CAPABILITY_IAM"],
        )
        formation.get_waiter(waiter).wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        outputs = formation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        return {each["OutputKey"]: each["OutputValue"] for each in outputs}

    made = deploy(formation.create_stack, "stack_create_complete", "one")
    assert payload_of(lam.invoke(FunctionName=made["Name"])) == "one$LATEST"
    assert payload_of(lam.invoke(FunctionName=made["Name"], Qualifier="live")) == "one1"
    request = urllib.request.Request(cloud.endpoint, headers={"Host": urlsplit(made["Url"]).netloc})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.read() == b"one1"
    changed = deploy(formation.update_stack, "stack_update_complete", "two")
    assert changed == made
    assert payload_of(lam.invoke(FunctionName=made["Name"])) == "two$LATEST"
    formation.delete_stack(StackName=name)
    formation.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    listed = [each["FunctionName"] for each in lam.list_functions()["Functions"]]
    assert made["Name"] not in listed
