"""Receivers that are away, busy, or refuse: nothing ends, and losses are said."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.conftest import Cloud
from tests.services.telemetry.conftest import Receiver, Telling, wait_for

NAMED = "sqs.ListQueues"


def log_says(cloud: Cloud, *words: str) -> Any:
    return wait_for(lambda: all(word in cloud.log.read_text() for word in words))


def arrives(receiver: Receiver, name: str = NAMED) -> Any:
    return receiver.wait_for(lambda: name in {span.name for span in receiver.spans()})


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_receiver_is_asked_again(telling: Telling, receiver: Receiver, status: int) -> None:
    receiver.answers += [(status, {"retry-after": "1"}, b"")] * 2
    cloud = telling(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.url}/v1/traces")
    cloud.client("sqs").list_queues()
    arrives(receiver)
    assert receiver.answers == []
    assert "requests were dropped" not in cloud.log.read_text()


def test_a_batch_that_is_refused_is_dropped_and_said_and_the_next_one_is_sent(
    telling: Telling, receiver: Receiver
) -> None:
    receiver.answers.append((400, {}, b"what is\nthis"))
    cloud = telling(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.url}/v1/traces")
    cloud.client("sqs").list_queues()
    log_says(cloud, "requests were dropped", "answered 400: what is this")
    cloud.client("sns").list_topics()
    arrives(receiver, "sns.ListTopics")


def test_a_part_that_is_refused_is_said(telling: Telling, receiver: Receiver) -> None:
    partial = ExportTraceServiceResponse()
    partial.partial_success.rejected_spans = 7
    partial.partial_success.error_message = "too old"
    receiver.answers.append((200, {}, partial.SerializeToString()))
    cloud = telling(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.url}/v1/traces")
    cloud.client("sqs").list_queues()
    log_says(cloud, "requests were dropped", '"count": 7', "too old")


def test_a_receiver_that_is_away_slows_nothing_and_a_stop_does_not_wait_for_it(
    telling: Telling, receiver: Receiver
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        cloud = telling(
            OTEL_EXPORTER_OTLP_ENDPOINT=nobody,
            OTEL_BSP_MAX_QUEUE_SIZE="10",
            OTEL_BSP_MAX_EXPORT_BATCH_SIZE="5",
        )
        queues = cloud.client("sqs")
        for _ in range(60):
            queues.list_queues()
        log_says(cloud, "requests wait for their receiver", "requests were dropped")
        # This waits for half a minute, which is less than all attempts would take.
        assert cloud.stop() == 0
    assert "Traceback" not in cloud.log.read_text()


def test_a_receiver_that_never_answers_is_given_up_after_its_timeout(
    telling: Telling, receiver: Receiver
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cloud = telling(OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_TIMEOUT="300")
        cloud.client("sqs").list_queues()
        log_says(cloud, "no answer within 0.3 seconds")
        cloud.stop()


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    telling: Telling, receiver: Receiver, tmp_path: Any
) -> None:
    with_tls = Cloud(tmp_path / "with-tls", "--bare", "--tls").start()
    try:
        cloud = telling(OTEL_EXPORTER_OTLP_ENDPOINT=with_tls.endpoint)
        cloud.client("sqs").list_queues()
        log_says(cloud, "requests wait for their receiver", "certificate verify failed")
        trusting = telling(
            OTEL_EXPORTER_OTLP_ENDPOINT=with_tls.endpoint,
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(with_tls.data / "tls" / "ca.pem"),
        )
        trusting.client("sqs").list_queues()
        # It is no collector, but it was reached.
        log_says(trusting, "requests were dropped", "answered 4")
        context = ssl.create_default_context(cafile=str(with_tls.data / "tls" / "ca.pem"))
        health = f"{with_tls.endpoint}/_cumulet/health"
        with urllib.request.urlopen(health, timeout=30, context=context) as answer:
            assert answer.status == 200
    finally:
        with_tls.stop()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf or http/json"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "is written http://host:4318"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "a number of at least"),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, "gzip or none"),
        ({"OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such.pem"}, "cannot be read"),
    ],
)
def test_settings_that_mean_nothing_keep_the_cloud_from_its_start(
    telling: Telling, receiver: Receiver, variables: dict[str, str], words: str
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://127.0.0.1:4318", **variables}
    with pytest.raises(AssertionError, match=words):
        telling(**settings)
