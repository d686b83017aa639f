"""What every protocol says to a request that must not succeed: code, status and form.

Codes: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (query),
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html (json),
https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html (rest-json) and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (rest-xml).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.journeys.forms import CALLS, EACH, assert_refused, code_of_json, json_call, query
from tests.journeys.raw import Call, send, send_signed, signed_headers

pytestmark = pytest.mark.usefixtures("bucket")


@pytest.fixture(scope="module")
def nobody(cloud: Any) -> Iterator[tuple[str, str]]:
    iam = cloud.client("iam")
    iam.create_user(UserName="wire-nobody")
    key = iam.create_access_key(UserName="wire-nobody")["AccessKey"]
    yield key["AccessKeyId"], key["SecretAccessKey"]
    iam.delete_access_key(UserName="wire-nobody", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="wire-nobody")


@EACH
def test_the_calls_succeed_when_all_is_well(cloud: Any, service: str) -> None:
    if service == "sts":
        call = query("sts", "2011-06-15", "GetCallerIdentity")
        assert send_signed(cloud, call).status == 200
        return
    assert send_signed(cloud, CALLS[service]).status == 200


@EACH
def test_a_wrong_signature_is_refused(cloud: Any, service: str) -> None:
    answer = send_signed(cloud, CALLS[service], (cloud.root_key[0], "not the secret"))
    assert_refused(
        answer,
        service,
        {
            "query": ("SignatureDoesNotMatch", 403),
            "json": ("InvalidSignatureException", 400),
            "rest-json": ("InvalidSignatureException", 403),
            "rest-xml": ("SignatureDoesNotMatch", 403),
        },
    )
    assert b"The request signature we calculated does not match" in answer.body
    assert cloud.root_key[1].encode() not in answer.body


@EACH
def test_a_changed_header_is_refused(cloud: Any, service: str) -> None:
    call = CALLS[service]
    headers = signed_headers(cloud, call, cloud.root_key)
    signed = headers["X-Amz-Date"]
    other = f"{signed[:-2]}{(int(signed[-2]) + 1) % 10}Z"
    answer = send(cloud, call, {**headers, "X-Amz-Date": other})
    assert_refused(
        answer,
        service,
        {
            "query": ("SignatureDoesNotMatch", 403),
            "json": ("InvalidSignatureException", 400),
            "rest-json": ("InvalidSignatureException", 403),
            "rest-xml": ("SignatureDoesNotMatch", 403),
        },
    )


@EACH
@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_wrong_clock_is_refused(cloud: Any, service: str, minutes: int) -> None:
    answer = send_signed(cloud, CALLS[service], late_by=timedelta(minutes=minutes))
    assert_refused(
        answer,
        service,
        {
            "query": ("SignatureDoesNotMatch", 403),
            "json": ("InvalidSignatureException", 400),
            "rest-json": ("InvalidSignatureException", 403),
            "rest-xml": ("RequestTimeTooSkewed", 403),
        },
    )
    if service == "s3":
        assert answer.xml.findtext("MaxAllowedSkewMilliseconds") == "900000"
    else:
        word = "expired" if minutes > 0 else "not yet current"
        assert f"Signature {word}: ".encode() in answer.body


@EACH
def test_an_unknown_key_is_refused(cloud: Any, service: str) -> None:
    answer = send_signed(cloud, CALLS[service], ("AKIAIOSFODNN7EXAMPLE", "secret"))
    assert_refused(
        answer,
        service,
        {
            "query": ("InvalidClientTokenId", 403),
            "json": ("UnrecognizedClientException", 400),
            "rest-json": ("UnrecognizedClientException", 403),
            "rest-xml": ("InvalidAccessKeyId", 403),
        },
    )


@EACH
def test_a_false_session_token_is_refused(cloud: Any, service: str) -> None:
    session = cloud.client("sts").get_session_token()["Credentials"]
    key = (session["AccessKeyId"], session["SecretAccessKey"])
    answer = send_signed(cloud, CALLS[service], (*key, session["SessionToken"][:-8] + "AAAAAAAA"))
    assert_refused(
        answer,
        service,
        {
            "query": ("InvalidClientTokenId", 403),
            "json": ("UnrecognizedClientException", 400),
            "rest-json": ("UnrecognizedClientException", 403),
            "rest-xml": ("InvalidToken", 400),
        },
    )


@EACH
def test_an_unsigned_call_is_refused(cloud: Any, service: str) -> None:
    assert_refused(
        send(cloud, CALLS[service]),
        service,
        {
            "query": ("MissingAuthenticationToken", 403),
            "json": ("MissingAuthenticationTokenException", 400),
            "rest-json": ("MissingAuthenticationTokenException", 403),
            "rest-xml": ("AccessDenied", 403),
        },
    )


@EACH
def test_a_missing_permission_is_refused(cloud: Any, nobody: tuple[str, str], service: str) -> None:
    answer = send_signed(cloud, CALLS[service], nobody)
    assert_refused(
        answer,
        service,
        {
            "query": ("AccessDenied", 403),
            "json": ("AccessDeniedException", 400),
            "rest-json": ("AccessDeniedException", 403),
            "rest-xml": ("AccessDenied", 403),
        },
    )
    assert b"user/wire-nobody is not authorized to perform: " in answer.body


UNKNOWN = {
    "iam": query("iam", "2010-05-08", "ListPlanets"),
    "sts": query("sts", "2011-06-15", "ListPlanets"),
    "logs": json_call("logs", "Logs_20140328.ListPlanets"),
    "ssm": json_call("ssm", "AmazonSSM.ListPlanets"),
    "lambda": Call("lambda", "GET", "/2015-03-31/planets"),
    "apigateway": Call("apigateway", "GET", "/planets"),
    "s3": Call("s3", "POST", "/wire-refusals/key"),
}


@EACH
def test_an_unknown_operation_is_refused(cloud: Any, service: str) -> None:
    assert_refused(
        send_signed(cloud, UNKNOWN[service]),
        service,
        {
            "query": ("InvalidAction", 400),
            "json": ("UnknownOperationException", 400),
            "rest-json": ("UnknownOperationException", 404),
            "rest-xml": ("MethodNotAllowed", 405),
        },
    )


ABSENT = {
    "iam": query("iam", "2010-05-08", "GenerateCredentialReport"),
    "logs": json_call("logs", "Logs_20140328.CreateDelivery"),
    "lambda": Call(
        "lambda",
        "GET",
        "/2020-04-22/code-signing-configs/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Acode-signing-config%3Acsc-0123456789abcdef0",
    ),
    "apigateway": Call("apigateway", "GET", "/vpclinks"),
    "s3": Call("s3", "GET", "/wire-refusals?inventory&id=1"),
}


@pytest.mark.parametrize("service", ABSENT)
def test_an_operation_that_is_not_implemented_says_so(cloud: Any, service: str) -> None:
    answer = send_signed(cloud, ABSENT[service])
    assert_refused(
        answer,
        service,
        {
            "query": ("NotImplemented", 501),
            "json": ("NotImplementedException", 501),
            "rest-json": ("NotImplementedException", 501),
            "rest-xml": ("NotImplemented", 501),
        },
    )


def test_a_service_that_is_not_served_says_so_in_its_own_protocol(cloud: Any) -> None:
    answer = send_signed(cloud, json_call("kinesis", "Kinesis_20131202.ListStreams"))
    assert answer.status == 501
    assert code_of_json(answer) == "NotImplementedException"
