"""What tests of WebSocket APIs share: an API, its functions, clients, and a recording backend."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import queue
import socket
import threading
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from websockets.sync.client import ClientConnection, connect

# Does as its client says: by the query when connecting, by the message afterwards.
FUNCTION = """
import json
import os

def handler(event, context):
    if event.get("type") == "REQUEST":
        return authorize(event)
    said = event.get("queryStringParameters") or {}
    if event["requestContext"]["eventType"] == "MESSAGE":
        try:
            said = json.loads(event["body"])
            said = said if isinstance(said, dict) else {}
        except ValueError:
            said = {}
    if said.get("crash"):
        raise RuntimeError("crashed")
    if said.get("answer"):
        return json.loads(said["answer"])
    headers = {"Sec-WebSocket-Protocol": said["protocol"]} if said.get("protocol") else {}
    status = int(said.get("status", 200))
    return {"statusCode": status, "headers": headers, "body": json.dumps(event)}

def authorize(event):
    token = event["headers"].get("Auth", "")
    if token == "unauthorized":
        raise Exception("Unauthorized")
    if token == "crash":
        raise RuntimeError("crashed")
    if token == "malformed":
        return {"principalId": "x"}
    effect = "Deny" if token == "deny" else "Allow"
    arn = "arn:aws:execute-api:*:*:other/*" if token == "elsewhere" else event["methodArn"]
    return {
        "principalId": token,
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Action": "execute-api:Invoke", "Resource": arn}
        ]},
        "context": {"room": "blue", "depth": 3, "told": json.dumps(sorted(event))},
        "usageIdentifierKey": event["headers"].get("Key", ""),
    }
