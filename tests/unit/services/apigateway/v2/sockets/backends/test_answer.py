"""Answers of functions and backends: what passes, and what is malformed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.services.apigateway.pipeline.faults import GatewayFault
from cumulet.services.apigateway.v2.sockets.backends.answer import as_text, to_bytes
from cumulet.services.apigateway.v2.sockets.backends.function import parse_proxy_answer


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 200}, 200, b""),
        ({"statusCode": "201", "body": "x"}, 201, b"x"),
        ({"statusCode": 200, "body": 5}, 200, b"5"),
        ({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\x00\xff"),
        ({"statusCode": 200, "other": 1}, 200, b""),
    ],
)
def test_proxy_answer_is_read(answer: Any, status: int, body: bytes):
    found = parse_proxy_answer(json.dumps(answer).encode())
    assert (found.status, found.body) == (status, body)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        [],
        {},
        {"statusCode": "x"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
    ],
)
def test_malformed_proxy_answer_is_a_fault(answer: Any):
    with pytest.raises(GatewayFault):
        parse_proxy_answer(json.dumps(answer).encode())


def test_bytes_are_text_when_they_are_utf8():
    assert as_text("é".encode()) == "é"
    assert as_text(b"\xff") is None
    assert to_bytes("AP8=") == b"\x00\xff"
