"""Each way a signature can be wrong has AWS's own error.

Sentences: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import pytest

from cumulet.core.errors import (
    AwsError,
    IncompleteSignature,
    RequestExpired,
    SignatureMismatch,
)
from cumulet.core.http import Headers, Request
from cumulet.wire.sigv4 import check_headers_signed, check_region, check_service, check_time, parse
from cumulet.wire.sigv4.payload import s3_payload_hash
from cumulet.wire.sigv4.signature import epoch_of

SCOPE = "AKID/20260131/us-east-1/sts/aws4_request"
GOOD = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
NOON = 1_769_860_800.0  # 2026-01-31T12:00:00Z


def request(authorization: str = GOOD, query: str = "", **headers: str) -> Request:
    pairs = [("host", "localhost:4566")]
    if authorization:
        pairs.append(("authorization", authorization))
    named = {"x-amz-date": "20260131T120000Z"} if not query else {}
    named.update({name.replace("_", "-"): value for name, value in headers.items()})
    pairs += [(name, value) for name, value in named.items() if value]
    return Request("POST", "/", query, Headers(pairs))


def refusal(given: Request, *, s3: bool = False) -> AwsError:
    def read() -> None:
        signature = parse(given, s3=s3)
        check_time(signature, epoch_of(signature.timestamp), s3=s3)

    with pytest.raises(AwsError) as refused:
        read()
    return refused.value


def test_missing_parts_are_all_named():
    error = refusal(request("AWS4-HMAC-SHA256 ", x_amz_date=""))
    assert isinstance(error, IncompleteSignature)
    assert error.message.startswith(
        "Authorization header requires 'Credential' parameter. "
        "Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. "
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        "(Hashed with SHA-256 and encoded with Base64) Authorization="
    )


def test_the_header_itself_is_not_repeated_in_the_answer():
    assert "AKID" not in refusal(request(f"AWS4-HMAC-SHA256 Credential={SCOPE}")).message


@pytest.mark.parametrize(
    ("authorization", "sentence"),
    [
        (f"AWS4-HMAC-SHA256 Credential={SCOPE}, Signature=00", "'SignedHeaders' parameter."),
        (f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host", "'Signature' parameter."),
        ("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00", "'Credential' parameter."),
        ("Bearer abc.def", "Invalid key=value pair (missing equal-sign)"),
        ("AWS4-HMAC-SHA256 nonsense, Signature=00", "Invalid key=value pair (missing equal-sign)"),
        ("AWS4-ECDSA-P256-SHA256 Credential=a", "Unsupported AWS 'algorithm'"),
    ],
)
def test_unusable_header_is_an_incomplete_signature(authorization, sentence):
    error = refusal(request(authorization))
    assert isinstance(error, IncompleteSignature)
    assert sentence in error.message


def test_parts_may_come_in_any_order_and_spacing():
    parsed = parse(
        request(f"AWS4-HMAC-SHA256   Signature=00,SignedHeaders=host,Credential={SCOPE}"), s3=False
    )
    assert parsed is not None
    assert (parsed.access_key_id, parsed.signature) == ("AKID", "00")


@pytest.mark.parametrize("credential", ["AKID", "A/B/20260131/us-east-1/sts/aws4_request"])
def test_credential_must_have_five_parts(credential):
    error = refusal(request(GOOD.replace(SCOPE, credential)))
    assert error.message == (
        "Credential must have exactly 5 slash-delimited elements, "
        f"e.g. keyid/date/region/service/term, got '{credential}'"
    )
    s3_error = refusal(request(GOOD.replace(SCOPE, credential)), s3=True)
    assert s3_error.code == "AuthorizationHeaderMalformed"
    assert "the Credential is mal-formed" in s3_error.message


def test_date_of_the_scope_must_be_the_date_of_the_request():
    given = request(x_amz_date="20260201T000000Z")
    error = refusal(given)
    assert isinstance(error, SignatureMismatch)
    assert error.message == (
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
        "HTTP: '20260131' != '20260201', from '20260201T000000Z'."
    )
    assert refusal(given, s3=True).code == "AuthorizationHeaderMalformed"


def test_the_time_is_looked_at_before_the_scope():
    # ScyllaDB's test_authorization.py, held against AWS, also has no commas.
    told = "AWS4-HMAC-SHA256 Credential=AKID/2/3/4/aws4_request SignedHeaders=host;x-amz-date"
    signature = parse(request(f"{told} Signature=123"), s3=False)
    with pytest.raises(RequestExpired):
        check_time(signature, NOON + 3600, s3=False)
    with pytest.raises(SignatureMismatch):
        check_time(signature, NOON, s3=False)


def test_terminator_must_be_the_one():
    error = refusal(request(GOOD.replace("aws4_request", "aws5_request")))
    assert error.message == (
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
    )


def test_host_must_be_signed():
    error = refusal(request(GOOD.replace("host;", "")))
    assert isinstance(error, SignatureMismatch)
    assert "'Host'" in error.message
    assert refusal(request(GOOD.replace("host;", "")), s3=True).code == "AccessDenied"


@pytest.mark.parametrize("date", ["2026-01-31T12:00:00Z", "20260131", "x"])
def test_odd_date_is_refused(date):
    assert "ISO-8601 'basic format'" in refusal(request(x_amz_date=date)).message
    error = refusal(request(x_amz_date=date), s3=True)
    assert error.message == "AWS authentication requires a valid Date or x-amz-date header"


def test_date_header_is_taken_when_there_is_no_other():
    parsed = parse(request(x_amz_date="", date="Sat, 31 Jan 2026 12:00:00 GMT"), s3=False)
    assert parsed is not None
    assert parsed.timestamp == "20260131T120000Z"


def test_impossible_date_is_refused():
    scope = SCOPE.replace("20260131", "20269931")
    parsed = parse(request(GOOD.replace(SCOPE, scope), x_amz_date="20269931T120000Z"), s3=False)
    assert parsed is not None
    with pytest.raises(IncompleteSignature, match="basic format"):
        check_time(parsed, NOON, s3=False)


@pytest.mark.parametrize("late", [-300, 0, 300])
def test_five_minutes_of_skew_are_allowed(late):
    parsed = parse(request(), s3=False)
    assert parsed is not None
    check_time(parsed, NOON + late, s3=False)


def test_old_signature_has_expired():
    parsed = parse(request(), s3=False)
    assert parsed is not None
    with pytest.raises(RequestExpired) as refused:
        check_time(parsed, NOON + 1200, s3=False)
    assert refused.value.message == (
        "Signature expired: 20260131T120000Z is now earlier than 20260131T121500Z "
        "(20260131T122000Z - 5 min.)"
    )


def test_early_signature_is_not_yet_current():
    parsed = parse(request(), s3=False)
    assert parsed is not None
    with pytest.raises(RequestExpired) as refused:
        check_time(parsed, NOON - 1200, s3=False)
    assert refused.value.message == (
        "Signature not yet current: 20260131T120000Z is still later than 20260131T114500Z "
        "(20260131T114000Z + 5 min.)"
    )


def test_s3_speaks_of_skewed_clocks():
    parsed = parse(request(), s3=True)
    assert parsed is not None
    check_time(parsed, NOON + 899, s3=True)
    for now in (NOON + 901, NOON - 901):
        with pytest.raises(AwsError) as refused:
            check_time(parsed, now, s3=True)
        assert refused.value.code == "RequestTimeTooSkewed"
        assert refused.value.fields["MaxAllowedSkewMilliseconds"] == "900000"
        assert refused.value.fields["RequestTime"] == "20260131T120000Z"


def test_scope_must_name_the_service():
    parsed = parse(request(), s3=False)
    assert parsed is not None
    check_service(parsed, "sts", s3=False)
    with pytest.raises(SignatureMismatch, match="scoped to correct service: 'iam'"):
        check_service(parsed, "iam", s3=False)
    with pytest.raises(AwsError, match='incorrect service "sts"'):
        check_service(parsed, "s3", s3=True)


def test_scope_must_name_the_region():
    parsed = parse(request(), s3=False)
    assert parsed is not None
    check_region(parsed, "us-east-1", s3=False)
    with pytest.raises(SignatureMismatch, match="Credential should be scoped to a valid region"):
        check_region(parsed, "eu-west-1", s3=False)
    with pytest.raises(AwsError, match="the region 'us-east-1' is wrong; expecting 'eu-west-1'"):
        check_region(parsed, "eu-west-1", s3=True)
    nowhere = parse(request(GOOD.replace("/us-east-1/", "//")), s3=False)
    assert nowhere is not None
    with pytest.raises(SignatureMismatch, match="valid region"):
        check_service(nowhere, "sts", s3=False)


def test_target_header_must_be_signed():
    parsed = parse(request(), s3=False)
    assert parsed is not None
    check_headers_signed(request(x_amz_meta="a"), parsed, s3=False)
    with pytest.raises(SignatureMismatch, match="X-Amz-Target"):
        check_headers_signed(request(x_amz_target="A.B"), parsed, s3=False)


def test_s3_wants_every_amz_header_signed():
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    parsed = parse(request(), s3=True)
    assert parsed is not None
    with pytest.raises(AwsError) as refused:
        check_headers_signed(request(x_amz_acl="public-read"), parsed, s3=True)
    assert refused.value.code == "AccessDenied"
    assert refused.value.fields["HeadersNotSigned"] == "x-amz-acl"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("AWS AKID:c2ln", "InvalidRequest"),
        ("Bearer abc", "InvalidArgument"),
        ("AWS4-HMAC-SHA256 nonsense", "AuthorizationHeaderMalformed"),
        (f"AWS4-HMAC-SHA256 Credential={SCOPE}", "AuthorizationHeaderMalformed"),
    ],
)
def test_s3_has_its_own_codes(authorization, code):
    error = refusal(request(authorization), s3=True)
    assert (error.code, error.http_status) == (code, 400)


def test_s3_wants_the_hash_of_the_body():
    parsed = parse(request(), s3=True)
    assert parsed is not None
    with pytest.raises(AwsError, match="Missing required header for this request"):
        s3_payload_hash(parsed)
    odd = parse(request(x_amz_content_sha256="abc"), s3=True)
    assert odd is not None
    with pytest.raises(AwsError) as refused:
        s3_payload_hash(odd)
    assert refused.value.fields["ArgumentName"] == "x-amz-content-sha256"


# Pre-signed URLs


def presigned(**changes: str) -> Request:
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": SCOPE.replace("/", "%2F"),
        "X-Amz-Date": "20260131T120000Z",
        "X-Amz-Expires": "3600",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "0" * 64,
    }
    parameters.update({f"X-Amz-{name}": value for name, value in changes.items()})
    query = "&".join(f"{name}={value}" for name, value in parameters.items() if value)
    return request("", query)


@pytest.mark.parametrize(
    "name", ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"]
)
def test_s3_url_needs_every_parameter(name):
    error = refusal(presigned(**{name: ""}), s3=True)
    assert error.code == "AuthorizationQueryParametersError"
    assert error.message.startswith("Query-string authentication version 4 requires")


def test_missing_parameter_is_named():
    error = refusal(presigned(Date=""))
    assert error.message == (
        "AWS query-string parameters must include 'X-Amz-Date'. "
        "Re-examine the query-string parameters."
    )


@pytest.mark.parametrize(
    ("expires", "sentence"),
    [
        ("soon", "X-Amz-Expires should be a number"),
        ("-1", "X-Amz-Expires must be non-negative"),
        ("604801", "X-Amz-Expires must be less than a week (in seconds)"),
        ("9" * 50, "X-Amz-Expires should be a number"),
    ],
)
def test_life_of_a_url_is_bounded(expires, sentence):
    error = refusal(presigned(Expires=expires), s3=True)
    assert error.message.startswith(sentence)


@pytest.mark.parametrize(
    "changes", [{"Algorithm": "AWS4-HMAC-SHA1"}, {"Date": "2026"}, {"Credential": "a%2Fb"}]
)
def test_odd_parameter_is_refused(changes):
    assert refusal(presigned(**changes), s3=True).code == "AuthorizationQueryParametersError"
    assert isinstance(refusal(presigned(**changes)), IncompleteSignature)


def test_url_lives_as_long_as_it_says():
    parsed = parse(presigned(), s3=True)
    assert parsed is not None
    check_time(parsed, NOON + 3600, s3=True)
    with pytest.raises(AwsError) as refused:
        check_time(parsed, NOON + 3601, s3=True)
    error = refused.value
    assert (error.code, error.message) == ("AccessDenied", "Request has expired")
    assert error.fields["X-Amz-Expires"] == "3600"
    assert error.fields["Expires"] == "2026-01-31T13:00:00Z"
    with pytest.raises(AwsError, match="Request is not yet valid"):
        check_time(parsed, NOON - 3601, s3=True)


def test_url_of_other_services_expires_too():
    parsed = parse(presigned(Expires="60"), s3=False)
    assert parsed is not None
    check_time(parsed, NOON + 60, s3=False)
    with pytest.raises(RequestExpired, match="Signature expired"):
        check_time(parsed, NOON + 61, s3=False)


def test_two_mechanisms_at_once_are_refused():
    both = presigned()
    given = Request("GET", "/", both.query, Headers([*both.headers, ("authorization", GOOD)]))
    error = refusal(given, s3=True)
    assert error.code == "InvalidArgument"
    assert error.message.startswith("Only one auth mechanism allowed")


def test_version_two_is_refused_and_not_taken_for_no_signature():
    query = "AWSAccessKeyId=AKID&Signature=abc%3D&Expires=1769860800"
    error = refusal(request("", query), s3=True)
    assert (error.code, error.http_status) == ("InvalidRequest", 400)
    assert "Please use AWS4-HMAC-SHA256." in error.message
