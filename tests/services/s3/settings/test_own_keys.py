"""What S3 encrypts with keys of its own (SSE-S3), which is everything, lies nowhere in the clear.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
"""

import subprocess
import sys
import urllib.request

import pytest
from botocore.exceptions import ResponseStreamingError

WORDS = b"never to be read from the disk, "
BIG = WORDS * 6_000
PART = WORDS * (5 * 1024 * 1024 // len(WORDS))
BUCKET = "at-rest"


def run(*words):
    """A command of the program; it must succeed."""
    subprocess.run([sys.executable, "-m", "cumulet", *map(str, words)], check=True)


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def put_in_every_way(s3):
    """Objects by key, each with the bytes it must read as."""
    named = {"Bucket": BUCKET}
    s3.create_bucket(**named)
    s3.put_object(**named, Key="small", Body=WORDS, Metadata={"told": "what-lies-in-the-clear"})
    s3.put_object(**named, Key="big", Body=BIG, ChecksumAlgorithm="CRC64NVME")
    upload = s3.create_multipart_upload(**named, Key="parts")["UploadId"]
    asked = {**named, "Key": "parts", "UploadId": upload}
    tags = [
        s3.upload_part(**asked, PartNumber=1, Body=PART)["ETag"],
        s3.upload_part_copy(**asked, PartNumber=2, CopySource=f"{BUCKET}/big")["CopyPartResult"][
            "ETag"
        ],
    ]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})
    for key in ("small", "parts"):
        s3.copy_object(**named, Key=f"{key}-copy", CopySource=f"{BUCKET}/{key}")
    told = {"ContentType": "text/plain"}
    url = s3.generate_presigned_url("put_object", {**named, "Key": "url", **told})
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(url, data=BIG, headers=headers, method="PUT")
    urllib.request.urlopen(request, timeout=30).close()
    # One that has not ended lies there, too.
    left = s3.create_multipart_upload(**named, Key="left")["UploadId"]
    s3.upload_part(**named, Key="left", UploadId=left, PartNumber=1, Body=BIG)
    return {
        "small": WORDS,
        "small-copy": WORDS,
        "big": BIG,
        "url": BIG,
        "parts": PART + BIG,
        "parts-copy": PART + BIG,
    }


def test_no_object_lies_in_the_clear_and_all_are_read_after_restart_and_restore(
    new_cloud, tmp_path
):
    cloud = new_cloud()
    made = put_in_every_way(cloud.client("s3"))
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    run("backup", backup, "--data", cloud.data)
    cloud.kill()
    raw = [path.read_bytes() for path in [*files(cloud.data), *files(backup), cloud.log]]
    assert any(b"what-lies-in-the-clear" in content for content in raw)
    assert not any(WORDS[4:28] in content for content in raw)
    run("check", "--data", cloud.data)
    run("restore", backup, "--data", restored)
    cloud.start()
    for place in (cloud, new_cloud(name="restored")):
        s3 = place.client("s3")
        for key, data in made.items():
            answer = s3.get_object(Bucket=BUCKET, Key=key)
            assert answer["ServerSideEncryption"] == "AES256"
            assert answer["Body"].read() == data


def test_a_changed_byte_on_the_disk_breaks_the_answer_and_nothing_else(new_cloud):
    cloud = new_cloud()
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="k", Body=BIG)
    (blob,) = [path for path in files(cloud.data / "blobs") if path.stat().st_size > 100_000]
    raw = bytearray(blob.read_bytes())
    raw[150_000] ^= 1
    blob.write_bytes(raw)
    body = s3.get_object(Bucket=BUCKET, Key="k")["Body"]
    with pytest.raises(ResponseStreamingError):
        body.read()
    asked = s3.get_object(Bucket=BUCKET, Key="k", Range="bytes=1000-2000")
    assert asked["Body"].read() == BIG[1000:2001]
    s3.put_object(Bucket=BUCKET, Key="k", Body=BIG)
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == BIG
