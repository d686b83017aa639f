"""Digests of S3's documents."""

import base64
import hashlib
import zlib

import pytest

from cumulet.core.errors import AwsError
from cumulet.core.http import Headers
from cumulet.edge.bodies.documents import check_document

CONTENT = b"<Delete/>"


def encoded(digest):
    return base64.b64encode(digest).decode()


RIGHT = {
    "content-md5": encoded(hashlib.md5(CONTENT).digest()),
    "x-amz-checksum-crc32": encoded(zlib.crc32(CONTENT).to_bytes(4, "big")),
    "x-amz-checksum-sha256": encoded(hashlib.sha256(CONTENT).digest()),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_digest_passes_and_another_does_not(name):
    headers = Headers([(name, RIGHT[name])])
    check_document(headers, {}, CONTENT)
    with pytest.raises(AwsError) as caught:
        check_document(headers, {}, CONTENT + b" ")
    assert caught.value.code == "BadDigest"


@pytest.mark.parametrize("value", ["!", "", "AAAA"])
@pytest.mark.parametrize(
    ("name", "code"),
    [("content-md5", "InvalidDigest"), ("x-amz-checksum-crc32", "InvalidRequest")],
)
def test_what_is_no_digest_is_refused(name, value, code):
    if name == "content-md5" and not value:
        return
    with pytest.raises(AwsError) as caught:
        check_document(Headers([(name, value)]), {}, CONTENT)
    assert caught.value.code == code


def test_a_checksum_behind_the_body_counts():
    check_document(Headers(), {"x-amz-checksum-crc32": RIGHT["x-amz-checksum-crc32"]}, CONTENT)
    with pytest.raises(AwsError):
        check_document(Headers(), {"x-amz-checksum-crc32": "AAAAAA=="}, CONTENT)


def test_an_algorithm_that_is_not_there_is_refused():
    with pytest.raises(AwsError, match="not supported"):
        check_document(Headers([("x-amz-checksum-xxhash64", "AAAA")]), {}, CONTENT)


def test_headers_that_only_speak_of_checksums_are_not_checked():
    named = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-mode", "ENABLED")]
    check_document(Headers(named), {}, CONTENT)
