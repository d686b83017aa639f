"""What tests of admission share: a function that authorizes, and keys and plans."""

from __future__ import annotations

import contextlib
import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

# Does as its token says; counts its invocations, which a warm environment keeps.
AUTHORIZER = """
import json
asked = 0

def handler(event, context):
    global asked
    asked += 1
    token = event.get("authorizationToken") or (event.get("headers") or {}).get("X-Who", "")
    if token == "nobody":
        raise Exception("Unauthorized")
    if token == "crash":
        raise RuntimeError("crashed")
    if token == "malformed":
        return {"principalId": "x"}
    if token == "nested":
        return {**grant("Allow", "*"), "context": {"deep": {"a": 1}}}
    if token == "deny":
        return grant("Deny", event["methodArn"])
    if token == "elsewhere":
        return grant("Allow", "arn:aws:execute-api:*:*:other/*")
    if token == "narrow":
        return grant("Allow", event["methodArn"])
    if token.startswith("key:"):
        return {**grant("Allow", "*"), "usageIdentifierKey": token[4:]}
    return {**grant("Allow", "*"), "context": {
        "asked": asked, "admin": True, "name": "Ann", "share": 0.5, "none": None,
        "event": json.dumps(event),
    }}

def grant(effect, resource):
    return {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}]}}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def make_function(cloud: Any, code: str, name: str) -> tuple[str, str]:
    """The ARNs of a new function and of its role."""
    iam, functions = cloud.client("iam"), cloud.client("lambda")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("index.py", code)
    made = functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="index.handler",
        Role=role["Arn"],
        Code={"ZipFile": sink.getvalue()},
    )
    return made["FunctionArn"], role["Arn"]


def uri_of(arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


@pytest.fixture
def function(cloud: Any) -> Iterator[str]:
    """A function that authorizes; any API may invoke it."""
    name = unique("auth")
    arn, _ = make_function(cloud, AUTHORIZER, name)
    cloud.client("lambda").add_permission(
        FunctionName=name,
        StatementId="any",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    yield arn
    cloud.client("lambda").delete_function(FunctionName=name)


@pytest.fixture
def made(client: Any) -> Iterator[Made]:
    """Makes keys and plans, and removes them afterwards."""
    things = Made(client)
    yield things
    things.remove()


class Made:
    """Keys and plans of one test."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.keys: list[str] = []
        self.plans: list[str] = []

    def key(self, **more: Any) -> dict[str, Any]:
        answer = self.client.create_api_key(**{"name": unique("key"), "enabled": True, **more})
        self.keys.append(answer["id"])
        return dict(answer)

    def plan(self, *stages: str, **more: Any) -> dict[str, Any]:
        """A plan for stages that are given as `{api}:{stage}`."""
        places = [dict(zip(("apiId", "stage"), one.split(":"), strict=True)) for one in stages]
        answer = self.client.create_usage_plan(
            **{"name": unique("plan"), "apiStages": places, **more}
        )
        self.plans.append(answer["id"])
        return dict(answer)

    def opened(self, api: Any, stage: str = "prod", **more: Any) -> tuple[str, str, str]:
        """A key in a new plan for a stage: the ids of plan and key, and the key's value."""
        plan, key = self.plan(f"{api.id}:{stage}", **more), self.key()
        self.client.create_usage_plan_key(
            usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY"
        )
        return plan["id"], key["id"], key["value"]

    def remove(self) -> None:
        for plan in self.plans:
            with contextlib.suppress(ClientError):
                stages = self.client.get_usage_plan(usagePlanId=plan)["apiStages"]
                self.client.update_usage_plan(
                    usagePlanId=plan,
                    patchOperations=[
                        {
                            "op": "remove",
                            "path": "/apiStages",
                            "value": f"{one['apiId']}:{one['stage']}",
                        }
                        for one in stages
                    ],
                )
                self.client.delete_usage_plan(usagePlanId=plan)
        for key in self.keys:
            with contextlib.suppress(ClientError):
                self.client.delete_api_key(apiKey=key)
