"""Headers in the query of a pre-signed URL."""

from cumulet.core.http import Headers, Request
from cumulet.wire.presigned import with_hoisted_headers


def hoisted(query, headers=()):
    request = with_hoisted_headers(Request("PUT", "/b/k", query, Headers(headers)))
    return {name: value for name, value in request.headers if name.startswith("x-amz-")}


def test_amz_parameters_are_headers():
    assert hoisted("x-amz-meta-A=1%202&X-Amz-Tagging=a%3Db&versionId=1") == {
        "x-amz-meta-a": "1 2",
        "x-amz-tagging": "a=b",
    }


def test_those_of_the_signature_and_checksums_are_not():
    assert hoisted("X-Amz-Date=1&X-Amz-Signature=s&X-Amz-Content-Sha256=h") == {}
    assert hoisted("x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32") == {}


def test_a_header_that_was_sent_stays():
    sent = [("x-amz-acl", "private")]
    assert hoisted("x-amz-acl=public-read", sent) == {"x-amz-acl": "private"}


def test_a_request_without_any_is_the_same_object():
    request = Request("GET", "/b/k", "versionId=1")
    assert with_hoisted_headers(request) is request
