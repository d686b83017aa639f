"""Bodies in aws-chunked framing: what was signed comes out, and nothing else does."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.errors import AwsError, RequestTooLarge
from cumulet.core.http import BytesBody, Headers, Request
from cumulet.wire.sigv4.chunked import (
    SIGNED,
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    ChunkedBody,
    ChunkSigner,
    HashedBody,
)
from cumulet.wire.sigv4.payload import s3_body
from cumulet.wire.sigv4.signature import ParsedSignature
from cumulet.wire.sigv4.verify import derive_key

TIME, DAY = "20130524T000000Z", "20130524"
SCOPE = f"{DAY}/us-east-1/s3/aws4_request"
# The worked examples of AWS's pages use this key:
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
KEY = derive_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", DAY, "us-east-1", "s3")
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"


class Pieces:
    """A body that arrives in pieces of a given size."""

    size_bytes = None

    def __init__(self, content: bytes, size: int) -> None:
        self.content, self.size = content, size

    async def read(self, limit_bytes: int) -> bytes:
        raise NotImplementedError

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.content), self.size):
            yield self.content[at : at + self.size]


def signer(seed: str = SEED) -> ChunkSigner:
    return ChunkSigner(KEY, TIME, SCOPE, seed)


def sign(previous: str, content: bytes) -> str:
    """A chunk's signature, written out a second time so as to check the first."""
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256-PAYLOAD",
            TIME,
            SCOPE,
            previous,
            sha256(b"").hexdigest(),
            sha256(content).hexdigest(),
        ]
    )
    return hmac.new(KEY, text.encode(), sha256).hexdigest()


def framed(chunks: list[bytes], trailer: dict[str, str] | None = None) -> bytes:
    previous, out = SEED, b""
    for chunk in [*chunks, b""]:
        previous = sign(previous, chunk)
        out += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk
        out += b"\r\n" if chunk else b""
    if trailer is None:
        return out + b"\r\n"
    lines = "".join(f"{name}:{value}\n" for name, value in sorted(trailer.items()))
    text = "\n".join(
        ["AWS4-HMAC-SHA256-TRAILER", TIME, SCOPE, previous, sha256(lines.encode()).hexdigest()]
    )
    signature = hmac.new(KEY, text.encode(), sha256).hexdigest()
    out += lines.replace("\n", "\r\n").encode()
    return out + f"x-amz-trailer-signature:{signature}\r\n\r\n".encode()


def body_of(content: bytes, size: int | None, piece: int = 1000, **options) -> ChunkedBody:
    options.setdefault("signer", signer())
    options.setdefault("has_trailer", False)
    return ChunkedBody(Pieces(content, piece), size, **options)


def read(body) -> bytes:
    return asyncio.run(body.read(1 << 20))


def refusal(body) -> AwsError:
    with pytest.raises(AwsError) as refused:
        read(body)
    return refused.value


def test_example_of_the_guide():
    content = b"a" * 65536, b"a" * 1024
    assert framed(list(content)) == (
        b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
        b"\r\n" + content[0] + b"\r\n"
        b"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
        b"\r\n" + content[1] + b"\r\n"
        b"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
        b"\r\n\r\n"
    )
    assert read(body_of(framed(list(content)), 66560)) == b"a" * 66560


def test_example_of_the_guide_with_a_trailer():
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    wire = (
        b"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"
        b"\r\n" + b"a" * 65536 + b"\r\n"
        b"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"
        b"\r\n" + b"a" * 1024 + b"\r\n"
        b"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"
        b"\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n"
        b"x-amz-trailer-signature:"
        b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    )
    body = body_of(
        wire,
        66560,
        signer=signer(TRAILER_SEED),
        has_trailer=True,
        declared=("x-amz-checksum-crc32c",),
    )
    assert read(body) == b"a" * 66560
    assert body.trailers == {"x-amz-checksum-crc32c": "sOO8/Q=="}


# What is in a chunk makes no difference, so that only its size and first bytes are drawn: drawing
# kilobytes is slow, and on a busy machine it fails for its slowness alone.
CHUNKS = st.builds(
    lambda size, start: start + b"x" * (size - len(start)),
    st.integers(8192, 8200),
    st.binary(max_size=16),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(CHUNKS, max_size=2), st.binary(max_size=40), st.integers(1, 9000))
