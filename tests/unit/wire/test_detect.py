"""Requests of every kind find their service, protocol and operation."""

from __future__ import annotations

import pytest

from cumulet.core.http import BytesBody, Headers, Request
from cumulet.wire.detect import Detector, Target

SERVED = (
    "apigateway",
    "apigatewayv2",
    "bedrock-runtime",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "dynamodbstreams",
    "iam",
    "lambda",
    "logs",
    "s3",
    "sqs",
    "ssm",
    "sts",
)
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.fixture(scope="module")
def detector(catalog):
    return Detector(catalog, SERVED)


def request(line, headers=None, body=b""):
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    return Request(method, path, query, Headers((headers or {}).items()), BytesBody(body))


def found(detector, line, signing_name="", headers=None, body=b""):
    asked = request(line, headers, body)
    target = detector.detect(asked, signing_name)
    if target is not None and target.needs_body:
        return detector.settle(target, asked, body)
    return target


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("DynamoDB_20120810.PutItem", ("dynamodb", "PutItem", "json")),
        ("DynamoDBStreams_20120810.GetRecords", ("dynamodbstreams", "GetRecords", "json")),
        ("AmazonSQS.SendMessage", ("sqs", "SendMessage", "json")),
        ("Logs_20140328.PutLogEvents", ("logs", "PutLogEvents", "json")),
        ("AmazonSSM.GetParameter", ("ssm", "GetParameter", "json")),
        ("GraniteServiceVersion20100801.ListMetrics", ("cloudwatch", "ListMetrics", "json")),
        ("DynamoDB_20120810.Nonsense", ("dynamodb", "Nonsense", "json")),
        ("Unheard.Of", None),
    ],
)
def test_by_target_header(detector, target, expected):
    assert found(detector, "POST /", "", {"x-amz-target": target}) == expected


def test_an_unknown_target_belongs_to_the_service_that_it_was_signed_for(detector):
    headers = {"x-amz-target": "DynamoDB_19990101.PutItem"}
    assert found(detector, "POST /", "dynamodb", headers) == ("dynamodb", "PutItem", "json")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/service/GraniteServiceVersion20100801/operation/PutMetricData",
            ("cloudwatch", "PutMetricData", "cbor"),
        ),
        ("/service/AmazonSQS/operation/SendMessage", None),
        ("/service/Other/operation/PutMetricData", None),
        ("/elsewhere", None),
    ],
)
def test_by_cbor_path(detector, path, expected):
    headers = {"smithy-protocol": "rpc-v2-cbor"}
    assert found(detector, f"POST {path}", "monitoring", headers) == expected


@pytest.mark.parametrize(
    ("signing_name", "body", "expected"),
    [
        ("iam", b"Action=GetUser&Version=2010-05-08", ("iam", "GetUser", "query")),
        ("sts", b"Version=2011-06-15&Action=AssumeRole", ("sts", "AssumeRole", "query")),
        ("monitoring", b"Action=ListMetrics", ("cloudwatch", "ListMetrics", "query")),
        ("sqs", b"Action=SendMessage", ("sqs", "SendMessage", "query")),
        ("iam", b"Version=2010-05-08", ("iam", "", "query")),
        ("", b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15", ("sts", None, "query")),
        ("", b"Action=GetUser", ("iam", "GetUser", "query")),
        ("", b"Action=Nonsense&Version=2011-06-15", ("sts", "Nonsense", "query")),
        ("", b"Action=Nonsense", None),
        ("", b"a=b", None),
    ],
)
def test_by_form(detector, signing_name, body, expected):
    if expected and expected[1] is None:
        expected = (expected[0], "AssumeRoleWithWebIdentity", "query")
    assert found(detector, "POST /", signing_name, FORM, body) == expected


def test_a_query_request_may_be_a_get(detector):
    line = "GET /?Action=GetCallerIdentity&Version=2011-06-15"
    assert found(detector, line, "sts") == ("sts", "GetCallerIdentity", "query")


def test_old_clients_post_to_the_queue(detector):
    line = "POST /123456789012/orders"
    expected = ("sqs", "ReceiveMessage", "query")
    assert found(detector, line, "sqs", FORM, b"Action=ReceiveMessage") == expected


@pytest.mark.parametrize(
    ("line", "operation"),
    [
        ("POST /2015-03-31/functions/f/invocations", "Invoke"),
        ("POST /2015-03-31/functions/arn%3Aaws%3Alambda%3A/invocations", "Invoke"),
        ("GET /2015-03-31/functions/", "ListFunctions"),
        ("GET /2015-03-31/functions", "ListFunctions"),
        ("GET /2015-03-31/functions/f", "GetFunction"),
        ("GET /2015-03-31/functions/f/configuration", "GetFunctionConfiguration"),
        ("GET /2018-10-31/layers?find=LayerVersion&Arn=x", "GetLayerVersionByArn"),
        ("GET /2018-10-31/layers", "ListLayers"),
        ("DELETE /2017-03-31/tags/arn%3Aaws?tagKeys=a", "UntagResource"),
        ("DELETE /2017-03-31/tags/arn%3Aaws", "UntagResource"),
        ("POST /2021-11-15/functions/f/response-streaming-invocations", "InvokeWithResponseStream"),
    ],
)
@pytest.mark.parametrize("signing_name", ["lambda", ""])
def test_lambda_paths(detector, line, operation, signing_name):
    assert found(detector, line, signing_name) == ("lambda", operation, "rest-json")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("POST /restapis", ("apigateway", "CreateRestApi", "rest-json")),
        ("POST /restapis?mode=import", ("apigateway", "ImportRestApi", "rest-json")),
        ("GET /restapis/a/resources/b", ("apigateway", "GetResource", "rest-json")),
        ("GET /v2/apis", ("apigatewayv2", "GetApis", "rest-json")),
        ("GET /tags/arn%3Aaws%3Aapigateway%2Fx", ("apigateway", "GetTags", "rest-json")),
        ("GET /nothing", ("apigateway", None, "rest-json")),
    ],
)
def test_api_gateway_paths(detector, line, expected):
    assert found(detector, line, "apigateway") == expected


