"""Accounts are apart: the root of one can neither see nor change what another has."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

OTHER = ("111111111111", "secret-of-the-other")


@pytest.fixture
def both(new_cloud: Callable[..., Any]) -> Any:
    return new_cloud("--key", ":".join(OTHER))


def code_of(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_twelve_digit_key_is_the_root_of_its_account(both: Any) -> None:
    found = both.client("sts", key=OTHER).get_caller_identity()
    assert found["Arn"] == "arn:aws:iam::111111111111:root"


def test_names_of_one_account_mean_nothing_in_another(both: Any) -> None:
    mine, theirs = both.client("ssm"), both.client("ssm", key=OTHER)
    mine.put_parameter(Name="/shared/name", Value="mine", Type="String")
    assert code_of(theirs.get_parameter, Name="/shared/name") == "ParameterNotFound"
    theirs.put_parameter(Name="/shared/name", Value="theirs", Type="String")
    assert mine.get_parameter(Name="/shared/name")["Parameter"]["Value"] == "mine"


def test_the_arn_of_anothers_resource_is_refused_to_a_root(both: Any) -> None:
    logs = both.client("logs")
    logs.create_log_group(logGroupName="/mine")
    both.client("logs", key=OTHER).create_log_group(logGroupName="/mine")
    arn = logs.describe_log_groups()["logGroups"][0]["logGroupArn"]
    stranger = both.client("logs", key=OTHER)
    assert code_of(stranger.tag_resource, resourceArn=arn, tags={"a": "b"}) == (
        "AccessDeniedException"
    )
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_regions_are_apart_as_well(both: Any) -> None:
    both.client("logs", region="eu-west-1").create_log_group(logGroupName="/there")
    assert both.client("logs", region="us-east-1").describe_log_groups()["logGroups"] == []
    [found] = both.client("logs", region="eu-west-1").describe_log_groups()["logGroups"]
    assert ":eu-west-1:000000000000:" in found["arn"]


def test_a_role_lets_another_account_in_and_no_further(both: Any) -> None:
    iam = both.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{OTHER[0]}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName="guest", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    allow = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="guest", PolicyName="read", PolicyDocument=document)
    both.client("ssm").put_parameter(Name="/p", Value="v", Type="String")
    theirs = both.client("iam", key=OTHER)
    theirs.create_user(UserName="visitor")
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role["Arn"]}
    theirs.put_user_policy(
        UserName="visitor",
        PolicyName="assume",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [assume]}),
    )
    made = theirs.create_access_key(UserName="visitor")["AccessKey"]
    visitor = (made["AccessKeyId"], made["SecretAccessKey"])
    sts = both.client("sts", key=visitor)
    found = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="visit")["Credentials"]
    session = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    ssm = both.client("ssm", key=session)
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "v"
    assert code_of(ssm.delete_parameter, Name="/p") == "AccessDeniedException"


def test_only_the_first_accounts_root_may_copy_the_data(both: Any, tmp_path: Any) -> None:
    from cumulet.cli.reach import Reach, signed_post

    stranger = Reach(both.endpoint, *OTHER, both.region)
    body = json.dumps({"folder": str(tmp_path / "stolen")}).encode()
    status, _ = signed_post(stranger, "/_cumulet/backup", body)
    assert status == 403
    assert not (tmp_path / "stolen").exists()
