"""Log groups and streams.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
"""

import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def logs(cloud):
    return cloud.client("logs")


@pytest.fixture
def prefix():
    return f"/groups/{uuid.uuid4()}"


def code_of(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"]


def test_a_group_is_made_once_listed_and_deleted(logs, prefix):
    logs.create_log_group(logGroupName=prefix, tags={"team": "a"})
    assert code_of(logs.create_log_group, logGroupName=prefix) == "ResourceAlreadyExistsException"
    [found] = logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    assert found["arn"].endswith(f":log-group:{prefix}:*")
    assert "retentionInDays" not in found
    assert logs.list_tags_log_group(logGroupName=prefix)["tags"] == {"team": "a"}
    logs.delete_log_group(logGroupName=prefix)
    assert logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"] == []
    assert code_of(logs.delete_log_group, logGroupName=prefix) == "ResourceNotFoundException"


def test_groups_are_paged_by_name(logs, prefix):
    names = [f"{prefix}/{i}" for i in range(7)]
    for name in names:
        logs.create_log_group(logGroupName=name)
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=prefix, PaginationConfig={"PageSize": 3}
    )
    found = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    assert found == names
    for name in names:
        logs.delete_log_group(logGroupName=name)


def test_retention_takes_only_the_days_that_aws_lists(logs, prefix):
    logs.create_log_group(logGroupName=prefix)
    logs.put_retention_policy(logGroupName=prefix, retentionInDays=14)
    [found] = logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    assert found["retentionInDays"] == 14
    refused = code_of(logs.put_retention_policy, logGroupName=prefix, retentionInDays=2)
    assert refused == "InvalidParameterException"
    logs.delete_retention_policy(logGroupName=prefix)
    [found] = logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    assert "retentionInDays" not in found
    logs.delete_log_group(logGroupName=prefix)


def test_tags_by_arn(logs, prefix):
    logs.create_log_group(logGroupName=prefix)
    arn = logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"][0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    logs.delete_log_group(logGroupName=prefix)


def test_tags_by_name(logs, prefix):
    logs.create_log_group(logGroupName=prefix, tags={"a": "1"})
    logs.tag_log_group(logGroupName=prefix, tags={"b": "2"})
    logs.untag_log_group(logGroupName=prefix, tags=["a"])
    assert logs.list_tags_log_group(logGroupName=prefix)["tags"] == {"b": "2"}
    many = {str(i): "" for i in range(50)}
    assert code_of(logs.tag_log_group, logGroupName=prefix, tags=many) == "TooManyTagsException"
    logs.delete_log_group(logGroupName=prefix)


def test_streams_are_made_once_listed_and_deleted(logs, prefix):
    logs.create_log_group(logGroupName=prefix)
    for name in ("b", "a", "c"):
        logs.create_log_stream(logGroupName=prefix, logStreamName=name)
    assert (
        code_of(logs.create_log_stream, logGroupName=prefix, logStreamName="a")
        == "ResourceAlreadyExistsException"
    )
    found = logs.describe_log_streams(logGroupName=prefix)["logStreams"]
    assert [stream["logStreamName"] for stream in found] == ["a", "b", "c"]
    logs.delete_log_stream(logGroupName=prefix, logStreamName="b")
    assert (
        code_of(logs.delete_log_stream, logGroupName=prefix, logStreamName="b")
        == "ResourceNotFoundException"
    )
    found = logs.describe_log_streams(logGroupName=prefix, descending=True)["logStreams"]
    assert [stream["logStreamName"] for stream in found] == ["c", "a"]
    logs.delete_log_group(logGroupName=prefix)


def test_a_name_that_is_used_again_begins_empty(logs, prefix):
    for _ in range(2):
        logs.create_log_group(logGroupName=prefix)
        assert logs.describe_log_streams(logGroupName=prefix)["logStreams"] == []
        logs.create_log_stream(logGroupName=prefix, logStreamName="s")
        logs.delete_log_group(logGroupName=prefix)


def test_constraints_are_told_in_awss_sentence(logs, prefix):
    with pytest.raises(ClientError, match="failed to satisfy constraint") as caught:
        logs.create_log_group(logGroupName="spaces are not allowed")
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
