"""What tests of served HTTP APIs share: a function that does as it is told."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# Answers what the header `x-answer` says (JSON), or else its whole event.
OBEDIENT = """
import json
import os

def handler(event, context):
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if event.get("type") == "REQUEST":
        return authorize(event, headers)
    if headers.get("x-crash"):
        raise RuntimeError("crashed")
    if headers.get("x-hang"):
        import time
        time.sleep(float(headers["x-hang"]))
    if "x-answer" in headers:
        return json.loads(headers["x-answer"])
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(event),
    }

CALLS = []

def authorize(event, headers):
    CALLS.append(1)
    said = headers.get("authorization") or ""
    if said == "unauthorized":
        raise Exception("Unauthorized")
    if said == "crash":
        raise RuntimeError("crashed")
    if said == "malformed":
        return {"hello": "you"}
    told = {"calls": str(len(CALLS)), "event": json.dumps(event)}
    if "simple" in said:
        return {"isAuthorized": "allow" in said, "context": {**told, "depth": 3}}
    arn = event.get("routeArn") or event["methodArn"]
    if said == "elsewhere":
        arn = "arn:aws:execute-api:*:*:other/*"
    if said == "everything":
        arn = "*"
    return {
        "principalId": "somebody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny" if said == "deny" else "Allow",
             "Action": "execute-api:Invoke", "Resource": arn}
        ]},
        "context": told,
    }
"""


@pytest.fixture(scope="session")
def role_of_functions(cloud: Any) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        },
    }
    return str(
        cloud.client("iam").create_role(
            RoleName=f"http-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=json.dumps(trust)
        )["Role"]["Arn"]
    )


@pytest.fixture(scope="session")
def make_function(cloud: Any, role_of_functions: str) -> Iterator[Callable[..., str]]:
    """Makes functions; anybody of API Gateway may invoke them unless it is said otherwise."""
    client = cloud.client("lambda")
    names: list[str] = []

    def make(code: str = OBEDIENT, *, is_open: bool = True, **settings: Any) -> str:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", code)
        name = f"http-{uuid.uuid4().hex[:8]}"
        arn = client.create_function(
            FunctionName=name,
            Role=role_of_functions,
            Runtime="python3.11",
            Handler="index.handler",
            Code={"ZipFile": packed.getvalue()},
            **{"Timeout": 30, **settings},
        )["FunctionArn"]
        names.append(name)
        if is_open:
            client.add_permission(
                FunctionName=name,
                StatementId="gateway",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
            )
        return str(arn)

    yield make
    for name in names:
        client.delete_function(FunctionName=name)


@pytest.fixture(scope="session")
def function(make_function: Callable[..., str]) -> str:
    """The ARN of a function that does as it is told."""
    return make_function()


def uri_of(function: str) -> str:
    """A function as authorizers name it."""
    region = function.split(":")[3]
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"
