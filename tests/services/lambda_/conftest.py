"""What tests of functions share: an execution role, packages, and functions that are cleaned up."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

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
ALLOW_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ECHO = "def handler(event, context):\n    return event\n"


def pack(text: str = ECHO, name: str = "index.py", **others: str) -> bytes:
    """A package with one file, and others named `module=text`; the same bytes each time."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
        for module, content in others.items():
            archive.writestr(zipfile.ZipInfo(f"{module}.py"), content)
    return sink.getvalue()


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def payload_of(answer: dict[str, Any]) -> Any:
    """The result in an Invoke answer."""
    return json.loads(answer["Payload"].read())


def tail_of(answer: dict[str, Any]) -> str:
    """The log tail in an Invoke answer."""
    return base64.b64decode(answer["LogResult"]).decode()


@pytest.fixture(scope="session")
def lam(cloud: Any) -> Any:
    return cloud.client("lambda")


@pytest.fixture(scope="session")
def role(cloud: Any) -> str:
    """A role that Lambda may assume and that may do everything."""
    iam = cloud.client("iam")
    name = unique("lambda-tests")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALLOW_ALL))
    return str(arn)


@pytest.fixture
def make(lam: Any, role: str) -> Iterator[Callable[..., str]]:
    """Makes a Python function from its text and answers its name; all are deleted at the end."""
    made: list[str] = []

    def make_function(text: str = ECHO, **settings: Any) -> str:
        name = settings.pop("FunctionName", None) or unique("f")
        lam.create_function(
            **{
                "FunctionName": name,
                "Role": role,
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Code": {"ZipFile": pack(text)},
                **settings,
            }
        )
        made.append(name)
        return name

    yield make_function
    for name in made:
        with contextlib.suppress(lam.exceptions.ResourceNotFoundException):
            lam.delete_function(FunctionName=name)
