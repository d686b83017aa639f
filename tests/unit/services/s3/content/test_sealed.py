"""Encrypted chunks: every range reads, and no change of what lies on the disk goes unnoticed."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.blobs.files import FileBlobs
from cumulet.blobs.segments import Segment
from cumulet.core.clock import ManualClock
from cumulet.services.s3.content.sealed import (
    CHUNK_BYTES,
    TAG_BYTES,
    Cipher,
    Damaged,
    Sealing,
    unsealed,
)

KEY = bytes(range(32))
STEP = CHUNK_BYTES + TAG_BYTES
EDGES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 4 * CHUNK_BYTES, 5 * CHUNK_BYTES + 7]


def content(size, seed):
    return bytes((at * 31 + at // 256 + seed) & 0xFF for at in range(min(size, 1 << 16))) * (
        size // (1 << 16) + 1
    )


async def written(blobs, sizes, piece=100_000, chunk=CHUNK_BYTES):
    """Segments of those sizes, their salts, and the plain bytes of all."""
    segments, salts, whole = [], [], b""
    for seed, size in enumerate(sizes):
        data = content(size, seed)[:size]
        salt = bytes([seed]) * 16

        async def pieces(data=data):
            for at in range(0, len(data), piece):
                yield data[at : at + piece]

        blob = await blobs.put(pieces(), coding=Sealing(Cipher(KEY, salt), chunk), digests=("md5",))
        assert blob.size_bytes == size
        segments.append(Segment(blob.id, size))
        salts.append(salt)
        whole += data
    return segments, salts, whole


async def read(blobs, segments, salts, start, end, key=KEY, chunk=CHUNK_BYTES):
    span = range(start, end)
    return b"".join([piece async for piece in unsealed(blobs, key, chunk, segments, salts, span)])


def run(folder, story):
    async def whole():
        blobs = FileBlobs(folder, ManualClock())
        try:
            await story(blobs)
        finally:
            await blobs.close()

    asyncio.run(whole())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(EDGES), st.integers(0, 400_000)), min_size=1, max_size=3),
    st.integers(1, 300_000),
    st.data(),
)
def test_every_range_of_every_size_reads(tmp_path_factory, sizes, piece, data):
    near = [edge + move for edge in EDGES for move in (-1, 0, 1)]
    place = st.one_of(st.sampled_from(near), st.integers(0, sum(sizes)))
    start, end = sorted(max(0, min(sum(sizes), data.draw(place))) for _ in range(2))

    async def story(blobs):
        segments, salts, whole = await written(blobs, sizes, piece)
        assert await read(blobs, segments, salts, start, end) == whole[start:end]
        assert await read(blobs, segments, salts, 0, len(whole)) == whole

    run(tmp_path_factory.mktemp("blobs"), story)


@pytest.mark.parametrize("chunk", [65_536, 1_000_000])
def test_chunks_of_another_size_read_when_it_is_told(tmp_path, chunk):
    async def story(blobs):
        segments, salts, whole = await written(blobs, [2_500_000, 70_000], chunk=chunk)
        for start, end in ((0, len(whole)), (chunk - 1, chunk + 1), (2_499_999, 2_500_001)):
            got = await read(blobs, segments, salts, start, end, chunk=chunk)
            assert got == whole[start:end]
        with pytest.raises(Damaged):
            await read(blobs, segments, salts, 0, len(whole))

    run(tmp_path, story)


def flipped(at):
    return lambda raw: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


DAMAGES = {
    "its first byte is changed": flipped(0),
    "a byte of a tag is changed": flipped(STEP - 1),
    "its last byte is changed": flipped(-1),
    "it ends in a chunk": lambda raw: raw[:-5],
    "it ends at a chunk's end": lambda raw: raw[: 2 * STEP],
    "it is empty": lambda raw: b"",
    "two chunks changed places": lambda raw: raw[STEP : 2 * STEP] + raw[:STEP] + raw[2 * STEP :],
    "a chunk comes twice": lambda raw: raw[:STEP] + raw[:STEP] + raw[2 * STEP :],
    "a chunk is left out": lambda raw: raw[STEP:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_changed_file_is_never_read_as_something_else(tmp_path, damage):
    async def story(blobs):
        segments, salts, whole = await written(blobs, [2 * CHUNK_BYTES + 100])
        path = blobs.path(segments[0].id)
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
        given = []

        async def read_through():
            async for piece in unsealed(
                blobs, KEY, CHUNK_BYTES, segments, salts, range(len(whole))
            ):
                given.append(piece)

        with pytest.raises(Damaged):
            await read_through()
        assert whole.startswith(b"".join(given))

    run(tmp_path, story)


def test_parts_that_changed_places_and_other_keys_open_nothing(tmp_path):
    async def story(blobs):
        segments, salts, whole = await written(blobs, [1_000, 1_000])
        with pytest.raises(Damaged):
            await read(blobs, segments[::-1], salts, 0, len(whole))
        with pytest.raises(Damaged):
            await read(blobs, segments, salts, 0, len(whole), key=bytes(32))

    run(tmp_path, story)
