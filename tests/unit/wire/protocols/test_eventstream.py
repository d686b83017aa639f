"""Frames, against botocore's own decoder."""

import asyncio
import struct

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from cumulet.core.errors import MalformedRequest
from cumulet.wire.protocols.eventstream import (
    FRAME_BYTES_MAX,
    FrameDecoder,
    decode_events,
    encode_frame,
)

HEADERS = st.dictionaries(
    st.text("abc:-", min_size=1, max_size=20),
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.text(max_size=20),
        st.binary(max_size=20),
    ),
    max_size=5,
)


@given(HEADERS, st.binary(max_size=200))
def test_botocore_reads_what_is_encoded(headers, payload):
    buffer = EventStreamBuffer()
    buffer.add_data(encode_frame(headers.items(), payload))
    (event,) = list(buffer)
    assert event.headers == headers
    assert event.payload == payload


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=50)), max_size=4), st.integers(1, 40))
def test_frames_are_cut_wherever_the_pieces_end(frames, size):
    whole = b"".join(encode_frame(headers.items(), payload) for headers, payload in frames)
    decoder = FrameDecoder()
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    events = [event for piece in pieces for event in decoder.feed(piece)]
    decoder.finish()
    assert [(event.headers, event.payload) for event in events] == frames


def test_a_time_in_a_header_is_in_milliseconds_on_the_wire():
    (event,) = FrameDecoder().feed(encode_frame([(":date", 1.5)], b""))
    assert event.headers == {":date": 1.5}


def test_the_name_of_an_event():
    (event,) = FrameDecoder().feed(encode_frame([(":event-type", "Chunk")], b""))
    assert event.name == "Chunk"


GOOD = encode_frame([("a", "b")], b"payload")


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_any_changed_byte_is_noticed(place):
    broken = bytearray(GOOD)
    broken[place] ^= 0x40
    decoder = FrameDecoder()
    with pytest.raises(MalformedRequest):
        list(decoder.feed(bytes(broken)))


def prelude(total, headers):
    from binascii import crc32

    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", crc32(lengths))


@pytest.mark.parametrize(
    "start",
    [prelude(FRAME_BYTES_MAX + 1, 0), prelude(100, 10**9), prelude(15, 0), prelude(20, 5)],
)
def test_lengths_that_do_not_fit_are_refused_at_once(start):
    with pytest.raises(MalformedRequest):
        list(FrameDecoder().feed(start))


@pytest.mark.parametrize(
    "headers", [b"\x05ab", b"\x01a\x07\xff\xffx", b"\x01a\x0c", b"\x01\xff\x00", b"\x01a\x04\x00"]
)
def test_malformed_headers_are_refused(headers):
    from binascii import crc32

    total = 16 + len(headers)
    frame = prelude(total, len(headers)) + headers
    frame += struct.pack(">I", crc32(frame))
    with pytest.raises(MalformedRequest):
        list(FrameDecoder().feed(frame))


def test_a_stream_that_ends_inside_a_frame_is_refused():
    async def pieces():
        yield GOOD + GOOD[:10]

    async def collect():
        return [event async for event in decode_events(pieces())]

    with pytest.raises(MalformedRequest):
        asyncio.run(collect())
