"""Blobs as files: what is put can be read in ranges, copied, dropped and swept."""

import asyncio
import hashlib
import os
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.blobs import files
from cumulet.blobs.contract import PIECE_BYTES, BlobsUnavailable, NoSuchBlob, TooLarge
from cumulet.blobs.files import UNFINISHED, FileBlobs
from cumulet.blobs.segments import Segment, open_segments
from cumulet.core.clock import ManualClock

SIZES = [0, 1, 1_000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 17]


def content(size, seed=1):
    return (b"%08d" % seed + bytes(range(256)))[: max(1, size)] * (size // 264 + 1)


def run(folder, story):
    async def whole():
        clock = ManualClock()
        blobs = FileBlobs(folder, clock)
        try:
            await story(blobs, clock)
        finally:
            await blobs.close()

    asyncio.run(whole())


async def pieces(data, size):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read_all(reading):
    return b"".join([chunk async for chunk in reading])


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [999, PIECE_BYTES, 10**7])
def test_a_body_comes_back_as_it_went(tmp_path, size, piece):
    data = content(size)[:size]

    async def story(blobs, clock):
        blob = await blobs.put(pieces(data, piece), digests=("md5", "sha256", "crc32"))
        assert blob.size_bytes == size
        assert blob.digests == {
            "md5": hashlib.md5(data).digest(),
            "sha256": hashlib.sha256(data).digest(),
            "crc32": zlib.crc32(data).to_bytes(4, "big"),
        }
        assert await read_all(blobs.open(blob.id)) == data
        assert await blobs.read(blob.id, size_bytes_max=size) == data
        assert blobs.path(blob.id).read_bytes() == data

    run(tmp_path, story)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 900), st.one_of(st.none(), st.integers(0, 900)))
def test_ranges_are_those_of_a_slice(tmp_path_factory, start, end):
    data = content(700)[:700]

    async def story(blobs, clock):
        blob = await blobs.put_bytes(data)
        assert await read_all(blobs.open(blob.id, start, end)) == data[start:end]

    run(tmp_path_factory.mktemp("blobs"), story)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=6), st.integers(0, 150), st.integers(0, 150))
def test_segments_read_as_one(tmp_path_factory, sizes, start, end):
    async def story(blobs, clock):
        segments, whole = [], b""
        for seed, size in enumerate(sizes):
            data = content(size, seed)[:size]
            blob = await blobs.put_bytes(data)
            segments.append(Segment(blob.id, blob.size_bytes))
            whole += data
        assert await read_all(open_segments(blobs, segments, start, end)) == whole[start:end]
        assert await read_all(open_segments(blobs, segments)) == whole

    run(tmp_path_factory.mktemp("blobs"), story)


def test_ids_are_random_and_say_nothing_of_the_content(tmp_path):
    async def story(blobs, clock):
        ids = [(await blobs.put_bytes(b"same")).id for _ in range(20)]
        assert len(set(ids)) == 20
        assert all(len(id) == 32 and int(id, 16) >= 0 for id in ids)

    run(tmp_path, story)


def test_what_is_no_id_is_no_path(tmp_path):
    (tmp_path / "secret").write_text("secret")

    async def story(blobs, clock):
        for id in ("", "../secret", "0" * 31, "0" * 33, "0" * 32, "A" * 32, "0" * 32 + "\n"):
            with pytest.raises(NoSuchBlob):
                blobs.open(id)
            with pytest.raises(NoSuchBlob):
                blobs.path(id)
            with pytest.raises(NoSuchBlob):
                await blobs.copy(id)

    run(tmp_path / "blobs", story)


def test_a_copy_lives_on_when_the_first_is_dropped(tmp_path):
    async def story(blobs, clock):
        first = (await blobs.put_bytes(b"data")).id
        second = await blobs.copy(first)
        assert second != first
        assert blobs.path(first).samefile(blobs.path(second))
        await blobs.drop(first)
        await blobs.drop(first)
        assert await blobs.read(second, size_bytes_max=9) == b"data"
        with pytest.raises(NoSuchBlob):
            blobs.open(first)

    run(tmp_path, story)


def test_who_reads_a_dropped_blob_gets_its_end(tmp_path):
    data = content(2 * PIECE_BYTES)

    async def story(blobs, clock):
        blob = await blobs.put_bytes(data)
        reading = blobs.open(blob.id)
        first = await anext(reading)
        await blobs.drop(blob.id)
        assert first + await read_all(reading) == data

    run(tmp_path, story)


def test_a_reading_can_be_left_early_and_twice(tmp_path):
    async def story(blobs, clock):
        blob = await blobs.put_bytes(content(2 * PIECE_BYTES))
        before = len(os.listdir("/proc/self/fd"))
        reading = blobs.open(blob.id)
        await anext(reading)
        await reading.aclose()
        await reading.aclose()
        segments = open_segments(blobs, [Segment(blob.id, blob.size_bytes)])
        await anext(segments)
        await segments.aclose()
        assert len(os.listdir("/proc/self/fd")) == before
        assert await read_all(reading) == b""

    run(tmp_path, story)


def test_a_body_beyond_its_bound_leaves_nothing(tmp_path):
    async def story(blobs, clock):
        for size in (11, 5 * PIECE_BYTES):
            with pytest.raises(TooLarge):
                await blobs.put(pieces(content(size), 7_000), size_bytes_max=10)
        assert (await blobs.put(pieces(b"0123456789", 3), size_bytes_max=10)).size_bytes == 10
        blob = await blobs.put_bytes(b"12345")
        with pytest.raises(TooLarge):
            await blobs.read(blob.id, size_bytes_max=4)

    run(tmp_path, story)
    assert len(files_in(tmp_path)) == 2


