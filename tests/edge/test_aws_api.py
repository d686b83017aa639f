"""The AWS API as boto3 sees it, against small services declared through the kit."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.edge.small_cloud import ACCOUNT, KEY, SECRET, USER


def client(
    cloud,
    service: str,
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    **config: Any,
):
    return boto3.client(
        service,
        endpoint_url=f"http://localhost:{cloud.port}",
        region_name="eu-west-3",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}, **config),
    )


def code_of(call) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_signed_call_runs_as_its_key(cloud):
    def work(c):
        def calls():
            sts = client(c, "sts")
            who = sts.get_caller_identity()
            assert (who["Account"], who["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
            assert who["ResponseMetadata"]["RequestId"] == c.events[0]["request_id"]
            temporary = client(c, "sts", "ASIATEMP", "temp-secret", "the-token")
            assert temporary.get_caller_identity()["Arn"] == USER.arn
            sts.close()
            temporary.close()

        return calls

    cloud(work)


def test_region_is_the_scopes(cloud):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb")
            assert dynamodb.list_tables(Limit=7)["TableNames"] == ["eu-west-3", "7"]
            dynamodb.close()

        return calls

    cloud(work)


def test_event_tells_the_request(cloud):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb")
            dynamodb.list_tables()
            code_of(lambda: dynamodb.describe_table(TableName="nothere"))
            dynamodb.close()
            good, bad = c.events
            assert good["service"] == "dynamodb"
            assert (good["operation"], good["status"]) == ("ListTables", 200)
            assert (good["account"], good["region"]) == (ACCOUNT, "eu-west-3")
            assert good["spans"]
            assert (bad["error"], bad["status"]) == ("ResourceNotFoundException", 400)
            assert good["trace_id"] != bad["trace_id"]

        return calls

    cloud(work)


# Each refusal in the form of its protocol, for a query, a JSON and two REST services.
SERVICES_AND_CALLS = {
    "sts": lambda c: c.get_caller_identity(),
    "dynamodb": lambda c: c.list_tables(),
    "lambda": lambda c: c.get_function(FunctionName="f"),
    "s3": lambda c: c.get_object(Bucket="bucket", Key="key"),
}
WRONG_SECRET = {
    "sts": ("SignatureDoesNotMatch", 403),
    "dynamodb": ("InvalidSignatureException", 400),
    "lambda": ("InvalidSignatureException", 403),
    "s3": ("SignatureDoesNotMatch", 403),
}
UNKNOWN_KEY = {
    "sts": ("InvalidClientTokenId", 403),
    "dynamodb": ("UnrecognizedClientException", 400),
    "lambda": ("UnrecognizedClientException", 403),
    "s3": ("InvalidAccessKeyId", 403),
}
UNKNOWN_TOKEN = {**UNKNOWN_KEY, "s3": ("InvalidToken", 400)}
EXPIRED = {
    "sts": ("ExpiredToken", 403),
    "dynamodb": ("ExpiredTokenException", 400),
    "lambda": ("ExpiredTokenException", 403),
    "s3": ("ExpiredToken", 400),
}


@pytest.mark.parametrize("service", SERVICES_AND_CALLS)
def test_false_credentials_are_refused_in_the_services_words(cloud, service):
    def work(c):
        def calls():
            call = SERVICES_AND_CALLS[service]
            for key, secret, token, expected in [
                (KEY, "wrong", None, WRONG_SECRET),
                ("AKIANOBODY", SECRET, None, UNKNOWN_KEY),
                (KEY, SECRET, "a-token", UNKNOWN_TOKEN),
                ("ASIATEMP", "temp-secret", None, UNKNOWN_KEY),
                ("ASIATEMP", "temp-secret", "another", UNKNOWN_TOKEN),
                ("ASIAOVER", "temp-secret", "the-token", EXPIRED),
            ]:
                one = client(c, service, key, secret, token)
                assert code_of(lambda one=one: call(one)) == expected[service], (key, token)
                one.close()

        return calls

    cloud(work)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("sts", ("MissingAuthenticationToken", 403)),
        ("dynamodb", ("MissingAuthenticationTokenException", 400)),
        ("s3", ("AccessDenied", 403)),
    ],
)
def test_unsigned_call_is_refused(cloud, service, expected):
    def work(c):
        def calls():
            one = client(c, service, signature_version=UNSIGNED)
            assert code_of(lambda: SERVICES_AND_CALLS[service](one)) == expected
            one.close()

        return calls

    cloud(work)


def test_unsigned_call_reaches_an_operation_that_takes_it(cloud):
    def work(c):
        def calls():
            sts = client(c, "sts", signature_version=UNSIGNED)
            answer = sts.assume_role_with_web_identity(
                RoleArn="arn:aws:iam::123456789012:role/name",
                RoleSessionName="name",
                WebIdentityToken="token",
            )
            assert answer["Provider"] == "anonymous"
            sts.close()

        return calls

    cloud(work)


def test_caller_without_permission_is_refused(cloud):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb", "AKIAUSER", "user-secret")
            assert code_of(dynamodb.list_tables) == ("AccessDeniedException", 400)
            dynamodb.close()

        return calls

    cloud(work)


def test_operation_that_is_not_there_is_a_501_before_its_signature(cloud, caplog):
    def work(c):
        def calls():
            for secret in (SECRET, "wrong"):
                dynamodb = client(c, "dynamodb", secret=secret)
                assert code_of(lambda one=dynamodb: one.describe_limits())[1] == 501
                dynamodb.close()
            sqs = client(c, "sqs")
            assert code_of(sqs.list_queues)[1] == 501
            sqs.close()

        return calls

    cloud(work)
    assert "dynamodb.DescribeLimits" in caplog.text
    assert "sqs" in caplog.text


def test_failure_of_ours_shows_nothing_of_its_cause(cloud, caplog):
    def work(c):
        def calls():
            dynamodb = client(c, "dynamodb")
            with pytest.raises(ClientError) as refused:
                dynamodb.describe_table(TableName="broken")
            answer = refused.value.response
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
            assert "secret detail" not in json.dumps(answer, default=str)
            dynamodb.close()

        return calls

    cloud(work)
    assert caplog.text.count("RuntimeError: secret detail") == 1


def test_objects_stream_up_and_down(cloud):
    def work(c):
        def calls():
            s3 = client(c, "s3")
            got = s3.get_object(Bucket="bucket", Key="a b/ü+%.txt")
            assert got["Body"].read() == "bucket/a b/ü+%.txt;".encode() * 3
            stored = s3.put_object(Bucket="bucket", Key="k", Body=b"x" * 100_000)
            assert stored["ETag"] == '"100000"'
            s3.close()

        return calls

    cloud(work)
