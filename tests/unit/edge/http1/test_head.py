"""Heads: what is accepted is read as another strict parser reads it."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cumulet.edge.http1.head import BadRequest, HeadReader
from cumulet.edge.limits import (
    HEADER_NAMES_KNOWN_MAX,
    HOSTS_KNOWN_MAX,
    LINE_KNOWN_CHARACTERS_MAX,
    LINES_KNOWN_MAX,
    Limits,
)

READER = HeadReader(Limits())

GOOD = (
    b"POST /a/b%20c?x=1&y HTTP/1.1\r\nHost: localhost:4566\r\nContent-Length: 12\r\n"
    b"X-Thing:  some value \r\nConnection: keep-alive"
)


class Seen:
    """What httptools makes of the same bytes."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[str, str]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))


def other(head: bytes) -> tuple[Seen, httptools.HttpRequestParser]:
    seen = Seen()
    parser = httptools.HttpRequestParser(seen)
    parser.feed_data(head + b"\r\n\r\n")
    return seen, parser


def test_good_head_is_read():
    head = READER.read(GOOD)
    assert (head.method, head.path, head.query) == ("POST", "/a/b%20c", "x=1&y")
    assert head.headers.get("x-thing") == "some value"
    assert head.headers.spelt()[1][0] == "Content-Length"
    assert (head.size_bytes, head.keep_alive, head.upgrade) == (12, True, "")
    assert not head.expects_continue
    assert head.newest


alterations = st.lists(
    st.tuples(
        st.integers(0, len(GOOD) - 1),
        st.sampled_from(
            [
                b"\r",
                b"\n",
                b"\r\n",
                b" ",
                b"\t",
                b":",
                b"\0",
                b"a",
                b"0",
                b",",
                b"\x80",
                b"",
                b"\r\n ",
                b";",
                b"%",
                b"/",
            ]
        ),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=400, deadline=None)
@given(alterations)
@example([(29, b"\r\n", 0)])
def test_what_is_accepted_is_read_as_httptools_reads_it(changes):
    """Stricter is well; another reading of the same bytes would let a request be smuggled."""
    head = GOOD
    for at, put, cut in changes:
        head = head[:at] + put + head[at + cut :]
    if b"\r\n\r\n" in head:
        return
    try:
        ours = READER.read(head)
    except BadRequest:
        return
    try:
        seen, parser = other(head)
    except (httptools.HttpParserInvalidMethodError, httptools.HttpParserInvalidURLError):
        return
    except httptools.HttpParserUpgrade:
        return
    assert parser.get_method().decode() == ours.method
    assert [(name, value.strip(" \t")) for name, value in seen.headers] == ours.headers.pairs


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_head_or_a_bad_request(data):
    try:
        head = READER.read(data)
    except BadRequest:
        return
    assert head.path.startswith("/")


def test_memory_of_names_and_hosts_is_bounded():
    reader = HeadReader(Limits())
    for number in range(HEADER_NAMES_KNOWN_MAX + 50):
        reader.read(b"GET / HTTP/1.1\r\nHost: h%d\r\nX-%d: 1" % (number, number))
    assert len(reader._fields.names) == HEADER_NAMES_KNOWN_MAX
    assert len(reader._hosts) == HOSTS_KNOWN_MAX


def test_memory_of_lines_is_bounded_and_leaves_out_what_is_never_sent_again():
    reader = HeadReader(Limits())
    for number in range(LINES_KNOWN_MAX + 50):
        head = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: %d\r\nAuthorization: %d"
        assert reader.read(head % (number, number)).headers.get("user-agent") == str(number)
    assert 0 < len(reader._fields) <= LINES_KNOWN_MAX
    assert not [line for line in reader._fields if line.startswith("Authorization")]
    reader.read(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: " + b"x" * LINE_KNOWN_CHARACTERS_MAX)
    assert not [line for line in reader._fields if line.startswith("Accept")]


def test_a_line_that_was_read_before_reads_the_same():
    head = b"GET / HTTP/1.1\r\nHost: a\r\nAccept:\t text/plain \r\naccept: b"
    for _ in range(2):
        read = READER.read(head).headers
        assert read.pairs == [("host", "a"), ("accept", "text/plain"), ("accept", "b")]
        assert [name for name, _ in read.spelt()] == ["Host", "Accept", "accept"]


@pytest.mark.parametrize(
    "host", ["localhost", "a.b:80", "[::1]:4566", "127.0.0.1", "my_bucket.s3.localhost", ""]
)
def test_hosts_that_are_names_are_taken(host):
    assert READER.read(b"GET / HTTP/1.1\r\nHost: " + host.encode()).headers.get("host") == host


def test_upgrade_is_seen_only_when_the_connection_says_so():
    base = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket"
    assert READER.read(base).upgrade == ""
    assert READER.read(base + b"\r\nConnection: keep-alive, Upgrade").upgrade == "websocket"
    assert READER.read(base + b"\r\nConnection: close, upgrade").keep_alive is False
    old = base.replace(b"1.1", b"1.0") + b"\r\nConnection: Upgrade"
    assert READER.read(old).upgrade == ""
