"""Signature Version 2, against botocore's own signers.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.errors import AwsError, SignatureMismatch
from cumulet.core.http import Headers, Request
from cumulet.wire import sigv2

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
LIFE = 600


def signed(method, url, headers=(), token=None, query=False, auth_path=None):
    """The request as botocore signs it and a client then sends it."""
    made = AWSRequest(method, url, headers=dict(headers), auth_path=auth_path)
    credentials = Credentials(KEY, SECRET, token)
    signer = HmacV1QueryAuth(credentials, LIFE) if query else HmacV1Auth(credentials)
    signer.add_auth(made)
    split = urlsplit(made.url)
    # A client that has the URL sends only the headers that it was told to.
    sent = dict(headers) if query else dict(made.headers.items())
    pairs = [("Host", split.netloc), *sent.items()]
    return Request(method, split.path, split.query, Headers(pairs))


def verify(request, secret=SECRET, path=None):
    parsed = sigv2.parse(request)
    assert parsed.access_key_id == KEY
    sigv2.verify(request, parsed, secret, path or request.path)


URLS = [
    "http://localhost/bucket/key",
    "http://localhost/",
    "http://localhost/bucket?acl",
    "http://localhost/bucket/a%20b%2F%C3%A9?uploadId=x%2By&partNumber=2",
    "http://localhost/bucket/k?versionId=1&response-content-type=text%2Fplain&unrelated=1",
    "http://localhost/bucket?prefix=a&uploads&max-uploads=3",
]
HEADERS = {
    "Content-Type": "text/plain",
    "Content-MD5": "abc=",
    "X-Amz-Meta-B": "2",
    "x-amz-acl": "x",
}


@pytest.mark.parametrize("query", [False, True], ids=["header", "query"])
@pytest.mark.parametrize("token", [None, "to/ken+=="])
@pytest.mark.parametrize("url", URLS)
def test_what_botocore_signs_is_verified(url, token, query):
    request = signed("PUT", url, HEADERS, token, query)
    assert sigv2.claimed_service(request) == "s3"
    assert sigv2.parse(request).session_token == (token or "")
    verify(request)
    with pytest.raises(SignatureMismatch):
        verify(request, secret="another")


def test_the_bucket_of_a_virtual_host_is_part_of_what_is_signed():
    url = "http://bucket.s3.localhost/key"
    request = signed("GET", url, query=True, auth_path="/bucket/key")
    verify(request, path="/bucket/key")
    with pytest.raises(SignatureMismatch):
        verify(request, path="/other/key")


NAMES = st.sampled_from(sorted(sigv2.SIGNED_PARAMETERS))
VALUES = st.text("ab+ /%é", max_size=4)


@given(
    parameters=st.dictionaries(NAMES, VALUES, max_size=4), method=st.sampled_from(["GET", "PUT"])
)
@settings(max_examples=60, deadline=None)
def test_every_sub_resource_is_under_the_signature(parameters, method):
    from urllib.parse import quote

    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    request = signed(method, f"http://localhost/b/k?{query}" if query else "http://localhost/b/k")
    verify(request)
    for name in parameters:
        kept = "&".join(part for part in query.split("&") if not part.startswith(f"{name}="))
        changed = Request(method, request.path, kept, request.headers)
        with pytest.raises(SignatureMismatch):
            verify(changed)


@pytest.mark.parametrize("query", [False, True], ids=["header", "query"])
def test_another_method_path_header_or_parameter_breaks_it(query):
    good = signed("PUT", "http://localhost/b/k", HEADERS, query=query)

    def changed(method="PUT", path="/b/k", more_query="", more_headers=()):
        joined = "&".join(part for part in (good.query, more_query) if part)
        pairs = [*good.headers.pairs, *more_headers]
        return Request(method, path, joined, Headers(pairs))

    verify(changed())
    for other in (
        changed(method="GET"),
        changed(path="/b/k2"),
        changed(more_query="acl"),
        changed(more_query="%61cl"),
        changed(more_headers=[("x-amz-meta-c", "3")]),
    ):
        with pytest.raises(SignatureMismatch):
            verify(other)


def test_a_parameter_that_it_does_not_cover_is_refused():
    good = signed("GET", "http://localhost/b/k", query=True)
    for name in ("encryption", "%65ncryption", "legal-hold=1"):
        added = Request("GET", good.path, f"{good.query}&{name}", good.headers)
        with pytest.raises(AwsError) as caught:
            verify(added)
        assert caught.value.code == "InvalidRequest"


def code_of(request, now=0.0):
    with pytest.raises(AwsError) as caught:
        sigv2.check_time(request, sigv2.parse(request), now)
    return caught.value.code


def test_a_url_lives_until_it_expires():
    request = Request("GET", "/b/k", "AWSAccessKeyId=A&Signature=s&Expires=1000")
    sigv2.check_time(request, sigv2.parse(request), 1000)
    with pytest.raises(AwsError, match="Request has expired") as caught:
        sigv2.check_time(request, sigv2.parse(request), 1000.5)
    assert (caught.value.code, caught.value.http_status) == ("AccessDenied", 403)
    assert caught.value.fields["Expires"] == "1970-01-01T00:16:40Z"


@pytest.mark.parametrize(
    "date", ["Thu, 01 Jan 1970 00:20:00 GMT", "Thu, 01 Jan 1970 00:20:00 +0000", "19700101T002000Z"]
)
@pytest.mark.parametrize("name", ["date", "x-amz-date"])
def test_the_header_form_allows_fifteen_minutes_of_skew(date, name):
    request = Request("GET", "/", "", Headers([("authorization", "AWS A:s"), (name, date)]))
    for now in (1200 - 900, 1200 + 900):
        sigv2.check_time(request, sigv2.parse(request), now)
    for now in (1200 - 901, 1200 + 901):
        assert code_of(request, now) == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    "date", ["", "yesterday", "99999999T999999Z", "Thu, 32 Jan 1970 00:00 GMT"]
)
def test_a_date_that_is_none_is_refused(date):
    pairs = [("authorization", "AWS A:s"), *([("date", date)] if date else [])]
    assert code_of(Request("GET", "/", "", Headers(pairs))) == "AccessDenied"


@pytest.mark.parametrize(
    ("query", "authorization", "code"),
    [
        ("AWSAccessKeyId=A&Signature=s", "", "AccessDenied"),
        ("AWSAccessKeyId=A&Expires=1", "", "AccessDenied"),
        ("AWSAccessKeyId=&Signature=s&Expires=1", "", "AccessDenied"),
        ("AWSAccessKeyId=A&Signature=s&Expires=soon", "", "AccessDenied"),
        ("AWSAccessKeyId=A&Signature=s&Expires=1", "AWS A:s", "InvalidArgument"),
        ("AWSAccessKeyId=A&Signature=s&Expires=1", "AWS4-HMAC-SHA256 x", "InvalidArgument"),
        ("AWSAccessKeyId=A&Signature=s&Expires=1&X-Amz-Signature=x", "", "InvalidArgument"),
        ("", "AWS A", "InvalidArgument"),
        ("", "AWS :s", "InvalidArgument"),
    ],
)
def test_half_a_signature_is_refused_and_never_none(query, authorization, code):
    headers = Headers([("authorization", authorization)] if authorization else [])
    with pytest.raises(AwsError) as caught:
        sigv2.parse(Request("GET", "/b/k", query, headers))
    assert caught.value.code == code


def test_other_requests_carry_none():
    for request in (
        Request("GET", "/b/k"),
        Request("GET", "/b/k", "x=AWSAccessKeyId=1"),
        Request("GET", "/b/k", "", Headers([("authorization", "AWS4-HMAC-SHA256 x")])),
    ):
        assert sigv2.parse(request) is None
        assert sigv2.claimed_service(request) == ""