def test_content_comes_out_however_the_bytes_arrive(chunks, last, piece):
    parts = [*chunks, last] if last else chunks
    content = b"".join(parts)
    trailer = {"x-amz-checksum-crc32": "AAAA", "x-amz-checksum-sha1": "BB=="}
    for wire, options in (
        (framed(parts), {}),
        (framed(parts, trailer), {"has_trailer": True, "declared": tuple(trailer)}),
    ):
        body = body_of(wire, len(content), piece, **options)
        assert read(body) == content


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 125), st.integers(1, 700), st.integers(100, 3000))
def test_what_botocore_frames_comes_out(start, times, piece, chunk_size):
    content = start * times
    wrapper = AwsChunkedWrapper(
        BytesIO(content),
        checksum_cls=Crc32Checksum,
        checksum_name="x-amz-checksum-crc32",
        chunk_size=chunk_size,
    )
    body = body_of(
        wrapper.read(),
        len(content),
        piece,
        signer=None,
        has_trailer=True,
        declared=("x-amz-checksum-crc32",),
    )
    assert read(body) == content
    expected = Crc32Checksum()
    expected.update(content)
    assert body.trailers == {"x-amz-checksum-crc32": expected.b64digest()}


WIRE = framed([b"x" * 8192, b"end"], {"x-amz-checksum-crc32": "AAAA"})
OPTIONS = {"has_trailer": True, "declared": ("x-amz-checksum-crc32",)}
FRAMING = [at for at in range(len(WIRE)) if not 100 < at < 8200]


def test_each_altered_byte_is_refused():
    """A letter of the framing, of the content or of the trailer: none can be changed.

    The case of a header's name, and of hexadecimal digits in a size, mean nothing.
    """
    for at in [*FRAMING[::7], 4000, len(WIRE) - 5]:
        changed = bytearray(WIRE)
        changed[at] ^= 0x11
        body = body_of(bytes(changed), 8195, 4000, **OPTIONS)
        assert refusal(body).http_status in (400, 403), at


def test_each_truncation_is_refused():
    for end in [*range(0, 95, 9), 200, 8000, *range(8270, len(WIRE) - 1, 11)]:
        error = refusal(body_of(WIRE[:end], 8195, 4000, **OPTIONS))
        assert error.code == "IncompleteBody", end


def test_altered_content_is_a_wrong_signature():
    changed = WIRE.replace(b"end", b"eng")
    error = refusal(body_of(changed, 8195, **OPTIONS))
    assert error.code == "SignatureMismatch"


def test_chunks_cannot_change_places():
    first, second = b"x" * 8192, b"y" * 8192
    wire = framed([first, second])
    half = (len(wire) - len(framed([]))) // 2
    swapped = wire[half : 2 * half] + wire[:half] + wire[2 * half :]
    assert refusal(body_of(swapped, 16384)).code == "SignatureMismatch"


def test_altered_trailer_is_a_wrong_signature():
    error = refusal(body_of(WIRE.replace(b":AAAA", b":AAAB"), 8195, **OPTIONS))
    assert error.code == "SignatureMismatch"


def test_content_must_have_the_length_that_was_said():
    for size in (8194, 8196):
        assert refusal(body_of(WIRE, size, **OPTIONS)).code == "IncompleteBody"


def test_only_the_last_chunk_may_be_small():
    error = refusal(body_of(framed([b"small", b"more"]), 9))
    assert (error.code, error.http_status) == ("InvalidChunkSizeError", 403)


def test_unsigned_chunks_are_refused_where_signed_ones_are_due():
    assert refusal(body_of(b"3\r\nabc\r\n0\r\n\r\n", 3)).code == "InvalidRequest"
    signed = framed([b"abc"])
    assert refusal(body_of(signed, 3, signer=None)).code == "InvalidRequest"


