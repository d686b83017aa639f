"""The bytes of what was replaced or deleted leave the disk soon, and never too soon."""

import pytest
from tests.services.s3.inside.in_process import within

from cumulet.core.errors import AwsError
from cumulet.services.s3.limits import FREED_GRACE_SECONDS
from cumulet.services.s3.workers.freed import drop_freed

BIG = b"x" * 100_000
PART = b"y" * (5 * 1024 * 1024)


async def later(room):
    await room.clock.advance(FREED_GRACE_SECONDS)
    await drop_freed(room.platform)


def test_replaced_and_deleted_bytes_go_after_a_grace(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        for _ in range(3):
            await room.call("PutObject", Bucket="bucket", Key="k", Body=BIG)
        assert room.files() == 3
        assert 0 < await drop_freed(room.platform) <= FREED_GRACE_SECONDS
        assert room.files() == 3
        await later(room)
        assert room.files() == 1
        await room.call("DeleteObject", Bucket="bucket", Key="k")
        await later(room)
        assert room.files() == 0

    within(tmp_path, work)


def test_a_copy_keeps_its_bytes_when_the_source_goes(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        await room.call("PutObject", Bucket="bucket", Key="a", Body=BIG)
        await room.call("CopyObject", Bucket="bucket", Key="b", CopySource="bucket/a")
        await room.call("DeleteObject", Bucket="bucket", Key="a")
        await later(room)
        assert room.files() == 1
        answer = await room.call("GetObject", Bucket="bucket", Key="b")
        assert b"".join([piece async for piece in answer["Body"]]) == BIG

    within(tmp_path, work)


def test_versions_keep_their_bytes_until_they_go_themselves(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        enabled = {"Status": "Enabled"}
        await room.call("PutBucketVersioning", Bucket="bucket", VersioningConfiguration=enabled)
        made = [
            (await room.call("PutObject", Bucket="bucket", Key="k", Body=BIG))["VersionId"]
            for _ in range(2)
        ]
        await room.call("DeleteObject", Bucket="bucket", Key="k")
        await later(room)
        assert room.files() == 2
        for left, version in ((1, made[0]), (0, made[1])):
            await room.call("DeleteObject", Bucket="bucket", Key="k", VersionId=version)
            await later(room)
            assert room.files() == left

    within(tmp_path, work)


def test_a_reader_reads_to_the_end_of_what_is_deleted(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        begun = await room.call("CreateMultipartUpload", Bucket="bucket", Key="k")
        named = {"Bucket": "bucket", "Key": "k", "UploadId": begun["UploadId"]}
        parts = []
        for number in (1, 2):
            part = await room.call("UploadPart", **named, PartNumber=number, Body=PART)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        await room.call("CompleteMultipartUpload", **named, MultipartUpload={"Parts": parts})
        body = (await room.call("GetObject", Bucket="bucket", Key="k"))["Body"]
        got = len(await anext(body))
        await room.call("DeleteObject", Bucket="bucket", Key="k")
        await later(room)
        async for piece in body:
            got += len(piece)
        assert got == 2 * len(PART)
        await later(room)
        assert room.files() == 0

    within(tmp_path, work)


def test_parts_that_are_replaced_left_out_or_aborted_go(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        begun = await room.call("CreateMultipartUpload", Bucket="bucket", Key="k")
        named = {"Bucket": "bucket", "Key": "k", "UploadId": begun["UploadId"]}
        for number, content in ((1, b"1"), (1, b"1 again"), (2, b"2"), (3, b"3")):
            part = await room.call("UploadPart", **named, PartNumber=number, Body=content)
        await later(room)
        assert room.files() == 3
        parts = [{"PartNumber": 3, "ETag": part["ETag"]}]
        await room.call("CompleteMultipartUpload", **named, MultipartUpload={"Parts": parts})
        await later(room)
        assert room.files() == 1
        answer = await room.call("GetObject", Bucket="bucket", Key="k")
        assert b"".join([piece async for piece in answer["Body"]]) == b"3"
        begun = await room.call("CreateMultipartUpload", Bucket="bucket", Key="other")
        named = {"Bucket": "bucket", "Key": "other", "UploadId": begun["UploadId"]}
        await room.call("UploadPart", **named, PartNumber=1, Body=b"1")
        await room.call("AbortMultipartUpload", **named)
        await later(room)
        assert room.files() == 1

    within(tmp_path, work)


def test_a_put_that_comes_to_nothing_leaves_nothing(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        await room.call("PutObject", Bucket="bucket", Key="k", Body=b"small")
        for members, code in (
            ({"IfNoneMatch": "*"}, "PreconditionFailed"),
            ({"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest"),
            ({"ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
        ):
            with pytest.raises(AwsError) as caught:
                await room.call("PutObject", Bucket="bucket", Key="k", Body=BIG, **members)
            assert caught.value.code == code
            assert room.files() == 0

    within(tmp_path, work)


class Interrupted:
    """A body during which something else happens."""

    def __init__(self, content, meanwhile):
        self.size_bytes = len(content)
        self.content = content
        self.meanwhile = meanwhile

    async def read(self, limit_bytes):
        return b"".join([piece async for piece in self])

    async def __aiter__(self):
        await self.meanwhile()
        yield self.content


@pytest.mark.parametrize("content", [b"small", BIG], ids=["small", "large"])
@pytest.mark.parametrize("again", [False, True], ids=["gone", "made again"])
def test_a_bucket_that_goes_while_the_body_comes_takes_no_object(tmp_path, content, again):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")

        async def meanwhile():
            await room.call("DeleteBucket", Bucket="bucket")
            if again:
                await room.clock.advance(1)
                await room.call("CreateBucket", Bucket="bucket")

        body = Interrupted(content, meanwhile)
        with pytest.raises(AwsError) as caught:
            await room.call("PutObject", Bucket="bucket", Key="k", Body=body)
        assert caught.value.code == "NoSuchBucket"
        assert room.files() == 0
        if again:
            assert (await room.call("ListObjectsV2", Bucket="bucket"))["KeyCount"] == 0

    within(tmp_path, work)


def test_a_deleted_bucket_takes_its_uploads_along(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        for key in ("a", "b", "c"):
            begun = await room.call("CreateMultipartUpload", Bucket="bucket", Key=key)
            await room.call(
                "UploadPart",
                Bucket="bucket",
                Key=key,
                UploadId=begun["UploadId"],
                PartNumber=1,
                Body=b"1",
            )
        await room.call("DeleteBucket", Bucket="bucket")
        await later(room)
        assert room.files() == 0
        await room.call("CreateBucket", Bucket="bucket")
        assert (await room.call("ListMultipartUploads", Bucket="bucket"))["Uploads"] == []

    within(tmp_path, work)
