"""What functions write, in CloudWatch Logs.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

from __future__ import annotations

import base64
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.services.lambda_.conftest import TRUST, unique

SECONDS_MAX = 30


def messages(cloud: Any, group: str, wanted: str) -> list[str]:
    """The group's messages in order, once one of them holds `wanted`."""
    logs = cloud.client("logs")
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        try:
            found = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            continue
        if any(wanted in each["message"] for each in found):
            return [each["message"] for each in found]
    raise AssertionError(f"{wanted!r} did not come to {group}")


def test_lines_come_to_the_functions_group(cloud: Any, lam: Any, make: Any) -> None:
    name = make("def handler(event, context):\n    print('hello from', event['n'])\n")
    answer = lam.invoke(FunctionName=name, Payload=b'{"n": 5}')
    request_id = answer["ResponseMetadata"]["RequestId"]
    found = messages(cloud, f"/aws/lambda/{name}", "REPORT")
    assert f"START RequestId: {request_id} Version: $LATEST\n" in found
    assert "hello from 5\n" in found
    streams = cloud.client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{name}")
    stream = streams["logStreams"][0]["logStreamName"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)


def test_the_group_can_be_chosen(cloud: Any, lam: Any, make: Any) -> None:
    group = unique("/mine/group")
    name = make("def handler(event, context):\n    print('x')\n", LoggingConfig={"LogGroup": group})
    lam.invoke(FunctionName=name)
    assert "x\n" in messages(cloud, group, "REPORT")


def test_json_logs_are_records_and_respect_the_levels(cloud: Any, lam: Any, make: Any) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
    name = make(
        "import logging\n"
        "def handler(event, context):\n"
        "    logging.getLogger().info('too low')\n"
        "    logging.getLogger().error('high enough')\n",
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"},
    )
    answer = lam.invoke(FunctionName=name)
    found = messages(cloud, f"/aws/lambda/{name}", "platform.report")
    records = [json.loads(each) for each in found]
    types = [each["type"] for each in records if "type" in each]
    assert types == ["platform.initStart", "platform.start", "platform.report"]
    report = records[-1]["record"]
    assert report["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert report["status"] == "success"
    assert report["metrics"]["memorySizeMB"] == 128
    assert any(each.get("message") == "high enough" for each in records)
    assert not any(each.get("message") == "too low" for each in records)


def test_a_role_without_logs_permission_writes_none(cloud: Any, lam: Any, make: Any) -> None:
    iam = cloud.client("iam")
    silent = iam.create_role(RoleName=unique("silent"), AssumeRolePolicyDocument=json.dumps(TRUST))[
        "Role"
    ]["Arn"]
    quiet = make("def handler(event, context):\n    print('unheard')\n", Role=silent)
    answer = lam.invoke(FunctionName=quiet, LogType="Tail")
    assert answer["LogResult"]
    loud = make("def handler(event, context):\n    print('heard')\n")
    lam.invoke(FunctionName=loud)
    messages(cloud, f"/aws/lambda/{loud}", "REPORT")
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{quiet}")
    assert groups["logGroups"] == []


def test_each_environment_has_a_stream_of_its_own(cloud: Any, lam: Any, make: Any) -> None:
    name = make(
        "import os\n"
        "def handler(event, context):\n"
        "    if event == 'die':\n"
        "        os._exit(1)\n"
        "    print('in', context.log_stream_name)\n"
        "    return context.log_stream_name\n"
    )
    first = [json.load(lam.invoke(FunctionName=name)["Payload"]) for _ in range(2)]
    assert first[0] == first[1]
    died = lam.invoke(FunctionName=name, Payload=b'"die"')
    assert died["FunctionError"] == "Unhandled"
    second = json.load(lam.invoke(FunctionName=name)["Payload"])
    assert second != first[0]
    group = f"/aws/lambda/{name}"
    messages(cloud, group, f"in {second}")
    logs = cloud.client("logs")
    for stream, calls in ((first[0], 3), (second, 1)):
        found = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        words = [each["message"].split()[0] for each in found]
        assert words.count("INIT_START") == 1
        assert words.count("START") == calls
        assert all(f"in {stream}" in e["message"] for e in found if e["message"][:3] == "in ")


def test_a_burst_is_served_by_fewer_environments_each_with_its_init_told_once(
    cloud: Any, lam: Any, make: Any
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
    name = make("print('begins')\ndef handler(event, context):\n    return 1\n")
    with ThreadPoolExecutor(16) as threads:
        calls = [threads.submit(lam.invoke, FunctionName=name, LogType="Tail") for _ in range(16)]
        tails = [base64.b64decode(call.result()["LogResult"]).decode() for call in calls]
    cold = sum("Init Duration" in tail for tail in tails)
    assert 1 <= cold < 16
    assert sum("INIT_START" in tail and "begins" in tail for tail in tails) == cold
    lam.invoke(FunctionName=name, Payload=b'"last"')
    group = f"/aws/lambda/{name}"
    logs = cloud.client("logs")
    messages(cloud, group, "INIT_START")
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        found = [each["message"] for each in events_of(logs, group)]
        begun = sum(each.startswith("INIT_START") for each in found)
        # One that no call needed any more may begin after all calls have ended.
        ended = sum(each.startswith("REPORT") for each in found) == 17
        if ended and begun == found.count("begins\n"):
            break
    assert begun == found.count("begins\n") >= cold
    assert sum("Init Duration" in each for each in found) <= begun
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert len(streams) == begun


def events_of(logs: Any, group: str) -> list[dict[str, Any]]:
    """All events of a group."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event for page in pages for event in page["events"]]
