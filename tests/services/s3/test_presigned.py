"""Pre-signed URLs of both signature versions, as plain HTTP clients use them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
"""

import re
import urllib.error
import urllib.request

import pytest


def fetch(url, method="GET", body=None, **headers):
    """Status, body and headers; header names are given with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        named.setdefault("content-type", "binary/octet-stream")
    request = urllib.request.Request(url, data=body, method=method, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def code_in(body):
    found = re.search(rb"<Code>(\w+)</Code>", body)
    return found and found[1].decode()


@pytest.fixture(params=["s3", "s3v4"], ids=["version-2", "version-4"])
def signer(cloud, request):
    return cloud.client("s3", signature_version=request.param)


def url_of(signer, operation, expires=300, **members):
    return signer.generate_presigned_url(operation, Params=members, ExpiresIn=expires)


def test_a_url_puts_and_gets(s3, bucket, signer):
    put = url_of(signer, "put_object", Bucket=bucket, Key="a b/é", ContentType="text/plain")
    status, body, _ = fetch(put, "PUT", b"by url", content_type="text/plain")
    assert (status, body) == (200, b"")
    head = s3.head_object(Bucket=bucket, Key="a b/é")
    assert (head["ContentLength"], head["ContentType"]) == (6, "text/plain")
    get = url_of(signer, "get_object", Bucket=bucket, Key="a b/é")
    assert fetch(get)[:2] == (200, b"by url")
    assert fetch(get, range="bytes=0-1")[:2] == (206, b"by")


def test_a_url_can_rename_what_is_got(s3, bucket, signer):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = url_of(
        signer,
        "get_object",
        Bucket=bucket,
        Key="k",
        ResponseContentDisposition='attachment; filename="é.txt"',
        ResponseContentType="text/csv; charset=utf-8",
    )
    status, _, headers = fetch(url)
    assert status == 200
    assert headers["content-type"] == "text/csv; charset=utf-8"


def test_another_content_type_than_the_signed_one_is_refused(bucket, signer):
    url = url_of(signer, "put_object", Bucket=bucket, Key="k", ContentType="text/plain")
    status, body, _ = fetch(url, "PUT", b"x", content_type="text/html")
    assert (status, code_in(body)) == (403, "SignatureDoesNotMatch")


def test_a_tampered_url_is_refused_and_nothing_is_stored(s3, bucket, signer):
    url = url_of(signer, "put_object", Bucket=bucket, Key="k")
    changed = (
        url.replace(f"/{bucket}/k", f"/{bucket}/other"),
        re.sub(r"Signature=.", "Signature=z", url),
        f"{url}&tagging",
        f"{url}&versionId=null",
        re.sub(r"Expires=\d+", "Expires=99999999999" if "AWSAccess" in url else "Expires=301", url),
    )
    for other in changed:
        assert other != url
        status, body, _ = fetch(other, "PUT", b"x")
        assert (status, code_in(body)) == (403, "SignatureDoesNotMatch"), other
    status, body, _ = fetch(url, "DELETE")
    assert (status, code_in(body)) == (403, "SignatureDoesNotMatch")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_an_expired_url_is_refused(s3, bucket, cloud):
    # Of version 4, whose signers make no URL that is dead at once, tests/wire tells the same.
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    signer = cloud.client("s3", signature_version="s3")
    status, body, _ = fetch(url_of(signer, "get_object", expires=-5, Bucket=bucket, Key="k"))
    assert (status, code_in(body)) == (403, "AccessDenied")
    assert b"<Message>Request has expired</Message>" in body
    assert b"<ServerTime>" in body


def test_headers_that_ride_in_the_query_count(s3, bucket, cloud):
    signer = cloud.client("s3", signature_version="s3")
    url = url_of(signer, "put_object", Bucket=bucket, Key="k", Metadata={"colour": "red"})
    assert "x-amz-meta-colour=red" in url
    status, body, _ = fetch(url, "PUT", b"x", content_type="")
    assert status == 200, body
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"colour": "red"}


def test_signed_headers_of_version_2(bucket, cloud):
    older = cloud.client("s3", signature_version="s3")
    older.put_object(Bucket=bucket, Key="k", Body=b"header form", Metadata={"a": "b"})
    assert older.get_object(Bucket=bucket, Key="k")["Body"].read() == b"header form"
    assert bucket in [one["Name"] for one in older.list_buckets()["Buckets"]]
    wrong = cloud.client("s3", key=(cloud.root_key[0], "wrong"), signature_version="s3")
    with pytest.raises(wrong.exceptions.ClientError) as caught:
        wrong.get_object(Bucket=bucket, Key="k")
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


def test_a_session_signs_with_version_2(bucket, cloud):
    session = cloud.client("sts").get_session_token()["Credentials"]
    key = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    signer = cloud.client("s3", key=key, signature_version="s3")
    assert (
        fetch(url_of(signer, "put_object", Bucket=bucket, Key="k"), "PUT", b"x", content_type="")[0]
        == 200
    )
    assert fetch(url_of(signer, "get_object", Bucket=bucket, Key="k"))[:2] == (200, b"x")
    short = cloud.client("s3", key=(*key[:2], ""), signature_version="s3")
    status, body, _ = fetch(url_of(short, "get_object", Bucket=bucket, Key="k"))
    assert (status, code_in(body)) == (403, "InvalidAccessKeyId"), body
