"""Lambda's condition keys in identity policies.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import pack, unique


@pytest.fixture
def as_user(cloud: Any) -> Callable[..., Any]:
    """A client of a user with these statements only."""

    def make(*statements: dict[str, Any]) -> Any:
        iam = cloud.client("iam")
        user = unique("user")
        iam.create_user(UserName=user)
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements],
        }
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return cloud.client("lambda", key=(key["AccessKeyId"], key["SecretAccessKey"]))

    return make


def refused(call: Any, **request: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_functions_tags_decide(make: Any, as_user: Any) -> None:
    mine, other = make(Tags={"team": "a"}), make(Tags={"team": "b"})
    lam = as_user(
        {"Action": "lambda:*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
    )
    assert lam.invoke(FunctionName=mine)["StatusCode"] == 200
    assert lam.get_function_concurrency(FunctionName=mine)
    for call in (lam.invoke, lam.get_function, lam.get_function_concurrency, lam.delete_function):
        refused(call, FunctionName=other)


def test_the_auth_type_of_urls_and_the_principal_of_permissions_decide(
    make: Any, as_user: Any
) -> None:
    name = make()
    lam = as_user(
        {
            "Action": "lambda:CreateFunctionUrlConfig",
            "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
        },
        {
            "Action": "lambda:AddPermission",
            "Condition": {"StringEquals": {"lambda:Principal": "apigateway.amazonaws.com"}},
        },
    )
    refused(lam.create_function_url_config, FunctionName=name, AuthType="NONE")
    assert lam.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    statement = {"FunctionName": name, "StatementId": "s", "Action": "lambda:InvokeFunction"}
    refused(lam.add_permission, Principal="*", **statement)
    assert lam.add_permission(Principal="apigateway.amazonaws.com", **statement)


def test_layers_and_tags_of_a_new_function_decide(lam: Any, role: str, as_user: Any) -> None:
    layer = unique("layer")
    content = {"ZipFile": pack("N = 1\n", "python/shared.py")}
    arn = lam.publish_layer_version(LayerName=layer, Content=content)["LayerVersionArn"]
    theirs = as_user(
        {"Action": ["iam:PassRole", "lambda:GetLayerVersion"]},
        {
            "Action": "lambda:CreateFunction",
            "Condition": {"ForAllValues:StringLike": {"lambda:Layer": f"*:layer:{layer}:*"}},
        },
        {
            "Action": "lambda:TagResource",
            "Condition": {"StringEquals": {"aws:RequestTag/team": "a"}},
        },
    )

    def create(**more: Any) -> dict[str, Any]:
        return {
            "FunctionName": unique("f"),
            "Role": role,
            "Runtime": "python3.11",
            "Handler": "index.handler",
            "Code": {"ZipFile": pack()},
            **more,
        }

    refused(theirs.create_function, **create(Layers=[arn.replace(layer, "other")]))
    refused(theirs.create_function, **create(Layers=[arn], Tags={"team": "b"}))
    made = create(Layers=[arn], Tags={"team": "a"})
    theirs.create_function(**made)
    lam.delete_function(FunctionName=made["FunctionName"])
