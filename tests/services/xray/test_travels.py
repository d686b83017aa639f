"""The trace header on its way through topics, queues, buses and buckets.

https://docs.aws.amazon.com/xray/latest/devguide/xray-services.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Cloud
from tests.services.lambda_.conftest import unique
from tests.services.xray.conftest import Trail, wait_until

FUNCTION = "AWS::Lambda::Function"
ANYBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}],
}


@pytest.fixture
def queue(recorded: Cloud) -> tuple[str, str]:
    """The URL and the ARN of a queue that takes from anybody."""
    sqs = recorded.client("sqs")
    url = sqs.create_queue(QueueName=unique("q"), Attributes={"Policy": json.dumps(ANYBODY)})
    known = sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=["QueueArn"])
    return url["QueueUrl"], known["Attributes"]["QueueArn"]


def received(cloud: Cloud, url: str) -> str:
    """The trace header of the message that comes out of a queue, which is deleted."""
    sqs = cloud.client("sqs")

    def receive() -> Any:
        names = ["AWSTraceHeader"]
        answer = sqs.receive_message(
            QueueUrl=url, MessageSystemAttributeNames=names, WaitTimeSeconds=1
        )
        return answer.get("Messages")

    (message,) = wait_until(receive)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return str(message.get("Attributes", {}).get("AWSTraceHeader", ""))


def test_a_queue_keeps_the_header_of_the_request(trail: Trail, queue: tuple[str, str]) -> None:
    trail.client("sqs").send_message(QueueUrl=queue[0], MessageBody="x")
    assert received(trail.cloud, queue[0]) == trail.header


def test_an_attribute_counts_before_the_header(trail: Trail, queue: tuple[str, str]) -> None:
    given = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988"}}
    trail.client("sqs").send_message(
        QueueUrl=queue[0], MessageBody="x", MessageSystemAttributes=given
    )
    assert received(trail.cloud, queue[0]) == "Root=1-5759e988"


def test_a_topic_hands_it_to_queues_and_functions(
    trail: Trail, queue: tuple[str, str], make: Callable[..., str]
) -> None:
    cloud, name = trail.cloud, make()
    sns, lam = cloud.client("sns"), cloud.client("lambda")
    topic = sns.create_topic(Name=unique("t"))["TopicArn"]
    lam.add_permission(
        FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="*"
    )
    arn = lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue[1])
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    trail.client("sns").publish(TopicArn=topic, Message="x")
    assert received(cloud, queue[0]) == trail.header
    trail.wait((name, FUNCTION))


def test_a_bus_hands_it_to_targets(trail: Trail, queue: tuple[str, str]) -> None:
    cloud = trail.cloud
    events, rule = cloud.client("events"), unique("r")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": queue[1]}])
    entry = {"Source": rule, "DetailType": "d", "Detail": "{}"}
    trail.client("events").put_events(Entries=[entry])
    assert received(cloud, queue[0]) == trail.header
    other = Trail(cloud)
    trail.client("events").put_events(Entries=[{**entry, "TraceHeader": other.header}])
    assert received(cloud, queue[0]) == other.header
    events.remove_targets(Rule=rule, Ids=["1"])
    events.delete_rule(Name=rule)


def test_a_bucket_hands_it_to_whom_it_notifies(trail: Trail, queue: tuple[str, str]) -> None:
    cloud, bucket = trail.cloud, unique("b")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    wanted = [{"QueueArn": queue[1], "Events": ["s3:ObjectCreated:*"]}]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": wanted},
        SkipDestinationValidation=True,
    )
    trail.client("s3").put_object(Bucket=bucket, Key="k", Body=b"x")
    assert received(cloud, queue[0]) == trail.header
