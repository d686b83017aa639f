"""What `cumulet up` says of all functions holds for each of them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

CALLS_BACK = """
import boto3
def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
OPENS_A_SOCKET = """
import socket
def handler(event, context):
    try:
        socket.create_connection(("127.0.0.1", event["port"]), timeout=2).close()
    except OSError as problem:
        return type(problem).__name__
    return "connected"
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def client(cloud: Any, service: str, authority: str | None = None) -> Any:
    return cloud.session().client(service, endpoint_url=cloud.endpoint, verify=authority)


def make(cloud: Any, code: str, runtime: str = "python3.12", authority: str | None = None) -> Any:
    role = client(cloud, "iam", authority).create_role(
        RoleName="settings", AssumeRolePolicyDocument=json.dumps(TRUST)
    )["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", code)
    lambda_ = client(cloud, "lambda", authority)
    lambda_.create_function(
        FunctionName="f", Runtime=runtime, Role=role, Handler="app.handler", Timeout=20,
        MemorySize=256, Code={"ZipFile": package.getvalue()},
    )  # fmt: skip
    return lambda_


def result(lambda_: Any, event: dict[str, Any]) -> Any:
    answer = lambda_.invoke(FunctionName="f", Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def test_functions_of_a_cloud_with_tls_call_back(new_cloud: Any) -> None:
    cloud = new_cloud("--tls")
    authority = json.loads((cloud.data / "run.json").read_text())["authority"]
    lambda_ = make(cloud, CALLS_BACK, authority=authority)
    assert result(lambda_, {}) == "arn:aws:sts::000000000000:assumed-role/settings/f-"


def test_functions_without_network_reach_nothing(new_cloud: Any) -> None:
    cloud = new_cloud("--no-function-network")
    port = int(cloud.endpoint.rsplit(":", 1)[1])
    assert result(make(cloud, OPENS_A_SOCKET), {"port": port}) != "connected"


def test_functions_with_network_do(new_cloud: Any) -> None:
    cloud = new_cloud()
    port = int(cloud.endpoint.rsplit(":", 1)[1])
    assert result(make(cloud, OPENS_A_SOCKET), {"port": port}) == "connected"


def test_a_strict_cloud_refuses_a_runtime_that_is_not_here(new_cloud: Any) -> None:
    lambda_ = make(new_cloud("--strict-runtimes"), CALLS_BACK, runtime="python3.14")
    with pytest.raises(ClientError) as caught:
        result(lambda_, {})
    assert caught.value.response["Error"]["Code"] == "InvalidRuntimeException"
