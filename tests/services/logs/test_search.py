"""Reading and searching log events: directions, identifiers, bounds.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.logs.in_process import SCOPE, within

from cumulet.core.errors import AwsError


async def fill(room, *messages, group="g", stream="s", at=0):
    for i, message in enumerate(messages):
        room.sink.write(SCOPE, group, stream, room.now_ms + at + i, message)
    await room.sink.flush()


def test_a_search_from_the_tail_gives_the_latest_first(tmp_path):
    async def work(room):
        await room.clock.advance(100_000_000)
        await fill(room, *map(str, range(7)))
        wanted = {"startFromHead": False, "startTime": room.now_ms - 5, "limit": 3}
        assert await room.messages(**wanted) == ["6", "5", "4", "3", "2", "1", "0"]
        # The token's direction counts, not what is said beside it.
        first = await room.call("FilterLogEvents", logGroupName="g", **wanted)
        named = {"nextToken": first["nextToken"], "startFromHead": True}
        rest = await room.call("FilterLogEvents", logGroupName="g", **named)
        assert [event["message"] for event in rest["events"]] == ["3", "2", "1", "0"]
        with pytest.raises(AwsError, match=r"Jan 1, 2024"):
            await room.call("FilterLogEvents", logGroupName="g", startFromHead=False)

    within(tmp_path, work)


@given(
    events=st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), max_size=30),
    limit=st.integers(1, 7),
    span=st.tuples(st.integers(0, 6), st.integers(0, 6)),
)
@settings(max_examples=30, deadline=None)
def test_pages_give_each_event_of_the_range_once(events, limit, span):
    async def work(room):
        base = room.now_ms
        for index, (offset, stream) in enumerate(events):
            room.sink.write(SCOPE, "g", stream, base + offset, str(index))
        room.sink.write(SCOPE, "g", "a", base, "last")
        await room.sink.flush()
        everything = [*enumerate(events), ("last", (0, "a"))]
        inside = [
            (offset, str(index), stream)
            for index, (offset, stream) in everything
            if span[0] <= offset <= span[1]
        ]
        inside.sort(key=lambda one: one[0])
        found = await room.messages(limit=limit, startTime=base + span[0], endTime=base + span[1])
        assert found == [message for _, message, _ in inside]
        for forward in (True, False):
            read = {"logGroupName": "g", "logStreamName": "a", "limit": limit}
            read |= {"startTime": base + span[0], "endTime": base + span[1] + 1}
            answer = await room.call("GetLogEvents", **read, startFromHead=forward)
            got = []
            while answer["events"]:
                page = [event["message"] for event in answer["events"]]
                got = got + page if forward else page + got
                token = answer["nextForwardToken" if forward else "nextBackwardToken"]
                answer = await room.call("GetLogEvents", **read, nextToken=token)
            assert got == [message for _, message, stream in inside if stream == "a"]

    with tempfile.TemporaryDirectory() as folder:
        within(Path(folder), work)


def test_an_answer_holds_about_a_megabyte(tmp_path):
    async def work(room):
        await fill(room, *("x" * 300_000 for _ in range(10)))
        answer = await room.call("FilterLogEvents", logGroupName="g")
        assert len(answer["events"]) == 3
        assert len(await room.messages()) == 10
        read = {"logGroupName": "g", "logStreamName": "s", "startFromHead": True}
        answer = await room.call("GetLogEvents", **read)
        assert len(answer["events"]) == 3
        await fill(room, "y" * 1_040_000, stream="long")
        long = await room.call("GetLogEvents", logGroupName="g", logStreamName="long")
        assert len(long["events"]) == 1

    within(tmp_path, work)


def test_a_search_that_finds_nothing_goes_on_by_its_token(tmp_path, monkeypatch):
    monkeypatch.setattr("cumulet.services.cloudwatch.operations.log_search.FILTER_EVENTS_MAX", 10)

    async def work(room):
        await fill(room, *["nothing"] * 95, "needle")
        answer = await room.call("FilterLogEvents", logGroupName="g", filterPattern="needle")
        assert answer["events"] == []
        assert "nextToken" in answer
        assert await room.messages(filterPattern="needle") == ["needle"]

    within(tmp_path, work)


@pytest.mark.parametrize("operation", ["FilterLogEvents", "DescribeLogStreams", "GetLogEvents"])
def test_a_group_is_named_by_name_or_arn_of_this_account(tmp_path, operation):
    async def work(room):
        await fill(room, "x")
        more = {"logStreamName": "s"} if operation == "GetLogEvents" else {}
        arn = SCOPE.arn("logs", "log-group:g")
        for good in ("g", arn):
            await room.call(operation, logGroupIdentifier=good, **more)
        other = arn.replace(SCOPE.account, "999999999999")
        elsewhere = arn.replace(SCOPE.region, "eu-west-1")
        for bad, code in (
            ({"logGroupIdentifier": other}, "ResourceNotFoundException"),
            ({"logGroupIdentifier": elsewhere}, "ResourceNotFoundException"),
            ({"logGroupIdentifier": "arn:aws:s3:::g"}, "InvalidParameterException"),
            ({"logGroupIdentifier": arn, "logGroupName": "g"}, "InvalidParameterException"),
            ({}, "InvalidParameterException"),
        ):
            with pytest.raises(AwsError) as caught:
                await room.call(operation, **bad, **more)
            assert caught.value.code == code

    within(tmp_path, work)


def test_a_stream_that_is_named_must_be_there(tmp_path):
    async def work(room):
        await fill(room, "x")
        with pytest.raises(AwsError, match="log stream does not exist"):
            await room.messages(logStreamNames=["s", "none"])

    within(tmp_path, work)


@pytest.mark.parametrize("token", ["f/W10=", "b/WzFd", "f/WyIxIiwgMl0=", "x", "f/!"])
def test_a_token_that_is_not_ours_is_refused(tmp_path, token):
    async def work(room):
        await fill(room, "x")
        with pytest.raises(AwsError, match="nextToken is invalid"):
            await room.messages(nextToken=token)

    within(tmp_path, work)


def test_groups_are_found_by_pattern_class_and_identifier(tmp_path):
    async def work(room):
        for name, kind in (
            ("DataLogs", "STANDARD"),
            ("aws/DataLogs", "INFREQUENT_ACCESS"),
            ("datalogs", "DELIVERY"),
        ):
            await room.call("CreateLogGroup", logGroupName=name, logGroupClass=kind)

        async def names(**request):
            found = await room.call("DescribeLogGroups", **request)
            return [group["logGroupName"] for group in found["logGroups"]]

        assert await names(logGroupNamePattern="DataLogs") == ["DataLogs", "aws/DataLogs"]
        assert await names(logGroupClass="ESSENTIALS") == ["aws/DataLogs"]
        assert await names(logGroupClass="DELIVERY") == ["datalogs"]
        assert await names(logGroupIdentifiers=["datalogs", "none"]) == ["datalogs"]
        with pytest.raises(AwsError, match="Linked accounts"):
            await names(includeLinkedAccounts=True)

    within(tmp_path, work)


def test_an_entity_is_told_to_be_left_out(tmp_path):
    async def work(room):
        await fill(room, "x")
        events = [{"timestamp": room.now_ms, "message": "y"}]
        answer = await room.call(
            "PutLogEvents",
            logGroupName="g",
            logStreamName="s",
            logEvents=events,
            entity={"keyAttributes": {"Type": "Service", "Name": "x"}},
        )
        assert answer["rejectedEntityInfo"] == {"errorType": "UnsupportedLogGroupType"}
        assert await room.messages() == ["x", "y"]

    within(tmp_path, work)
