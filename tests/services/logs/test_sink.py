"""The sink of functions' lines: in order, bounded, and honest about what it leaves out."""

import pytest
from tests.services.logs.in_process import SCOPE, within

from cumulet.kv.contract import Unavailable
from cumulet.services.cloudwatch import limits


def test_lines_come_in_order_and_make_their_group_and_streams(tmp_path):
    async def work(room):
        for i in range(1200):
            room.sink.write(SCOPE, "g", f"s{i % 2}", room.now_ms, f"line {i}")
        await room.sink.flush()
        assert await room.messages() == [f"line {i}" for i in range(1200)]
        streams = (await room.call("DescribeLogStreams", logGroupName="g"))["logStreams"]
        assert [stream["logStreamName"] for stream in streams] == ["s0", "s1"]
        [group] = (await room.call("DescribeLogGroups"))["logGroups"]
        assert group["storedBytes"] == sum(len(f"line {i}") + 26 for i in range(1200))

    within(tmp_path, work)


def test_lines_past_the_bound_are_counted_in_their_stream(tmp_path, monkeypatch):
    monkeypatch.setattr("cumulet.services.cloudwatch.logs.sink.SINK_LINES_MAX", 10)

    async def work(room):
        for i in range(25):
            room.sink.write(SCOPE, "g", "loud", room.now_ms, f"line {i}")
        room.sink.write(SCOPE, "g", "quiet", room.now_ms, "a word")
        await room.sink.flush()
        notice = "[15 lines were left out here: they came faster than they are kept]"
        loud = await room.messages(logStreamNames=["loud"])
        assert loud == [*(f"line {i}" for i in range(10)), notice]
        assert await room.messages(logStreamNames=["quiet"]) == [notice.replace("15", "1")]
        room.sink.write(SCOPE, "g", "loud", room.now_ms, "again")
        await room.sink.flush()
        assert (await room.messages(logStreamNames=["loud"]))[-1] == "again"

    within(tmp_path, work)


def test_the_bytes_that_wait_are_bounded_too(tmp_path):
    async def work(room):
        line = "x" * 1_000_000
        for _ in range(70):
            room.sink.write(SCOPE, "g", "s", room.now_ms, line)
        await room.sink.flush()
        found = await room.messages()
        kept = [message for message in found if message == line]
        assert len(kept) * 1_000_000 <= limits.SINK_BYTES_MAX + 1_000_000
        assert found[-1].startswith(f"[{70 - len(kept)} lines were left out here")

    within(tmp_path, work)


@pytest.mark.parametrize("letter", ["x", "é", "日", "😀", "\ud800"])
def test_a_line_longer_than_an_event_is_cut(tmp_path, letter):
    async def work(room):
        room.sink.write(SCOPE, "g", "s", room.now_ms, letter * 1_100_000)
        room.sink.write(SCOPE, "g", "s", room.now_ms, "next")
        await room.sink.flush()
        long, following = await room.messages()
        assert following == "next"
        assert set(long) == {letter if letter != "\ud800" else "?"}
        assert limits.EVENT_BYTES_MAX - 30 <= len(long.encode()) + 26 <= limits.EVENT_BYTES_MAX

    within(tmp_path, work)


class Failing:
    """A store that fails as often as it is told, and is the real one after that."""

    def __init__(self, store, *failures):
        self.store = store
        self.failures = list(failures)

    async def transact(self, work):
        if self.failures:
            raise self.failures.pop(0)
        return await self.store.transact(work)


def test_lines_wait_for_a_store_that_is_away(tmp_path):
    async def work(room):
        room.sink._store = Failing(room.store, Unavailable("away"))
        room.sink.write(SCOPE, "g", "s", room.now_ms, "first")
        with pytest.raises(Unavailable):
            await room.sink.flush()
        room.sink.write(SCOPE, "g", "s", room.now_ms, "second")
        await room.sink.flush()
        assert await room.messages() == ["first", "second"]

    within(tmp_path, work)


def test_lines_that_cannot_be_written_hold_up_nobody(tmp_path, caplog):
    async def work(room):
        room.sink._store = Failing(room.store, ValueError("no way"))
        room.sink.write(SCOPE, "g", "s", room.now_ms, "lost")
        await room.sink.flush()
        room.sink.write(SCOPE, "g", "s", room.now_ms, "kept")
        await room.sink.flush()
        found = await room.messages()
        assert sorted(found) == [
            "[1 lines were left out here: they came faster than they are kept]",
            "kept",
        ]

    within(tmp_path, work)
    assert "log lines could not be written" in caplog.text


def test_lines_whose_write_was_in_doubt_are_not_doubled(tmp_path):
    async def work(room):
        transact = room.store.transact
        failures = [Unavailable("nobody knows whether it was done")]

        async def doubtful(write):
            done = await transact(write)
            if failures:
                raise failures.pop()
            return done

        room.sink._store.transact = doubtful
        for index in range(3):
            room.sink.write(SCOPE, "g", "s", room.now_ms, str(index))
        with pytest.raises(Unavailable):
            await room.sink.flush()
        room.sink.write(SCOPE, "g", "s", room.now_ms, "3")
        await room.sink.flush()
        room.sink._store.transact = transact
        assert await room.messages() == ["0", "1", "2", "3"]

    within(tmp_path, work)