"""


def make_function(cloud: Any, code: str = FUNCTION) -> str:
    """A function that anybody of API Gateway may invoke; its ARN."""
    name = f"sockets-{uuid.uuid4().hex[:10]}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    role = cloud.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )["Role"]["Arn"]
    functions = cloud.client("lambda")
    made = functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    functions.add_permission(
        FunctionName=name,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    return str(made["FunctionArn"])


def uri_of(function: str) -> str:
    """How an integration or an authorizer names a function."""
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"


@pytest.fixture(scope="session")
def function(cloud: Any) -> str:
    """The function of all tests."""
    return make_function(cloud)


@dataclass
class SocketApi:
    """One WebSocket API under test."""

    cloud: Any
    client: Any
    id: str
    stage: str = "prod"
    opened: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def port(self) -> int:
        return int(self.cloud.endpoint.rpartition(":")[2])

    @property
    def host(self) -> str:
        return f"{self.id}.execute-api.localhost:{self.port}"

    def proxy(self, function: str, **more: Any) -> str:
        """An integration with a function; its id."""
        uri = (
            f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
        )
        return self.integration("AWS_PROXY", IntegrationUri=uri, **more)

    def integration(self, kind: str, **more: Any) -> str:
        made = self.client.create_integration(ApiId=self.id, IntegrationType=kind, **more)
        return str(made["IntegrationId"])

    def route(
        self, key: str, integration: str | None, *, answers: bool = False, **more: Any
    ) -> str:
        """A route; with `answers`, one whose answers go to the client."""
        if integration is not None:
            more["Target"] = f"integrations/{integration}"
        if answers:
            more["RouteResponseSelectionExpression"] = "$default"
        made = self.client.create_route(ApiId=self.id, RouteKey=key, **more)
        if answers:
            self.client.create_route_response(
                ApiId=self.id, RouteId=made["RouteId"], RouteResponseKey="$default"
            )
        return str(made["RouteId"])

    def deploy(self, **more: Any) -> None:
        """Deploys what there is to the stage, which is made when it is not there."""
        made = self.client.create_deployment(ApiId=self.id)["DeploymentId"]
        place = {"ApiId": self.id, "StageName": self.stage, "DeploymentId": made}
        try:
            self.client.update_stage(**place, **more)
        except self.client.exceptions.NotFoundException:
            self.client.create_stage(**place, **more)

    def connect(
        self, query: str = "", *, path: str = "", by_path: bool = False, uri: str = "", **more: Any
    ) -> ClientConnection:
        """A client, connected by the API's host, by the path form, or by an address given."""
        line = socket.create_connection(("127.0.0.1", self.port))
        if by_path:
            address = f"127.0.0.1:{self.port}/_aws/execute-api/{self.id}/{self.stage}"
        else:
            address = f"{self.host}/{self.stage}"
        uri = uri or f"ws://{address}{path}" + (f"?{query}" if query else "")
        self.opened.callback(line.close)
        settings = {"compression": None, "close_timeout": 1, **more}
        return self.opened.enter_context(connect(uri, sock=line, **settings))

    def management(self, key: tuple[str, ...] | None = None, *, base: str | None = None) -> Any:
        """A client of `@connections`, by the path form unless a base is given."""
        if base is None:
            base = f"/_aws/execute-api/{self.id}/{self.stage}"
        session: boto3.Session = self.cloud.session(key)
        return session.client(
            "apigatewaymanagementapi",
            endpoint_url=self.cloud.endpoint + base,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def by_host(
        self, verb: str, connection_id: str, body: bytes = b"", *, host: str = "", base: str = ""
    ) -> tuple[int, bytes]:
        """A signed request to the API's own host, or to another one."""
        host = host or self.host
        path = f"{base or '/' + self.stage}/@connections/{connection_id}"
        request = AWSRequest(verb, f"http://{host}{path}", data=body)
        SigV4Auth(Credentials(*self.cloud.root_key), "execute-api", "us-east-1").add_auth(request)
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request(verb, path, body, {**dict(request.headers), "Host": host})
            got = line.getresponse()
            return got.status, got.read()
        finally:
            line.close()


def told(client: ClientConnection, message: Any = None) -> Any:
    """Sends a message if one is given; the next answer, as JSON."""
    if message is not None:
        client.send(message if isinstance(message, str) else json.dumps(message))
    return json.loads(client.recv(timeout=20))


@contextlib.contextmanager
def socket_api(cloud: Any, **more: Any) -> Iterator[SocketApi]:
    client = cloud.client("apigatewayv2")
    settings = {"RouteSelectionExpression": "$request.body.action", **more}
    made = client.create_api(
        Name=f"s-{uuid.uuid4().hex[:10]}", ProtocolType="WEBSOCKET", **settings
    )
    api = SocketApi(cloud, client, made["ApiId"])
    try:
        yield api
    finally:
        api.opened.close()
        with contextlib.suppress(ClientError):
            client.delete_api(ApiId=api.id)


@pytest.fixture
def sockets(cloud: Any) -> Iterator[SocketApi]:
    """A bare WebSocket API, deployed to nowhere."""
    with socket_api(cloud) as api:
        yield api


@pytest.fixture(scope="module")
def echo(cloud: Any, function: str) -> Iterator[SocketApi]:
    """An API whose function answers with the event that it got."""
    with socket_api(cloud) as api:
        behind = api.proxy(function)
        api.route("$connect", behind)
        api.route("$default", behind, answers=True)
        api.route("shout", behind, answers=True)
        api.route("quiet", behind)
        api.deploy()
        yield api


class Recorder:
    """An HTTP backend that keeps what it is asked and answers as it is told."""

    def __init__(self) -> None:
        self.asked: queue.Queue[tuple[str, str, dict[str, str], bytes]] = queue.Queue()
        self.status, self.headers, self.body = 200, {"X-Mood": "calm"}, b"recorded"
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                named = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.put((self.command, self.path, named, body))
                outer.gate.wait(20)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                # A gateway that has given up is gone.
                with contextlib.suppress(ConnectionError):
                    self.end_headers()
                    self.wfile.write(outer.body)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """It answers nobody until the block ends."""
        self.gate.clear()
        yield
        self.gate.set()

    def close(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    yield made
    made.close()
