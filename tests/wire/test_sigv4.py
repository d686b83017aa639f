"""Signatures made by botocore are accepted, and anything altered afterwards is refused."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.errors import AwsError, SignatureMismatch
from cumulet.core.http import BytesBody, Headers, Request
from cumulet.wire.sigv4 import Verifier, claimed_service, parse
from cumulet.wire.sigv4.payload import s3_payload_hash

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+long/token=="
HOST = "localhost:4566"

segments = st.text(st.sampled_from("abcXYZ019-_.~!$&'()*+,;=:@% é☃/"), min_size=0, max_size=12)
paths = st.lists(segments, min_size=0, max_size=4).map(lambda parts: "/" + "/".join(parts))
names = st.text(st.sampled_from("abcXYZ-_.~!*'() é"), min_size=1, max_size=8)
queries = st.lists(st.tuples(names, st.text(max_size=10)), max_size=5)
header_values = st.text(st.sampled_from("abc 019-=;,:/  "), max_size=20)
bodies = st.binary(max_size=200)


def encode(text: str) -> str:
    from botocore.utils import percent_encode

    return percent_encode(text)


def sent(signed: AWSRequest, body: bytes = b"") -> Request:
    """The request as a server sees it."""
    parts = urlsplit(signed.url)
    headers = [(name, value.strip()) for name, value in signed.headers.items()]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(("Host", HOST))
    return Request(signed.method, parts.path or "/", parts.query, Headers(headers), BytesBody(body))


def check(request: Request, body: bytes, *, s3: bool, secret: str = SECRET) -> None:
    parsed = parse(request, s3=s3)
    assert parsed is not None
    assert parsed.access_key_id == KEY
    digest = s3_payload_hash(parsed) if s3 else sha256(body).hexdigest()
    Verifier().verify(request, parsed, secret, digest, s3=s3)


def signed_by(kind, service, method, url, headers, body, *, token: str | None = None):
    request = AWSRequest(method, url, headers=headers, data=body)
    extra = {"expires": 900} if "Query" in kind.__name__ else {}
    kind(Credentials(KEY, SECRET, token), service, "eu-west-3", **extra).add_auth(request)
    return request


def url_of(path: str, query: list[tuple[str, str]]) -> str:
    from botocore.utils import percent_encode

    encoded = percent_encode(path, safe="/~")
    text = "&".join(f"{encode(name)}={encode(value)}" for name, value in query)
    return f"http://{HOST}{encoded}" + (f"?{text}" if text else "")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["GET", "POST", "PUT", "DELETE"]), paths, queries, header_values, bodies)
def test_every_request_that_botocore_signs_is_accepted(method, path, query, value, body):
    request = signed_by(
        SigV4Auth, "lambda", method, url_of(path, query), {"X-Amz-Thing": value}, body
    )
    check(sent(request), body, s3=False)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["GET", "PUT"]), paths, queries, header_values, bodies)
def test_every_request_that_botocore_signs_for_s3_is_accepted(method, path, query, value, body):
    url = url_of(path, query)
    request = signed_by(S3SigV4Auth, "s3", method, url, {"X-Amz-Meta-Thing": value}, body)
    check(sent(request), body, s3=True)


@settings(max_examples=60, deadline=None)
@given(paths, queries)
def test_every_url_that_botocore_presigns_is_accepted(path, query):
    for kind, service in ((SigV4QueryAuth, "sts"), (S3SigV4QueryAuth, "s3")):
        request = signed_by(kind, service, "GET", url_of(path, query), {}, b"", token=TOKEN)
        given_request = sent(request)
        check(given_request, b"", s3=service == "s3")
        parsed = parse(given_request, s3=service == "s3")
        assert parsed is not None
        assert (parsed.presigned, parsed.expires_seconds) == (True, 900)
        assert parsed.session_token == TOKEN
        assert claimed_service(given_request) == service


def test_session_token_is_read_from_the_header():
    request = sent(signed_by(SigV4Auth, "sqs", "POST", f"http://{HOST}/", {}, b"{}", token=TOKEN))
    parsed = parse(request, s3=False)
    assert parsed is not None
    assert parsed.session_token == TOKEN
    assert "x-amz-security-token" in parsed.signed_headers
    assert (parsed.region, parsed.service, parsed.presigned) == ("eu-west-3", "sqs", False)


def test_unsigned_request_has_no_signature():
    request = Request("GET", "/", "a=b", Headers([("Host", HOST)]))
    assert parse(request, s3=False) is None
    assert claimed_service(request) == ""


@pytest.fixture
def good() -> Request:
    body = b'{"TableName": "t"}'
    headers = {"X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/json"}
    signed = signed_by(SigV4Auth, "dynamodb", "POST", f"http://{HOST}/a/b?c=d", headers, body)
    return sent(signed, body)


BODY = b'{"TableName": "t"}'


def altered(request: Request, **changes) -> Request:
    fields = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        **changes,
    }
    return Request(fields["method"], fields["path"], fields["query"], fields["headers"])


def header_changed(request: Request, name: str, value: str) -> Headers:
    return Headers([(n, value if n == name else v) for n, v in request.headers.pairs])


def test_the_good_request_is_good(good):
    check(good, BODY, s3=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "PUT"},
        {"path": "/a/c"},
        {"path": "/a/b/"},
        {"query": "c=e"},
        {"query": ""},
        {"query": "c=d&c=d"},
    ],
)
def test_altered_request_line_is_refused(good, changes):
    with pytest.raises(SignatureMismatch):
        check(altered(good, **changes), BODY, s3=False)


@pytest.mark.parametrize("name", ["host", "x-amz-target", "content-type"])
def test_altered_signed_header_is_refused(good, name):
    changed = header_changed(good, name, "localhost:4567")
    with pytest.raises(SignatureMismatch):
        check(altered(good, headers=changed), BODY, s3=False)


def test_repeated_signed_header_is_refused(good):
    doubled = Headers([*good.headers.pairs, ("x-amz-target", "DynamoDB_20120810.DeleteTable")])
    with pytest.raises(SignatureMismatch):
        check(altered(good, headers=doubled), BODY, s3=False)


def test_each_altered_byte_of_the_body_is_refused(good):
    for at in range(len(BODY)):
        changed = bytearray(BODY)
        changed[at] ^= 1
        with pytest.raises(SignatureMismatch):
            check(good, bytes(changed), s3=False)


def test_each_altered_digit_of_the_signature_is_refused(good):
    authorization = good.headers.get("authorization")
    before, _, signature = authorization.rpartition("=")
    for at in range(len(signature)):
        digit = "0" if signature[at] != "0" else "1"
        changed = f"{before}={signature[:at]}{digit}{signature[at + 1 :]}"
        headers = header_changed(good, "authorization", changed)
        with pytest.raises(SignatureMismatch):
            check(altered(good, headers=headers), BODY, s3=False)


@pytest.mark.parametrize("signature", ["", "0", "é" * 64, "0" * 65, "0" * 63])
def test_signature_of_an_odd_form_is_refused_without_a_fault(good, signature):
    before, _, _ = good.headers.get("authorization").rpartition("=")
    headers = header_changed(good, "authorization", f"{before}={signature}")
    with pytest.raises(AwsError) as refused:
        check(altered(good, headers=headers), BODY, s3=False)
    assert refused.value.http_status in (400, 403)


def test_wrong_secret_is_refused(good):
    with pytest.raises(SignatureMismatch) as refused:
        check(good, BODY, s3=False, secret=SECRET + "x")
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    assert refused.value.message == (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method. "
        "Consult the service documentation for details."
    )


def test_a_changed_secret_is_not_verified_by_the_old_signing_key(good):
    verifier = Verifier()
    parsed = parse(good, s3=False)
    assert parsed is not None
    digest = sha256(BODY).hexdigest()
    verifier.verify(good, parsed, SECRET, digest, s3=False)
    with pytest.raises(SignatureMismatch):
        verifier.verify(good, parsed, "another", digest, s3=False)
    verifier.verify(good, parsed, SECRET, digest, s3=False)


def test_signing_keys_kept_are_bounded(good):
    verifier = Verifier(keys_max=2)
    parsed = parse(good, s3=False)
    assert parsed is not None
    made = [verifier.signing_key(parsed, secret) for secret in "abcd"]
    assert len(set(made)) == 4
    assert len(verifier._keys) == 2
    assert verifier.signing_key(parsed, "a") == made[0]


def test_s3_shows_what_it_signed(good):
    body = b"hello"
    request = sent(signed_by(S3SigV4Auth, "s3", "PUT", f"http://{HOST}/b/k", {}, body))
    with pytest.raises(SignatureMismatch) as refused:
        check(request, body, s3=True, secret="wrong")
    fields = refused.value.fields
    assert fields["AWSAccessKeyId"] == KEY
    assert fields["StringToSign"].startswith("AWS4-HMAC-SHA256\n")
    assert fields["CanonicalRequest"].startswith("PUT\n/b/k\n\n")
    assert bytes.fromhex(fields["StringToSignBytes"]).decode() == fields["StringToSign"]


# The worked examples of AWS's page, with the page's own key:
# https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
DOC_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DOC_SCOPE = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
EMPTY = sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("method", "path", "query", "extra", "digest", "signature"),
    [
        (
            "GET",
            "/test.txt",
            "",
            [("range", "bytes=0-9")],
            EMPTY,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test%24file.text",
            "",
            [
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/",
            "lifecycle",
            [],
            EMPTY,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/",
            "max-keys=2&prefix=J",
            [],
            EMPTY,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_examples_of_the_s3_guide(method, path, query, extra, digest, signature):
    headers = [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("x-amz-content-sha256", digest),
        ("x-amz-date", "20130524T000000Z"),
        *extra,
    ]
    signed = ";".join(sorted(name for name, _ in headers))
    headers.append(
        (
            "authorization",
            f"AWS4-HMAC-SHA256 Credential={DOC_SCOPE},SignedHeaders={signed},Signature={signature}",
        )
    )
    request = Request(method, path, query, Headers(headers))
    parsed = parse(request, s3=True)
    assert parsed is not None
    Verifier().verify(request, parsed, DOC_SECRET, s3_payload_hash(parsed), s3=True)


def test_presigned_example_of_the_s3_guide():
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    headers = Headers([("host", "examplebucket.s3.amazonaws.com")])
    request = Request("GET", "/test.txt", query, headers)
    parsed = parse(request, s3=True)
    assert parsed is not None
    Verifier().verify(request, parsed, DOC_SECRET, s3_payload_hash(parsed), s3=True)
