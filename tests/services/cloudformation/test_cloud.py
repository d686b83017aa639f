"""CloudFormation as boto3 sees it, in a running cloud, with real functions, roles and buckets."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

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
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


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


def wait(cfn: Any, what: str, name: str) -> dict[str, Any]:
    """Wait as users of boto3 do, and show the stack."""
    cfn.get_waiter(what).wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    return cfn.describe_stacks(StackName=name)["Stacks"][0]


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def reasons(cfn: Any, name: str) -> list[str]:
    events = cfn.describe_stack_events(StackName=name)["StackEvents"]
    return [e["ResourceStatusReason"] for e in events if "ResourceStatusReason" in e]


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


def test_a_serverless_template_is_expanded_by_the_cloud(cloud):
    cfn = cloud.client("cloudformation")
    body = """
    Transform: AWS::Serverless-2016-10-31
    Globals:
      Function: {Timeout: 5, Runtime: python3.11}
    Resources:
      Hello:
        Type: AWS::Serverless::Function
        Properties:
          Handler: index.handler
          InlineCode: "def handler(event, context): return 'hello'"
          FunctionUrlConfig: {AuthType: NONE}
    Outputs:
      Url: {Value: !GetAtt HelloUrl.FunctionUrl}
      Name: {Value: !Ref Hello}
    """
    cfn.create_change_set(
        StackName="serverless",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=body,
        Capabilities=["CAPABILITY_IAM"],
    )
    cfn.get_waiter("change_set_create_complete").wait(
        StackName="serverless", ChangeSetName="first", WaiterConfig={"Delay": 0.1}
    )
    cfn.execute_change_set(StackName="serverless", ChangeSetName="first")
    stack = wait(cfn, "stack_create_complete", "serverless")
    answer = cloud.client("lambda").invoke(FunctionName=outputs(stack)["Name"])
    assert json.load(answer["Payload"]) == "hello"
    original = cfn.get_template(StackName="serverless")["TemplateBody"]
    assert "AWS::Serverless::Function" in json.dumps(original)
    processed = cfn.get_template(StackName="serverless", TemplateStage="Processed")
    assert processed["TemplateBody"]["Resources"]["Hello"]["Type"] == "AWS::Lambda::Function"
    cfn.delete_stack(StackName="serverless")
    wait(cfn, "stack_delete_complete", stack["StackId"])


def test_capabilities_must_be_given(cloud):
    cfn = cloud.client("cloudformation")
    resources = function_resources()
    for named, wanted in ((False, "CAPABILITY_IAM"), (True, "CAPABILITY_NAMED_IAM")):
        if named:
            resources["Role"]["Properties"]["RoleName"] = "named-here"
        with pytest.raises(ClientError) as refused:
            cfn.create_stack(StackName="unasked", TemplateBody=json.dumps({"Resources": resources}))
        error = refused.value.response["Error"]
        assert error["Code"] == "InsufficientCapabilitiesException"
        assert error["Message"] == f"Requires capabilities : [{wanted}]"


def test_resources_are_made_as_the_role_that_is_given(cloud):
    iam, cfn = cloud.client("iam"), cloud.client("cloudformation")
    trust = json.loads(json.dumps(TRUST).replace("lambda.", "cloudformation."))
    role = iam.create_role(RoleName="cfn-maker", AssumeRolePolicyDocument=json.dumps(trust))
    only_logs = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
    }
    iam.put_role_policy(
        RoleName="cfn-maker", PolicyName="logs", PolicyDocument=json.dumps(only_logs)
    )
    arn = role["Role"]["Arn"]
    allowed = {"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}}}
    cfn.create_stack(StackName="as-role", TemplateBody=json.dumps(allowed), RoleARN=arn)
    stack = wait(cfn, "stack_create_complete", "as-role")
    assert stack["RoleARN"] == arn
    denied = {"Resources": {**allowed["Resources"], "Bucket": {"Type": "AWS::S3::Bucket"}}}
    cfn.update_stack(StackName="as-role", TemplateBody=json.dumps(denied))
    with pytest.raises(WaiterError):
        wait(cfn, "stack_update_complete", "as-role")
    assert any(
        "is not authorized to perform: s3:CreateBucket" in one
        and "assumed-role/cfn-maker/AWSCloudFormation" in one
        and "HandlerErrorCode: AccessDenied" in one
        for one in reasons(cfn, "as-role")
    )
    cfn.delete_stack(StackName="as-role")
    wait(cfn, "stack_delete_complete", stack["StackId"])


def test_the_rights_of_the_caller_count_when_no_role_is_given(cloud):
    iam = cloud.client("iam")
    iam.create_user(UserName="half-allowed")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["cloudformation:*", "logs:*"], "Resource": "*"}
        ],
    }
    iam.put_user_policy(UserName="half-allowed", PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="half-allowed")["AccessKey"]
    cfn = cloud.client("cloudformation", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    wanted = {
        "Resources": {
            "Logs": {"Type": "AWS::Logs::LogGroup"},
            "Bucket": {"Type": "AWS::S3::Bucket"},
        }
    }
    made = cfn.create_stack(StackName="half", TemplateBody=json.dumps(wanted), OnFailure="DELETE")
    wait(cfn, "stack_delete_complete", made["StackId"])
    assert any("user/half-allowed" in one for one in reasons(cfn, made["StackId"]))
    with pytest.raises(ClientError) as refused:
        cfn.create_stack(
            StackName="half",
            TemplateBody=json.dumps(wanted),
            RoleARN="arn:aws:iam::000000000000:role/cfn-maker",
        )
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert "iam:PassRole" in refused.value.response["Error"]["Message"]


def put(url: str, answer: dict[str, Any]) -> int:
    request = urllib.request.Request(url, data=json.dumps(answer).encode(), method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=10) as found:
            return found.status
    except urllib.error.HTTPError as refused:
        return refused.code


def waiting(count: int = 2) -> str:
    return json.dumps(
        {
            "Resources": {
                "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
                "Wait": {
                    "Type": "AWS::CloudFormation::WaitCondition",
                    "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60", "Count": count},
                },
            },
            "Outputs": {"Data": {"Value": {"Fn::GetAtt": ["Wait", "Data"]}}},
        }
    )


def handle_of(cfn: Any, name: str) -> str:
    """The address of the handle, once it is made."""
    for _ in range(200):
        shown = cfn.describe_stack_resources(StackName=name)["StackResources"]
        for one in shown:
            if one["LogicalResourceId"] == "Handle" and one.get("PhysicalResourceId"):
                return one["PhysicalResourceId"]
    raise AssertionError("no handle was made")


def signal(number: int, status: str = "SUCCESS") -> dict[str, Any]:
    return {"Status": status, "UniqueId": str(number), "Data": f"d{number}", "Reason": "r"}


def test_a_wait_condition_waits_for_its_signals(cloud):
    cfn = cloud.client("cloudformation")
    cfn.create_stack(StackName="waiting", TemplateBody=waiting())
    url = handle_of(cfn, "waiting")
    assert put(url, signal(1)) == 200
    assert put(url, signal(1)) == 200
    assert cfn.describe_stacks(StackName="waiting")["Stacks"][0]["StackStatus"].endswith("PROGRESS")
    assert put(url[:-4] + "0000", signal(2)) == 403
    assert put(url.replace("/signal/", "/response/"), signal(2)) == 403
    assert put(url, signal(2)) == 200
    stack = wait(cfn, "stack_create_complete", "waiting")
    assert json.loads(outputs(stack)["Data"]) == {"1": "d1", "2": "d2"}
    cfn.delete_stack(StackName="waiting")
    wait(cfn, "stack_delete_complete", stack["StackId"])
    assert put(url, signal(3)) == 403


def test_a_failure_signal_fails_the_stack(cloud):
    cfn = cloud.client("cloudformation")
    made = cfn.create_stack(StackName="signalled", TemplateBody=waiting(), OnFailure="DELETE")
    put(handle_of(cfn, "signalled"), signal(1, "FAILURE"))
    wait(cfn, "stack_delete_complete", made["StackId"])
    assert "WaitCondition received failed message: 'r'" in reasons(cfn, made["StackId"])


def test_a_deployment_survives_the_death_of_the_cloud(new_cloud):
    cloud = new_cloud("--port", "0")
    cfn = cloud.client("cloudformation")
    cfn.create_stack(StackName="survivor", TemplateBody=waiting(1))
    url = handle_of(cfn, "survivor")
    cloud.kill()
    cloud.start()
    cfn = cloud.client("cloudformation")
    path = url.split("/", 3)[3]
    assert put(f"{cloud.endpoint}/{path}", signal(1)) == 200
    stack = wait(cfn, "stack_create_complete", "survivor")
    assert json.loads(outputs(stack)["Data"]) == {"1": "d1"}


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
