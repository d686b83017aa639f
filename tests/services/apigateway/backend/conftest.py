"""What tests of backends share: roles that the gateway may take, and functions."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def role(cloud: Any) -> Callable[..., str]:
    """Makes a role for API Gateway, or for another service, that may do the given actions."""
    iam = cloud.client("iam")

    def make(*actions: str, service: str = "apigateway") -> str:
        name = unique("r")
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": f"{service}.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        if actions:
            policy = {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
            }
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        return str(made["Arn"])

    return make


@pytest.fixture
def function(cloud: Any, role: Any) -> Iterator[Callable[..., str]]:
    """Makes a function that anybody's gateway may invoke, and answers its ARN."""
    functions = cloud.client("lambda")
    made: list[str] = []

    def make(text: str, *, runtime: str = "python3.11", file: str = "index.py") -> str:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            archive.writestr(file, text)
        name = unique("f")
        arn = functions.create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler="index.handler",
            Role=role(service="lambda"),
            Code={"ZipFile": sink.getvalue()},
        )["FunctionArn"]
        made.append(name)
        functions.add_permission(
            FunctionName=name,
            StatementId="gateway",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        return str(arn)

    yield make
    for name in made:
        functions.delete_function(FunctionName=name)


def lambda_uri(arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def responses(api: Any, place: dict[str, str], *codes: str, **default: Any) -> None:
    """Method and integration responses: the first code is the default, others by their status."""
    for number, code in enumerate(codes):
        api.client.put_method_response(
            **place,
            statusCode=code,
            responseParameters=dict.fromkeys(default.get("responseParameters") or {}, False),
        )
        pattern = {"selectionPattern": code} if number else {}
        api.client.put_integration_response(**place, statusCode=code, **pattern, **default)


def signed(
    api: Any, key: tuple[str, str], verb: str, path: str, body: bytes = b"", **headers: str
) -> dict[str, str]:
    """The headers of a request to the stage `prod`, signed with the key."""
    host = f"{api.id}.execute-api.localhost"
    request = AWSRequest(
        verb, f"http://{host}/prod{path}", headers={"Host": host, **headers}, data=body
    )
    SigV4Auth(Credentials(*key), "execute-api", "us-east-1").add_auth(request)
    found = dict(request.headers.items())
    found.pop("Host")
    return found


class Counting:
    """A backend that keeps connections open, and counts them; `script` answers each request."""

    def __init__(self, script, context=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.script = script
        self.context = context
        self.connections = 0
        self.open = []
        self.requests = []
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            thread = threading.Thread(target=self.serve, args=(connection, self.connections))
            thread.start()
            self.threads.append(thread)

    def serve(self, connection, number):
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                self.open.append(connection)
            with connection:
                count = 0
                while data := connection.recv(65536):
                    count += 1
                    self.requests.append(data)
                    answer = self.script(number, count)
                    if answer is None:
                        return
                    connection.sendall(answer)
        except OSError:
            return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(20)


@pytest.fixture
def counting():
    made = []

    def make(script, context=None):
        made.append(Counting(script, context))
        return made[-1]

    yield make
    for one in made:
        one.close()
