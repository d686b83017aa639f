"""Resource policies. https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import payload_of, unique

GATEWAY = {
    "StatementId": "gateway",
    "Action": "lambda:InvokeFunction",
    "Principal": "apigateway.amazonaws.com",
}


def test_a_statement_is_written_as_aws_writes_it(lam: Any, make: Any) -> None:
    name = make()
    arn = lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    source = "arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/x"
    added = lam.add_permission(
        FunctionName=name, SourceArn=source, SourceAccount="000000000000", **GATEWAY
    )
    statement = json.loads(added["Statement"])
    assert statement == {
        "Sid": "gateway",
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
            "ArnLike": {"AWS:SourceArn": source},
        },
    }
    policy = lam.get_policy(FunctionName=name)
    assert json.loads(policy["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [statement],
    }


def test_accounts_and_arns_are_principals_too(lam: Any, make: Any) -> None:
    name = make()
    for sid, given, written in (
        ("a", "111122223333", {"AWS": "arn:aws:iam::111122223333:root"}),
        ("b", "arn:aws:iam::111122223333:role/r", {"AWS": "arn:aws:iam::111122223333:role/r"}),
        ("c", "*", "*"),
    ):
        added = lam.add_permission(
            FunctionName=name, StatementId=sid, Action="lambda:InvokeFunction", Principal=given
        )
        assert json.loads(added["Statement"])["Principal"] == written


def test_a_statement_id_is_used_once_and_removed_by_name(lam: Any, make: Any) -> None:
    name = make()
    lam.add_permission(FunctionName=name, **GATEWAY)
    with pytest.raises(lam.exceptions.ResourceConflictException) as caught:
        lam.add_permission(FunctionName=name, **GATEWAY)
    assert "The statement id (gateway) provided already exists" in str(caught.value)
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.remove_permission(FunctionName=name, StatementId="other")
    lam.remove_permission(FunctionName=name, StatementId="gateway")
    with pytest.raises(lam.exceptions.ResourceNotFoundException) as caught:
        lam.get_policy(FunctionName=name)
    assert "The resource you requested does not exist." in str(caught.value)


def test_an_alias_has_a_policy_of_its_own(lam: Any, make: Any) -> None:
    name = make(Publish=True)
    lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    lam.add_permission(FunctionName=name, Qualifier="live", **GATEWAY)
    statement = json.loads(lam.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    assert statement["Statement"][0]["Resource"].endswith(f":function:{name}:live")
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_policy(FunctionName=name)


def test_a_user_without_policies_may_call_when_the_function_allows_it(
    lam: Any, make: Any, cloud: Any
) -> None:
    iam = cloud.client("iam")
    user = unique("caller")
    arn = iam.create_user(UserName=user)["User"]["Arn"]
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = cloud.client("lambda", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    name = make()
    with pytest.raises(ClientError) as caught:
        theirs.invoke(FunctionName=name)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    lam.add_permission(
        FunctionName=name, StatementId="user", Action="lambda:InvokeFunction", Principal=arn
    )
    assert payload_of(theirs.invoke(FunctionName=name, Payload=b"[1]")) == [1]
    lam.remove_permission(FunctionName=name, StatementId="user")
    with pytest.raises(ClientError):
        theirs.invoke(FunctionName=name)
