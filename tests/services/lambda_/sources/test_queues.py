"""Functions fed from queues.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.sources.conftest import Place


def test_a_message_comes_to_the_function_and_is_deleted(place: Place) -> None:
    url = place.queue()
    place.map(place.function("tell(event)"), place.arn(url))
    attributes = {
        "kind": {"DataType": "String", "StringValue": "greeting"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    sent = place.sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    [event] = place.told(1)
    [record] = event["Records"]
    assert record["messageId"] == sent["MessageId"]
    assert record["body"] == "hello"
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == place.arn(url)
    assert record["awsRegion"] == "us-east-1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["kind"] == {
        "stringValue": "greeting",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert record["messageAttributes"]["raw"]["binaryValue"] == "AAE="
    place.wait_until(lambda: place.left(url) == (0, 0))


def test_messages_that_were_there_before_come_too(place: Place) -> None:
    url = place.queue()
    for number in range(3):
        place.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    function = place.function("for one in event['Records']: tell(one['body'])")
    place.map(function, place.arn(url), BatchSize=1)
    assert sorted(place.told(3)) == ["0", "1", "2"]


def test_a_window_gathers_a_batch(place: Place) -> None:
    url = place.queue()
    function = place.function("tell(len(event['Records']))")
    place.map(function, place.arn(url), BatchSize=25, MaximumBatchingWindowInSeconds=20)
    for start in range(0, 25, 5):
        entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(start, start + 5)]
        place.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert place.told(1) == [25]


def test_a_failed_batch_comes_again_and_dies_in_the_end(place: Place) -> None:
    dead = place.queue()
    redrive = json.dumps({"deadLetterTargetArn": place.arn(dead), "maxReceiveCount": 2})
    url = place.queue(RedrivePolicy=redrive, VisibilityTimeout="1")
    function = place.function("tell('tried'); raise ValueError('poison')", Timeout=1)
    place.map(function, place.arn(url))
    place.sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert place.told(2) == ["tried", "tried"]
    place.wait_until(lambda: place.left(dead) == (1, 0))
    assert place.left(url) == (0, 0)


def test_only_the_items_that_failed_come_again(place: Place) -> None:
    url = place.queue(VisibilityTimeout="2")
    function = place.function(
        """
tell(sorted(one["body"] for one in event["Records"]))
first = {one["body"]: one for one in event["Records"]
         if one["attributes"]["ApproximateReceiveCount"] == "1"}
bad = [one["messageId"] for body, one in first.items() if body == "bad"]
return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
""",
        Timeout=2,
    )
    for body in ("good", "bad"):
        place.sqs.send_message(QueueUrl=url, MessageBody=body)
    place.map(function, place.arn(url), FunctionResponseTypes=["ReportBatchItemFailures"])
    told = place.told(2)
    assert told == [["bad", "good"], ["bad"]]
    place.wait_until(lambda: place.left(url) == (0, 0))


def test_an_answer_of_another_form_is_a_failure(place: Place) -> None:
    url = place.queue(VisibilityTimeout="1")
    function = place.function(
        """
