"""Objects: put, get, head, copy, delete, and their conditions.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
"""

import base64
import hashlib
import os

import pytest
from botocore.exceptions import ClientError

BIG = os.urandom(3_000_000)


def refused(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("content", [b"", b"small", BIG], ids=["empty", "small", "large"])
def test_what_is_put_is_got(s3, bucket, content):
    put = s3.put_object(Bucket=bucket, Key="k", Body=content)
    assert put["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == content
    assert got["ContentLength"] == len(content)
    assert got["ETag"] == put["ETag"]
    assert got["ContentType"] == "binary/octet-stream"


def test_properties_come_back_as_they_were_put(s3, bucket):
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"x",
        ContentType="text/plain",
        CacheControl="no-store",
        ContentDisposition='attachment; filename="a.txt"',
        ContentEncoding="gzip",
        ContentLanguage="de",
        Metadata={"Colour": "red"},
        Tagging="a=1&b=2%203",
    )
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentType"] == "text/plain"
    assert head["CacheControl"] == "no-store"
    assert head["ContentEncoding"] == "gzip"
    assert head["ContentLanguage"] == "de"
    assert head["Metadata"] == {"colour": "red"}
    assert head["ServerSideEncryption"] == "AES256"
    tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2 3"}]
    override = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="application/json")
    assert override["ContentType"] == "application/json"


@pytest.mark.parametrize("size", [10, 300_000])
def test_ranges(s3, bucket, size):
    content = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="k", Body=content)
    got = s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-5")
    assert got["Body"].read() == content[2:6]
    assert got["ContentRange"] == f"bytes 2-5/{size}"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-3")["Body"].read() == content[-3:]
    assert refused(s3.get_object, Bucket=bucket, Key="k", Range=f"bytes={size}-") == (
        "InvalidRange",
        416,
    )


def test_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfMatch='"no"') == (
        "PreconditionFailed",
        412,
    )
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"y", IfNoneMatch="*") == (
        "PreconditionFailed",
        412,
    )
    assert refused(s3.put_object, Bucket=bucket, Key="none", Body=b"y", IfMatch='"x"') == (
        "NoSuchKey",
        404,
    )
    s3.put_object(Bucket=bucket, Key="k", Body=b"y", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"y"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_verified_kept_and_shown(s3, bucket, algorithm):
    if algorithm in ("CRC32C", "CRC64NVME"):
        pytest.importorskip("awscrt", reason="botocore computes this checksum only with awscrt")
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert head["ChecksumType"] == "FULL_OBJECT"


def test_a_wrong_digest_is_refused_and_nothing_is_kept(s3, bucket):
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ChecksumSHA256=wrong) == (
        "BadDigest",
        400,
    )
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ContentMD5=md5) == (
        "BadDigest",
        400,
    )
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ContentMD5="!") == (
        "InvalidDigest",
        400,
    )
    assert refused(s3.head_object, Bucket=bucket, Key="k") == ("404", 404)


def test_what_is_missing_is_named(s3, bucket):
    assert refused(s3.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    assert refused(s3.get_object, Bucket="no-such-bucket-here", Key="k") == ("NoSuchBucket", 404)
    assert refused(s3.put_object, Bucket="no-such-bucket-here", Key="k") == ("NoSuchBucket", 404)
    assert refused(s3.list_objects_v2, Bucket="no-such-bucket-here") == ("NoSuchBucket", 404)


def test_a_copy_keeps_or_replaces_the_properties(s3, bucket):
    for key, content in (("small", b"x"), ("large", BIG)):
        s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="text/plain")
        source = {"Bucket": bucket, "Key": key}
        s3.copy_object(Bucket=bucket, Key=f"{key}-2", CopySource=source)
        copy = s3.get_object(Bucket=bucket, Key=f"{key}-2")
        assert (copy["Body"].read(), copy["ContentType"]) == (content, "text/plain")
        s3.delete_object(Bucket=bucket, Key=key)
        assert s3.get_object(Bucket=bucket, Key=f"{key}-2")["Body"].read() == content
    source = {"Bucket": bucket, "Key": "small-2"}
    s3.copy_object(
        Bucket=bucket, Key="new", CopySource=source, ContentType="a/b", MetadataDirective="REPLACE"
    )
    assert s3.head_object(Bucket=bucket, Key="new")["ContentType"] == "a/b"
    assert refused(
        s3.copy_object, Bucket=bucket, Key="new", CopySource={**source, "Key": "new"}
    ) == (
        "InvalidRequest",
        400,
    )
    assert refused(s3.copy_object, Bucket=bucket, Key="x", CopySource={**source, "Key": "no"}) == (
        "NoSuchKey",
        404,
    )


