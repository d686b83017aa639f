"""Requests as OpenTelemetry's spans, read by OpenTelemetry's own classes."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.telemetry.conftest import Receiver, Telling, told

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def span_of(receiver: Receiver, name: str) -> Any:
    return receiver.wait_for(
        lambda: next((span for span in receiver.spans() if span.name == name), None)
    )


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_request_is_a_span_with_the_spans_within_it(
    telling: Telling, receiver: Receiver, protocol: str, compression: str
) -> None:
    cloud = telling(
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_EXPORTER_OTLP_COMPRESSION=compression,
        OTEL_EXPORTER_OTLP_HEADERS="x-tenant=blue%20sky,authorization=Bearer abc",
        OTEL_SERVICE_NAME="my-cloud",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )
    answer = cloud.client("sqs").list_queues()
    span = span_of(receiver, "sqs.ListQueues")
    inner = [one for one in receiver.spans() if one.parent_span_id == span.span_id]
    about = told(span.attributes)
    assert span.kind == 2
    assert about["rpc.system"] == "aws-api"
    assert (about["rpc.service"], about["rpc.method"]) == ("sqs", "ListQueues")
    assert about["http.response.status_code"] == 200
    assert about["aws.request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert about["cloud.account.id"] == "000000000000"
    assert about["cloud.region"] == "us-east-1"
    assert about["server.port"] == int(cloud.endpoint.rpartition(":")[2])
    assert [one.name for one in inner] == ["sqs.ListQueues"]
    assert inner[0].trace_id == span.trace_id
    assert span.start_time_unix_nano <= inner[0].start_time_unix_nano
    assert inner[0].end_time_unix_nano <= span.end_time_unix_nano
    [batch, *_] = [one for one in receiver.posted if one.path == "/v1/traces"]
    assert batch.headers["x-tenant"] == "blue sky"
    assert batch.headers["authorization"] == "Bearer abc"
    [of_resource] = batch.decoded().resource_spans
    resource = told(of_resource.resource.attributes)
    assert resource["service.name"] == "my-cloud"
    assert resource["deployment.environment.name"] == "test"
    assert resource["cloud.account.id"] == "000000000000"
    assert resource["cloud.region"] == "us-east-1"


def test_a_traceparent_joins_the_callers_trace(telling: Telling, receiver: Receiver) -> None:
    cloud = telling("--otlp", receiver.url)
    for flags in ("00", "01"):
        asked = urllib.request.Request(
            f"{cloud.endpoint}/_cumulet/health",
            headers={"traceparent": f"00-{TRACE}-{PARENT}-{flags}"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status == 200
    span = span_of(receiver, "GET")
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == PARENT
    cloud.stop()
    joined = [one for one in receiver.spans() if one.trace_id.hex() == TRACE]
    assert len(joined) == 1, "the one whose caller does not record it must not be told"


def test_a_function_that_is_invoked_is_a_span_of_the_caller(
    telling: Telling, receiver: Receiver, function: Any
) -> None:
    cloud = telling("--otlp", receiver.url)
    name = function(cloud)
    cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    span = span_of(receiver, f"lambda.{name}")
    around = span_of(receiver, "lambda.Invoke")
    assert told(span.attributes)["faas.invoked_name"] == name
    assert told(span.attributes)["faas.invoked_provider"] == "aws"
    assert span.kind == 3
    assert span.trace_id == around.trace_id


def test_a_failure_of_ours_has_the_status_of_an_error_and_a_refusal_has_its_code(
    telling: Telling, receiver: Receiver
) -> None:
    cloud = telling("--otlp", receiver.url)
    with pytest.raises(ClientError):
        cloud.client("sqs").get_queue_url(QueueName="no-such")
    with pytest.raises(ClientError):
        cloud.client("iam").list_virtual_mfa_devices()
    refused = span_of(receiver, "sqs.GetQueueUrl")
    assert told(refused.attributes)["error.type"] == "QueueDoesNotExist"
    assert refused.status.code == 0
    span = span_of(receiver, "iam.ListVirtualMFADevices")
    assert (told(span.attributes)["http.response.status_code"], span.status.code) == (501, 2)


def test_what_is_sampled_out_is_not_told(telling: Telling, receiver: Receiver) -> None:
    cloud = telling("--otlp", receiver.url, OTEL_TRACES_SAMPLER="always_off")
    cloud.client("sqs").list_queues()
    cloud.stop()
    assert receiver.spans() == []


def test_what_waits_is_sent_at_the_stop(telling: Telling, receiver: Receiver) -> None:
    cloud = telling(
        "--otlp",
        receiver.url,
        OTEL_BSP_SCHEDULE_DELAY="600000",
        OTEL_METRIC_EXPORT_INTERVAL="600000",
    )
    cloud.client("sqs").list_queues()
    cloud.stop()
    assert "sqs.ListQueues" in {span.name for span in receiver.spans()}
    assert "http.server.request.duration" in receiver.metrics()


def test_nothing_is_sent_when_the_sdk_is_disabled(telling: Telling, receiver: Receiver) -> None:
    cloud = telling("--otlp", receiver.url, OTEL_SDK_DISABLED="true")
    cloud.client("sqs").list_queues()
    cloud.stop()
    assert receiver.posted == []
