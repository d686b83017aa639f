"""Functions and layers across accounts.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import ALLOW_ALL, TRUST, pack, payload_of

OTHER = "111122223333"
LAYER_CODE = "import shared\ndef handler(event, context):\n    return shared.N\n"


class Two(NamedTuple):
    """Clients of the account that owns, and of the one that asks."""

    owner: Any
    asker: Any
    owner_role: str
    asker_role: str


def _role(cloud: Any, key: tuple[str, ...] | None) -> str:
    iam = cloud.client("iam", key=key)
    made = iam.create_role(RoleName="fn", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="fn", PolicyName="all", PolicyDocument=json.dumps(ALLOW_ALL))
    return str(made["Role"]["Arn"])


@pytest.fixture
def two(new_cloud: Any) -> Two:
    cloud = new_cloud("--key", f"{OTHER}:other-secret")
    key = (OTHER, "other-secret")
    return Two(
        cloud.client("lambda"),
        cloud.client("lambda", key=key),
        _role(cloud, None),
        _role(cloud, key),
    )


def create(lam: Any, role: str, text: str, **more: Any) -> str:
    made = lam.create_function(
        FunctionName="shared",
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": pack(text)},
        **more,
    )
    return str(made["FunctionArn"])


def refused(call: Any, **request: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_another_accounts_function_is_reached_by_permission_only(two: Two) -> None:
    arn = create(two.owner, two.owner_role, "def handler(event, context):\n    return 'mine'\n")
    refused(two.asker.invoke, FunctionName=arn)
    refused(two.asker.get_function, FunctionName=arn)
    two.owner.add_permission(
        FunctionName=arn, StatementId="s", Action="lambda:InvokeFunction", Principal=OTHER
    )
    assert payload_of(two.asker.invoke(FunctionName=arn)) == "mine"
    refused(two.asker.get_function, FunctionName=arn)
    for call in (two.asker.delete_function, two.asker.get_policy, two.asker.publish_version):
        refused(call, FunctionName=arn)
    refused(two.asker.tag_resource, Resource=arn, Tags={"a": "b"})
    with pytest.raises(two.asker.exceptions.ResourceNotFoundException):
        two.asker.get_function(FunctionName="shared")


def test_another_accounts_layer_is_used_by_permission_only(two: Two) -> None:
    layer = two.owner.publish_layer_version(
        LayerName="shared", Content={"ZipFile": pack("N = 3\n", "python/shared.py")}
    )
    arn = layer["LayerVersionArn"]
    refused(two.asker.get_layer_version_by_arn, Arn=arn)
    refused(create, lam=two.asker, role=two.asker_role, text=LAYER_CODE, Layers=[arn])
    two.owner.add_layer_version_permission(
        LayerName="shared",
        VersionNumber=1,
        StatementId="s",
        Action="lambda:GetLayerVersion",
        Principal=OTHER,
    )
    create(two.asker, two.asker_role, LAYER_CODE, Layers=[arn])
    assert payload_of(two.asker.invoke(FunctionName="shared")) == 3
    refused(two.asker.delete_layer_version, LayerName=arn.rpartition(":")[0], VersionNumber=1)
    two.owner.delete_layer_version(LayerName="shared", VersionNumber=1)
    two.asker.update_function_configuration(FunctionName="shared", Timeout=5)
    assert payload_of(two.asker.invoke(FunctionName="shared")) == 3


def test_a_role_of_another_account_is_not_passed(two: Two) -> None:
    refused(create, lam=two.asker, role=two.owner_role, text="")
