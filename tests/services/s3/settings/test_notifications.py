"""Events of objects, told to queues.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

import json
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def queue(cloud, bucket):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"events-{uuid.uuid4()}")["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = asked["Attributes"]["QueueArn"]
    allow(sqs, url, arn, bucket)
    yield sqs, url, arn
    sqs.delete_queue(QueueUrl=url)


def allow(sqs, url, arn, bucket):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})


def received(sqs, url, count):
    found = []
    while len(found) < count:
        answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)
        assert answer.get("Messages"), f"only {len(found)} of {count} messages came"
        for message in answer["Messages"]:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def configured(arn, *events, prefix="", suffix=""):
    rules = [{"Name": "prefix", "Value": prefix}, {"Name": "suffix", "Value": suffix}]
    entry = {"Id": "mine", "QueueArn": arn, "Events": list(events)}
    return {"QueueConfigurations": [{**entry, "Filter": {"Key": {"FilterRules": rules}}}]}


def test_what_fits_the_filter_is_told_and_nothing_else(s3, bucket, queue):
    sqs, url, arn = queue
    configuration = configured(
        arn, "s3:ObjectCreated:*", "s3:ObjectRemoved:*", prefix="in/", suffix=".txt"
    )
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    (test,) = received(sqs, url, 1)
    assert (test["Event"], test["Bucket"]) == ("s3:TestEvent", bucket)
    s3.put_object(Bucket=bucket, Key="out/a.txt", Body=b"1")
    s3.put_object(Bucket=bucket, Key="in/a.png", Body=b"1")
    etag = s3.put_object(Bucket=bucket, Key="in/a b.txt", Body=b"123")["ETag"]
    s3.copy_object(Bucket=bucket, Key="in/c.txt", CopySource=f"{bucket}/out/a.txt")
    s3.delete_object(Bucket=bucket, Key="in/c.txt")
    records = [message["Records"][0] for message in received(sqs, url, 3)]
    told = {record["eventName"]: record for record in records}
    assert set(told) == {"ObjectCreated:Put", "ObjectCreated:Copy", "ObjectRemoved:Delete"}
    put = told["ObjectCreated:Put"]
    assert put["s3"]["object"]["key"] == "in/a+b.txt"
    assert (put["s3"]["object"]["size"], put["s3"]["object"]["eTag"]) == (3, etag.strip('"'))
    assert (put["s3"]["bucket"]["name"], put["s3"]["configurationId"]) == (bucket, "mine")
    assert put["eventVersion"] == "2.1"
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert found["QueueConfigurations"][0]["QueueArn"] == arn


def test_a_queue_that_does_not_let_s3_in_is_refused(s3, bucket, queue):
    sqs, url, arn = queue
    allow(sqs, url, arn, "another-bucket")
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=configured(arn, "s3:ObjectCreated:*")
        )
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidArgument"
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ({"EventBridgeConfiguration": {}}, "NotImplemented"),
        (
            {"TopicConfigurations": [{"TopicArn": "arn", "Events": ["s3:ObjectCreated:*"]}]},
            "NotImplemented",
        ),
        ({"QueueConfigurations": [{"QueueArn": "no", "Events": ["s3:*"]}]}, "InvalidArgument"),
    ],
)
def test_what_cannot_be_told_is_refused(s3, bucket, configuration, code):
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=configuration
        )
    assert caught.value.response["Error"]["Code"] == code


def test_configurations_must_not_overlap(s3, bucket, queue):
    entry = configured(queue[2], "s3:ObjectCreated:*", prefix="a")["QueueConfigurations"][0]
    other = configured(queue[2], "s3:ObjectCreated:Put", prefix="ab")["QueueConfigurations"][0]
    with pytest.raises(ClientError, match="overlap"):
        s3.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={"QueueConfigurations": [entry, {**other, "Id": "b"}]},
        )
