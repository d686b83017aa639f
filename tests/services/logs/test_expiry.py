"""Retention and deletion, by the clock and in parts.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
"""

import pytest
from tests.services.logs.in_process import DAY_MS, SCOPE, within

from cumulet.core.errors import AwsError
from cumulet.services.cloudwatch.workers import drop_deleted, expire_events


async def fill(room, group, *ages_days, each=1):
    for age in ages_days:
        for i in range(each):
            room.sink.write(SCOPE, group, "s", room.now_ms - age * DAY_MS, f"{age} days, {i}")
    await room.sink.flush()


async def stored(room, group):
    found = await room.call("DescribeLogGroups", logGroupNamePrefix=group)
    return found["logGroups"][0]["storedBytes"]


def test_events_older_than_the_retention_go(tmp_path):
    async def work(room):
        await fill(room, "kept", 400, 0)
        await fill(room, "short", 9, 6, 0, each=300)
        await room.call("PutRetentionPolicy", logGroupName="short", retentionInDays=7)
        while await expire_events(room.platform) == 0:
            pass
        left = await room.messages("short")
        assert len(left) == 600
        assert not [message for message in left if message.startswith("9 days")]
        assert await stored(room, "short") == sum(len(message) + 26 for message in left)
        assert len(await room.messages("kept")) == 2
        await room.clock.advance(2 * DAY_MS / 1000)
        while await expire_events(room.platform) == 0:
            pass
        assert {message[:6] for message in await room.messages("short")} == {"0 days"}

    within(tmp_path, work)


def test_a_deleted_group_goes_whole_and_its_name_begins_anew(tmp_path):
    async def work(room):
        before = await room.keys()
        await fill(room, "g", 0, each=700)
        await room.call("DeleteLogGroup", logGroupName="g")
        await fill(room, "g", 1)
        assert await room.messages() == ["1 days, 0"]
        await drop_deleted(room.platform)
        assert await room.messages() == ["1 days, 0"]
        await room.call("DeleteLogGroup", logGroupName="g")
        await drop_deleted(room.platform)
        assert await room.keys() == before

    within(tmp_path, work)


def test_a_deleted_stream_takes_its_events_along(tmp_path):
    async def work(room):
        await fill(room, "g", 0, each=450)
        room.sink.write(SCOPE, "g", "other", room.now_ms, "stays")
        await room.sink.flush()
        await room.call("DeleteLogStream", logGroupName="g", logStreamName="s")
        assert await room.messages() == ["stays"]
        assert await stored(room, "g") == len("stays") + 26

    within(tmp_path, work)


def test_what_is_protected_is_not_deleted(tmp_path):
    async def work(room):
        await room.call("CreateLogGroup", logGroupName="g", deletionProtectionEnabled=True)
        await room.call("CreateLogStream", logGroupName="g", logStreamName="s")
        for operation, named in (
            ("DeleteLogGroup", {}),
            ("DeleteLogStream", {"logStreamName": "s"}),
        ):
            with pytest.raises(AwsError) as caught:
                await room.call(operation, logGroupName="g", **named)
            assert caught.value.code == "ValidationException"
        [group] = (await room.call("DescribeLogGroups"))["logGroups"]
        assert group["deletionProtectionEnabled"] is True
        await room.call(
            "PutLogGroupDeletionProtection",
            logGroupIdentifier=group["logGroupArn"],
            deletionProtectionEnabled=False,
        )
        await room.call("DeleteLogGroup", logGroupName="g")

    within(tmp_path, work)


def test_events_put_while_their_group_goes_are_not_left_behind(tmp_path):
    async def work(room):
        before = await room.keys()
        for _ in range(3):
            await room.call("CreateLogGroup", logGroupName="g")
            await room.call("CreateLogStream", logGroupName="g", logStreamName="s")
            events = [{"timestamp": room.now_ms, "message": "x"}]
            await room.call("PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events)
            await room.call("DeleteLogGroup", logGroupName="g")
            with pytest.raises(AwsError):
                await room.call(
                    "PutLogEvents", logGroupName="g", logStreamName="s", logEvents=events
                )
        await drop_deleted(room.platform)
        assert await room.keys() == before

    within(tmp_path, work)
