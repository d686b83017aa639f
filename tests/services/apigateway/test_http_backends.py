"""HTTP and HTTP_PROXY integrations with a real backend.

https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html
"""

from __future__ import annotations

import socket

import pytest


def proxy(api, backend, path="/{proxy+}", uri="/base/{proxy}", **more):
    parts = [part for part in path.split("/") if part]
    place = api.method("ANY", *parts, requestParameters={"method.request.path.proxy": True})
    api.client.put_integration(
        **place,
        type="HTTP_PROXY",
        integrationHttpMethod=more.pop("verb", "ANY"),
        uri=backend.url + uri,
        **{
            "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
            **more,
        },
    )
    api.deploy()


def test_a_request_is_passed_on_with_its_own_headers(api, backend):
    proxy(api, backend)
    answer = api.call(
        "POST",
        "/a/b%20c?x=1&x=2&y=%26",
        headers={"X-One": "1", "Accept": "text/x", "Content-Type": "text/plain"},
        body=b"hello",
    )
    assert answer.status == 200
    seen = answer.json
    assert (seen["method"], seen["path"]) == ("POST", "/base/a/b%20c?x=1&x=2&y=%26")
    assert seen["body"] == "hello"
    headers = seen["headers"]
    assert headers["x-one"] == "1"
    assert headers["accept"] == "text/x"
    assert headers["host"] == backend.url.removeprefix("http://")
    assert headers["x-amzn-apigateway-api-id"] == api.id
    assert headers["user-agent"] == f"AmazonAPIGateway_{api.id}"
    assert "x-forwarded-for" not in headers


def test_an_answer_is_passed_back_with_its_headers(api, backend):
    proxy(api, backend)
    answer = api.call("GET", "/x", headers={"X-Want-Status": "404"})
    assert answer.status == 404
    assert answer.headers["X-Backend"] == "yes"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.headers["x-amzn-Remapped-Date"]
    assert answer.headers["x-amzn-Remapped-Server"]
    assert answer.headers["x-amzn-RequestId"]
    assert answer.headers["Content-Length"] == str(len(answer.body))


def test_a_chunked_answer_and_one_to_head(api, backend):
    proxy(api, backend)
    chunked = api.call("GET", "/x", headers={"X-Want-Chunked": "1"})
    assert chunked.json["path"] == "/base/x"
    assert "Transfer-Encoding" not in chunked.headers
    head = api.call("HEAD", "/x")
    assert (head.status, head.body) == (200, b"")


def test_mappings_win_over_the_request(api, backend):
    proxy(
        api,
        backend,
        verb="PUT",
        requestParameters={
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.X-One": "'mapped'",
            "integration.request.header.X-Stage": "context.stage",
            "integration.request.querystring.q": "'z'",
        },
    )
    seen = api.call("GET", "/x?q=a", headers={"X-One": "1"}).json
    assert (seen["method"], seen["path"]) == ("PUT", "/base/x?q=z")
    assert (seen["headers"]["x-one"], seen["headers"]["x-stage"]) == ("mapped", "prod")


@pytest.mark.parametrize("path", ["/../admin", "/a/../../admin", "/%2e%2e/admin", "/a/%2E%2e/b"])
def test_a_path_may_not_climb_out_of_the_backends_place(api, backend, path):
    proxy(api, backend)
    answer = api.call("GET", path)
    assert (answer.status, answer.json) == (400, {"message": "Bad Request"})
    assert backend.seen == []


@pytest.mark.parametrize("path", ["/..%2fadmin", "/a%2F..%2Fb", "/%252e%252e/x"])
def test_an_encoded_slash_stays_encoded(api, backend, path):
    proxy(api, backend)
    assert api.call("GET", path).json["path"] == "/base" + path


def test_header_injection_by_an_encoded_line_end_stays_encoded(api, backend):
    proxy(api, backend)
    seen = api.call("GET", "/a%0d%0aX-Evil:%201?q=%0d%0aX-Evil:1").json
    assert seen["path"] == "/base/a%0d%0aX-Evil:%201?q=%0D%0AX-Evil%3A1"
    assert "x-evil" not in seen["headers"]


def test_a_backend_that_is_not_there(api):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        place = api.method("GET")
        api.client.put_integration(**place, type="HTTP_PROXY", integrationHttpMethod="GET", uri=url)
        api.deploy()
        answer = api.call("GET", "/")
    assert (answer.status, answer.json) == (
        504,
        {"message": "Network error communicating with endpoint"},
    )


def test_a_backend_that_breaks_off_or_hangs(api, backend):
    proxy(api, backend, timeoutInMillis=100)
    cut = api.call("GET", "/x", headers={"X-Want-Cut": "1"})
    assert cut.status == 504
    slow = api.call("GET", "/x", headers={"X-Want-Hang": "1"})
    assert (slow.status, slow.json) == (504, {"message": "Endpoint request timed out"})


def test_a_mapped_call_sends_only_what_is_mapped(api, backend):
    place = api.method(
        "POST",
        "{id}",
        requestParameters={
            "method.request.path.id": True,
            "method.request.querystring.q": False,
            "method.request.header.X-In": False,
        },
    )
    api.client.put_method_response(
        **place, statusCode="200", responseParameters={"method.response.header.X-Out": False}
    )
    api.client.put_method_response(**place, statusCode="502")
    api.client.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="PUT",
        uri=backend.url + "/items/{item}",
        requestParameters={
            "integration.request.path.item": "method.request.path.id",
            "integration.request.querystring.p": "method.request.querystring.q",
            "integration.request.header.X-Sent": "method.request.header.X-In",
            "integration.request.header.X-Name": "method.request.body.name",
        },
        requestTemplates={"application/json": "{\"n\": $input.json('$.name')}"},
    )
    api.client.put_integration_response(
        **place,
        statusCode="200",
        responseParameters={
            "method.response.header.X-Out": "integration.response.header.X-Backend"
        },
        responseTemplates={"application/json": "saw $input.path('$.path') $input.path('$.body')"},
    )
    api.client.put_integration_response(**place, statusCode="502", selectionPattern="5\\d\\d")
    api.deploy()
    answer = api.call(
        "POST", "/7?q=a%26b&r=2", headers={"X-In": "i", "X-Other": "o"}, body=b'{"name":"Ann"}'
    )
    assert (answer.status, answer.headers["X-Out"]) == (200, "yes")
    assert answer.body == b'saw /items/7?p=a%26b {"n": "Ann"}'
    seen = backend.seen[-1]
    assert seen["method"] == "PUT"
    assert seen["headers"]["x-sent"] == "i"
    assert seen["headers"]["x-name"] == "Ann"
    assert seen["headers"]["accept"] == "application/json"
    assert "x-other" not in seen["headers"]


def test_a_status_of_the_backend_chooses_the_response(api, backend):
    place = api.method("GET", requestParameters={"method.request.header.X-Want-Status": True})
    for code in ("200", "502"):
        api.client.put_method_response(**place, statusCode=code)
    api.client.put_integration(
        **place,
        type="HTTP",
        integrationHttpMethod="GET",
        uri=backend.url + "/",
        requestParameters={
            "integration.request.header.X-Want-Status": "method.request.header.X-Want-Status"
        },
    )
    api.client.put_integration_response(**place, statusCode="200")
    api.client.put_integration_response(**place, statusCode="502", selectionPattern="5\\d\\d")
    api.deploy()
    assert api.call("GET", "/", headers={"X-Want-Status": "503"}).status == 502
    assert api.call("GET", "/", headers={"X-Want-Status": "404"}).status == 200
