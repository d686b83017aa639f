"""The chunked coding: whole content out, however the bytes arrive, and nothing after the end."""

from __future__ import annotations

import httptools
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.edge.http1.chunked import Dechunker
from cumulet.edge.http1.head import BadRequest

extensions = st.sampled_from([b"", b";a", b";a=b", b';a="b c"'])
chunks = st.lists(st.tuples(st.binary(min_size=1, max_size=40), extensions), max_size=6)


def encode(parts) -> bytes:
    return b"".join(b"%X%b\r\n%b\r\n" % (len(data), ext, data) for data, ext in parts)


def feed(wire: bytes, size: int) -> tuple[bytes, bytes, bool]:
    """The content, what followed it, and whether it had ended."""
    dechunker = Dechunker(10_000)
    out, rest = b"", b""
    for at in range(0, len(wire), size):
        piece = wire[at : at + size]
        if dechunker.done:
            rest += piece
        else:
            out += b"".join(dechunker.feed(piece))
            rest = dechunker.rest
    return out, rest, dechunker.done


@settings(max_examples=100, deadline=None)
@given(chunks, st.integers(1, 50), st.sampled_from([b"", b"X-A: b\r\n", b"A:\r\nB: c\r\n"]))
def test_content_comes_out_and_what_follows_is_left(parts, size, trailers):
    wire = encode(parts) + b"0\r\n" + trailers + b"\r\nNEXT"
    content = b"".join(data for data, _ in parts)
    assert feed(wire, size) == (content, b"NEXT", True)


@settings(max_examples=300, deadline=None)
@given(
    chunks,
    st.integers(1, 50),
    st.integers(0, 200),
    st.sampled_from([b"\n", b"\r", b" ", b"0", b"-", b";", b"\r\n", b"", b"g", b"\0"]),
    st.integers(0, 1),
)
def test_what_is_accepted_is_read_as_httptools_reads_it(parts, size, at, put, cut):
    wire = encode(parts) + b"0\r\n\r\n"
    at = min(at, len(wire))
    wire = wire[:at] + put + wire[at + cut :]
    try:
        out, rest, done = feed(wire, size)
    except BadRequest:
        return
    if not done:
        return
    bodies: list[bytes] = []

    class Seen:
        def on_body(self, body: bytes) -> None:
            bodies.append(body)

    parser = httptools.HttpRequestParser(Seen())
    end = len(wire) - len(rest)
    parser.feed_data(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + wire[:end]
    )
    assert b"".join(bodies) == out
