"""Functions that pools call: made from source, and permitted to be called."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.services.cognito.client import name


def package(source: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("app.py", source)
    return sink.getvalue()


@contextmanager
def trigger(cloud: Any, source: str, *, permitted: bool = True) -> Iterator[str]:
    """The ARN of a function whose `handler` is in `source`; any pool may call it."""
    iam, lam, function = cloud.client("iam"), cloud.client("lambda"), name("trigger")
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": allow})
    role = iam.create_role(RoleName=function, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    arn = lam.create_function(
        FunctionName=function,
        Role=role,
        Runtime="python3.11",
        Handler="app.handler",
        Code={"ZipFile": package(source)},
    )["FunctionArn"]
    if permitted:
        lam.add_permission(
            FunctionName=function,
            StatementId="pools",
            Action="lambda:InvokeFunction",
            Principal="cognito-idp.amazonaws.com",
            SourceArn="arn:aws:cognito-idp:us-east-1:000000000000:userpool/*",
        )
    yield arn
    lam.delete_function(FunctionName=function)
    iam.delete_role(RoleName=function)
