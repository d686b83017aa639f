"""AWS's own X-Ray SDK, as it comes from PyPI, in a function; and who else may send as it does.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

from __future__ import annotations

import io
import json
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Cloud
from tests.services.lambda_.conftest import TRUST, payload_of, unique
from tests.services.xray.conftest import Trail, one, wait_until

FUNCTION = "AWS::Lambda::Function"
WHEELS = Path(__file__).parents[3] / ".cache" / "clients" / "xray-wheels"
WATCHED = """
import boto3
from aws_xray_sdk.core import patch_all, xray_recorder
patch_all()
def handler(event, context):
    with xray_recorder.in_subsegment("work") as work:
        work.put_annotation("tenant", "gold")
        boto3.client("sqs").list_queues()
        table = boto3.client("dynamodb")
        try:
            table.get_item(TableName="nothing-here", Key={"id": {"S": "1"}})
        except table.exceptions.ResourceNotFoundException:
            pass
"""
SEND = """
import json, os, socket
kept = []
def handler(event, context):
    host, _, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].partition(":")
    about = json.dumps({"format": "json", "version": 1})
    text = event["raw"] if "raw" in event else about + "\\n" + json.dumps(event["document"])
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    text = text.replace("PARENT", os.environ["_X_AMZN_TRACE_ID"].split("Parent=")[1][:16])
    sender.sendto(text.encode(), (host, int(port)))
    if event.get("closes"):
        sender.close()
    kept.append(sender)
    return host + ":" + port
"""


def package(text: str) -> bytes:
    """The function with the SDK, from the wheels that were fetched for this interpreter."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("index.py", text)
        for wheel in sorted(WHEELS.glob("*.whl")):
            if wheel.name.startswith(("aws_xray_sdk", "wrapt")):
                with zipfile.ZipFile(wheel) as content:
                    for name in content.namelist():
                        archive.writestr(name, content.read(name))
    return sink.getvalue()


def test_the_sdk_tells_its_calls_and_nobody_tells_them_again(
    trail: Trail, make: Callable[..., str]
) -> None:
    if not WHEELS.is_dir():
        pytest.skip("the wheels of aws-xray-sdk are not here; `make clients` fetches them")
    name = make(package=package(WATCHED))
    answer = trail.client("lambda").invoke(FunctionName=name)
    assert "FunctionError" not in answer, payload_of(answer)
    documents = trail.wait((name, FUNCTION), ("work", "local"), ("dynamodb", "aws"))
    work = one(documents, "work", "local")
    assert work["parent_id"] == one(documents, name, FUNCTION)["id"]
    assert work["annotations"] == {"tenant": "gold"}
    calls = [each for each in documents if each.get("namespace") == "aws"]
    calls += [each for each in work.get("subsegments", ()) if each.get("namespace") == "aws"]
    assert sorted(each["name"] for each in calls) == ["dynamodb", "sqs"]
    assert trail.graph()[FUNCTION] == {"AWS::DynamoDB::Table", "AWS::SQS"}
    xray = trail.cloud.client("xray")
    span = {"StartTime": work["start_time"] - 60, "EndTime": work["end_time"] + 60}
    text = f'annotation.tenant = "gold" AND service("{name}")'
    found = wait_until(
        lambda: xray.get_trace_summaries(**span, FilterExpression=text)["TraceSummaries"]
    )
    assert [each["Id"] for each in found] == [trail.id]


def segment(trail: Trail, name: str) -> dict[str, object]:
    begun = int(trail.id[2:10], 16)
    return {
        "id": "c" * 16,
        "trace_id": trail.id,
        "parent_id": "d" * 16,
        "type": "subsegment",
        "name": name,
        "start_time": begun,
        "end_time": begun + 1,
    }


def invoke(cloud: Cloud, name: str, event: dict[str, object]) -> str:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    assert "FunctionError" not in answer, payload_of(answer)
    return str(payload_of(answer))


def test_a_function_sends_for_itself_and_strangers_for_nobody(
    recorded: Cloud, make: Callable[..., str]
) -> None:
    name = make(SEND)
    stranger, own = Trail(recorded), Trail(recorded)
    host, _, port = invoke(recorded, name, {"raw": "no segment"}).partition(":")
    assert host == "127.0.0.1"
    text = '{"format": "json", "version": 1}\n' + json.dumps(segment(stranger, "forged"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(3):
            sender.sendto(text.encode(), (host, int(port)))
    invoke(recorded, name, {"document": segment(own, "mine")})
    own.wait(("mine", "subsegment"))
    assert stranger.documents() == []


def test_a_sender_that_is_gone_is_known_by_the_functions_segment(
    trail: Trail, make: Callable[..., str]
) -> None:
    # As the SDK for Node.js does, which closes its socket behind each segment.
    event = {"document": segment(trail, "gone") | {"parent_id": "PARENT"}, "closes": True}
    trail.client("lambda").invoke(FunctionName=make(SEND), Payload=json.dumps(event))
    trail.wait(("gone", "subsegment"))


def test_a_role_that_may_not_sends_nothing(recorded: Cloud, make: Callable[..., str]) -> None:
    iam = recorded.client("iam")
    name = unique("mute")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    refused, allowed = Trail(recorded), Trail(recorded)
    mute, loud = make(SEND, Role=role), make(SEND)
    invoke(recorded, mute, {"document": segment(refused, "mute")})
    invoke(recorded, loud, {"document": segment(allowed, "loud")})
    allowed.wait(("loud", "subsegment"))
    assert refused.documents() == []
