"""InvokeWithResponseStream, and URLs that stream.

https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
"""

from __future__ import annotations

import base64
import shutil
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.services.lambda_.calls.test_urls import open_to_all
from tests.services.lambda_.conftest import pack

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")

STREAMS = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  const out = awslambda.HttpResponseStream.from(stream, {
    statusCode: 203, headers: { "x-thing": "yes" }, cookies: ["a=1"] });
  out.write("first ");
  out.write("second");
  out.end();
});
"""
RAW = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType("text/plain");
  for (let n = 0; n < 100; n++) stream.write("x".repeat(10000));
  stream.end();
});
"""


def events_of(answer: Any) -> tuple[bytes, dict[str, Any]]:
    events = list(answer["EventStream"])
    payload = b"".join(e["PayloadChunk"]["Payload"] for e in events if "PayloadChunk" in e)
    assert "InvokeComplete" in events[-1]
    return payload, events[-1]["InvokeComplete"]


def test_a_buffered_function_streams_its_whole_answer(lam: Any, make: Any) -> None:
    answer = lam.invoke_with_response_stream(
        FunctionName=make(), Payload=b'{"a": 1}', LogType="Tail"
    )
    assert answer["ExecutedVersion"] == "$LATEST"
    payload, complete = events_of(answer)
    assert payload == b'{"a": 1}'
    assert "ErrorCode" not in complete
    assert b"REPORT RequestId" in base64.b64decode(complete["LogResult"])


def test_a_failure_ends_the_stream(lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    raise ValueError('no good')\n")
    payload, complete = events_of(lam.invoke_with_response_stream(FunctionName=name))
    assert payload == b""
    assert complete["ErrorCode"] == "Unhandled"
    assert "no good" in complete["ErrorDetails"]


@needs_node
def test_a_streaming_function_streams(lam: Any, make: Any) -> None:
    name = make(Runtime="nodejs22.x", Code={"ZipFile": pack(RAW, "index.js")}, MemorySize=256)
    payload, complete = events_of(lam.invoke_with_response_stream(FunctionName=name))
    assert payload == b"x" * 1_000_000
    assert "ErrorCode" not in complete


@needs_node
def test_a_url_streams_with_the_functions_status_and_headers(
    cloud: Any, lam: Any, make: Any
) -> None:
    name = make(Runtime="nodejs22.x", Code={"ZipFile": pack(STREAMS, "index.js")}, MemorySize=256)
    open_to_all(lam, name)
    url = lam.create_function_url_config(
        FunctionName=name, AuthType="NONE", InvokeMode="RESPONSE_STREAM"
    )["FunctionUrl"]
    request = urllib.request.Request(cloud.endpoint, headers={"Host": urlsplit(url).netloc})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 203
        assert answer.headers["x-thing"] == "yes"
        assert answer.headers["set-cookie"] == "a=1"
        assert answer.read() == b"first second"
