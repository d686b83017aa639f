"""Requests at the same moment: exactly one of them wins.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import asyncio

import pytest
from tests.services.s3.inside.in_process import within

from cumulet.core.errors import AwsError

BIG = b"x" * 50_000


async def outcome(work):
    try:
        return await work
    except AwsError as error:
        return error.code


@pytest.mark.parametrize("size", [10, 50_000])
def test_one_of_many_first_writers_wins(tmp_path, size):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        tries = [
            room.call(
                "PutObject", Bucket="bucket", Key="k", Body=b"%d" % i + b"x" * size, IfNoneMatch="*"
            )
            for i in range(8)
        ]
        done = await asyncio.gather(*map(outcome, tries))
        assert done.count("PreconditionFailed") == 7
        assert room.files() == (1 if size == 50_000 else 0)

    within(tmp_path, work)


def test_one_of_many_swappers_wins(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        etag = (await room.call("PutObject", Bucket="bucket", Key="k", Body=b"0"))["ETag"]
        tries = [
            room.call("PutObject", Bucket="bucket", Key="k", Body=b"swap", IfMatch=etag)
            for _ in range(8)
        ]
        done = await asyncio.gather(*map(outcome, tries))
        assert done.count("PreconditionFailed") == 7

    within(tmp_path, work)


def test_an_upload_is_completed_once(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        begun = await room.call("CreateMultipartUpload", Bucket="bucket", Key="k")
        named = {"Bucket": "bucket", "Key": "k", "UploadId": begun["UploadId"]}
        part = await room.call("UploadPart", **named, PartNumber=1, Body=BIG)
        listed = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        tries = [
            room.call("CompleteMultipartUpload", **named, MultipartUpload=listed) for _ in range(6)
        ]
        done = await asyncio.gather(
            *map(outcome, tries), outcome(room.call("AbortMultipartUpload", **named))
        )
        completed = [one for one in done if isinstance(one, dict)]
        # Whoever asks again gets the same answer; aborted and completed it never is.
        assert len(set(map(str, completed))) + sum(one is None for one in done) == 1
        assert set(map(str, done)) - {str(one) for one in completed} <= {"NoSuchUpload", "None"}

    within(tmp_path, work)


def test_a_deletion_of_what_was_seen_spares_what_came_after(tmp_path):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        seen = (await room.call("PutObject", Bucket="bucket", Key="k", Body=b"1"))["ETag"]
        now = (await room.call("PutObject", Bucket="bucket", Key="k", Body=b"2"))["ETag"]
        named = {"Bucket": "bucket", "Key": "k"}
        for etag, answer in ((seen, "PreconditionFailed"), (now, {}), (now, "NoSuchKey")):
            assert await outcome(room.call("DeleteObject", **named, IfMatch=etag)) == answer

    within(tmp_path, work)


def test_tags_and_overwrites_never_mix_two_objects(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        named = {"Bucket": "bucket", "Key": "k"}
        await room.call("PutObject", **named, Body=b"0")
        tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
        for i in range(1, 30):
            content = b"%d" % i
            await asyncio.gather(
                room.call("PutObject", **named, Body=content),
                room.call("PutObjectTagging", **named, Tagging=tags),
                outcome(room.call("GetObject", **named)),
            )
            got = await room.call("GetObject", **named)
            assert got["Body"] == content

    within(tmp_path, work)


def test_a_read_beside_overwrites_gets_one_whole_object(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        named = {"Bucket": "bucket", "Key": "k"}
        await room.call("PutObject", **named, Body=b"a" * 10)
        for letter in (b"b", b"c", b"d") * 5:
            _, *reads = await asyncio.gather(
                room.call("PutObject", **named, Body=letter * (10 + letter[0])),
                *(room.call("GetObject", **named) for _ in range(4)),
            )
            for got in reads:
                assert len(got["Body"]) == got["ContentLength"]
                assert len(set(got["Body"])) == 1

    within(tmp_path, work)
