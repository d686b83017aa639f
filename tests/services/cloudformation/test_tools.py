"""What the CDK and SAM ask of a cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.services.cloudformation.waiting import outputs, wait

from cumulet.services.cloudformation.bootstrap import cdk_toolkit_template


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


CDK_TEMPLATE = {
    "Resources": {
        "Logs": {"Type": "AWS::Logs::LogGroup"},
        "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:x"}},
    },
    "Parameters": {
        "BootstrapVersion": {
            "Type": "AWS::SSM::Parameter::Value<String>",
            "Default": "/cdk-bootstrap/mine/version",
        }
    },
    "Rules": {
        "CheckBootstrapVersion": {
            "Assertions": [
                {
                    "Assert": {
                        "Fn::Not": [{"Fn::Contains": [["1", "5"], {"Ref": "BootstrapVersion"}]}]
                    },
                    "AssertDescription": "CDK bootstrap stack version 6 required.",
                }
            ]
        }
    },
}


def deployed_toolkit(cloud: Any) -> str:
    """A toolkit stack with a qualifier of its own; returns the account."""
    cfn = cloud.client("cloudformation")
    body = json.dumps(cdk_toolkit_template("mine"))
    cfn.create_stack(
        StackName="toolkit-mine", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    stack = wait(cfn, "stack_create_complete", "toolkit-mine")
    account = stack["StackId"].split(":")[4]
    parameter = cloud.client("ssm").get_parameter(Name="/cdk-bootstrap/mine/version")
    assert outputs(stack)["BootstrapVersion"] == parameter["Parameter"]["Value"]
    assert outputs(stack)["BucketName"] == f"cdk-mine-assets-{account}-us-east-1"
    return account


def assumer(cloud: Any, account: str) -> Callable[[str], tuple[str, ...]]:
    """Assumes the toolkit's roles, as a user who may; root may not."""
    iam = cloud.client("iam")
    iam.create_user(UserName="cdk-user")
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="cdk-user", PolicyName="p", PolicyDocument=policy)
    own = iam.create_access_key(UserName="cdk-user")["AccessKey"]
    sts = cloud.client("sts", key=(own["AccessKeyId"], own["SecretAccessKey"]))

    def assume(purpose: str) -> tuple[str, ...]:
        arn = f"arn:aws:iam::{account}:role/cdk-mine-{purpose}-role-{account}-us-east-1"
        keys = sts.assume_role(RoleArn=arn, RoleSessionName="cdk")["Credentials"]
        return keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]

    return assume


def test_an_account_can_look_bootstrapped_to_the_cdk(cloud):
    account = deployed_toolkit(cloud)
    assume = assumer(cloud, account)
    s3 = cloud.client("s3", key=assume("file-publishing"))
    bucket = f"cdk-mine-assets-{account}-us-east-1"
    s3.put_object(Bucket=bucket, Key="asset.zip", Body=b"x")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="asset.zip")["KeyCount"] == 1
    assume("lookup")
    # As `cdk deploy` does: the deploy role hands the execution role to CloudFormation.
    theirs = cloud.client("cloudformation", key=assume("deploy"))
    theirs.create_change_set(
        StackName="by-cdk",
        ChangeSetName="cdk-deploy-change-set",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(CDK_TEMPLATE),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        RoleARN=f"arn:aws:iam::{account}:role/cdk-mine-cfn-exec-role-{account}-us-east-1",
        Parameters=[],
        Tags=[],
    )
    theirs.execute_change_set(StackName="by-cdk", ChangeSetName="cdk-deploy-change-set")
    cfn = cloud.client("cloudformation")
    made = wait(cfn, "stack_create_complete", "by-cdk")
    cfn.delete_stack(StackName="by-cdk")
    wait(cfn, "stack_delete_complete", made["StackId"])


def test_a_serverless_api_answers(cloud):
    cfn = cloud.client("cloudformation")
    body = """
    Transform: AWS::Serverless-2016-10-31
    Resources:
      Hello:
        Type: AWS::Serverless::Function
        Properties:
          Runtime: python3.11
          Handler: index.handler
          InlineCode: |
            def handler(event, context):
                return {"statusCode": 200, "body": "hello " + event["pathParameters"]["name"]}
          Events:
            Get: {Type: Api, Properties: {Path: "/hello/{name}", Method: get}}
    Outputs:
      Url:
        Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod/"
      Api: {Value: !Ref ServerlessRestApi}
    """
    cfn.create_stack(
        StackName="serverless-api",
        TemplateBody=body,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    stack = wait(cfn, "stack_create_complete", "serverless-api")
    api = outputs(stack)["Api"]
    assert outputs(stack)["Url"] == f"https://{api}.execute-api.us-east-1.amazonaws.com/Prod/"
    answer = cloud.get(f"/restapis/{api}/Prod/_user_request_/hello/you")
    assert answer == (200, b"hello you")
    cfn.delete_stack(StackName="serverless-api")
    wait(cfn, "stack_delete_complete", stack["StackId"])