def test_a_body_that_breaks_off_leaves_nothing_and_its_error_comes_out(tmp_path):
    async def breaks(size):
        yield content(size)
        raise ConnectionResetError("the client went away")

    async def story(blobs, clock):
        for size in (5, 4 * PIECE_BYTES):
            with pytest.raises(ConnectionResetError):
                await blobs.put(breaks(size))

    run(tmp_path, story)
    assert files_in(tmp_path) == []


def test_a_cancelled_put_leaves_nothing(tmp_path):
    async def story(blobs, clock):
        has_written, never = asyncio.Event(), asyncio.Event()

        async def body():
            for _ in range(4):
                yield content(PIECE_BYTES)
            has_written.set()
            await never.wait()

        putting = asyncio.gather(blobs.put(body()))
        await has_written.wait()
        putting.cancel()
        await asyncio.gather(putting, return_exceptions=True)

    run(tmp_path, story)
    assert files_in(tmp_path) == []


def test_a_disk_that_refuses_is_said_so_and_nothing_is_kept(tmp_path):
    async def story(blobs, clock):
        (tmp_path / UNFINISHED).rmdir()
        for size in (3, 4 * PIECE_BYTES):
            with pytest.raises(BlobsUnavailable, match="refuses"):
                await blobs.put(pieces(content(size), 10_000))
        (tmp_path / UNFINISHED).mkdir()

    run(tmp_path, story)
    assert files_in(tmp_path) == []


def test_sweep_removes_what_is_old_and_unreferenced_only(tmp_path):
    async def story(blobs, clock):
        old = [(await blobs.put_bytes(b"old")).id for _ in range(6)]
        (tmp_path / UNFINISHED / "left-by-a-crash").write_bytes(b"half")
        os.utime(tmp_path / UNFINISHED / "left-by-a-crash", (clock.now(), clock.now()))
        await clock.advance(100)
        young = (await blobs.put_bytes(b"young")).id
        asked = []
        referenced = {young, *old[:2]}

        async def is_referenced(id):
            asked.append(id)
            return id in referenced

        assert await blobs.sweep(is_referenced, 101) == 0
        assert asked == []
        assert await blobs.sweep(is_referenced, 50) == 1
        assert sorted(asked) == sorted(old)
        await clock.advance(49)
        assert await blobs.sweep(is_referenced, 50) == 0
        await clock.advance(2)
        assert await blobs.sweep(is_referenced, 50) == 4
        for id in (*old[:2], young):
            blobs.path(id)
        for id in old[2:]:
            with pytest.raises(NoSuchBlob):
                blobs.path(id)
        assert await blobs.sweep(is_referenced, 50) == 0

    run(tmp_path, story)


def test_what_is_referred_to_again_starts_its_time_anew(tmp_path):
    async def story(blobs, clock):
        id = (await blobs.put_bytes(b"data")).id
        for is_held, removed in ((False, 0), (True, 0), (False, 0), (False, 1)):
            await clock.advance(60)

            async def is_referenced(id, is_held=is_held):
                return is_held

            assert await blobs.sweep(is_referenced, 50) == removed
        with pytest.raises(NoSuchBlob):
            blobs.path(id)

    run(tmp_path, story)


def test_memory_stays_flat_whatever_the_size(tmp_path):
    chunk = content(64 << 10)

    async def body():
        for _ in range(500):
            yield bytes(chunk)

    async def story(blobs, clock):
        tracemalloc.start()
        try:
            blob = await blobs.put(body(), digests=("md5",))
            size = 0
            async for part in blobs.open(blob.id):
                assert len(part) <= PIECE_BYTES
                size += len(part)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert size == blob.size_bytes == 500 * len(chunk)
        assert peak < 6 * PIECE_BYTES

    run(tmp_path, story)


def test_many_at_once_do_not_mix(tmp_path):
    async def story(blobs, clock):
        async def one(seed):
            data = content(3_000 * (seed % 40) + 100, seed)
            blob = await blobs.put(pieces(data, 1_234), digests=("sha1",))
            assert blob.digests["sha1"] == hashlib.sha1(data).digest()
            assert await read_all(blobs.open(blob.id)) == data

        await asyncio.gather(*(one(seed) for seed in range(60)))

    run(tmp_path, story)


def test_the_more_bodies_arrive_the_less_each_holds_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "GATHERED_BYTES_MAX", 8 * files.GATHERED_BYTES_MIN)

    async def story(blobs, clock):
        begun = [asyncio.Event() for _ in range(8)]
        go_on = asyncio.Event()
        all_here = asyncio.Barrier(8)

        async def slow(number):
            await all_here.wait()
            for _ in range(3):
                yield b"x" * files.GATHERED_BYTES_MIN
            begun[number].set()
            await go_on.wait()
            yield b"the end"

        async with asyncio.TaskGroup() as group:
            puts = [group.create_task(blobs.put(slow(number))) for number in range(8)]
            for event in begun:
                await event.wait()
            # Alone, none would have reached the disk yet.
            sizes = [path.stat().st_size for path in (tmp_path / UNFINISHED).iterdir()]
            assert len(sizes) == 8
            assert min(sizes) >= 2 * files.GATHERED_BYTES_MIN
            go_on.set()
        made = [put.result() for put in puts]
        assert {blob.size_bytes for blob in made} == {3 * files.GATHERED_BYTES_MIN + 7}
        for blob in made:
            assert (await read_all(blobs.open(blob.id))).endswith(b"xthe end")

    run(tmp_path, story)
