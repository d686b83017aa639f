"""Responses: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload"""

from __future__ import annotations

import pytest

from cumulet.services.lambda_.urls.answer import BadAnswer, answer_of, split_prelude

JSON = ("content-type", "application/json")


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'"Hello, world!"', b"Hello, world!"),
        (b'{"message": "hi"}', b'{"message": "hi"}'),
        (b"null", b"null"),
        (b"3", b"3"),
        (b"not json", b"not json"),
    ],
)
def test_a_result_without_status_is_the_body(payload: bytes, body: bytes) -> None:
    assert answer_of(payload) == (200, [JSON], body)


def test_a_result_with_a_status_is_a_response() -> None:
    answer = answer_of(
        b'{"statusCode": "404", "headers": {"Content-Type": "text/plain", "x-n": 1, "x-b": true},'
        b' "cookies": ["a=1"], "body": "no"}'
    )
    assert answer.status == 404
    assert answer.headers == [
        ("content-type", "text/plain"),
        ("x-n", "1"),
        ("x-b", "true"),
        ("set-cookie", "a=1"),
    ]
    assert answer.body == b"no"
    assert answer_of(b'{"statusCode": 204}') == (204, [JSON], b"")
    assert answer_of(b'{"statusCode": 200, "body": {"a": 1}}').body == b'{"a":1}'


@pytest.mark.parametrize(
    "payload",
    [
        b'{"statusCode": "many"}',
        b'{"statusCode": 99}',
        b'{"statusCode": 200, "headers": [1]}',
        b'{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}',
        b'{"statusCode": 200, "headers": {"a\\nb": "c"}}',
        b'{"statusCode": 200, "cookies": ["a\\nb"]}',
        b'{"statusCode": 200, "isBase64Encoded": true, "body": "%%%"}',
    ],
)
def test_what_cannot_be_sent_is_refused(payload: bytes) -> None:
    with pytest.raises(BadAnswer):
        answer_of(payload)


def test_a_prelude_ends_with_eight_zero_bytes() -> None:
    whole = b'{"statusCode": 201}' + bytes(8) + b"body"
    assert split_prelude(whole[:20]) is None
    assert split_prelude(whole) == ({"statusCode": 201}, b"body")
    with pytest.raises(BadAnswer):
        split_prelude(b"[1]" + bytes(8))
    with pytest.raises(BadAnswer):
        split_prelude(b"x" * 2_000_000)
