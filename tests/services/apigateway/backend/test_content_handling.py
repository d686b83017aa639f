"""Bytes and texts: every row of AWS's two tables of conversions, for HTTP and for Lambda.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
"""

from __future__ import annotations

import base64

import pytest
from tests.services.apigateway.backend.conftest import lambda_uri, responses

BYTES = b"\x89PNG\x00\xff"
IN_TEXT = base64.b64encode(BYTES)


def binary(api):
    api.client.update_rest_api(
        restApiId=api.id,
        patchOperations=[{"op": "add", "path": "/binaryMediaTypes/image~1png"}],
    )


@pytest.mark.parametrize(
    ("kind", "handling", "sent", "arrived"),
    [
        ("text/plain", None, "ü".encode(), "ü".encode()),
        ("text/plain", "CONVERT_TO_BINARY", IN_TEXT, BYTES),
        ("text/plain", "CONVERT_TO_TEXT", b"text", b"text"),
        ("image/png", None, BYTES, BYTES),
        ("image/png; q=1", "CONVERT_TO_BINARY", BYTES, BYTES),
        ("image/png", "CONVERT_TO_TEXT", BYTES, IN_TEXT),
    ],
)
def test_requests(api, backend, kind, handling, sent, arrived):
    binary(api)
    place = api.method("POST")
    more = {"contentHandling": handling} if handling else {}
    api.client.put_integration(
        **place, type="HTTP", integrationHttpMethod="POST", uri=backend.url, **more
    )
    responses(api, place, "200")
    api.deploy()
    assert api.call("POST", "/", headers={"Content-Type": kind}, body=sent).status == 200
    assert backend.seen[0]["body"].encode("latin-1") == arrived


@pytest.mark.parametrize(
    ("kind", "accept", "handling", "sent", "arrived"),
    [
        ("text/plain", "text/plain", None, b"text", b"text"),
        ("text/plain", "text/plain", "CONVERT_TO_BINARY", IN_TEXT, BYTES),
        ("text/plain", "text/plain", "CONVERT_TO_TEXT", b"text", b"text"),
        ("text/plain", "image/png", None, IN_TEXT, BYTES),
        ("text/plain", "image/png", "CONVERT_TO_BINARY", IN_TEXT, BYTES),
        ("text/plain", "image/png", "CONVERT_TO_TEXT", b"text", b"text"),
        ("image/png", "text/plain", None, BYTES, IN_TEXT),
        ("image/png", "text/plain", "CONVERT_TO_BINARY", BYTES, BYTES),
        ("image/png", "text/plain", "CONVERT_TO_TEXT", BYTES, IN_TEXT),
        ("image/png", "image/png, */*", None, BYTES, BYTES),
        ("image/png", "image/png", "CONVERT_TO_BINARY", BYTES, BYTES),
        ("image/png", "image/png", "CONVERT_TO_TEXT", BYTES, IN_TEXT),
    ],
)
def test_answers(api, counting, kind, accept, handling, sent, arrived):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(sent)}\r\n\r\n"
    backend = counting(lambda number, count: head.encode() + sent)
    binary(api)
    place = api.method("GET")
    api.client.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="GET",
        uri=f"http://127.0.0.1:{backend.port}/",
    )
    responses(api, place, "200", **({"contentHandling": handling} if handling else {}))
    api.deploy()
    answer = api.call("GET", "/", headers={"Accept": accept})
    assert (answer.status, answer.body) == (200, arrived)


def test_what_is_not_base64_is_an_error(api, backend):
    binary(api)
    place = api.method("POST")
    api.client.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="POST",
        uri=backend.url,
        contentHandling="CONVERT_TO_BINARY",
    )
    responses(api, place, "200")
    api.deploy()
    answer = api.call("POST", "/", headers={"Content-Type": "text/plain"}, body=b"not base64!")
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
    assert backend.seen == []


def test_a_proxied_function_gets_and_gives_bytes(api, function):
    text = (
        "import base64\n"
        "def handler(event, context):\n"
        "    body = base64.b64decode(event['body'])\n"
        "    return {'headers': {'content-type': 'image/png'}, 'isBase64Encoded': True,\n"
        "            'body': base64.b64encode(body[::-1]).decode()}\n"
    )
    binary(api)
    place = api.method("POST")
    api.client.put_integration(
        **place, type="AWS_PROXY", integrationHttpMethod="POST", uri=lambda_uri(function(text))
    )
    api.deploy()
    headers = {"Content-Type": "image/png", "Accept": "image/png"}
    assert api.call("POST", "/", headers=headers, body=BYTES).body == BYTES[::-1]
    # Without a binary type in Accept, the text stays as it is.
    headers = {"Content-Type": "image/png"}
    assert api.call("POST", "/", headers=headers, body=BYTES).body == base64.b64encode(BYTES[::-1])