@pytest.mark.parametrize(
    "wire",
    [
        b"x\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3;other=1\r\nabc\r\n0\r\n\r\n",
        b"3" + b"0" * 5000,
        b"3\r\nabc\r\n0\r\n\r\nmore",
    ],
)
def test_malformed_framing_is_refused(wire):
    error = refusal(body_of(wire, 3, 16, signer=None))
    assert error.http_status == 400


@pytest.mark.parametrize(
    "trailer",
    [
        b"\r\n",
        b"x-amz-checksum-crc32 AAAA\r\n\r\n",
        b"x-amz-checksum-crc32:AAAA\r\nx-amz-other:1\r\n\r\n",
        b"x-amz-other:1\r\n\r\n",
        b"x-amz-checksum-crc32:A\r\nx-amz-checksum-crc32:B\r\n\r\n",
        b"x-amz-checksum-crc32:" + b"A" * 9000 + b"\r\n\r\n",
    ],
)
def test_malformed_trailer_is_refused(trailer):
    body = body_of(b"3\r\nabc\r\n0\r\n" + trailer, 3, signer=None, **OPTIONS)
    assert refusal(body).http_status == 400


def test_body_longer_than_the_reader_takes_is_refused_unread():
    with pytest.raises(RequestTooLarge):
        asyncio.run(body_of(WIRE, 8195, **OPTIONS).read(8194))


def parsed_with(payload_hash: str) -> ParsedSignature:
    return ParsedSignature(
        "AKID", DAY, "us-east-1", "s3", ("host",), SEED, TIME, "", False, None, payload_hash
    )


def request_with(content: bytes, **headers: str) -> Request:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("PUT", "/b/k", "", Headers(pairs), BytesBody(content))


def test_header_chooses_the_framing():
    signed = request_with(framed([b"abc"]), x_amz_decoded_content_length="3")
    assert read(s3_body(signed, parsed_with(SIGNED), KEY)) == b"abc"
    trailing = request_with(
        framed([b"abc"], {"x-amz-checksum-crc32": "AAAA"}),
        x_amz_decoded_content_length="3",
        x_amz_trailer="x-amz-checksum-crc32",
    )
    body = s3_body(trailing, parsed_with(SIGNED_TRAILER), KEY)
    assert read(body) == b"abc"
    assert body.trailers == {"x-amz-checksum-crc32": "AAAA"}
    unsigned = request_with(
        b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n",
        x_amz_decoded_content_length="3",
        x_amz_trailer="x-amz-checksum-crc32",
    )
    assert read(s3_body(unsigned, parsed_with(UNSIGNED_TRAILER), KEY)) == b"abc"
    plain = request_with(b"abc")
    assert read(s3_body(plain, parsed_with("UNSIGNED-PAYLOAD"), KEY)) == b"abc"


def test_decoded_length_is_needed():
    for text in ("", "x", "-1"):
        request = request_with(framed([b"abc"]), x_amz_decoded_content_length=text)
        with pytest.raises(AwsError) as refused:
            s3_body(request, parsed_with(SIGNED), KEY)
        assert (refused.value.code, refused.value.http_status) == ("MissingContentLength", 411)


def test_unsigned_request_cannot_have_signed_chunks():
    request = request_with(
        framed([b"abc"]), x_amz_content_sha256=SIGNED, x_amz_decoded_content_length="3"
    )
    with pytest.raises(AwsError) as refused:
        s3_body(request, None, b"")
    assert refused.value.code == "AccessDenied"


def test_hashed_body_is_compared_with_its_hash():
    good = sha256(b"abc").hexdigest()
    assert read(HashedBody(BytesBody(b"abc"), good)) == b"abc"

    async def stream(content: bytes) -> bytes:
        return b"".join([piece async for piece in HashedBody(Pieces(content, 2), good)])

    assert asyncio.run(stream(b"abc")) == b"abc"
    for work in (
        lambda: read(HashedBody(BytesBody(b"abd"), good)),
        lambda: asyncio.run(stream(b"abd")),
    ):
        with pytest.raises(AwsError) as refused:
            work()
        assert refused.value.code == "XAmzContentSHA256Mismatch"
        assert refused.value.fields["ClientComputedContentSHA256"] == good
