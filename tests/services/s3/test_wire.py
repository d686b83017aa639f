"""What the wire carries beside the members: errors, framings, hosts, digests.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses
"""

import base64
import hashlib
import os
import socket
import zlib
from urllib.parse import urlsplit

import pytest
from tests.services.s3.raw import ask

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def test_an_error_names_the_resource_and_the_request(cloud, bucket):
    answer = ask(cloud, "GET", f"/{bucket}/no%20such")
    assert (answer.status, answer.code) == (404, "NoSuchKey")
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Error>')
    assert answer.field("Key") == "no such"
    assert answer.field("Resource") == f"/{bucket}/no%20such"
    assert answer.field("RequestId") == answer.headers["x-amz-request-id"]
    assert answer.field("HostId") == answer.headers["x-amz-id-2"]
    assert answer.headers["content-type"] == "application/xml"


def test_a_head_has_no_body_whatever_happens(cloud, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for path, headers, status in (
        (f"/{bucket}/none", {}, 404),
        ("/no-such-bucket-here", {}, 404),
        (f"/{bucket}/k", {"if_match": '"other"'}, 412),
        (f"/{bucket}/k", {"range": "bytes=5-"}, 416),
        (f"/{bucket}/k", {"if_none_match": "*"}, 304),
        (f"/{bucket}/k", {}, 200),
    ):
        answer = ask(cloud, "HEAD", path, **headers)
        assert (answer.status, answer.body) == (status, b"")
    assert ask(cloud, "HEAD", f"/{bucket}/k", unsigned=True).status == 403


def test_not_modified_tells_what_is_current_and_nothing_else(cloud, s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", CacheControl="max-age=5")
    answer = ask(cloud, "GET", f"/{bucket}/k", if_none_match=put["ETag"])
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == put["ETag"]
    assert answer.headers["cache-control"] == "max-age=5"
    assert "last-modified" in answer.headers
    assert "content-type" not in answer.headers


def test_a_failed_condition_and_a_range_out_of_reach(cloud, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")
    answer = ask(cloud, "GET", f"/{bucket}/k", if_match='"other"')
    assert (answer.status, answer.code) == (412, "PreconditionFailed")
    assert answer.field("Condition") == "If-Match"
    answer = ask(cloud, "GET", f"/{bucket}/k", range="bytes=5-9")
    assert (answer.status, answer.code) == (416, "InvalidRange")
    assert answer.field("RangeRequested") == "bytes=5-9"
    assert answer.field("ActualObjectSize") == "5"


def test_a_virtual_host_names_the_bucket(cloud, bucket):
    port = urlsplit(cloud.endpoint).port
    for host in (f"{bucket}.s3.localhost:{port}", f"{bucket}.s3.us-east-1.localhost:{port}"):
        assert ask(cloud, "PUT", "/a/b%20c", b"by host", host=host).status == 200
        assert ask(cloud, "GET", "/a/b%20c", host=host).body == b"by host"
        listed = ask(cloud, "GET", "/?list-type=2&prefix=a%2F", host=host)
        assert listed.field("Key") == "a/b c"
        missing = ask(cloud, "GET", "/none", host=host)
        assert (missing.status, missing.code) == (404, "NoSuchKey")
    # The same path with the bucket in it is a key here.
    host = f"{bucket}.s3.localhost:{port}"
    assert ask(cloud, "PUT", f"/{bucket}/x", b"y", host=host).status == 200
    assert ask(cloud, "GET", f"/{bucket}/{bucket}/x").body == b"y"


def test_boto3_with_virtual_hosts(cloud, bucket):
    port = urlsplit(cloud.endpoint).port
    s3 = cloud.session().client("s3", endpoint_url=f"http://s3.localhost:{port}")
    try:
        socket.getaddrinfo(f"{bucket}.s3.localhost", port)
    except socket.gaierror:
        pytest.skip("this machine does not resolve names under .localhost")
    s3.put_object(Bucket=bucket, Key="k/1", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k/1")["Body"].read() == b"x"


def chunked(content, trailer=b""):
    """The content in `aws-chunked` framing, unsigned."""
    pieces = [content[at : at + 9_000] for at in range(0, len(content), 9_000)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return framed + b"0\r\n" + trailer + b"\r\n"


def put_chunked(cloud, bucket, content, trailer, **headers):
    return ask(
        cloud,
        "PUT",
        f"/{bucket}/k",
        chunked(content, trailer),
        x_amz_content_sha256=UNSIGNED_TRAILER,
        x_amz_decoded_content_length=str(len(content)),
        x_amz_trailer="x-amz-checksum-crc32",
        content_encoding="aws-chunked",
        **headers,
    )


def crc32(content):
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big"))


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_a_trailing_checksum_is_checked_and_kept(cloud, s3, bucket, size):
    content = os.urandom(size)
    right = b"x-amz-checksum-crc32:%s\r\n" % crc32(content)
    answer = put_chunked(cloud, bucket, content, right)
    assert answer.status == 200, answer.body
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumCRC32"] == crc32(content).decode()
    assert head["ContentLength"] == size
    assert "ContentEncoding" not in head
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == content


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize(
    ("trailer", "code"),
    [
        (b"x-amz-checksum-crc32:AAAAAA==\r\n", "BadDigest"),
        (b"x-amz-checksum-crc32:AAAA\r\n", "InvalidRequest"),
        (b"", "MalformedTrailerError"),
        (b"x-amz-checksum-sha1:AAAA\r\n", "MalformedTrailerError"),
    ],
)
def test_a_wrong_trailer_is_refused_and_nothing_is_stored(cloud, s3, bucket, size, trailer, code):
    answer = put_chunked(cloud, bucket, b"x" * size, trailer)
    assert (answer.status, answer.code) == (400, code)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_fewer_bytes_than_announced_are_incomplete(cloud, s3, bucket):
    content = b"x" * 100
    trailer = b"x-amz-checksum-crc32:%s\r\n" % crc32(content)
    answer = ask(
        cloud,
        "PUT",
        f"/{bucket}/k",
        chunked(content, trailer),
        x_amz_content_sha256=UNSIGNED_TRAILER,
        x_amz_decoded_content_length="101",
        x_amz_trailer="x-amz-checksum-crc32",
    )
    assert (answer.status, answer.code) == (400, "IncompleteBody")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


class Unseekable:
    """A stream that boto3 can only send once, in chunks with a trailing checksum."""

    def __init__(self, content):
        self.content = content

    def read(self, size=-1):
        size = len(self.content) if size < 0 else size
        piece, self.content = self.content[:size], self.content[size:]
        return piece


@pytest.mark.parametrize("size", [10, 300_000])
def test_boto3_streams_what_it_cannot_seek(s3, bucket, size):
    content = os.urandom(size)
    s3.upload_fileobj(Unseekable(content), bucket, "k")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == content


def test_the_signed_hash_of_the_body_must_be_its_hash(cloud, s3, bucket):
    claimed = hashlib.sha256(b"this").hexdigest()
    answer = ask(cloud, "PUT", f"/{bucket}/k", b"that", x_amz_content_sha256=claimed)
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert answer.field("ClientComputedContentSHA256") == claimed
    assert answer.field("S3ComputedContentSHA256") == hashlib.sha256(b"that").hexdigest()
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_wrong_digest_tells_both(cloud, bucket):
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    answer = ask(cloud, "PUT", f"/{bucket}/k", b"x", content_md5=wrong)
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert answer.field("CalculatedDigest") == base64.b64encode(hashlib.md5(b"x").digest()).decode()


def test_two_checksums_at_once_are_refused(cloud, bucket):
    sha1 = base64.b64encode(hashlib.sha1(b"x").digest()).decode()
    answer = ask(
        cloud,
        "PUT",
        f"/{bucket}/k",
        b"x",
        x_amz_checksum_sha1=sha1,
        x_amz_checksum_crc32=crc32(b"x").decode(),
    )
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_a_document_with_a_wrong_digest_is_refused_and_not_acted_on(cloud, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    answer = ask(cloud, "POST", f"/{bucket}?delete", document, content_md5=wrong)
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert s3.head_object(Bucket=bucket, Key="k")
    right = base64.b64encode(hashlib.md5(document).digest()).decode()
    answer = ask(cloud, "POST", f"/{bucket}?delete", document, content_md5=right)
    assert answer.field("Deleted") == "<Key>k</Key>"


def test_more_than_five_gigabytes_are_refused_before_they_come(cloud, bucket):
    split = urlsplit(cloud.endpoint)
    with socket.create_connection((split.hostname, split.port), timeout=20) as line:
        url = cloud.client("s3").generate_presigned_url(
            "put_object", Params={"Bucket": bucket, "Key": "k"}
        )
        target = url.removeprefix(cloud.endpoint)
        head = f"PUT {target} HTTP/1.1\r\nHost: {split.netloc}\r\n"
        line.sendall(f"{head}Content-Length: {5 * 1024**3 + 1}\r\n\r\n".encode())
        answer = b""
        while b"</Error>" not in answer and (piece := line.recv(65_536)):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>EntityTooLarge</Code>" in answer
    assert b"<MaxSizeAllowed>5368709120</MaxSizeAllowed>" in answer


def test_a_body_without_a_length_is_refused(cloud, bucket):
    url = cloud.client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": bucket, "Key": "k"}
    )
    split = urlsplit(cloud.endpoint)
    with socket.create_connection((split.hostname, split.port), timeout=20) as line:
        head = f"PUT {url.removeprefix(cloud.endpoint)} HTTP/1.1\r\nHost: {split.netloc}\r\n"
        line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n".encode())
        assert line.recv(65_536).startswith(b"HTTP/1.1 411 ")
