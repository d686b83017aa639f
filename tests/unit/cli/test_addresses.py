"""AWS's addresses become those of this cloud, and nothing else does."""

from __future__ import annotations

import pytest

from cumulet.cli.addresses import local_url

HERE = "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (
            "https://a1.execute-api.us-east-1.amazonaws.com/live",
            "/restapis/a1/live/_user_request_/",
        ),
        (
            "https://a1.execute-api.eu-west-3.amazonaws.com/v1/x/y",
            "/restapis/a1/v1/_user_request_/x/y",
        ),
        ("https://u2.lambda-url.us-east-1.on.aws/", "/_lambda-url/u2/"),
        ("http://u2.lambda-url.us-east-1.localhost:4566/p", "/_lambda-url/u2/p"),
        ("https://things.s3.amazonaws.com/key", "/things/key"),
        ("https://things.s3.eu-west-1.amazonaws.com/", "/things/"),
    ],
)
def test_an_address_of_awss_is_answered_here(address: str, local: str) -> None:
    assert local_url(address, HERE) == HERE + local


def test_a_socket_is_opened_here() -> None:
    address = "wss://a1.execute-api.us-east-1.amazonaws.com/live"
    assert local_url(address, HERE) == "ws://127.0.0.1:4566/_aws/execute-api/a1/live"


@pytest.mark.parametrize(
    "text",
    ["", "things", "https://example.com/", "arn:aws:s3:::things", "https://s3.amazonaws.com"],
)
def test_what_is_no_address_of_awss_stays_as_it_is(text: str) -> None:
    assert local_url(text, HERE) is None
