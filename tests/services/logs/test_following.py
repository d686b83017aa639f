"""Following a group as terminals do: search again from the last event's time, by event id.

https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html
"""

import time
import uuid

import pytest


@pytest.fixture
def group(cloud):
    logs = cloud.client("logs")
    name = f"/tail/{uuid.uuid4()}"
    logs.create_log_group(logGroupName=name)
    for stream in ("a", "b"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    yield name
    logs.delete_log_group(logGroupName=name)


class Follower:
    """Shows each event once, however many come within one millisecond."""

    def __init__(self, logs, group):
        self.pages = logs.get_paginator("filter_log_events")
        self.request = {"logGroupName": group, "interleaved": True}
        self.seen = set()
        self.newest = 0

    def look(self):
        shown = []
        for page in self.pages.paginate(**self.request, startTime=self.newest):
            for event in page["events"]:
                if event["eventId"] not in self.seen:
                    self.seen.add(event["eventId"])
                    self.newest = max(self.newest, event["timestamp"])
                    shown.append(event["message"])
        return shown


def test_each_event_is_shown_once_and_in_order(cloud, group):
    logs = cloud.client("logs")
    follower = Follower(logs, group)
    now = int(time.time() * 1000)

    def put(stream, *messages):
        events = [{"timestamp": now, "message": message} for message in messages]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    assert follower.look() == []
    put("a", "1", "2")
    assert follower.look() == ["1", "2"]
    put("b", "3")
    put("a", "4")
    assert follower.look() == ["3", "4"]
    assert follower.look() == []
