"""CloudFormation as boto3 sees it, in a running cloud, with real functions, roles and buckets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from tests.services.cloudformation.waiting import TRUST, outputs, reasons, wait

HANDLER = """
import json, urllib.request

def handler(event, context):
    body = {
        "Status": "SUCCESS",
        "PhysicalResourceId": "made-by-" + event["ResourceProperties"].get("Who", "nobody"),
        "Data": {"Sum": int(event["ResourceProperties"]["A"]) + 1, "Kind": event["ResourceType"]},
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    if event["RequestType"] != "Delete" and event["ResourceProperties"].get("Fail") == "true":
        body = {**body, "Status": "FAILED", "Reason": "as asked"}
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT",
        headers={"content-type": ""},
    )
    urllib.request.urlopen(request).read()
"""


def function_resources() -> dict[str, Any]:
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": HANDLER},
                "Timeout": "10",
            },
        },
    }


def with_custom(**properties: Any) -> dict[str, Any]:
    resources = function_resources()
    token = {"Fn::GetAtt": ["Function", "Arn"]}
    resources["Adder"] = {
        "Type": "Custom::Adder",
        "Properties": {"ServiceToken": token, "ServiceTimeout": 30, **properties},
    }
    return {
        "Resources": resources,
        "Outputs": {
            "Sum": {"Value": {"Fn::GetAtt": ["Adder", "Sum"]}},
            "Kind": {"Value": {"Fn::GetAtt": ["Adder", "Kind"]}},
            "Id": {"Value": {"Ref": "Adder"}},
        },
    }


def test_a_custom_resource_is_made_changed_replaced_and_deleted_by_its_function(cloud):
    cfn = cloud.client("cloudformation")
    name = "custom-life"
    capabilities = ["CAPABILITY_IAM"]
    body = json.dumps(with_custom(A=41, Who="first"))
    cfn.create_stack(StackName=name, TemplateBody=body, Capabilities=capabilities)
    made = outputs(wait(cfn, "stack_create_complete", name))
    assert made == {"Sum": "42", "Kind": "Custom::Adder", "Id": "made-by-first"}
    body = json.dumps(with_custom(A=1, Who="second"))
    cfn.update_stack(StackName=name, TemplateBody=body, Capabilities=capabilities)
    changed = wait(cfn, "stack_update_complete", name)
    assert outputs(changed)["Sum"] == "2"
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    deleted = [e["PhysicalResourceId"] for e in events if e["ResourceStatus"] == "DELETE_COMPLETE"]
    assert deleted == ["made-by-first"]
    cfn.delete_stack(StackName=name)
    wait(cfn, "stack_delete_complete", changed["StackId"])


def test_a_custom_resource_that_fails_says_why(cloud):
    cfn = cloud.client("cloudformation")
    name = "custom-fails"
    body = json.dumps(with_custom(A=1, Fail=True))
    made = cfn.create_stack(
        StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"], OnFailure="DELETE"
    )
    with pytest.raises(WaiterError):
        wait(cfn, "stack_create_complete", name)
    wait(cfn, "stack_delete_complete", made["StackId"])
    said = reasons(cfn, made["StackId"])
    assert any(
        one.startswith("Received response status [FAILED] from custom resource. Message returned: ")
        and "as asked" in one
        for one in said
    )


def test_templates_and_nested_stacks_are_read_from_s3(cloud):
    cfn, s3 = cloud.client("cloudformation"), cloud.client("s3")
    s3.create_bucket(Bucket="nested-templates")
    child = {
        "Parameters": {"Days": {"Type": "Number"}},
        "Resources": {
            "Logs": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"RetentionInDays": {"Ref": "Days"}},
            }
        },
        "Outputs": {"Name": {"Value": {"Ref": "Logs"}}},
    }
    url = f"{cloud.endpoint}/nested-templates/child.json"
    s3.put_object(Bucket="nested-templates", Key="child.json", Body=json.dumps(child))
    parent = {
        "Resources": {
            "Child": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": url, "Parameters": {"Days": 7}},
            }
        },
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Name"]}}},
    }
    s3.put_object(Bucket="nested-templates", Key="parent.json", Body=json.dumps(parent))
    host_style = "https://nested-templates.s3.us-east-1.amazonaws.com/parent.json"
    cfn.create_stack(StackName="nesting", TemplateURL=host_style)
    stack = wait(cfn, "stack_create_complete", "nesting")
    group = outputs(stack)["Name"]
    logs = cloud.client("logs")
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found[0]["retentionInDays"] == 7
    child_id = cfn.describe_stack_resources(StackName="nesting")["StackResources"][0][
        "PhysicalResourceId"
    ]
    shown = cfn.describe_stacks(StackName=child_id)["Stacks"][0]
    assert shown["ParentId"] == shown["RootId"] == stack["StackId"]
    parent["Resources"]["Child"]["Properties"]["Parameters"]["Days"] = 14
    cfn.update_stack(StackName="nesting", TemplateBody=json.dumps(parent))
    wait(cfn, "stack_update_complete", "nesting")
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found[0]["retentionInDays"] == 14
    cfn.delete_stack(StackName="nesting")
    wait(cfn, "stack_delete_complete", stack["StackId"])
    assert cfn.describe_stacks(StackName=child_id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.com/template.json", "TemplateURL must be a supported URL."),
        ("ftp://s3.amazonaws.com/b/k", "TemplateURL must be a supported URL."),
        ("https://s3.amazonaws.com/no-such-bucket-here/k", "S3 error: "),
    ],
)
def test_a_template_url_that_leads_nowhere_is_refused(cloud, url, words):
    with pytest.raises(ClientError) as refused:
        cloud.client("cloudformation").create_stack(StackName="nowhere", TemplateURL=url)
    assert words in refused.value.response["Error"]["Message"]
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_drift_is_found(cloud):
    cfn, logs = cloud.client("cloudformation"), cloud.client("logs")
    wanted = {
        "Resources": {
            "Kept": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
            "Changed": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
            "Gone": {"Type": "AWS::Logs::LogGroup"},
        }
    }
    cfn.create_stack(StackName="drifting", TemplateBody=json.dumps(wanted))
    stack = wait(cfn, "stack_create_complete", "drifting")
    ids = {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in cfn.describe_stack_resources(StackName="drifting")["StackResources"]
    }
    logs.put_retention_policy(logGroupName=ids["Changed"], retentionInDays=30)
    logs.delete_log_group(logGroupName=ids["Gone"])
    detection = cfn.detect_stack_drift(StackName="drifting")["StackDriftDetectionId"]
    status = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert status["DetectionStatus"] == "DETECTION_COMPLETE"
    assert (status["StackDriftStatus"], status["DriftedStackResourceCount"]) == ("DRIFTED", 2)
    drifts = {
        one["LogicalResourceId"]: one
        for one in cfn.describe_stack_resource_drifts(StackName="drifting")["StackResourceDrifts"]
    }
    assert {k: v["StackResourceDriftStatus"] for k, v in drifts.items()} == {
        "Kept": "IN_SYNC",
        "Changed": "MODIFIED",
        "Gone": "DELETED",
    }
    assert drifts["Changed"]["PropertyDifferences"] == [
        {
            "PropertyPath": "/RetentionInDays",
            "ExpectedValue": "7",
            "ActualValue": "30",
            "DifferenceType": "NOT_EQUAL",
        }
    ]
    cfn.delete_stack(StackName="drifting")
    wait(cfn, "stack_delete_complete", stack["StackId"])
