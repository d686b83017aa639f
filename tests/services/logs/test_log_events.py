"""Log events: put, get, filter.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

import time
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def logs(cloud):
    return cloud.client("logs")


@pytest.fixture
def group(logs):
    name = f"/test/{uuid.uuid4()}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    logs.create_log_stream(logGroupName=name, logStreamName="two")
    yield name
    logs.delete_log_group(logGroupName=name)


def now_ms():
    return int(time.time() * 1000)


def put(logs, group, stream, *events):
    return logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": at, "message": text} for at, text in events],
    )


def test_events_come_back_in_the_order_of_time(logs, group):
    at = now_ms()
    put(logs, group, "one", (at, "first"), (at, "second"), (at + 5, "third"))
    put(logs, group, "one", (at - 1000, "before"))
    answer = logs.get_log_events(logGroupName=group, logStreamName="one", startFromHead=True)
    assert [e["message"] for e in answer["events"]] == ["before", "first", "second", "third"]
    assert answer["events"][1]["timestamp"] == at
    assert abs(answer["events"][1]["ingestionTime"] - at) < 60_000


def test_pages_forward_and_backward_meet_at_the_ends(logs, group):
    at = now_ms()
    put(logs, group, "one", *((at + i, str(i)) for i in range(5)))
    read = {"logGroupName": group, "logStreamName": "one", "limit": 2}
    seen = []
    answer = logs.get_log_events(**read, startFromHead=True)
    while answer["events"]:
        seen += [e["message"] for e in answer["events"]]
        token = answer["nextForwardToken"]
        answer = logs.get_log_events(**read, startFromHead=True, nextToken=token)
    assert seen == ["0", "1", "2", "3", "4"]
    # The end is seen by the token that stays the same.
    assert answer["nextForwardToken"] == token
    back = logs.get_log_events(**read)
    assert [e["message"] for e in back["events"]] == ["3", "4"]
    back = logs.get_log_events(**read, nextToken=back["nextBackwardToken"])
    assert [e["message"] for e in back["events"]] == ["1", "2"]


def test_the_end_time_is_out_of_get_and_in_filter(logs, group):
    at = now_ms()
    put(logs, group, "one", (at, "a"), (at + 1, "b"))
    got = logs.get_log_events(
        logGroupName=group, logStreamName="one", startTime=at, endTime=at + 1, startFromHead=True
    )
    assert [e["message"] for e in got["events"]] == ["a"]
    found = logs.filter_log_events(logGroupName=group, startTime=at, endTime=at + 1)
    assert [e["message"] for e in found["events"]] == ["a", "b"]


def test_filter_merges_streams_in_time_and_pages(logs, group):
    at = now_ms()
    put(logs, group, "one", *((at + i, f"one ERROR {i}") for i in range(0, 10, 2)))
    put(logs, group, "two", *((at + i, f"two info {i}") for i in range(1, 10, 2)))
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, PaginationConfig={"PageSize": 3}
    )
    events = [event for page in pages for event in page["events"]]
    assert [e["timestamp"] for e in events] == [at + i for i in range(10)]
    assert len({e["eventId"] for e in events}) == 10
    found = logs.filter_log_events(logGroupName=group, filterPattern="ERROR")
    assert {e["logStreamName"] for e in found["events"]} == {"one"}
    found = logs.filter_log_events(logGroupName=group, logStreamNames=["two"])
    assert len(found["events"]) == 5
    found = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="on")
    assert len(found["events"]) == 5


def test_events_too_old_or_too_far_ahead_are_told_and_left_out(logs, group):
    day = 24 * 3600 * 1000
    at = now_ms()
    answer = put(logs, group, "one", (at - 15 * day, "old"))
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    answer = put(logs, group, "one", (at, "kept"), (at + 3 * 3600 * 1000, "ahead"))
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    got = logs.get_log_events(logGroupName=group, logStreamName="one")
    assert [e["message"] for e in got["events"]] == ["kept"]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([(5, "b"), (4, "a")], "must be in chronological order"),
        ([(0, "a"), (86_400_001, "b")], "cannot span more than 24 hours"),
        ([(0, "x" * 1_048_570)], "Log event too large"),
        ([(0, "x" * 600_000), (1, "x" * 600_000)], "Upload too large"),
    ],
)
def test_a_bad_batch_is_refused_whole(logs, group, events, words):
    at = now_ms() - 86_400_001
    with pytest.raises(ClientError, match=words) as caught:
        put(logs, group, "one", *((at + offset, text) for offset, text in events))
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert logs.get_log_events(logGroupName=group, logStreamName="one")["events"] == []


def test_what_is_missing_is_named(logs, group):
    for call, words in (
        (lambda: put(logs, "/no/such", "one", (now_ms(), "a")), "log group does not exist"),
        (lambda: put(logs, group, "none", (now_ms(), "a")), "log stream does not exist"),
        (
            lambda: logs.get_log_events(logGroupName=group, logStreamName="none"),
            "log stream does not exist",
        ),
        (lambda: logs.filter_log_events(logGroupName="/no/such"), "log group does not exist"),
    ):
        with pytest.raises(ClientError, match=words) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_false_token_and_a_false_pattern_are_refused(logs, group):
    with pytest.raises(ClientError, match="nextToken is invalid"):
        logs.filter_log_events(logGroupName=group, nextToken="nonsense")
    with pytest.raises(ClientError, match="Invalid filter pattern"):
        logs.filter_log_events(logGroupName=group, filterPattern="{ $.a = }")
