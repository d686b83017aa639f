import asyncio

import orjson
import pytest

from cumulet.core.errors import MalformedRequest
from cumulet.core.http import BytesBody, Headers, Request
from cumulet.wire.codec import read_request, write_response


def answer(catalog, service, name, output, request_id="id"):
    model = catalog.service(service)
    return write_response(model, model.operation(name), model.protocols[0], output, request_id)


def test_a_streaming_body_is_passed_on_unread(catalog):
    model = catalog.service("s3")
    body = BytesBody(b"content")
    request = Request("PUT", "/bucket/a%20key/%2B", body=body)
    members = read_request(model, model.operation("PutObject"), "rest-xml", request, body)
    assert members["Body"] is body
    assert members["Key"] == "a key/+"


def test_a_body_that_was_not_read_is_our_mistake(catalog):
    class Arriving:
        size_bytes = None

    model = catalog.service("lambda")
    request = Request("POST", "/2015-03-31/functions/f/invocations")
    with pytest.raises(TypeError):
        read_request(model, model.operation("Invoke"), "rest-json", request, Arriving())


def test_a_path_that_is_not_the_operations_is_malformed(catalog):
    model = catalog.service("lambda")
    with pytest.raises(MalformedRequest):
        read_request(model, model.operation("Invoke"), "rest-json", Request("POST", "/x"), b"")


@pytest.mark.parametrize(
    ("service", "name", "output"),
    [
        ("dynamodb", "GetItem", {"Nonsense": 1}),
        ("sts", "GetCallerIdentity", {"Nonsense": "x"}),
        ("lambda", "GetFunction", {"Nonsense": "x"}),
        ("s3", "PutObject", {"Nonsense": "x"}),
        ("s3", "ListObjectsV2", {"Contents": [{"Nonsense": "x"}]}),
        ("cloudwatch", "ListMetrics", {"Nonsense": "x"}),
    ],
)
def test_a_member_that_the_output_lacks_is_our_mistake(catalog, service, name, output):
    with pytest.raises(KeyError):
        answer(catalog, service, name, output)


def test_members_that_are_none_are_left_out(catalog):
    response = answer(catalog, "lambda", "GetFunction", {"Code": {"Location": None}, "Tags": None})
    assert response.body == b'{"Code":{}}'
    response = answer(catalog, "sts", "GetCallerIdentity", {"Account": None})
    assert b"Account" not in response.body


def test_an_operation_may_set_status_and_headers(catalog):
    metadata = {"HTTPStatusCode": 206, "HTTPHeaders": {"Content-Type": "text/css", "X-Own": "1"}}
    output = {"Body": b"part", "ResponseMetadata": metadata}
    response = answer(catalog, "s3", "GetObject", output)
    headers = dict(response.headers)
    assert (response.status, headers["content-type"], headers["x-own"]) == (206, "text/css", "1")
    assert output["ResponseMetadata"] is metadata


def test_a_streaming_answer_is_passed_on(catalog):
    async def pieces():
        yield b"a"
        yield b"b"

    async def collect(body):
        return [piece async for piece in body]

    response = answer(catalog, "s3", "GetObject", {"Body": pieces(), "ContentLength": 2})
    assert dict(response.headers)["content-length"] == "2"
    assert asyncio.run(collect(response.body)) == [b"a", b"b"]


def test_json_that_is_written_already_is_spliced_in(catalog):
    output = {"Item": orjson.Fragment(b'{"a":{"S":"x"}}')}
    assert answer(catalog, "dynamodb", "GetItem", output).body == b'{"Item":{"a":{"S":"x"}}}'
    output = {"Items": [orjson.Fragment(b'{"a":{"S":"x"}}')], "Count": 1}
    assert answer(catalog, "dynamodb", "Query", output).body == (
        b'{"Items":[{"a":{"S":"x"}}],"Count":1}'
    )


def test_status_and_function_error_of_an_invocation(catalog):
    output = {"StatusCode": 202, "FunctionError": "Unhandled", "Payload": b"{}"}
    response = answer(catalog, "lambda", "Invoke", output)
    headers = dict(response.headers)
    assert (response.status, headers["x-amz-function-error"]) == (202, "Unhandled")
    assert (headers["content-type"], response.body) == ("application/octet-stream", b"{}")


def test_user_metadata_travels_in_headers(catalog):
    response = answer(catalog, "s3", "HeadObject", {"Metadata": {"Colour": "red"}})
    assert dict(response.headers)["x-amz-meta-colour"] == "red"
    model = catalog.service("s3")
    headers = Headers([("X-Amz-Meta-Colour", "red"), ("x-other", "1")])
    request = Request("PUT", "/b/k", "", headers)
    members = read_request(model, model.operation("PutObject"), "rest-xml", request, b"")
    assert members["Metadata"] == {"colour": "red"}


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [
        ("GetBucketLocation", {"LocationConstraint": "eu-west-1"}, ">eu-west-1</LocationConstr"),
        ("GetBucketLocation", {}, "></LocationConstraint>"),
        ("ListBuckets", {"Buckets": []}, "<ListAllMyBucketsResult xmlns="),
        ("ListObjectsV2", {"Contents": [{"Key": "a\x01b"}]}, "<Key>a&#x1;b</Key>"),
        ("CreateMultipartUpload", {"UploadId": "u"}, "<InitiateMultipartUploadResult xmlns="),
        ("CopyObject", {"CopyObjectResult": {"ETag": '"e"'}}, "<ETag>&quot;e&quot;</ETag>"),
    ],
)
def test_s3_has_roots_of_its_own(catalog, name, output, expected):
    assert expected in answer(catalog, "s3", name, output).body.decode()


def test_an_s3_answer_without_members_in_the_body_has_none(catalog):
    response = answer(catalog, "s3", "PutObject", {"ETag": '"e"'})
    assert (response.body, dict(response.headers)["etag"]) == (b"", '"e"')
