"""Topics: made, described, changed, shared, tagged, listed, deleted.

https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
"""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.services.sns.conftest import Stand, unique

Refusal = Callable[..., tuple[str, str]]


def test_a_topic_is_made_once(stand: Stand, refusal: Refusal) -> None:
    name = unique("topic")
    arn = stand.sns.create_topic(Name=name, Attributes={"DisplayName": "one"})["TopicArn"]
    assert arn == f"arn:aws:sns:us-east-1:000000000000:{name}"
    assert stand.sns.create_topic(Name=name)["TopicArn"] == arn
    code, told = refusal(stand.sns.create_topic, Name=name, Attributes={"DisplayName": "two"})
    assert (code, told) == (
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    )
    tags = [{"Key": "a", "Value": "b"}]
    _, told = refusal(stand.sns.create_topic, Name=name, Tags=tags)
    assert told == "Invalid parameter: Tags Reason: Topic already exists with different tags"
    has = stand.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (has["TopicArn"], has["Owner"], has["DisplayName"]) == (arn, "000000000000", "one")
    assert (
        json.loads(has["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"][
            "numRetries"
        ]
        == 3
    )
    pages = stand.sns.get_paginator("list_topics").paginate()
    assert {"TopicArn": arn} in [topic for page in pages for topic in page["Topics"]]
    stand.sns.delete_topic(TopicArn=arn)
    stand.sns.delete_topic(TopicArn=arn)
    code, told = refusal(stand.sns.get_topic_attributes, TopicArn=arn)
    assert (code, told) == ("NotFound", "Topic does not exist")


def test_what_cannot_be_a_topic_is_refused(stand: Stand, refusal: Refusal) -> None:
    make = stand.sns.create_topic
    assert refusal(make, Name="a b")[1] == "Invalid parameter: Topic Name"
    assert refusal(make, Name="x" * 257)[1] == "Invalid parameter: Topic Name"
    _, told = refusal(make, Name="x", Attributes={"FifoTopic": "true"})
    assert "Fifo Topic names must end with .fifo" in told
    assert refusal(make, Name="x.fifo")[1] == "Invalid parameter: Topic Name"
    _, told = refusal(make, Name="x", Attributes={"SQSSuccessFeedbackRoleArn": "arn"})
    assert "not supported by Cumulet" in told
    _, told = refusal(make, Name="x", Attributes={"Colour": "red"})
    assert told == "Invalid parameter: AttributeName"


def test_attributes_are_changed_and_taken_back(stand: Stand, refusal: Refusal) -> None:
    arn = stand.topic()

    def put(name: str, value: str) -> dict[str, str]:
        stand.sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
        found: dict[str, str] = stand.sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        return found

    assert put("DisplayName", "shown")["DisplayName"] == "shown"
    assert put("DisplayName", "")["DisplayName"] == ""
    assert put("SignatureVersion", "2")["SignatureVersion"] == "2"
    policy = {"http": {"defaultHealthyRetryPolicy": {"numRetries": 7}}}
    effective = json.loads(put("DeliveryPolicy", json.dumps(policy))["EffectiveDeliveryPolicy"])
    assert effective["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 7
    for name, value in (
        ("SignatureVersion", "3"),
        ("Policy", "{}"),
        ("TracingConfig", "Active"),
        ("DeliveryPolicy", '{"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 1}}}'),
        ("FifoTopic", "true"),
    ):
        code, _ = refusal(
            stand.sns.set_topic_attributes, TopicArn=arn, AttributeName=name, AttributeValue=value
        )
        assert code == "InvalidParameter"


def test_permissions_by_label(stand: Stand, refusal: Refusal) -> None:
    arn = stand.topic()
    words = {
        "TopicArn": arn,
        "Label": "other",
        "AWSAccountId": ["111111111111"],
        "ActionName": ["Publish"],
    }
    stand.sns.add_permission(**words)
    code, _ = refusal(stand.sns.add_permission, **words)
    assert code == "InvalidParameter"

    def statements() -> list[dict[str, object]]:
        text = stand.sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
        found: list[dict[str, object]] = json.loads(text)["Statement"]
        return found

    assert statements()[1] == {
        "Sid": "other",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "SNS:Publish",
        "Resource": arn,
    }
    stand.sns.remove_permission(TopicArn=arn, Label="other")
    assert [one["Sid"] for one in statements()] == ["__default_statement_ID"]


def test_tags(stand: Stand, refusal: Refusal) -> None:
    arn = stand.topic()
    stand.sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    stand.sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    stand.sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    found = stand.sns.list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert found == [{"Key": "b", "Value": "2"}]
    code, _ = refusal(stand.sns.list_tags_for_resource, ResourceArn=arn + "x")
    assert code == "ResourceNotFound"


def test_a_user_publishes_with_permission_only(stand: Stand, refusal: Refusal) -> None:
    iam, user = stand.cloud.client("iam"), unique("user")
    arn, other = stand.topic(), stand.topic()
    iam.create_user(UserName=user)
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    sns = stand.cloud.client("sns", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    sns.publish(TopicArn=arn, Message="m")
    code, _ = refusal(sns.publish, TopicArn=other, Message="m")
    assert code == "AuthorizationError" or code == "AccessDenied"
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": arn,
    }
    stand.sns.set_topic_attributes(
        TopicArn=arn,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    refusal(sns.publish, TopicArn=arn, Message="m")
