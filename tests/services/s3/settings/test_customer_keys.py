"""Encryption with keys that the caller keeps (SSE-C).

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
"""

import hashlib
import os

import pytest
from botocore.exceptions import ClientError

KEY, OTHER = os.urandom(32), os.urandom(32)
PART = 5 * 1024 * 1024


def sealed(key=KEY, prefix=""):
    return {f"{prefix}SSECustomerAlgorithm": "AES256", f"{prefix}SSECustomerKey": key}


def code_of(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 700_001])
def test_only_the_key_opens_it_and_every_range_reads(s3, bucket, size):
    data = os.urandom(size)
    named = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**named, Body=data, **sealed())
    answer = s3.get_object(**named, **sealed())
    assert answer["Body"].read() == data
    assert answer["SSECustomerAlgorithm"] == "AES256"
    assert code_of(s3.get_object, **named) == "InvalidRequest"
    assert code_of(s3.get_object, **named, **sealed(OTHER)) == "AccessDenied"
    for start, end in ((0, 0), (65_530, 65_540), (size // 2, size - 1)):
        if start <= end < size:
            asked = s3.get_object(**named, Range=f"bytes={start}-{end}", **sealed())
            assert asked["Body"].read() == data[start : end + 1]


def test_the_bytes_on_the_disk_are_not_those_that_were_sent(new_cloud):
    cloud = new_cloud()
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="sealed")
    secret = b"never to be read from the disk " * 4_000
    s3.put_object(Bucket="sealed", Key="big", Body=secret, **sealed())
    s3.put_object(Bucket="sealed", Key="small", Body=secret[:31], **sealed())
    s3.put_object(Bucket="sealed", Key="told", Metadata={"told": "what-lies-in-the-clear"})
    cloud.stop()
    files = [path.read_bytes() for path in cloud.data.rglob("*") if path.is_file()]
    assert any(b"what-lies-in-the-clear" in content for content in files)
    assert not any(secret[:31] in content or KEY in content for content in files)


def test_parts_and_copies_need_their_keys(s3, bucket):
    named = {"Bucket": bucket, "Key": "parts"}
    upload = s3.create_multipart_upload(**named, **sealed())["UploadId"]
    data = [os.urandom(PART), os.urandom(100)]
    refused = code_of(
        s3.upload_part, **named, UploadId=upload, PartNumber=1, Body=b"x", **sealed(OTHER)
    )
    assert refused == "InvalidRequest"
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                **named, UploadId=upload, PartNumber=number, Body=body, **sealed()
            )["ETag"],
        }
        for number, body in enumerate(data, 1)
    ]
    # A part that is sent again is the same part.
    again = s3.upload_part(**named, UploadId=upload, PartNumber=2, Body=data[1], **sealed())
    assert again["ETag"] == parts[1]["ETag"] != f'"{hashlib.md5(data[1]).hexdigest()}"'
    done = {**named, "UploadId": upload, "MultipartUpload": {"Parts": parts}}
    assert code_of(s3.complete_multipart_upload, **done, **sealed(OTHER)) == "InvalidRequest"
    s3.complete_multipart_upload(**done)
    asked = s3.get_object(**named, Range=f"bytes={PART - 5}-{PART + 4}", **sealed())
    assert asked["Body"].read() == (data[0][-5:] + data[1][:5])
    source = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/parts"}
    assert code_of(s3.copy_object, **source) == "InvalidRequest"
    s3.copy_object(**source, **sealed(prefix="CopySource"))
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"".join(data)
    s3.copy_object(**source, **sealed(prefix="CopySource"), **sealed(OTHER))
    answer = s3.get_object(Bucket=bucket, Key="copy", **sealed(OTHER))
    assert answer["Body"].read() == b"".join(data)