tell(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
if event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1":
    return {"batchItemFailures": [{"itemIdentifier": "somebody else"}]}
""",
        Timeout=1,
    )
    place.map(function, place.arn(url), FunctionResponseTypes=["ReportBatchItemFailures"])
    place.sqs.send_message(QueueUrl=url, MessageBody="m")
    assert place.told(2) == ["1", "2"]


def test_filters_let_some_through_and_the_rest_is_deleted(place: Place) -> None:
    url = place.queue()
    function = place.function("for one in event['Records']: tell(one['body'])")
    pattern = json.dumps({"body": {"kind": ["order"], "total": [{"numeric": [">", 10]}]}})
    place.map(function, place.arn(url), FilterCriteria={"Filters": [{"Pattern": pattern}]})
    bodies = [
        json.dumps({"kind": "order", "total": 5}),
        json.dumps({"kind": "offer", "total": 50}),
        "no json",
        json.dumps({"kind": "order", "total": 11}),
    ]
    for body in bodies:
        place.sqs.send_message(QueueUrl=url, MessageBody=body)
    assert place.told(1) == [bodies[3]]
    place.wait_until(lambda: place.left(url) == (0, 0))


def test_the_order_of_a_group_holds(place: Place) -> None:
    url = place.queue(fifo=True)
    function = place.function("for one in event['Records']: tell(one['body'])")
    for number in range(12):
        place.sqs.send_message(
            QueueUrl=url,
            MessageBody=str(number),
            MessageGroupId="g",
            MessageDeduplicationId=str(number),
        )
    place.map(function, place.arn(url), BatchSize=5)
    told = place.told(12)
    assert told == [str(number) for number in range(12)]


def test_no_more_batches_at_once_than_allowed(place: Place) -> None:
    url = place.queue()
    function = place.function("import time; tell(time.time()); time.sleep(1); tell(-time.time())")
    for number in range(6):
        place.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    place.map(function, place.arn(url), BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    times = sorted(place.told(12), key=abs)
    running, most = 0, 0
    for time in times:
        running += 1 if time > 0 else -1
        most = max(most, running)
    assert most == 2


def test_a_mapping_is_put_aside_and_taken_up(place: Place) -> None:
    url = place.queue()
    function = place.function("for one in event['Records']: tell(one['body'])")
    uuid = place.map(function, place.arn(url), Enabled=False)
    assert place.lam.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    place.sqs.send_message(QueueUrl=url, MessageBody="first")
    assert place.left(url) == (1, 0)
    changed = place.lam.update_event_source_mapping(UUID=uuid, Enabled=True, BatchSize=5)
    assert changed["State"] == "Enabling"
    assert place.told(1) == ["first"]
    found = place.lam.get_event_source_mapping(UUID=uuid)
    assert (found["State"], found["BatchSize"]) == ("Enabled", 5)
    place.lam.update_event_source_mapping(UUID=uuid, Enabled=False)
    place.sqs.send_message(QueueUrl=url, MessageBody="second")
    assert place.left(url) == (1, 0)


def test_mappings_survive_a_kill(new_cloud: Any) -> None:
    from tests.services.lambda_.conftest import ALLOW_ALL, TRUST, pack

    cloud = new_cloud()
    iam, lam, sqs = (cloud.client(name) for name in ("iam", "lambda", "sqs"))
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="all", PolicyDocument=json.dumps(ALLOW_ALL))
    source = sqs.create_queue(QueueName="in", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    sqs.create_queue(QueueName="out")
    text = (
        "import boto3\nsqs = boto3.client('sqs')\ndef handler(event, context):\n"
        "    url = sqs.get_queue_url(QueueName='out')['QueueUrl']\n"
        "    sqs.send_message(QueueUrl=url, MessageBody=event['Records'][0]['body'])\n"
    )
    lam.create_function(
        FunctionName="f",
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Timeout=5,
        Code={"ZipFile": pack(text)},
    )
    arn = "arn:aws:sqs:us-east-1:000000000000:in"
    lam.create_event_source_mapping(FunctionName="f", EventSourceArn=arn, BatchSize=1)
    sqs.send_message(QueueUrl=source, MessageBody="before or after")
    cloud.kill()
    cloud.start()
    sqs = cloud.client("sqs", read_timeout=40)
    out = sqs.get_queue_url(QueueName="out")["QueueUrl"]
    [message] = sqs.receive_message(QueueUrl=out, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "before or after"


def refusal(call: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**words)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"),
        ({"StartingPosition": "LATEST"}, "Unsupported StartingPosition parameter"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "["}]}}, "Invalid filter pattern definition"),
        ({"ScalingConfig": {"MaximumConcurrency": 1001}}, None),
        ({"ParallelizationFactor": 2}, "Unsupported ParallelizationFactor parameter"),
        ({"KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/x"}, "KMSKeyArn is not supported"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    place: Place, settings: dict[str, Any], words: str | None
) -> None:
    url = place.queue()
    function = place.function("pass")
    code, message = refusal(
        place.lam.create_event_source_mapping,
        FunctionName=function,
        EventSourceArn=place.arn(url),
        **settings,
    )
    assert code in ("InvalidParameterValueException", "ValidationException")
    assert words is None or words in message


def test_places_that_cannot_be_are_refused(place: Place) -> None:
    url = place.queue(VisibilityTimeout="5")
    create = place.lam.create_event_source_mapping
    slow = place.function("pass", Timeout=10)
    code, words = refusal(create, FunctionName=slow, EventSourceArn=place.arn(url))
    assert code == "InvalidParameterValueException"
    assert words == (
        "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"
    )
    code, _ = refusal(create, FunctionName=slow, EventSourceArn=place.arn(url) + "-not")
    assert code == "InvalidParameterValueException"
    code, _ = refusal(create, FunctionName="nobody", EventSourceArn=place.arn(url))
    assert code == "ResourceNotFoundException"
    quick = place.function("pass", Timeout=2)
    place.map(quick, place.arn(url))
    code, words = refusal(create, FunctionName=quick, EventSourceArn=place.arn(url))
    assert code == "ResourceConflictException"
    assert place.mappings[-1] in words
    listed = place.lam.list_event_source_mappings(FunctionName=quick)["EventSourceMappings"]
    assert [one["UUID"] for one in listed] == place.mappings
    code, _ = refusal(
        place.lam.get_event_source_mapping, UUID="00000000-0000-0000-0000-000000000000"
    )
    assert code == "ResourceNotFoundException"


def test_a_role_that_may_not_read_the_queue_is_refused(place: Place, cloud: Any) -> None:
    from tests.services.lambda_.conftest import TRUST, unique

    iam = cloud.client("iam")
    name = unique("poor")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    function = place.function("pass", Role=arn)
    code, words = refusal(
        place.lam.create_event_source_mapping,
        FunctionName=function,
        EventSourceArn=place.arn(place.queue()),
    )
    assert code == "InvalidParameterValueException"
    assert words == (
        "The function execution role does not have permissions to call ReceiveMessage on SQS"
    )


def test_a_loop_through_a_queue_is_stopped(place: Place) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"""
    dead = place.queue()
    redrive = json.dumps({"deadLetterTargetArn": place.arn(dead), "maxReceiveCount": 1})
    url = place.queue(RedrivePolicy=redrive, VisibilityTimeout="2")
    function = place.function(
        f"""
tell("round")
sqs.send_message(QueueUrl="{url}", MessageBody="on and on")
""",
        Timeout=2,
    )
    place.map(function, place.arn(url), BatchSize=1)
    place.sqs.send_message(QueueUrl=url, MessageBody="go")
    place.wait_until(lambda: place.left(dead) == (1, 0), 60)
    assert place.told(16) == ["round"] * 16
    assert place.left(place.out) == (0, 0)
