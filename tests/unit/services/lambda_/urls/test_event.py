"""Payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html"""

from __future__ import annotations

import base64
import json
from typing import Any

from cumulet.core.http import Headers
from cumulet.core.identity import Principal
from cumulet.services.lambda_.urls.event import UrlCall, event_of


def event(**changes: Any) -> Any:
    call = UrlCall(
        "GET",
        "/p",
        "",
        Headers([("host", "id.lambda-url.eu-west-1.localhost:4566"), ("user-agent", "test")]),
        b"",
        "10.0.0.1",
        "http",
        "id.lambda-url.eu-west-1.localhost:4566",
        "id",
        "111122223333",
        "request",
        None,
        "Root=1-2-3",
        1_583_348_638.39,
    )
    return json.loads(event_of(call._replace(**changes)))


def test_a_request_without_anything() -> None:
    made = event()
    for absent in ("body", "cookies", "queryStringParameters"):
        assert absent not in made
    context = made["requestContext"]
    assert context["time"] == "04/Mar/2020:19:03:58 +0000"
    assert context["timeEpoch"] == 1_583_348_638_390
    assert context["domainName"] == "id.lambda-url.eu-west-1.localhost"
    assert context["http"]["userAgent"] == "test"
    assert made["headers"]["x-forwarded-for"] == "10.0.0.1"
    assert made["headers"]["x-forwarded-port"] == "4566"
    assert made["headers"]["x-amzn-trace-id"] == "Root=1-2-3"


def test_repeated_headers_and_parameters_are_joined() -> None:
    headers = Headers([("x-a", "1"), ("x-a", "2"), ("cookie", "a=1;b=2"), ("cookie", "c=3")])
    made = event(headers=headers, query="a=1&a=&b&=x&c=%2B+")
    assert made["headers"]["x-a"] == "1,2"
    assert made["cookies"] == ["a=1", "b=2", "c=3"]
    assert made["queryStringParameters"] == {"a": "1,", "b": "", "": "x", "c": "+ "}
    assert made["rawQueryString"] == "a=1&a=&b&=x&c=%2B+"


def test_what_a_client_says_of_its_address_is_not_believed() -> None:
    headers = Headers([("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")])
    made = event(headers=headers)
    assert made["headers"]["x-forwarded-for"] == "10.0.0.1"
    assert made["headers"]["x-forwarded-proto"] == "http"


def test_text_stays_text_and_the_rest_is_encoded() -> None:
    for kind, content, encoded in (
        ("application/json", b"{}", False),
        ("text/plain; charset=utf-8", "é".encode(), False),
        ("application/problem+json", b"{}", False),
        ("text/plain", b"\xff", True),
        ("application/x-www-form-urlencoded", b"a=b", True),
        ("", b"x", True),
    ):
        made = event(headers=Headers([("content-type", kind)]), body=content)
        assert made["isBase64Encoded"] is encoded, kind
        got = base64.b64decode(made["body"]) if encoded else made["body"].encode()
        assert got == content


def test_a_signed_caller_is_told() -> None:
    caller = Principal(
        "user", "444455556666", "arn:aws:iam::444455556666:user/u", "AIDA", access_key_id="AKIA"
    )
    context = event(caller=caller)["requestContext"]
    assert context["accountId"] == "111122223333"
    assert context["authorizer"]["iam"]["userArn"] == caller.arn
    assert context["authorizer"]["iam"]["accountId"] == "444455556666"
    assert context["authorizer"]["iam"]["callerId"] == "AIDA"
