"""Receivers of OTLP that OpenTelemetry's own messages decode, and clouds that tell them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.conftest import Cloud

WAIT_SECONDS = 60
OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
"""So that tests need not wait for the usual seconds."""


@dataclass
class Posted:
    """One batch as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def decoded(self) -> Any:
        """The message, as OpenTelemetry's own classes read it; raises for what is none."""
        kind = ExportTraceServiceRequest if "traces" in self.path else ExportMetricsServiceRequest
        body = self.body
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        message = kind()
        if self.headers["content-type"] == "application/json":
            json_format.ParseDict(_as_protobuf_json(json.loads(body)), message)
        else:
            assert self.headers["content-type"] == "application/x-protobuf"
            assert message.ParseFromString(body) == len(body)
            size = message.ByteSize()
            message.DiscardUnknownFields()
            assert message.ByteSize() == size, "a field is not one of OpenTelemetry's"
        return message


def _as_protobuf_json(value: Any, key: str = "") -> Any:
    """OTLP writes ids in hexadecimal digits, Protocol Buffers' own JSON in Base64."""
    if isinstance(value, dict):
        return {name: _as_protobuf_json(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_protobuf_json(one, key) for one in value]
    if key in ("traceId", "spanId", "parentSpanId"):
        return base64.b64encode(bytes.fromhex(value)).decode()
    return value


@dataclass
class Receiver:
    """What a collector would be; `answers` are given one after the other, then 200."""

    url: str = ""
    posted: list[Posted] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def taken(self, signal: str) -> list[Any]:
        """The messages of a signal (`traces`, `metrics`) that were answered with 200 so far."""
        with self.lock:
            kept = [one for one in self.posted if one.path.endswith(signal)]
        return [one.decoded() for one in kept]

    def spans(self) -> list[Any]:
        return [
            span
            for message in self.taken("traces")
            for of_resource in message.resource_spans
            for scoped in of_resource.scope_spans
            for span in scoped.spans
        ]

    def metrics(self) -> dict[str, Any]:
        """The newest of each metric, by its name."""
        return {
            metric.name: metric
            for message in self.taken("metrics")
            for of_resource in message.resource_metrics
            for scoped in of_resource.scope_metrics
            for metric in scoped.metrics
        }

    def wait_for(self, find: Callable[[], Any]) -> Any:
        """Ask until there is an answer."""
        return wait_for(find)


def wait_for(find: Callable[[], Any]) -> Any:
    end = time.monotonic() + WAIT_SECONDS
    while not (found := find()):
        assert time.monotonic() < end, "it did not come in time"
        threading.Event().wait(0.05)
    return found


def told(attributes: Any) -> dict[str, Any]:
    """Attributes as a dictionary of plain values."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with made.lock:
                status, more, answer = made.answers.pop(0) if made.answers else (200, {}, b"")
                if status == 200:
                    made.posted.append(Posted(self.path, headers, body))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


Telling = Callable[..., Cloud]


@pytest.fixture
def telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> Iterator[Telling]:
    """Makes a cloud that tells the receiver; arguments are options, keywords are variables."""
    made: list[Cloud] = []

    def make(*arguments: str, **variables: str) -> Cloud:
        for name, value in {**OFTEN, **variables}.items():
            monkeypatch.setenv(name, value)
        cloud = Cloud(tmp_path / f"data-{len(made)}", "--bare", *arguments)
        made.append(cloud.start())
        return cloud

    yield make
    for cloud in made:
        cloud.stop()


@pytest.fixture
def function() -> Callable[[Cloud], str]:
    """Makes a function that answers; returns its name."""

    def make(cloud: Cloud, name: str = "told") -> str:
        role = cloud.client("iam").create_role(
            RoleName=f"role-of-{name}", AssumeRolePolicyDocument=json.dumps(_TRUST)
        )["Role"]["Arn"]
        cloud.client("lambda").create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.12",
            Handler="index.handler",
            Code={"ZipFile": _zipped("def handler(event, context):\n    return {'ok': True}\n")},
        )
        return name

    return make


_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def _zipped(source: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", source)
    return packed.getvalue()
