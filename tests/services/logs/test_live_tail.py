"""Events told as they arrive.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud


@pytest.fixture
def logs(cloud: Cloud) -> Any:
    return cloud.client("logs", read_timeout=30)


def made(logs: Any) -> tuple[str, str]:
    """A group with a stream, and the group's ARN."""
    name = f"tail-{uuid.uuid4().hex[:10]}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name, f"arn:aws:logs:us-east-1:000000000000:log-group:{name}"


def test_what_matches_is_told_as_it_arrives(logs: Any) -> None:
    group, arn = made(logs)
    told = logs.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="ERROR")
    events = iter(told["responseStream"])
    start = next(events)["sessionStart"]
    assert start["logGroupIdentifiers"] == [arn]
    assert start["logEventFilterPattern"] == "ERROR"
    now = int(time.time() * 1000)
    lines = [{"timestamp": now, "message": text} for text in ("fine", "ERROR one", "ERROR two")]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=lines)
    found: list[Any] = []
    while len(found) < 2:
        update = next(events)["sessionUpdate"]
        assert update["sessionMetadata"] == {"sampled": False}
        found += update["sessionResults"]
    told["responseStream"].close()
    assert [one["message"] for one in found] == ["ERROR one", "ERROR two"]
    assert {(one["logStreamName"], one["logGroupIdentifier"]) for one in found} == {("s", arn)}
    assert found[0]["timestamp"] == now


def test_what_does_not_hold_is_refused(logs: Any) -> None:
    _, arn = made(logs)
    for words, code in (
        ({"logGroupIdentifiers": [f"{arn}-gone"]}, "ResourceNotFoundException"),
        (
            {"logGroupIdentifiers": [arn], "logEventFilterPattern": "{ broken"},
            "InvalidParameterException",
        ),
        (
            {
                "logGroupIdentifiers": [arn],
                "logStreamNames": ["a"],
                "logStreamNamePrefixes": ["b"],
            },
            "InvalidParameterException",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            logs.start_live_tail(**words)
        assert caught.value.response["Error"]["Code"] == code
