"""Nothing of IAM can be done by a caller who has no permission for it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session
from tests.services.iam.iam_words import allow, document, trust

from cumulet.services.iam import IAM, STS

_ROLE = "arn:aws:iam::{account}:role/nobodys"
_POLICY = "arn:aws:iam::{account}:policy/nobodys"
_SAMPLES: dict[str, Any] = {
    "UserName": "nobodys-user",
    "GroupName": "nobodys-group",
    "RoleName": "nobodys-role",
    "PolicyName": "nobodys-policy",
    "PolicyDocument": document(allow("s3:GetObject")),
    "AssumeRolePolicyDocument": trust({"Service": "lambda.amazonaws.com"}),
    "PolicyArn": _POLICY,
    "PermissionsBoundary": _POLICY,
    "PolicySourceArn": "arn:aws:iam::{account}:user/nobodys-user",
    "OpenIDConnectProviderArn": "arn:aws:iam::{account}:oidc-provider/nobodys.example",
    "Url": "https://nobodys.example",
    "AccessKeyId": "AKIAAAAAAAAAAAAAAAAA",
    "Status": "Inactive",
    "VersionId": "v1",
    "AccountAlias": "nobodys-cloud",
    "ClientID": "nobodys-client",
    "ThumbprintList": ["a" * 40],
    "Tags": [{"Key": "a", "Value": "b"}],
    "TagKeys": ["a"],
    "Description": "nobodys",
    "ActionNames": ["s3:GetObject"],
    "PolicyInputList": [document(allow("s3:GetObject"))],
    "RoleArn": _ROLE,
    "RoleSessionName": "nobody",
    "Name": "nobody",
}
_NEEDS_PERMISSION = [
    *[("iam", name) for name in sorted(IAM.operations)],
    *[("sts", name) for name, found in sorted(STS.operations.items()) if found.access != "open"],
    ("sts", "AssumeRole"),
]


def test_open_operations_are_few_and_known() -> None:
    open_ones = {name for name, found in STS.operations.items() if found.access == "open"}
    assert open_ones == {
        "AssumeRole",
        "AssumeRoleWithWebIdentity",
        "GetCallerIdentity",
        "GetSessionToken",
    }
    assert all(found.access == "identity" for found in IAM.operations.values())


@pytest.fixture(scope="module")
def nobody(cloud: Any) -> tuple[str, str]:
    """The key of a user without any policy."""
    iam = cloud.client("iam")
    iam.create_user(UserName="nobody-at-all")
    key = iam.create_access_key(UserName="nobody-at-all")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


@pytest.mark.parametrize(("service", "operation"), _NEEDS_PERMISSION)
def test_without_permission_it_is_refused(cloud, nobody, account, refused, service, operation):
    model = get_session().get_service_model(service).operation_model(operation)
    request = {}
    for name in model.input_shape.required_members if model.input_shape else ():
        sample = _SAMPLES[name]
        request[name] = sample.format(account=account) if name.endswith("Arn") else sample
        if name == "PermissionsBoundary":
            request[name] = sample.format(account=account)
    client = cloud.client(service, key=nobody)
    method = next(one for one in dir(client) if one.replace("_", "") == operation.lower())
    code, message, status = refused(getattr(client, method), **request)
    assert (code, status) == ("AccessDenied", 403)
    assert f"is not authorized to perform: {service}:{operation} on resource: " in message
