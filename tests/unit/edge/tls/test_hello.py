"""The name in a client's hello: found in real ones, and never by running off their ends."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.edge.tls.hello import HELLO_BYTES_MAX, Hello, read_hello


def hello(name: str | None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """What OpenSSL says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = newest
    context.check_hostname = False
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["api.example.com", "API.Example.com", "x.y.z.localhost"])
def test_the_name_of_a_real_hello_is_found(name, newest):
    assert read_hello(hello(name, newest)) == Hello(name.lower(), 0)


def test_a_hello_without_a_name_has_none():
    assert read_hello(hello(None)) == Hello()
    assert read_hello(hello("127.0.0.1")) == Hello()


@given(at=st.integers(0, 600))
def test_a_part_of_a_hello_asks_for_more_but_never_for_less_than_it_has(at):
    whole = hello("api.example.com")
    part = whole[: min(at, len(whole) - 1)]
    found = read_hello(part)
    assert found.server_name == ""
    assert len(part) < found.bytes_needed <= len(whole)


def test_a_hello_in_several_records_is_put_together():
    whole = hello("api.example.com")
    message = whole[5:]
    cut = len(message) // 2
    records = b"".join(
        b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in (message[:cut], message[cut:])
    )
    assert read_hello(records) == Hello("api.example.com", 0)
    assert read_hello(records[: cut + 5]).bytes_needed == cut + 10


@given(data=st.binary(max_size=400))
def test_whatever_comes_is_read_to_an_end(data):
    found = read_hello(b"\x16\x03\x01" + data)
    assert 0 <= found.bytes_needed <= HELLO_BYTES_MAX


@given(at=st.integers(5, 500), value=st.integers(0, 255))
def test_a_hello_with_one_byte_changed_is_read_to_an_end(at, value):
    whole = bytearray(hello("api.example.com"))
    whole[min(at, len(whole) - 1)] = value
    assert read_hello(bytes(whole)).bytes_needed <= HELLO_BYTES_MAX


def test_what_is_no_hello_has_no_name():
    assert read_hello(b"GET / HTTP/1.1\r\n") == Hello()
    assert read_hello(b"\x16\x03\x01\xff\xff") == Hello()
    assert read_hello(b"\x16\x03\x01\x00\x00") == Hello()
    assert read_hello(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00") == Hello()
