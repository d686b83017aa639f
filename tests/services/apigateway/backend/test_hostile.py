"""Requests that mean harm: refused, or passed on as AWS does, and never read in two ways.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

from __future__ import annotations

import json
import socket
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CORS = {
    "method.response.header.Access-Control-Allow-Headers": "'Content-Type,X-Amz-Date'",
    "method.response.header.Access-Control-Allow-Methods": "'OPTIONS,GET'",
    "method.response.header.Access-Control-Allow-Origin": "'*'",
}


@pytest.fixture
def proxied(api, backend):
    """`ANY /{proxy+}` passed on, `GET /mapped` with a header from the query."""
    api.client.put_integration(
        **api.method("ANY", "{proxy+}", requestParameters={"method.request.path.proxy": True}),
        type="HTTP_PROXY",
        integrationHttpMethod="ANY",
        uri=backend.url + "/base/{proxy}",
        requestParameters={"integration.request.path.proxy": "method.request.path.proxy"},
    )
    place = api.method(
        "GET",
        "mapped",
        requestParameters={
            "method.request.querystring.q": False,
            "method.request.header.X-Back": False,
        },
    )
    api.client.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="GET",
        uri=backend.url + "/mapped",
        requestParameters={
            "integration.request.header.X-Given": "method.request.querystring.q",
            "integration.request.querystring.back": "method.request.header.X-Back",
        },
    )
    api.client.put_method_response(
        **place, statusCode="200", responseParameters={"method.response.header.X-Echo": False}
    )
    api.client.put_integration_response(
        **place,
        statusCode="200",
        responseParameters={
            "method.response.header.X-Echo": "integration.response.body.headers.x-given"
        },
    )
    api.deploy()
    return api


def raw(api, message: bytes) -> bytes:
    """What comes back for these very bytes, until the connection ends or falls silent."""
    host, port = api.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(message.replace(b"HOST", f"{api.id}.execute-api.localhost".encode()))
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while piece := connection.recv(65536):
            parts.append(piece)
    return b"".join(parts)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: 3, 4\r\n",
        b"Content-Length: +3\r\n",
        b"Content-Length: -3\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b" X-Folded: 1\r\n",
        b"X-Two: a\r\n b\r\n",
        b"X-Nul: a\x00b\r\n",
        b"X-Bare: a\rX-Evil: 1\r\n",
        b"Bad Name: 1\r\n",
    ],
)
def test_messages_with_two_meanings_are_refused(proxied, backend, head):
    message = (
        b"POST /prod/a HTTP/1.1\r\nHost: HOST\r\n" + head + b"\r\nabcGET /prod/evil HTTP/1.1\r\n"
    )
    answer = raw(proxied, message + b"Host: HOST\r\n\r\n")
    assert answer.split(b"\r\n")[0].split(b" ")[1] in (b"400", b"501")
    assert backend.seen == []


def test_a_chunked_request_has_one_meaning(proxied, backend):
    message = (
        b"POST /prod/a HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    assert raw(proxied, message).startswith(b"HTTP/1.1 200")
    seen = backend.seen[0]
    assert (seen["body"], seen["headers"]["content-length"]) == ("hello", "5")
    assert "transfer-encoding" not in seen["headers"]
    assert "x-trailer" not in seen["headers"]


def test_hop_by_hop_headers_stay_with_the_client(proxied, backend):
    proxied.call(
        "GET",
        "/a",
        headers={
            "Connection": "close, X-Secret",
            "Keep-Alive": "timeout=5",
            "Upgrade": "h2c",
            "TE": "trailers",
            "Expect": "x",
            "Proxy-Connection": "keep-alive",
        },
    )
    headers = backend.seen[0]["headers"] if backend.seen else {}
    assert not {"upgrade", "te", "keep-alive", "proxy-connection", "expect"} & headers.keys()


def test_headers_of_the_same_name_all_arrive(proxied, backend):
    message = (
        b"GET /prod/a HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nX-Same: 1\r\nx-same: 2\r\n\r\n"
    )
    assert raw(proxied, message).startswith(b"HTTP/1.1 200")
    assert backend.seen[0]["headers"]["x-same"] in ("1", "2", "1, 2")


def test_two_hosts_are_refused(proxied, backend):
    message = b"GET /prod/a HTTP/1.1\r\nHost: HOST\r\nHost: other\r\nConnection: close\r\n\r\n"
    assert raw(proxied, message).startswith(b"HTTP/1.1 400")
    assert backend.seen == []


@pytest.mark.parametrize("value", ["%0d%0aX-Evil:%201", "a%0aX-Evil:1", "%00", "a%0d"])
def test_a_mapped_value_cannot_make_a_header(proxied, backend, value):
    answer = proxied.call("GET", f"/mapped?q={value}")
    assert answer.status in (500, 504)
    assert backend.seen == []


def test_a_mapped_value_goes_there_and_back(proxied):
    answer = proxied.call("GET", "/mapped?q=plain", headers={"X-Back": "&a=b#c"})
    assert answer.headers["X-Echo"] == "plain"
    assert answer.json["path"] == "/mapped?back=%26a%3Db%23c"


@pytest.mark.parametrize(
    "path",
    ["/..%2f..%2fetc", "/%2e%2e%2fx", "/a%2f..%2f..%2fb", "/%252e%252e/x", "/a//b", "/%c0%ae/x"],
)
def test_encoded_paths_reach_the_backend_as_they_are(proxied, path):
    assert proxied.call("GET", path).json["path"].startswith("/base")


@pytest.mark.parametrize("path", ["/../x", "/a/../../x", "/%2e%2e/x", "/a/%2E./x", "/./x"])
def test_dot_segments_are_refused(proxied, backend, path):
    assert proxied.call("GET", path).status == 400
    assert backend.seen == []


def test_a_query_over_the_bound_is_refused(proxied, backend):
    fitting = proxied.call("GET", "/a?" + "x=" + "y" * 9_000)
    assert fitting.status == 200
    assert proxied.call("GET", "/a?" + "x=" + "y" * 11_000).status == 431
    assert len(backend.seen) == 1


def test_many_parameters_stay_in_order(proxied):
    query = "&".join(f"k{number % 7}={number}" for number in range(900))
    assert proxied.call("GET", f"/a?{query}").json["path"] == f"/base/a?{query}"


segment = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/?#\\"), min_size=1
)


@given(st.lists(segment, min_size=1, max_size=4), st.text(max_size=30))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_path_stays_below_its_place(proxied, backend, segments, value):
    path = "/" + "/".join(quote(one, safe="%:@!$&'()*+,;=-._~") for one in segments)
    answer = proxied.call("GET", f"{path}?v={quote(value)}")
    assert answer.status in (200, 400)
    if answer.status == 200:
        seen = answer.json["path"]
        assert seen.startswith("/base/")
        assert "\r" not in seen
        assert ".." not in seen.partition("?")[0].split("/")


@given(st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=40))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_mapped_value_is_one_value(proxied, backend, value):
    backend.seen.clear()
    answer = proxied.call("GET", f"/mapped?q={quote(value)}")
    assert answer.status in (200, 500, 504)
    for seen in backend.seen:
        assert "x-evil" not in seen["headers"]
        assert seen["path"] == "/mapped"
    json.dumps(backend.seen)


def test_cors_as_sam_and_cdk_make_it(api):
    """The OPTIONS method that `Cors` of AWS::Serverless::Api and `addCorsPreflight` write."""
    place = api.method("OPTIONS", "a")
    api.client.put_integration(
        **place,
        type="MOCK",
        requestTemplates={"application/json": "{ statusCode: 200 }"},
        passthroughBehavior="WHEN_NO_MATCH",
    )
    api.client.put_method_response(
        **place, statusCode="204", responseParameters=dict.fromkeys(CORS, False)
    )
    api.client.put_integration_response(**place, statusCode="204", responseParameters=CORS)
    api.deploy()
    answer = api.call(
        "OPTIONS",
        "/a",
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
    )
    assert (answer.status, answer.body) == (204, b"")
    for name, value in CORS.items():
        assert answer.headers[name.rpartition(".")[2]] == value.strip("'")
