"""What `cdk bootstrap` would leave behind, as a template of our own.

A true bootstrap template also makes a container registry and a KMS key, which are not here; the
CDK needs neither for functions and APIs. Deployed as stack `CDKToolkit` with CAPABILITY_NAMED_IAM,
by `CreateStack` like any other stack, it makes `cdk deploy` find a bootstrapped account.
https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
"""

from __future__ import annotations

from typing import Any

STACK_NAME = "CDKToolkit"
QUALIFIER = "hnb659fds"
"""The one that the CDK uses unless told otherwise."""
VERSION = "33"
"""The version of the bootstrap that this answers for; the CDK refuses older ones."""

_ACCOUNT_AND_REGION = "${AWS::AccountId}-${AWS::Region}"


def cdk_toolkit_template(qualifier: str = QUALIFIER) -> dict[str, Any]:
    """The template of the toolkit stack: a bucket, five roles and the version."""
    resources: dict[str, Any] = {
        "StagingBucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {"Fn::Sub": f"cdk-{qualifier}-assets-{_ACCOUNT_AND_REGION}"},
                "VersioningConfiguration": {"Status": "Enabled"},
            },
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
        },
        "CdkBootstrapVersion": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Name": f"/cdk-bootstrap/{qualifier}/version",
                "Type": "String",
                "Value": VERSION,
            },
        },
        "CloudFormationExecutionRole": _role(
            qualifier,
            "cfn-exec",
            {"Service": "cloudformation.amazonaws.com"},
            [_allow(["*"], "*")],
        ),
        "DeploymentActionRole": _role(
            qualifier,
            "deploy",
            _account(),
            [
                _allow(["cloudformation:*", "s3:*", "ssm:GetParameter*", "sts:GetCallerIdentity"]),
                _allow(["iam:PassRole"], {"Fn::GetAtt": ["CloudFormationExecutionRole", "Arn"]}),
            ],
        ),
        "FilePublishingRole": _role(qualifier, "file-publishing", _account(), [_staging()]),
        "ImagePublishingRole": _role(qualifier, "image-publishing", _account(), []),
        "LookupRole": _role(
            qualifier,
            "lookup",
            _account(),
            [_allow(["cloudformation:Describe*", "cloudformation:Get*", "ssm:Get*", "s3:Get*"])],
        ),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What the CDK needs in an account before it deploys.",
        "Resources": resources,
        "Outputs": {
            "BucketName": {"Value": {"Ref": "StagingBucket"}},
            "BucketDomainName": {"Value": {"Fn::GetAtt": ["StagingBucket", "RegionalDomainName"]}},
            "BootstrapVersion": {"Value": {"Fn::GetAtt": ["CdkBootstrapVersion", "Value"]}},
        },
    }


def _account() -> dict[str, Any]:
    return {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


def _allow(actions: list[str], resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _staging() -> dict[str, Any]:
    bucket = {"Fn::GetAtt": ["StagingBucket", "Arn"]}
    objects = {"Fn::Sub": "${StagingBucket.Arn}/*"}
    return {
        "Effect": "Allow",
        "Action": [
            "s3:GetObject*",
            "s3:GetBucket*",
            "s3:GetEncryptionConfiguration",
            "s3:List*",
            "s3:DeleteObject*",
            "s3:PutObject*",
            "s3:Abort*",
        ],
        "Resource": [bucket, objects],
    }


def _role(
    qualifier: str, purpose: str, principal: dict[str, Any], statements: list[dict[str, Any]]
) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "RoleName": {"Fn::Sub": f"cdk-{qualifier}-{purpose}-role-{_ACCOUNT_AND_REGION}"},
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": action, "Principal": principal}
                for action in (["sts:AssumeRole", "sts:TagSession"])
            ],
        },
    }
    if statements:
        properties["Policies"] = [
            {
                "PolicyName": "default",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
            }
        ]
    return {"Type": "AWS::IAM::Role", "Properties": properties}