@pytest.mark.parametrize(
    "key",
    [
        "a/../../etc/passwd", "//double//", "trailing ", " leading", "ünï/çødé/日本/😀",
        "a+b c%20d", "q?x=1&y#z", "dot.", "..", "tab\tnewline\n", "x" * 1024,
        ".", "../../../../etc/passwd", "/", "///", "~/x", "C:\\x", "a//../b", "%2e%2e%2f", "%00",
        # Composed and not, which are two names; right to left; a joiner; the highest characters.
        "\u00e9", "e\u0301", "\u202etxt.exe", "\u200d", "\ufeff", "\ufffd", "\ud7ff\U0010ffff",
        "\x01", "\x7f", "\u0085", "\u2028", "é" * 512, "😀" * 256,
    ],
)  # fmt: skip
def test_every_key_is_only_a_name(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in listed] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_names_that_look_alike_are_not_the_same(s3, bucket):
    keys = ["\u00e9", "e\u0301", "E\u0301", "a", "A", "a ", " a", "a/", "/a", "a//", "\uff41"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted(keys, key=str.encode)
    for key in keys:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


def test_names_are_nowhere_in_the_file_system(new_cloud):
    cloud = new_cloud()
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="named-bucket")
    before = {path for path in cloud.data.parent.rglob("*") if "blobs" not in path.parts}
    for key in ("named-key", "../../named-key", "/named-key", "..", "a/../../../named-key"):
        s3.put_object(Bucket="named-bucket", Key=key, Body=BIG)
    after = set(cloud.data.parent.rglob("*"))
    assert not [path for path in after if "named" in path.name]
    blobs = cloud.data / "blobs"
    made = {path for path in after - before if not path.is_relative_to(cloud.data / "store")}
    assert made
    assert all(path.is_relative_to(blobs) for path in made)
    files = [path for path in blobs.rglob("*") if path.is_file()]
    assert len([path for path in files if len(path.name) == 32]) >= 5


def test_a_key_of_more_than_1024_bytes_is_refused(s3, bucket):
    assert refused(s3.put_object, Bucket=bucket, Key="é" * 513, Body=b"") == (
        "KeyTooLongError",
        400,
    )


@pytest.mark.parametrize(
    "members",
    [
        {"ServerSideEncryption": "aws:kms"},
        {"ServerSideEncryption": "aws:kms:dsse"},
        {"BucketKeyEnabled": True},
        {"StorageClass": "GLACIER"},
    ],
)
def test_what_is_not_honoured_is_refused(s3, bucket, members):
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"", **members) == (
        "NotImplemented",
        501,
    )


def test_a_customers_key_and_s3s_own_do_not_go_together(s3, bucket):
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    both = {"ServerSideEncryption": "AES256", "SSECustomerAlgorithm": "AES256"}
    code = refused(s3.put_object, Bucket=bucket, Key="k", SSECustomerKey=b"k" * 32, **both)
    assert code == ("InvalidArgument", 400)


def test_where_the_owner_owns_all_objects_there_are_no_acls(s3, bucket):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    for members in ({"GrantRead": 'id="x"'}, {"ACL": "public-read"}):
        code = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"", **members)
        assert code == ("AccessControlListNotSupported", 400)
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="bucket-owner-full-control")


def test_many_objects_are_deleted_at_once(s3, bucket):
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=str(i), Body=b"")
    keys = [{"Key": str(i)} for i in range(4)] + [{"Key": "never was"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    assert len(answer["Deleted"]) == 5
    assert [e["Key"] for e in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["4"]
