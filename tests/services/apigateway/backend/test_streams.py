"""Streamed answers of functions and of HTTP backends, and kept connections.

https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import ssl
import threading
import time

import pytest
from tests.services.apigateway.conftest import refused

STREAM = "response-streaming-invocations"


def stream_uri(arn):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/{arn}/{STREAM}"


NODE = """
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const out = awslambda.HttpResponseStream.from(stream, {
    statusCode: 203, headers: { "x-path": event.path, "content-type": "text/plain" },
    cookies: ["a=1", "b=2"] });
  out.write("one ");
  await new Promise(done => setTimeout(done, 50));
  out.write("two");
  out.end();
});
"""
BARE = """
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.write("no prelude"); stream.end(); });
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_function_streams_its_answer(api, function):
    for part, text in (("s", NODE), ("bare", BARE)):
        arn = function(text, runtime="nodejs20.x", file="index.js")
        api.client.put_integration(
            **api.method("GET", part),
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=stream_uri(arn),
            responseTransferMode="STREAM",
            timeoutInMillis=60_000,
        )
    api.deploy()
    answer = api.call("GET", "/s")
    assert (answer.status, answer.body) == (203, b"one two")
    assert answer.headers["X-Path"] == "/s"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.headers["Transfer-Encoding"] == "chunked"
    bare = api.call("GET", "/bare")
    assert (bare.status, bare.json) == (502, {"message": "Internal server error"})


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "MOCK", "responseTransferMode": "STREAM"},
        {"type": "HTTP_PROXY", "timeoutInMillis": 29_001, "uri": "http://a.example/"},
        {
            "type": "HTTP_PROXY",
            "responseTransferMode": "STREAM",
            "timeoutInMillis": 900_001,
            "uri": "http://a.example/",
        },
        {
            "type": "AWS_PROXY",
            "uri": stream_uri("arn:aws:lambda:us-east-1:123456789012:function:f"),
        },
    ],
)
def test_transfer_modes_are_checked(api, settings):
    with refused("BadRequestException"):
        api.client.put_integration(**api.method("GET"), integrationHttpMethod="POST", **settings)


def test_a_transfer_mode_outside_of_the_model_is_refused(api):
    settings = {"type": "HTTP_PROXY", "uri": "http://a.example/", "responseTransferMode": "DRIP"}
    with refused("ValidationException"):
        api.client.put_integration(**api.method("GET"), integrationHttpMethod="POST", **settings)


class Slow:
    """A backend that sends a piece, waits to be told, and sends the rest."""

    def __init__(self):
        self.is_silent = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.go_on = threading.Event()
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        connection, _ = self.listener.accept()
        self.connection = connection
        with connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/x\r\n\r\n"
                b"5\r\nfirst\r\n"
            )
            if not self.is_silent:
                self.go_on.wait(30)
                connection.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
            try:
                if not connection.recv(1):
                    self.closed.set()
            except ConnectionError:
                self.closed.set()

    def close(self):
        self.go_on.set()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


@pytest.fixture
def slow():
    backend = Slow()
    yield backend
    backend.close()


def test_a_piece_comes_before_the_backend_has_ended(api, slow):
    api.client.put_integration(
        **api.method("GET"),
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri=slow.url,
        responseTransferMode="STREAM",
    )
    api.deploy()
    connection = http.client.HTTPConnection(api.endpoint.removeprefix("http://"), timeout=20)
    connection.request("GET", "/prod/", headers={"Host": f"{api.id}.execute-api.localhost"})
    answer = connection.getresponse()
    assert answer.read(5) == b"first"
    slow.go_on.set()
    assert answer.read() == b"second"
    connection.close()


def test_a_client_that_goes_ends_the_backends_connection(api, slow):
    slow.is_silent = True
    api.client.put_integration(
        **api.method("GET"),
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri=slow.url,
        responseTransferMode="STREAM",
    )
    api.deploy()
    connection = http.client.HTTPConnection(api.endpoint.removeprefix("http://"), timeout=20)
    connection.request("GET", "/prod/", headers={"Host": f"{api.id}.execute-api.localhost"})
    answer = connection.getresponse()
    assert answer.read(5) == b"first"
    connection.sock.close() if connection.sock else None
    answer.close()
    connection.close()
    assert slow.closed.wait(20)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def proxied(api, url, verb="GET", **more):
    api.client.put_integration(
        **api.method(verb), type="HTTP_PROXY", integrationHttpMethod=verb, uri=url, **more
    )
    api.deploy()


def test_a_connection_is_used_again(api, counting):
    backend = counting(lambda number, count: OK)
    proxied(api, f"http://127.0.0.1:{backend.port}/")
    for _ in range(5):
        assert api.call("GET", "/").body == b"ok"
    assert backend.connections == 1
    assert len(backend.requests) == 5


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ],
)
def test_a_connection_that_cannot_be_trusted_is_not(api, counting, answer):
    backend = counting(lambda number, count: answer)
    proxied(api, f"http://127.0.0.1:{backend.port}/")
    for _ in range(3):
        assert api.call("GET", "/").body == b"ok"
    assert backend.connections == 3


def test_a_kept_connection_that_is_gone_is_replaced(api, counting):
    # Each connection answers once, keeps open, and ends when it is used again.
    backend = counting(lambda number, count: OK if count == 1 else None)
    proxied(api, f"http://127.0.0.1:{backend.port}/")
    for _ in range(3):
        assert api.call("GET", "/").body == b"ok"
    assert backend.connections == 3


def test_a_request_that_changes_something_is_not_sent_twice(api, counting):
    backend = counting(lambda number, count: OK if count == 1 else None)
    proxied(api, f"http://127.0.0.1:{backend.port}/", "POST")
    assert api.call("POST", "/", body=b"x").body == b"ok"
    assert api.call("POST", "/", body=b"x").status == 504
    assert len(backend.requests) == 2


def test_an_interim_answer_does_not_count(api, counting):
    backend = counting(lambda number, count: b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
    proxied(api, f"http://127.0.0.1:{backend.port}/")
    answer = api.call("GET", "/")
    assert (answer.status, answer.body, answer.headers["Link"]) == (200, b"ok", None)


def test_a_backend_that_hangs_is_given_up_in_time(api, counting):
    released = threading.Event()

    def script(number, count):
        released.wait(20)
        return OK

    backend = counting(script)
    proxied(api, f"http://127.0.0.1:{backend.port}/", timeoutInMillis=100)
    begun = time.monotonic()
    answer = api.call("GET", "/")
    released.set()
    assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})
    assert time.monotonic() - begun < 10


@pytest.fixture
def own_certificate(tmp_path):
    from cumulet.edge.tls.contexts import server_context

    context = server_context(tmp_path / "tls", ("127.0.0.1", "localhost"))
    assert isinstance(context, ssl.SSLContext)
    return context


def test_a_certificate_is_checked_unless_told_otherwise(api, counting, own_certificate):
    backend = counting(lambda number, count: OK, own_certificate)
    url = f"https://127.0.0.1:{backend.port}/"
    proxied(api, url)
    answer = api.call("GET", "/")
    assert (answer.status, answer.json) == (
        504,
        {"message": "Network error communicating with endpoint"},
    )
    api.client.update_integration(
        restApiId=api.id,
        resourceId=api.root,
        httpMethod="GET",
        patchOperations=[
            {"op": "replace", "path": "/tlsConfig/insecureSkipVerification", "value": "true"}
        ],
    )
    api.deploy()
    assert api.call("GET", "/").body == b"ok"
