"""What tests of API Gateway share: a client, APIs that are cleaned up, and a raw HTTP caller."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

MOCK = {"application/json": '{"statusCode": 200}'}


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    """One API under test."""

    client: Any
    endpoint: str
    id: str
    root: str

    def resource(self, *parts: str) -> str:
        """The id of the resource with this path, made where it is missing."""
        known = {
            one["path"]: one["id"]
            for one in self.client.get_resources(restApiId=self.id, limit=500)["items"]
        }
        at, path = self.root, ""
        for part in parts:
            path += "/" + part
            if path not in known:
                known[path] = self.client.create_resource(
                    restApiId=self.id, parentId=at, pathPart=part
                )["id"]
            at = known[path]
        return at

    def method(self, verb: str, *parts: str, auth: str = "NONE", **more: Any) -> dict[str, str]:
        """Puts a method; answers the members that name it."""
        place = {"restApiId": self.id, "resourceId": self.resource(*parts), "httpMethod": verb}
        self.client.put_method(**place, authorizationType=auth, **more)
        return place

    def mock(self, verb: str, *parts: str, template: str = "{}", **more: Any) -> dict[str, str]:
        """Puts a method that answers 200 with what the template gives."""
        place = self.method(verb, *parts, **more)
        self.client.put_method_response(**place, statusCode="200")
        self.client.put_integration(**place, type="MOCK", requestTemplates=MOCK)
        self.client.put_integration_response(
            **place, statusCode="200", responseTemplates={"application/json": template}
        )
        return place

    def deploy(self, stage: str = "prod", **more: Any) -> str:
        """Deploys to a stage; answers the deployment's id."""
        made = self.client.create_deployment(restApiId=self.id, stageName=stage, **more)
        return str(made["id"])

    def call(
        self,
        verb: str,
        path: str,
        *,
        stage: str = "prod",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        host: str = "",
    ) -> Answer:
        """Sends the path exactly as it is given."""
        target = f"/{stage}{path}"
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=40)
        try:
            connection.putrequest(verb, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or f"{self.id}.execute-api.localhost")
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            connection.close()


@pytest.fixture(scope="session")
def client(cloud: Any) -> Any:
    return cloud.client("apigateway")


@pytest.fixture
def api(cloud: Any, client: Any) -> Iterator[Api]:
    made = client.create_rest_api(name=f"t-{uuid.uuid4().hex[:10]}")
    yield Api(client, cloud.endpoint, made["id"], made["rootResourceId"])
    with contextlib.suppress(ClientError):
        client.delete_rest_api(restApiId=made["id"])


@contextlib.contextmanager
def refused(code: str, message: str = "") -> Iterator[None]:
    """The call must fail with this code, and with this sentence when one is given."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code
    if message:
        assert error["Message"] == message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode("latin-1"),
        }
        self.server.seen.append(seen)  # type: ignore[attr-defined]
        status = int(self.headers.get("X-Want-Status") or 200)
        if self.headers.get("X-Want-Hang"):
            self.server.released.wait(30)  # type: ignore[attr-defined]
        if self.headers.get("X-Want-Cut"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
            self.close_connection = True
            return
        content = json.dumps(seen).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Backend", "yes")
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        if self.headers.get("X-Want-Chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (content[:5], content[5:]):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Backend(ThreadingHTTPServer):
    """A backend that tells what it was sent, and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def backend() -> Iterator[Backend]:
    server = Backend()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()
