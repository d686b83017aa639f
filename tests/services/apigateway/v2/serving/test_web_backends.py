"""HTTP and service backends of HTTP APIs, and parameter mappings both ways.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-http.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

import json
import socket
import uuid
from urllib.parse import quote

import pytest
from tests.services.apigateway.conftest import refused


def test_a_request_is_passed_on_with_where_it_came_from(http_api, backend):
    http_api.route("ANY /a/{proxy+}", http_api.http(backend.url + "/to/{proxy}?own=1"))
    answer = http_api.call(
        "POST",
        "/a/b%20c/d?x=1&x=2",
        headers={"X-Mine": "yes", "Connection": "close", "TE": "trailers"},
        body=b"hello",
    )
    seen = answer.json
    assert (seen["method"], seen["path"]) == ("POST", "/to/b%20c/d?own=1&x=1&x=2")
    assert seen["body"] == "hello"
    headers = seen["headers"]
    assert headers["x-mine"] == "yes"
    assert headers["host"] == backend.url.removeprefix("http://")
    assert headers["via"] == "HTTP/1.1 AmazonAPIGateway"
    assert (
        headers["forwarded"] == f"for=127.0.0.1;host={http_api.id}.execute-api.localhost;proto=http"
    )
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert "te" not in headers
    assert answer.headers["X-Backend"] == "yes"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert "apigw-requestid" in answer.headers


def test_the_integrations_own_method_is_used(http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url, "PUT"))
    assert http_api.call("GET", "/x").json["method"] == "PUT"


def test_the_backends_status_is_the_answers(http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url))
    assert http_api.call("GET", "/x", headers={"X-Want-Status": "418"}).status == 418


@pytest.mark.parametrize("path", ["/a/..", "/a/%2e%2e/b", "/a/b/../c", "/a/..%2fx"])
def test_path_variables_do_not_climb(http_api, backend, path):
    http_api.route("GET /a/{proxy+}", http_api.http(backend.url + "/inside/{proxy}"))
    answer = http_api.call("GET", path)
    assert answer.status == 400
    assert not backend.seen


@pytest.mark.parametrize("last", ["..", "%2e%2e", "a%2F..%2Fb"])
def test_mapped_paths_do_not_climb(http_api, backend, last):
    mapped = {"overwrite:path": "/inside/${request.path.id}"}
    http_api.route("GET /a/{id}", http_api.http(backend.url, RequestParameters=mapped))
    assert http_api.call("GET", f"/a/{last}").status == 400
    assert not backend.seen


def test_a_backend_that_is_gone_makes_the_service_unavailable(http_api):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        http_api.route("GET /x", http_api.http(f"http://127.0.0.1:{port}/"))
        answer = http_api.call("GET", "/x")
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')


def test_a_slow_backend_makes_the_service_unavailable(http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url, TimeoutInMillis=50))
    answer = http_api.call("GET", "/x", headers={"X-Want-Hang": "1"})
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')


def test_requests_are_mapped_before_they_are_sent(v2, http_api, backend):
    v2.update_stage(ApiId=http_api.id, StageName="$default", StageVariables={"v": "stage"})
    mapped = {
        "append:header.x-both": "$request.header.x-other",
        "overwrite:header.x-context": "${context.routeKey} in ${context.stage}",
        "overwrite:header.x-body": "$request.body.pet.name",
        "overwrite:header.x-stage": "$stageVariables.v",
        "overwrite:header.x-static": "plain",
        "overwrite:header.x-path": "$request.path",
        "overwrite:header.x-absent": "$request.header.absent",
        "remove:header.x-gone": "''",
        "append:querystring.q": "$request.path.id",
        "overwrite:querystring.o": "new",
        "remove:querystring.r": "''",
        "overwrite:path": "/v2/${request.path.id}",
    }
    backend_id = http_api.http(backend.url + "/old", RequestParameters=mapped)
    http_api.route("POST /pets/{id}", backend_id)
    answer = http_api.call(
        "POST",
        "/pets/7?q=1&o=old&r=1",
        headers=[
            ("x-both", "first"),
            ("x-other", "second"),
            ("x-gone", "1"),
            ("x-static", "client"),
            ("Content-Type", "application/json"),
        ],
        body=b'{"pet": {"name": "rex"}}',
    )
    seen = answer.json
    assert seen["path"] == "/v2/7?q=1&q=7&o=new"
    headers = seen["headers"]
    assert headers["x-context"] == "POST /pets/{id} in $default"
    assert headers["x-body"] == "rex"
    assert headers["x-stage"] == "stage"
    assert headers["x-static"] == "plain"
    assert headers["x-path"] == "/pets/7"
    assert "x-absent" not in headers
    assert "x-gone" not in headers


def test_answers_are_mapped_by_their_status(http_api, backend):
    mapped = {
        "500": {
            "overwrite:statuscode": "403",
            "append:header.x-told": "$response.body.method",
            "remove:header.X-Backend": "''",
            "overwrite:header.x-id": "$context.requestId",
            "overwrite:header.x-kind": "$response.header.Content-Type",
        }
    }
    http_api.route("GET /x", http_api.http(backend.url, ResponseParameters=mapped))
    answer = http_api.call("GET", "/x", headers={"X-Want-Status": "500"})
    assert (answer.status, answer.headers["x-told"]) == (403, "GET")
    assert "X-Backend" not in answer.headers
    assert answer.headers["x-id"] == answer.headers["apigw-requestid"]
    assert answer.headers["x-kind"] == "application/json"
    untouched = http_api.call("GET", "/x")
    assert (untouched.status, untouched.headers["X-Backend"]) == (200, "yes")


def test_mappings_of_restricted_headers_are_refused(http_api, backend):
    for name in ("Connection", "x-amz-date", "Access-Control-Allow-Origin", "Via"):
        with refused("BadRequestException"):
            http_api.http(backend.url, RequestParameters={f"overwrite:header.{name}": "x"})


def test_headers_from_mappings_cannot_split_a_request(http_api, backend):
    backend_id = http_api.http(
        backend.url, RequestParameters={"overwrite:header.x": "$request.querystring.q"}
    )
    http_api.route("GET /x", backend_id)
    answer = http_api.call("GET", "/x?q=a%0d%0aInjected:%201")
    assert answer.status in (400, 500, 503)
    assert not any("injected" in one["headers"] for one in backend.seen)


@pytest.mark.parametrize(
    ("subtype", "parameters", "body"),
    [
        ("SQS-SendMessage", {"QueueUrl": "$request.body.q", "MessageBody": "$request.body"}, b"x"),
        ("SQS-PurgeQueue", {"QueueUrl": "$request.header.q"}, b""),
    ],
)
def test_a_service_integration_needs_what_its_operation_needs(
    http_api, role_of_functions, subtype, parameters, body
):
    backend_id = http_api.integration(
        IntegrationType="AWS_PROXY",
        IntegrationSubtype=subtype,
        CredentialsArn=role_of_functions,
        PayloadFormatVersion="1.0",
        RequestParameters=parameters,
    )
    http_api.route("POST /x", backend_id)
    answer = http_api.call("POST", "/x", body=body)
    assert (answer.status, answer.body) == (400, b'{"message":"Bad Request"}')


def queue_route(api, subtype, role, key, **parameters):
    backend_id = api.integration(
        IntegrationType="AWS_PROXY",
        IntegrationSubtype=f"SQS-{subtype}",
        CredentialsArn=role,
        PayloadFormatVersion="1.0",
        RequestParameters=parameters,
    )
    api.route(key, backend_id)


def queue_api(api, url, role):
    """Routes to each of the four operations of a queue."""
    queue_route(
        api,
        "SendMessage",
        role,
        "POST /send",
        QueueUrl=url,
        MessageBody="$request.body.text",
        DelaySeconds="$request.querystring.delay",
        MessageAttributes="$request.header.attributes",
    )
    queue_route(
        api,
        "ReceiveMessage",
        role,
        "GET /receive",
        QueueUrl=url,
        MaxNumberOfMessages="1",
        MessageAttributeNames="a, b",
    )
    queue_route(
        api,
        "DeleteMessage",
        role,
        "DELETE /{proxy+}",
        QueueUrl=url,
        ReceiptHandle="$request.querystring.handle",
    )
    queue_route(api, "PurgeQueue", role, "POST /purge", QueueUrl=url)


def allow_queue(cloud, role, name):
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "sqs:*",
            "Resource": f"arn:aws:sqs:*:*:{name}",
        },
    }
    cloud.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName=name, PolicyDocument=json.dumps(document)
    )


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
def test_messages_are_sent_received_and_deleted_without_a_function(
    cloud, http_api, role_of_functions
):
    name = f"http-{uuid.uuid4().hex[:8]}"
    url = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    role = role_of_functions
    queue_api(http_api, url, role)
    refusal = http_api.call("POST", "/send", body=b'{"text": "hi"}')
    assert refusal.status == 403
    allow_queue(cloud, role, name)
    attributes = json.dumps({"a": {"DataType": "String", "StringValue": "1"}})
    sent = http_api.call(
        "POST", "/send?delay=0", headers={"attributes": attributes}, body=b'{"text": "hi"}'
    )
    assert sent.status == 200
    [message] = http_api.call("GET", "/receive").json["Messages"]
    assert (message["Body"], message["MessageId"]) == ("hi", sent.json["MessageId"])
    assert message["MessageAttributes"]["a"]["StringValue"] == "1"
    handle = quote(message["ReceiptHandle"], safe="")
    assert http_api.call("DELETE", f"/x?handle={handle}").status == 200
    assert http_api.call("POST", "/purge", body=b"").status == 200
    for path, body in (("/send?delay=soon", b'{"text": "hi"}'), ("/send", b"{}")):
        assert http_api.call("POST", path, body=body).status == 400
    lost = http_api.call("POST", "/send", headers={"attributes": "{"}, body=b'{"text": "hi"}')
    assert lost.status == 400
    cloud.client("sqs").delete_queue(QueueUrl=url)


def test_a_head_request_has_no_body(http_api, backend):
    http_api.route("ANY /x", http_api.http(backend.url))
    answer = http_api.call("HEAD", "/x")
    assert (answer.status, answer.body) == (200, b"")
