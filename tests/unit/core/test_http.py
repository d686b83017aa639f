"""HTTP messages as values: headers in order, and bodies that are bounded."""

from __future__ import annotations

import asyncio

import pytest

from cumulet.core.errors import RequestTooLarge
from cumulet.core.http import BytesBody, Headers, Request

PAIRS = [("X-One", "1"), ("x-two", "2"), ("X-ONE", "3")]


def test_names_are_looked_up_in_lower_case_and_the_first_value_counts() -> None:
    headers = Headers(PAIRS)
    assert headers.get("x-one") == "1"
    assert headers.get("x-none", "default") == "default"
    assert headers.all("x-one") == ["1", "3"]
    assert "x-two" in headers
    assert "X-Two" not in headers


def test_pairs_keep_their_order() -> None:
    assert list(Headers(PAIRS)) == [("x-one", "1"), ("x-two", "2"), ("x-one", "3")]
    assert len(Headers(PAIRS)) == 3


def test_names_are_passed_on_as_they_were_spelt() -> None:
    assert Headers(PAIRS).spelt() == PAIRS
    unspelt = Headers.lowered([("content-type", "a"), ("etag", "b")])
    assert unspelt.spelt() == [("Content-Type", "a"), ("Etag", "b")]


def test_lowered_pairs_are_the_same_headers() -> None:
    lowered = Headers.lowered([("a", "1"), ("a", "2")], ["A", "a"])
    assert lowered.get("a") == "1"
    assert lowered.repeats
    assert not Headers([("a", "1"), ("b", "1")]).repeats


def test_a_body_is_read_whole_within_its_limit() -> None:
    assert asyncio.run(BytesBody(b"four").read(4)) == b"four"
    with pytest.raises(RequestTooLarge):
        asyncio.run(BytesBody(b"fours").read(4))


def test_a_body_comes_in_pieces_and_an_empty_one_in_none() -> None:
    async def pieces(body: BytesBody) -> list[bytes]:
        return [piece async for piece in body]

    assert asyncio.run(pieces(BytesBody(b"all"))) == [b"all"]
    assert asyncio.run(pieces(BytesBody())) == []
    assert BytesBody(b"all").size_bytes == 3


def test_a_request_has_a_host_and_an_empty_body_unless_given() -> None:
    request = Request("GET", "/", headers=Headers([("Host", "a.localhost:4566")]))
    assert request.host == "a.localhost:4566"
    assert request.body.size_bytes == 0
    assert Request("GET", "/").host == ""
