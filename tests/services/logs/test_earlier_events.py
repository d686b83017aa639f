"""Events that an earlier release stored one by one are read, and go, like those in blocks."""

import pytest
from tests.services.logs.in_process import DAY_MS, SCOPE, within

from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.model import Event
from cumulet.services.cloudwatch.workers import drop_deleted, expire_events


async def put_as_before(room, *times_ms):
    """Store events of stream `s` of group `g` as an earlier release did."""

    async def write(tx):
        group = await store.GROUPS.load(tx, SCOPE, "g")
        stream = await store.STREAMS.load(tx, SCOPE, group.uid, "s")
        for sequence, at in enumerate(times_ms):
            event = Event(group.uid, at, sequence, stream.uid, "s", f"old {sequence}", at)
            store.EVENTS.add(tx, SCOPE, event)
            tx.count(store._bytes_key(SCOPE, group.uid), event.size_bytes)

    await room.store.transact(write)


async def prepare(room, *, old=(0, 20, 40), new=(10, 30, 50)):
    for index, at in enumerate(new):
        room.sink.write(SCOPE, "g", "s", room.now_ms + at, f"new {index}")
    await room.sink.flush()
    await put_as_before(room, *(room.now_ms + at for at in old))


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_they_are_read_in_their_place(tmp_path, limit):
    async def work(room):
        await prepare(room)
        both = ["old 0", "new 0", "old 1", "new 1", "old 2", "new 2"]
        assert await room.messages(limit=limit) == both
        read = {"logGroupName": "g", "logStreamName": "s"}
        forward = await room.call("GetLogEvents", **read, startFromHead=True)
        assert [event["message"] for event in forward["events"]] == both
        last = await room.call("GetLogEvents", **read, limit=limit)
        assert [event["message"] for event in last["events"]] == both[-limit:]

    within(tmp_path, work)


@pytest.mark.parametrize("how", ["retention", "stream", "group"])
def test_they_go_with_the_rest(tmp_path, how):
    async def work(room):
        before = await room.keys()
        await prepare(room, old=range(150), new=range(150))
        if how == "retention":
            await room.call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
            await room.clock.advance(2 * DAY_MS / 1000)
            while await expire_events(room.platform) == 0:
                pass
            [group] = (await room.call("DescribeLogGroups"))["logGroups"]
            assert group["storedBytes"] == 0
            assert await room.messages() == []
        if how == "stream":
            await room.call("DeleteLogStream", logGroupName="g", logStreamName="s")
            [group] = (await room.call("DescribeLogGroups"))["logGroups"]
            assert group["storedBytes"] == 0
        await room.call("DeleteLogGroup", logGroupName="g")
        await drop_deleted(room.platform)
        assert await room.keys() == before

    within(tmp_path, work)
