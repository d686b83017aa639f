import gzip
import zlib

import pytest

from cumulet.core.errors import RequestTooLarge
from cumulet.wire.protocols.coding import (
    DECODED_BYTES_MAX,
    MEMBERS_MAX,
    Undecodable,
    accepted,
    decode,
    encode,
)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("body", [b"", b"x", b"abc" * 100_000])
def test_what_was_encoded_is_decoded(coding, body):
    assert decode(coding, encode(coding, body)) == body
    assert decode(f" {coding.upper()} ", encode(coding, body)) == body


def test_gzip_may_be_of_several_members_and_deflate_not():
    halves = [b"the first ", b"the second"]
    assert decode("gzip", b"".join(map(gzip.compress, halves))) == b"".join(halves)
    with pytest.raises(Undecodable):
        decode("deflate", b"".join(map(zlib.compress, halves)))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("spoil", [lambda _: b"", lambda _: b"{}", lambda whole: whole[:-1]])
def test_what_is_no_such_coding_is_not_decoded(coding, spoil):
    with pytest.raises(Undecodable):
        decode(coding, spoil(encode(coding, b"{}")))


def test_neither_is_junk_behind_it_nor_an_unknown_coding():
    with pytest.raises(Undecodable):
        decode("gzip", gzip.compress(b"{}") + b"junk")
    with pytest.raises(Undecodable):
        decode("br", b"{}")
    assert decode("identity", b"{}") == b"{}"


def test_a_bomb_is_too_large_whether_in_one_member_or_in_many():
    half = gzip.compress(b" " * (DECODED_BYTES_MAX // 2 + 1))
    assert len(decode("gzip", gzip.compress(b" " * DECODED_BYTES_MAX))) == DECODED_BYTES_MAX
    with pytest.raises(RequestTooLarge):
        decode("gzip", half + half)
    with pytest.raises(RequestTooLarge):
        decode("deflate", zlib.compress(b" " * (DECODED_BYTES_MAX + 1)))
    with pytest.raises(Undecodable):
        decode("gzip", gzip.compress(b"") * (MEMBERS_MAX + 1))


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        # As ScyllaDB's test_compressed_response.py has them from AWS.
        ("identity", ""),
        ("br", ""),
        ("x-gzip", ""),
        ("gzip, deflate", "gzip"),
        ("br, identity, deflate, gzip", "deflate"),
        ("dog, GZIP ,, cat", "gzip"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("br, gzip;q=0, deflate; q = 0.5 , identity;q=0", "deflate"),
        ("*", "gzip"),
        ("*, deflate;q=0.5", "gzip"),
        ("*, deflate", "deflate"),
        ("*, gzip;q=0.5", "deflate"),
        ("*;q=0.5,identity", "gzip"),
        ("gzip;q=0.5,identity;q=0.8", "gzip"),
        ("br;q=0.8,identity;q=0.5,*;q=0", ""),
        ("gzip ;q=0", ""),
        ('"gzip"', ""),
        ("gzip br", ""),
        ("gzip:q=1", ""),
        ("gzip;q=31,deflate;q=51", "gzip"),
        ("deflate;q=0.5, gzip;q=1;q=0.2", "gzip"),
        ("deflate;q=0.5,gzip;q=0.", "deflate"),
        ("deflate;q=0.5,gzip;q=0.x", "gzip"),
        ("deflate;q=-0.5,gzip;q=0.2", "gzip"),
        ("gzip;q =0;q=1", "gzip"),
        ("gzip;nq=0;q=1", ""),
        ("gzip;q=0, gzip;q=1, gzip;q=0", "gzip"),
        ("br,identity;q=0.5,gzip;q=0.0001", "gzip"),
    ],
)
def test_the_coding_that_is_asked_for(header, coding):
    assert accepted(header) == coding
