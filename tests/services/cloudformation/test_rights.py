"""As whom resources are made, and what must be acknowledged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from tests.services.cloudformation.waiting import TRUST, reasons, wait


def test_capabilities_must_be_given(cloud):
    cfn = cloud.client("cloudformation")
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}}
    resources: dict[str, Any] = {"Role": role}
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
