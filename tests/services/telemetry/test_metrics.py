"""What services measure, at the receiver and at Prometheus, while they do all that they do."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import Cloud
from tests.services.telemetry.conftest import Receiver, Telling, told, wait_for

TOKEN = "a-token-of-thirty-two-characters"
NUMBERS = {"AttributeName": "id", "AttributeType": "S"}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def scrape(cloud: Cloud, accept: str = "", token: str = TOKEN) -> tuple[int, str, str]:
    asked = urllib.request.Request(f"{cloud.endpoint}/_cumulet/metrics")
    if token:
        asked.add_header("Authorization", f"Bearer {token}")
    if accept:
        asked.add_header("Accept", accept)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.headers["content-type"], answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, str(refused.headers.get("www-authenticate")), refused.read().decode()


def samples(cloud: Cloud) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    _, _, text = scrape(cloud)
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def value_of(cloud: Cloud, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(
        value
        for (found, under), value in samples(cloud).items()
        if found == name and wanted <= under
    )


def use_everything(cloud: Cloud, function: Callable[[Cloud], str]) -> None:
    """Each service that measures does what it measures."""
    tables = cloud.client("dynamodb")
    tables.create_table(
        TableName="told",
        AttributeDefinitions=[NUMBERS],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.put_item(TableName="told", Item={"id": {"S": "1"}})
    tables.get_item(TableName="told", Key={"id": {"S": "1"}})
    tables.update_table(TableName="told", DeletionProtectionEnabled=False)
    queue = cloud.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    received = cloud.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    [message] = received["Messages"]
    cloud.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    topic = cloud.client("sns").create_topic(Name="told")["TopicArn"]
    cloud.client("sns").publish(TopicArn=topic, Message="x")
    events = cloud.client("events")
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["told"]}))
    events.put_events(Entries=[{"Source": "told", "DetailType": "t", "Detail": "{}"}])
    bucket = cloud.client("s3")
    bucket.create_bucket(Bucket="told")
    bucket.put_bucket_metrics_configuration(
        Bucket="told", Id="all", MetricsConfiguration={"Id": "all"}
    )
    bucket.put_object(Bucket="told", Key="k", Body=b"x")
    name = function(cloud)
    assert cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")["StatusCode"] == 200
    call_an_api(cloud, name)
    tables.delete_table(TableName="told")


def call_an_api(cloud: Cloud, function: str) -> None:
    apis = cloud.client("apigatewayv2")
    arn = cloud.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    made = apis.create_api(Name="told", ProtocolType="HTTP", Target=arn)
    cloud.client("lambda").add_permission(
        FunctionName=function,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    host = f"{made['ApiId']}.execute-api.us-east-1.localhost"
    asked = urllib.request.Request(f"{cloud.endpoint}/", headers={"Host": host})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 200


def test_every_service_that_measures_works_while_it_is_told_on(
    telling: Telling,
    receiver: Receiver,
    function: Callable[[Cloud], str],
    token_file: Path,
) -> None:
    cloud = telling("--otlp", receiver.url, "--metrics-token-file", str(token_file))
    use_everything(cloud, function)
    wanted = {
        "amazonaws.com/AWS/DynamoDB/ConsumedWriteCapacityUnits",
        "amazonaws.com/AWS/DynamoDB/SuccessfulRequestLatency",
        "amazonaws.com/AWS/SQS/NumberOfMessagesSent",
        "amazonaws.com/AWS/SQS/SentMessageSize",
        "amazonaws.com/AWS/SNS/NumberOfMessagesPublished",
        "amazonaws.com/AWS/S3/PutRequests",
        "amazonaws.com/AWS/Events/MatchedEvents",
        "amazonaws.com/AWS/ApiGateway/Latency",
        "amazonaws.com/AWS/Lambda/Invocations",
        "http.server.request.duration",
        "process.memory.usage",
        "cumulet.store.keys",
    }
    wait_for(lambda: wanted <= set(receiver.metrics()))
    metrics = receiver.metrics()
    sent = metrics["amazonaws.com/AWS/SQS/NumberOfMessagesSent"]
    [point] = sent.sum.data_points
    assert (sent.sum.is_monotonic, sent.sum.aggregation_temporality) == (True, 2)
    assert point.as_double == 1.0
    assert told(point.attributes) == {
        "Namespace": "AWS/SQS",
        "MetricName": "NumberOfMessagesSent",
        "cloud.account.id": "000000000000",
        "cloud.region": "us-east-1",
        "QueueName": "told",
    }
    size = metrics["amazonaws.com/AWS/SQS/SentMessageSize"]
    [point] = size.histogram.data_points
    assert (point.count, point.sum, size.unit) == (1, 1.0, "By")
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert sum(point.bucket_counts) == 1
    # The same figures are CloudWatch's own.
    assert value_of(cloud, "aws_sqs_number_of_messages_sent_total", queue_name="told") == 1.0
    assert value_of(cloud, "aws_sqs_sent_message_size_bytes_sum", queue_name="told") == 1.0
    calls = {"name": "aws_lambda_invocations_total", "function_name": "told"}
    wait_for(lambda: value_of(cloud, **calls) >= 2.0)
    listed = cloud.client("cloudwatch").list_metrics(Namespace="AWS/SQS")["Metrics"]
    assert "NumberOfMessagesSent" in {one["MetricName"] for one in listed}
    log = cloud.log.read_text()
    assert "operation failed" not in log
    assert "not added up" not in log


def test_prometheus_reads_both_formats(
    telling: Telling, receiver: Receiver, token_file: Path
) -> None:
    cloud = telling("--metrics-token-file", str(token_file))
    queue = cloud.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="twelve bytes")
    status, kind, text = scrape(cloud)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = {one.name: one for one in text_string_to_metric_families(text)}
    assert families["aws_sqs_number_of_messages_sent"].type == "counter"
    assert families["cumulet_request_duration_seconds"].type == "histogram"
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6
    assert families["process_open_fds"].samples[0].value > 3
    assert families["process_cpu_seconds"].samples[0].value > 0
    assert families["cumulet_store_failed"].samples[0].value == 0
    assert families["cumulet_store_keys"].samples[0].value > 0
    status, kind, text = scrape(
        cloud, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    )
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    # This parser refuses what the standard forbids: no order, no end, a unit not of the name.
    open_families = {one.name: one for one in openmetrics.text_string_to_metric_families(text)}
    assert open_families["aws_sqs_sent_message_size_bytes"].unit == "bytes"
    assert set(open_families) == {name.removesuffix("_total") for name in families}
    told_of = value_of(
        cloud, "cumulet_request_duration_seconds_count", service="sqs", operation="SendMessage"
    )
    assert told_of == 1.0


@pytest.mark.parametrize("token", ["", "wrong-token-of-thirty-two-letters", TOKEN[:-1]])
def test_who_has_not_the_token_is_refused(
    telling: Telling, receiver: Receiver, token_file: Path, token: str
) -> None:
    cloud = telling("--metrics-token-file", str(token_file))
    status, asked_for, text = scrape(cloud, token=token)
    assert (status, asked_for) == (401, 'Bearer realm="cumulet"')
    assert "process_" not in text


def test_without_a_token_there_is_no_such_page(telling: Telling, receiver: Receiver) -> None:
    cloud = telling("--otlp", receiver.url)
    assert scrape(cloud)[0] == 404


def test_operations_that_strangers_make_up_are_one_series(
    telling: Telling, receiver: Receiver, token_file: Path
) -> None:
    cloud = telling("--metrics-token-file", str(token_file))
    for number in range(50):
        asked = urllib.request.Request(
            f"{cloud.endpoint}/",
            data=b"{}",
            headers={
                "X-Amz-Target": f"DynamoDB_20120810.MadeUp{number}",
                "Content-Type": "application/x-amz-json-1.0",
            },
        )
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(asked, timeout=60)
    _, _, text = scrape(cloud)
    assert "MadeUp" not in text
    assert value_of(cloud, "cumulet_request_duration_seconds_count", operation="_OTHER") >= 50


@pytest.mark.parametrize(
    ("content", "words"), [("short", "at least 16 characters"), (None, "cannot be read")]
)
def test_a_token_file_that_is_no_use_keeps_the_cloud_from_its_start(
    telling: Telling, receiver: Receiver, tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "other-token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AssertionError, match=words):
        telling("--metrics-token-file", str(path))
