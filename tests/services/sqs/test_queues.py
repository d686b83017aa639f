"""Queues: made, found, described, changed, purged, deleted.

The words of refusals are those of AWS's recorded answers (localstack's
tests/aws/services/sqs/test_sqs.snapshot.json), where one is there.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from tests.conftest import Cloud


def test_a_queue_is_found_by_name_and_described(sqs: Any, make: Any) -> None:
    url = make(VisibilityTimeout="60", name=f"named-{uuid.uuid4().hex[:8]}")
    name = url.rpartition("/")[2]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    has = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert has["QueueArn"] == f"arn:aws:sqs:us-east-1:000000000000:{name}"
    assert has["VisibilityTimeout"] == "60"
    assert has["MaximumMessageSize"] == "1048576"
    assert has["MessageRetentionPeriod"] == "345600"
    assert has["SqsManagedSseEnabled"] == "true"
    assert has["ApproximateNumberOfMessages"] == "0"
    assert has["CreatedTimestamp"] == has["LastModifiedTimestamp"]
    assert "FifoQueue" not in has
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)


def test_the_same_queue_may_be_made_again_and_not_another(
    sqs: Any, make: Any, refusal: Any
) -> None:
    url = make(DelaySeconds="1")
    name = url.rpartition("/")[2]
    assert make(name=name, DelaySeconds="1") == url
    assert make(name=name) == url
    code, words = refusal(sqs.create_queue, QueueName=name, Attributes={"DelaySeconds": "2"})
    assert code == "QueueAlreadyExists"
    assert words == (
        "A queue already exists with the same name and a different value for attribute DelaySeconds"
    )


@pytest.mark.parametrize(
    ("attributes", "code", "words"),
    [
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue", None),
        ({"DelaySeconds": "-1"}, "InvalidAttributeValue", None),
        ({"MaximumMessageSize": "1023"}, "InvalidAttributeValue", None),
        ({"MessageRetentionPeriod": "x"}, "InvalidAttributeValue", None),
        ({"Unheard": "1"}, "InvalidAttributeName", "Unknown Attribute Unheard."),
        (
            {"ContentBasedDeduplication": "true"},
            "InvalidAttributeName",
            "Unknown Attribute ContentBasedDeduplication.",
        ),
        (
            {"FifoThroughputLimit": "perQueue"},
            "InvalidAttributeName",
            "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        ),
        ({"RedrivePolicy": "nonsense"}, "InvalidParameterValue", None),
        ({"Policy": "{"}, "InvalidAttributeValue", None),
    ],
)
def test_attributes_that_cannot_be_are_refused(
    sqs: Any, refusal: Any, attributes: dict[str, str], code: str, words: str | None
) -> None:
    name = f"q-{uuid.uuid4().hex[:12]}"
    found = refusal(sqs.create_queue, QueueName=name, Attributes=attributes)
    assert found[0] == code
    assert words is None or found[1] == words
    assert (
        refusal(sqs.get_queue_url, QueueName=name)[0] == "AWS.SimpleQueueService.NonExistentQueue"
    )


@pytest.mark.parametrize("name", ["a b", "x" * 81, "queue.fifo", "ä"])
def test_names_that_cannot_be_are_refused(sqs: Any, refusal: Any, name: str) -> None:
    code, words = refusal(sqs.create_queue, QueueName=name)
    assert code == "InvalidParameterValue"
    assert "alphanumeric characters, hyphens, or underscores" in words


def test_the_type_of_a_queue_cannot_be_changed(sqs: Any, make: Any, refusal: Any) -> None:
    fifo, standard = make(fifo=True), make()
    change = sqs.set_queue_attributes
    assert refusal(change, QueueUrl=standard, Attributes={"FifoQueue": "true"}) == (
        "InvalidAttributeName",
        "Unknown Attribute FifoQueue.",
    )
    assert refusal(change, QueueUrl=fifo, Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )


def test_attributes_are_changed_and_removed(sqs: Any, make: Any, arn_of: Any) -> None:
    url, dead = make(), make()
    redrive = json.dumps({"deadLetterTargetArn": arn_of(dead), "maxReceiveCount": 3})
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": redrive, "DelaySeconds": "5"}
    )
    has = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(has["RedrivePolicy"])["maxReceiveCount"] == 3
    assert has["DelaySeconds"] == "5"
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    has = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert "RedrivePolicy" not in has
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == []


def test_a_dead_letter_queue_must_be_there_allow_it_and_be_alike(
    sqs: Any, make: Any, arn_of: Any, refusal: Any
) -> None:
    url, dead, fifo = make(), make(), make(fifo=True)

    def set_to(arn: str, count: object = 3) -> tuple[str, str]:
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": count})
        return refusal(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": policy})

    assert "Dead letter target does not exist" in set_to(arn_of(dead) + "-not")[1]
    assert "same type of queue" in set_to(arn_of(fifo))[1]
    assert "valid values are from 1 to 1000" in set_to(arn_of(dead), 0)[1]
    allow = json.dumps({"redrivePermission": "denyAll"})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": allow})
    assert "RedriveAllowPolicy" in set_to(arn_of(dead))[1]


def test_queues_are_listed_by_prefix_in_pages(sqs: Any, make: Any) -> None:
    prefix = f"list-{uuid.uuid4().hex[:8]}"
    urls = [make(name=f"{prefix}-{number}") for number in range(5)]
    assert sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"] == urls
    pages = sqs.get_paginator("list_queues").paginate(
        QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2}
    )
    assert [page["QueueUrls"] for page in pages] == [urls[:2], urls[2:4], urls[4:]]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=f"{prefix}-none")


def test_a_deleted_queue_is_gone_and_its_name_rests(sqs: Any, make: Any, refusal: Any) -> None:
    url = make()
    name = url.rpartition("/")[2]
    sqs.send_message(QueueUrl=url, MessageBody="left behind")
    sqs.delete_queue(QueueUrl=url)
    gone = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    assert refusal(sqs.receive_message, QueueUrl=url) == gone
    assert refusal(sqs.delete_queue, QueueUrl=url) == gone
    code, words = refusal(sqs.create_queue, QueueName=name)
    assert code == "AWS.SimpleQueueService.QueueDeletedRecently"
    assert "60 seconds" in words


def test_a_purge_empties_the_queue_once_a_minute(sqs: Any, make: Any, refusal: Any) -> None:
    url = make()
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sqs.receive_message(QueueUrl=url)
    sqs.purge_queue(QueueUrl=url)
    has = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (has["ApproximateNumberOfMessages"], has["ApproximateNumberOfMessagesNotVisible"]) == (
        "0",
        "0",
    )
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    name = url.rpartition("/")[2]
    assert refusal(sqs.purge_queue, QueueUrl=url) == (
        "AWS.SimpleQueueService.PurgeQueueInProgress",
        f"Only one PurgeQueue operation on {name} is allowed every 60 seconds.",
    )
    sqs.send_message(QueueUrl=url, MessageBody="after")
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "after"


def test_tags(sqs: Any, make: Any) -> None:
    url = make()
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "2"})
    sqs.tag_queue(QueueUrl=url, Tags={"b": "3"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a", "never"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": "3"}


def test_permissions_by_label_are_statements_of_the_policy(
    sqs: Any, make: Any, refusal: Any
) -> None:
    url = make()
    words = {"Label": "share", "AWSAccountIds": ["111111111111"], "Actions": ["SendMessage"]}
    sqs.add_permission(QueueUrl=url, **words)
    has = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    [statement] = json.loads(has["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert statement["Action"] == "SQS:SendMessage"
    assert refusal(sqs.add_permission, QueueUrl=url, **words) == (
        "InvalidParameterValue",
        "Value share for parameter Label is invalid. Reason: Already exists.",
    )
    sqs.remove_permission(QueueUrl=url, Label="share")
    assert refusal(sqs.remove_permission, QueueUrl=url, Label="share") == (
        "InvalidParameterValue",
        "Value share for parameter Label is invalid. Reason: can't find label.",
    )


def test_the_queue_s_policy_lets_other_identities_in(
    cloud: Cloud, sqs: Any, make: Any, arn_of: Any, refusal: Any
) -> None:
    iam = cloud.client("iam")
    name = f"sender-{uuid.uuid4().hex[:8]}"
    user = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    sender = cloud.client("sqs", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    url = make()
    words = {"QueueUrl": url, "MessageBody": "hello"}
    assert refusal(sender.send_message, **words)[0] in ("AccessDenied", "AccessDeniedException")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": user},
        "Action": "sqs:SendMessage",
        "Resource": arn_of(url),
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sender.send_message(**words)
    batch = [{"Id": "a", "MessageBody": "one"}]
    assert len(sender.send_message_batch(QueueUrl=url, Entries=batch)["Successful"]) == 1
    refused = refusal(sender.receive_message, QueueUrl=url)
    assert refused[0] in ("AccessDenied", "AccessDeniedException")


def test_queues_of_another_region_are_others(cloud: Cloud, make: Any, refusal: Any) -> None:
    url = make()
    there = cloud.client("sqs", region="eu-west-1")
    name = url.rpartition("/")[2]
    assert refusal(there.get_queue_url, QueueName=name)[0].endswith("NonExistentQueue")
