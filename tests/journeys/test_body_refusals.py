"""What every protocol says to a body that it cannot take: too large, malformed, cut off or changed.

Codes: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (query),
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html (json),
https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html (rest-json) and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (rest-xml).
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from tests.journeys.forms import (
    CALLS,
    EACH,
    assert_refused,
    code_of_query,
    code_of_rest_xml,
    json_call,
    query,
)
from tests.journeys.raw import (
    Call,
    send,
    send_and_hang_up,
    send_head_only,
    send_signed,
    signed_headers,
)

pytestmark = pytest.mark.usefixtures("bucket")
MIB = 1024 * 1024

TOO_LARGE = {
    "iam": (CALLS["iam"], 5 * MIB),
    "sts": (CALLS["sts"], 5 * MIB),
    "logs": (CALLS["logs"], 17 * MIB),
    "ssm": (CALLS["ssm"], 17 * MIB),
    "lambda": (Call("lambda", "POST", "/2015-03-31/functions"), 90 * MIB),
    "apigateway": (Call("apigateway", "POST", "/restapis"), 90 * MIB),
    "s3": (Call("s3", "PUT", "/wire-refusals?tagging"), 5 * MIB),
}


@EACH
def test_an_oversized_body_is_refused_before_it_is_sent(cloud: Any, service: str) -> None:
    call, size_bytes = TOO_LARGE[service]
    assert_refused(
        send_head_only(cloud, call, size_bytes),
        service,
        {
            "query": ("RequestEntityTooLarge", 413),
            "json": ("RequestEntityTooLargeException", 413),
            "rest-json": ("RequestEntityTooLargeException", 413),
            "lambda": ("RequestTooLargeException", 413),
            "rest-xml": ("EntityTooLarge", 400),
        },
    )


def test_an_object_that_is_too_large_is_refused_before_it_is_sent(cloud: Any) -> None:
    call = Call("s3", "PUT", "/wire-refusals/huge", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    answer = send_head_only(cloud, call, 5 * 1024 * MIB + 1)
    assert (code_of_rest_xml(answer), answer.status) == ("EntityTooLarge", 400)


NOT_JSON = {
    "an open brace": b'{"logGroupName": ',
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "depth": b'{"a":' * 50_000,
    "nothing of JSON": b"<xml/>",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
@pytest.mark.parametrize("service", ["logs", "ssm", "lambda", "apigateway"])
def test_malformed_json_is_refused(cloud: Any, service: str, body: bytes) -> None:
    calls = {
        "logs": json_call("logs", "Logs_20140328.CreateLogGroup", body),
        "ssm": json_call("ssm", "AmazonSSM.GetParameter", body),
        "lambda": Call("lambda", "POST", "/2015-03-31/functions", {}, body),
        "apigateway": Call("apigateway", "POST", "/restapis", {}, body),
    }
    assert_refused(
        send_signed(cloud, calls[service]),
        service,
        {
            "json": ("SerializationException", 400),
            "rest-json": ("SerializationException", 400),
            "lambda": ("InvalidRequestContentException", 400),
        },
    )


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("logs", b'{"logGroupName": 1}'),
        ("ssm", b'{"Name": {"a": "b"}}'),
        ("logs", b'{"logGroupName": ["a"]}'),
    ],
)
def test_json_of_a_wrong_type_is_refused(cloud: Any, service: str, body: bytes) -> None:
    targets = {"logs": "Logs_20140328.CreateLogGroup", "ssm": "AmazonSSM.GetParameter"}
    answer = send_signed(cloud, json_call(service, targets[service], body))
    assert_refused(answer, service, {"json": ("SerializationException", 400)})


NOT_XML = {
    "an open element": b"<Tagging><TagSet>",
    "not text": b"\xff\xfe\x00",
    "entities": b'<!DOCTYPE a [<!ENTITY b "c">]><Tagging><TagSet>&b;</TagSet></Tagging>',
    "json": b"{}",
}


@pytest.mark.parametrize("body", NOT_XML.values(), ids=NOT_XML.keys())
def test_malformed_xml_is_refused(cloud: Any, body: bytes) -> None:
    call = Call("s3", "PUT", "/wire-refusals?tagging", {}, body)
    answer = send_signed(cloud, call)
    assert (code_of_rest_xml(answer), answer.status) == ("MalformedXML", 400)


DOCUMENTS = ("tagging", "encryption", "publicAccessBlock", "ownershipControls")


@pytest.mark.parametrize("body", [b"", b"<Planets/>"], ids=["nothing", "another root"])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_that_lacks_what_it_must_have_is_refused(
    cloud: Any, document: str, body: bytes
) -> None:
    answer = send_signed(cloud, Call("s3", "PUT", f"/wire-refusals?{document}", {}, body))
    wanted = "MalformedXML" if body else "MissingRequestBodyError"
    assert (code_of_rest_xml(answer), answer.status) == (wanted, 400)


@pytest.mark.parametrize(
    "values",
    [{"MaxItems": "many"}, {"MaxItems": ""}, {"PathPrefix": "no slash"}],
    ids=lambda values: "=".join(*values.items()),
)
def test_a_form_with_values_of_a_wrong_kind_is_refused(cloud: Any, values: dict[str, str]) -> None:
    answer = send_signed(cloud, query("iam", "2010-05-08", "ListUsers", **values))
    assert answer.status == 400
    assert code_of_query(answer) in ("MalformedInput", "ValidationError")


CHUNK = b"a\r\n0123456789\r\n"
CRC = base64.b64encode(zlib.crc32(b"0123456789").to_bytes(4, "big"))
END = b"0\r\nx-amz-checksum-crc32:" + CRC + b"\r\n\r\n"
"""The last chunk and the trailer."""


def chunked(body: bytes, decoded: int = 10) -> Call:
    headers = {
        "Content-Encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(decoded),
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-sdk-checksum-algorithm": "CRC32",
        "Content-Length": str(len(body)),
    }
    return Call("s3", "PUT", "/wire-refusals/chunked", headers, body)


def test_chunks_that_are_whole_are_taken(cloud: Any) -> None:
    assert send_signed(cloud, chunked(CHUNK + END)).status == 200
    kept = cloud.client("s3").get_object(Bucket="wire-refusals", Key="chunked")
    assert kept["Body"].read() == b"0123456789"
    cloud.client("s3").delete_object(Bucket="wire-refusals", Key="chunked")


def test_a_trailing_checksum_needs_no_other_header(cloud: Any) -> None:
    call = chunked(CHUNK + END)
    headers = {k: v for k, v in call.headers.items() if k != "x-amz-sdk-checksum-algorithm"}
    assert send_signed(cloud, call.but(headers=headers)).status == 200
    cloud.client("s3").delete_object(Bucket="wire-refusals", Key="chunked")


TRUNCATED = {
    "in the size": (b"a", 10, "IncompleteBody"),
    "in the data": (b"a\r\n01234", 10, "IncompleteBody"),
    "before the last chunk": (CHUNK, 10, "IncompleteBody"),
    "less than declared": (CHUNK + END, 11, "IncompleteBody"),
    "more than declared": (CHUNK + END, 9, "IncompleteBody"),
}


@pytest.mark.parametrize(("body", "decoded", "code"), TRUNCATED.values(), ids=list(TRUNCATED))
def test_truncated_chunks_are_refused(cloud: Any, body: bytes, decoded: int, code: str) -> None:
    answer = send_signed(cloud, chunked(body, decoded))
    assert (code_of_rest_xml(answer), answer.status) == (code, 400)
    assert is_absent(cloud, "chunked")


def test_a_wrong_trailing_checksum_is_refused(cloud: Any) -> None:
    answer = send_signed(cloud, chunked(CHUNK + END.replace(CRC, b"AAAAAA==")))
    assert (code_of_rest_xml(answer), answer.status) == ("BadDigest", 400)
    assert is_absent(cloud, "chunked")


def test_a_chunk_with_a_false_signature_is_refused(cloud: Any) -> None:
    body = b"a;chunk-signature=" + b"0" * 64 + b"\r\n0123456789\r\n"
    body += b"0;chunk-signature=" + b"0" * 64 + b"\r\n\r\n"
    call = chunked(body)
    headers = {k: v for k, v in call.headers.items() if k != "x-amz-trailer"}
    headers["x-amz-content-sha256"] = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    answer = send_signed(cloud, call.but(headers=headers))
    assert (code_of_rest_xml(answer), answer.status) == ("SignatureDoesNotMatch", 403)
    assert is_absent(cloud, "chunked")


def test_a_body_that_is_not_what_was_signed_is_refused(cloud: Any) -> None:
    call = Call("s3", "PUT", "/wire-refusals/changed", {}, b"what was signed")
    headers = signed_headers(cloud, call, cloud.root_key)
    answer = send(cloud, call.but(body=b"what was sent.."), headers)
    assert (code_of_rest_xml(answer), answer.status) == ("XAmzContentSHA256Mismatch", 400)
    assert is_absent(cloud, "changed")


def test_a_client_that_hangs_up_leaves_nothing(cloud: Any) -> None:
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    call = Call("s3", "PUT", "/wire-refusals/half", headers, b"h" * 100_000)
    send_and_hang_up(cloud, call, 200_000)
    assert is_absent(cloud, "half")
    assert json.loads(cloud.get("/_cumulet/health")[1])["status"] == "running"


def is_absent(cloud: Any, key: str) -> bool:
    listed = cloud.client("s3").list_objects_v2(Bucket="wire-refusals", Prefix=key)
    return int(listed["KeyCount"]) == 0