@pytest.mark.parametrize(
    ("line", "headers", "operation"),
    [
        ("GET /", {}, "ListBuckets"),
        ("PUT /b", {}, "CreateBucket"),
        ("HEAD /b", {}, "HeadBucket"),
        ("DELETE /b/", {}, "DeleteBucket"),
        ("GET /b", {}, "ListObjects"),
        ("GET /b/?list-type=2&prefix=a", {}, "ListObjectsV2"),
        ("GET /b?versions", {}, "ListObjectVersions"),
        ("GET /b?versioning=", {}, "GetBucketVersioning"),
        ("GET /b?uploads", {}, "ListMultipartUploads"),
        ("GET /b?location", {}, "GetBucketLocation"),
        ("GET /b?lifecycle", {}, "GetBucketLifecycleConfiguration"),
        ("PUT /b?lifecycle", {}, "PutBucketLifecycleConfiguration"),
        ("GET /b?analytics", {}, "ListBucketAnalyticsConfigurations"),
        ("GET /b?analytics&id=x", {}, "GetBucketAnalyticsConfiguration"),
        ("POST /b?delete", {}, "DeleteObjects"),
        ("PUT /b/k", {}, "PutObject"),
        ("PUT /b/k/", {}, "PutObject"),
        ("PUT /b//k", {}, "PutObject"),
        ("PUT /b/k?x-id=PutObject", {}, "PutObject"),
        ("PUT /b/k", {"x-amz-copy-source": "a/b"}, "CopyObject"),
        ("PUT /b/k?partNumber=1&uploadId=u", {}, "UploadPart"),
        ("PUT /b/k?partNumber=1&uploadId=u", {"x-amz-copy-source": "a/b"}, "UploadPartCopy"),
        ("PUT /b/k?tagging", {}, "PutObjectTagging"),
        ("GET /b/k/with/slashes", {}, "GetObject"),
        ("GET /b/k?versionId=v", {}, "GetObject"),
        ("GET /b/k?uploadId=u", {}, "ListParts"),
        ("GET /b/k?attributes", {"x-amz-object-attributes": "ETag"}, "GetObjectAttributes"),
        ("GET /b/k?attributes", {}, "GetObjectAttributes"),
        ("HEAD /b/k", {}, "HeadObject"),
        ("DELETE /b/k", {}, "DeleteObject"),
        ("DELETE /b/k?uploadId=u", {}, "AbortMultipartUpload"),
        ("POST /b/k?uploads", {}, "CreateMultipartUpload"),
        ("POST /b/k?uploadId=u", {}, "CompleteMultipartUpload"),
        ("POST /b/k?select&select-type=2", {}, "SelectObjectContent"),
        ("POST /b/k", {}, None),
        ("PATCH /b", {}, None),
    ],
)
def test_s3_paths(detector, line, headers, operation):
    assert found(detector, line, "s3", headers) == ("s3", operation, "rest-xml")


@pytest.mark.parametrize(
    ("line", "host", "expected"),
    [
        ("GET /my-bucket/index.html", "localhost:4566", ("s3", "GetObject", "rest-xml")),
        ("GET /", "s3.localhost:4566", ("s3", "ListBuckets", "rest-xml")),
        ("GET /2015-03-31/functions", "s3.localhost", ("s3", "GetObject", "rest-xml")),
        ("GET /", "localhost:4566", ("s3", "ListBuckets", "rest-xml")),
        ("POST /", "localhost:4566", None),
        ("GET /_console", "localhost:4566", None),
        ("GET /A/b", "localhost:4566", None),
        ("POST /my-bucket/k", "localhost:4566", ("s3", None, "rest-xml")),
    ],
)
def test_unsigned_requests_are_s3s_when_no_other_has_their_path(detector, line, host, expected):
    assert found(detector, line, "", {"host": host}) == expected


def test_a_service_that_is_not_served_is_not_found(detector):
    assert found(detector, "POST /", "ecr", {"x-amz-target": "AmazonEC2.Nothing"}) is None
    assert found(detector, "GET /my-bucket/x", "elasticfilesystem") is None


def test_a_target_that_needs_the_body_says_so():
    assert Target("iam", None, "query").needs_body
    assert not Target("lambda", None, "rest-json").needs_body
