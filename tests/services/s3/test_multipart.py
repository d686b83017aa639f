"""Multipart uploads.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

import base64
import hashlib
import os

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

MIB = 1024 * 1024
PART = os.urandom(5 * MIB)


def begin(s3, bucket, key="k", **more):
    return s3.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"]


def put_part(s3, bucket, upload, number, body, key="k"):
    answer = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def complete(s3, bucket, upload, parts, key="k", **more):
    return s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
    )


def code_of(call, *args, **request):
    with pytest.raises(ClientError) as caught:
        call(*args, **request)
    return caught.value.response["Error"]["Code"]


def test_parts_become_one_object(s3, bucket):
    upload = begin(s3, bucket, ContentType="text/plain", Metadata={"a": "b"})
    parts = [put_part(s3, bucket, upload, 2, PART), put_part(s3, bucket, upload, 7, b"end")]
    done = complete(s3, bucket, upload, parts)
    digests = hashlib.md5(PART).digest() + hashlib.md5(b"end").digest()
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == PART + b"end"
    assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"a": "b"})
    across = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
    assert across["Body"].read() == PART[-2:] + b"en"
    second = s3.get_object(Bucket=bucket, Key="k", PartNumber=7)
    assert (second["Body"].read(), second["PartsCount"]) == (b"end", 2)
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html: idempotent.
    assert complete(s3, bucket, upload, parts)["ETag"] == done["ETag"]
    assert code_of(complete, s3, bucket, upload, parts[:1]) == "NoSuchUpload"


def test_a_part_replaces_the_one_of_its_number(s3, bucket):
    upload = begin(s3, bucket)
    put_part(s3, bucket, upload, 1, b"first try")
    part = put_part(s3, bucket, upload, 1, b"second try")
    listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [(1, 10)]
    complete(s3, bucket, upload, [part])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second try"


def test_a_wrong_list_is_refused_and_the_upload_goes_on(s3, bucket):
    upload = begin(s3, bucket)
    one = put_part(s3, bucket, upload, 1, b"too small")
    two = put_part(s3, bucket, upload, 2, b"end")
    assert code_of(complete, s3, bucket, upload, [two, one]) == "InvalidPartOrder"
    assert code_of(complete, s3, bucket, upload, [{**one, "ETag": '"x"'}]) == "InvalidPart"
    assert code_of(complete, s3, bucket, upload, [{**one, "PartNumber": 9}]) == "InvalidPart"
    assert code_of(complete, s3, bucket, upload, [one, two]) == "EntityTooSmall"
    assert code_of(put_part, s3, bucket, upload, 10_001, b"") == "InvalidArgument"
    complete(s3, bucket, upload, [one])


def test_an_aborted_upload_is_gone(s3, bucket):
    upload = begin(s3, bucket)
    put_part(s3, bucket, upload, 1, b"x")
    listed = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [entry["UploadId"] for entry in listed] == [upload]
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert code_of(put_part, s3, bucket, upload, 1, b"x") == "NoSuchUpload"


def test_a_part_is_copied_from_a_range(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=PART)
    upload = begin(s3, bucket)
    copied = s3.upload_part_copy(
        Bucket=bucket, Key="k", UploadId=upload, PartNumber=1,
        CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange="bytes=10-19",
    )  # fmt: skip
    part = {"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}
    complete(s3, bucket, upload, [part])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == PART[10:20]


def test_boto3s_own_transfer_in_parallel_parts(s3, bucket, tmp_path):
    content = os.urandom(17 * MIB)
    (tmp_path / "file").write_bytes(content)
    settings = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_file(str(tmp_path / "file"), bucket, "k", Config=settings)
    s3.download_file(bucket, "k", str(tmp_path / "back"), Config=settings)
    assert (tmp_path / "back").read_bytes() == content
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-4"')
    # boto3 asks for CRC32 over the whole object, which is joined from those of the parts.
    assert head.get("ChecksumCRC32")


def test_a_composite_checksum_is_that_of_the_parts_checksums(s3, bucket):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    upload = begin(s3, bucket, ChecksumAlgorithm="SHA256")
    parts = []
    for number, content in ((1, PART), (2, b"end")):
        answer = s3.upload_part(
            Bucket=bucket,
            Key="k",
            UploadId=upload,
            PartNumber=number,
            Body=content,
            ChecksumAlgorithm="SHA256",
        )
        kept = {name: answer[name] for name in ("ETag", "ChecksumSHA256")}
        parts.append({"PartNumber": number, **kept})
    digests = hashlib.sha256(PART).digest() + hashlib.sha256(b"end").digest()
    whole = base64.b64encode(hashlib.sha256(digests).digest()).decode()
    wrong = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    assert code_of(complete, s3, bucket, upload, parts, ChecksumSHA256=wrong) == "BadDigest"
    bad = {"MpuObjectSize": 1}
    assert code_of(complete, s3, bucket, upload, parts, **bad) == "InvalidRequest"
    done = complete(s3, bucket, upload, parts, ChecksumSHA256=whole, ChecksumType="COMPOSITE")
    assert done["ChecksumSHA256"] == f"{whole}-2"
    seen = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["Checksum", "ObjectParts", "ObjectSize"]
    )
    assert seen["Checksum"]["ChecksumType"] == "COMPOSITE"
    assert seen["ObjectSize"] == len(PART) + 3
    assert [part["Size"] for part in seen["ObjectParts"]["Parts"]] == [len(PART), 3]


def test_a_part_must_have_the_checksum_of_its_upload(s3, bucket):
    upload = begin(s3, bucket, ChecksumAlgorithm="SHA1")
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload, "PartNumber": 1, "Body": b"x"}
    assert code_of(s3.upload_part, **part, ChecksumAlgorithm="SHA256") == "InvalidRequest"
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("CRC64NVME", "COMPOSITE"), ("SHA256", "FULL_OBJECT")]
)
def test_types_that_an_algorithm_cannot_have_are_refused(s3, bucket, algorithm, kind):
    code = code_of(begin, s3, bucket, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    assert code == "InvalidRequest"


def test_a_copy_of_an_object_of_parts_is_one_whole(s3, bucket):
    upload = begin(s3, bucket)
    parts = [put_part(s3, bucket, upload, 1, PART), put_part(s3, bucket, upload, 2, b"end")]
    complete(s3, bucket, upload, parts)
    source = {"Bucket": bucket, "Key": "k"}
    made = s3.copy_object(Bucket=bucket, Key="c", CopySource=source, ChecksumAlgorithm="SHA256")
    result = made["CopyObjectResult"]
    assert result["ETag"] == f'"{hashlib.md5(PART + b"end").hexdigest()}"'
    whole = hashlib.sha256(PART + b"end").digest()
    assert result["ChecksumSHA256"] == base64.b64encode(whole).decode()
    assert s3.get_object(Bucket=bucket, Key="c")["Body"].read() == PART + b"end"


def test_parts_do_not_replace_what_is_not_there_when_it_must_be(s3, bucket):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    upload = begin(s3, bucket)
    parts = [put_part(s3, bucket, upload, 1, b"end")]
    asked = {"Bucket": bucket, "Key": "k", "UploadId": upload, "MultipartUpload": {"Parts": parts}}
    assert code_of(s3.complete_multipart_upload, **asked, IfMatch='"any"') == "NoSuchKey"
    s3.put_object(Bucket=bucket, Key="k", Body=b"other")
    assert code_of(s3.complete_multipart_upload, **asked, IfMatch='"x"') == "PreconditionFailed"
    tag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    s3.complete_multipart_upload(**asked, IfMatch=tag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"end"
