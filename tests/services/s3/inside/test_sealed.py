"""Objects at rest: encrypted each under its own key, readable when they were written before that.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
"""

import hashlib

import msgspec
import pytest
from tests.services.s3.inside.in_process import within

from cumulet.app.seal import FileSealer
from cumulet.blobs.segments import Segment
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.services.s3 import store
from cumulet.services.s3.model import Content, Part, Stored, Upload, UploadPart

SMALL, BIG = b"small words", b"the same words again and again " * 10_000
EVERYWHERE = Scope("", "")
NAMED = {"Bucket": "bucket"}


async def read(room, key, **asked):
    answer = await room.call("GetObject", **NAMED, Key=key, **asked)
    body = answer["Body"]
    return body if isinstance(body, bytes) else b"".join([piece async for piece in body])


async def stored(room, key):
    return await room.store.transact(lambda tx: store.OBJECTS.load(tx, EVERYWHERE, "bucket", key))


async def save(room, *records):
    async def write(tx):
        for table, record in records:
            await table.save(tx, EVERYWHERE, record)

    await room.store.transact(write)


async def plain(room, key, data):
    """An object as early releases stored it."""
    made = Stored("bucket", key, "null", 1, 1, len(data), hashlib.md5(data).hexdigest())
    if len(data) > 1_000:
        blob = await room.blobs.put_bytes(data)
        segments = [Segment(blob.id, len(data))]
        await save(room, (store.OBJECTS, msgspec.structs.replace(made, segments=segments)))
    else:
        content = f"content-of-{key}"
        await save(
            room,
            (store.OBJECTS, msgspec.structs.replace(made, content=content)),
            (store.CONTENTS, Content(content, data)),
        )


def test_each_object_has_a_key_of_its_own(tmp_path):
    async def work(room):
        await room.call("CreateBucket", **NAMED)
        for key in "ab":
            await room.call("PutObject", **NAMED, Key=key, Body=BIG)
        one, two = await stored(room, "a"), await stored(room, "b")
        raw = [room.blobs.path(made.segments[0].id).read_bytes() for made in (one, two)]
        assert raw[0] != raw[1]
        assert one.sealed_key != two.sealed_key
        assert one.etag == two.etag == hashlib.md5(BIG).hexdigest()
        assert [made.size for made in (one, two)] == [len(BIG)] * 2
        assert await read(room, "a") == await read(room, "b") == BIG

    within(tmp_path, work)


def test_plain_objects_of_before_are_read_and_said_to_be_plain(tmp_path):
    async def work(room):
        await room.call("CreateBucket", **NAMED)
        for key, data in (("small", SMALL), ("big", BIG)):
            await plain(room, key, data)
            assert await read(room, key) == data
            assert await read(room, key, Range="bytes=3-9") == data[3:10]
            assert "ServerSideEncryption" not in await room.call("HeadObject", **NAMED, Key=key)
            copied = await room.call(
                "CopyObject", **NAMED, Key=f"{key}-copy", CopySource=f"bucket/{key}"
            )
            assert copied["ServerSideEncryption"] == "AES256"
            assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
            assert await read(room, f"{key}-copy") == data
            made = await stored(room, f"{key}-copy")
            assert made.sealed_key
            assert made.salts

    within(tmp_path, work)


def test_an_upload_that_began_plain_ends_plain(tmp_path):
    async def work(room):
        await room.call("CreateBucket", **NAMED)
        first = b"x" * (5 * 1024 * 1024)
        blob = await room.blobs.put_bytes(first)
        etag = hashlib.md5(first).hexdigest()
        part = Part(1, len(first), etag, 1, Segment(blob.id, len(first)))
        upload = Upload("bucket", "k", "upload-1", 1, Stored("bucket", "k", "", 0, 1))
        await save(room, (store.UPLOADS, upload), (store.PARTS, UploadPart("upload-1", part)))
        begun = {**NAMED, "Key": "k", "UploadId": "upload-1"}
        second = await room.call("UploadPart", **begun, PartNumber=2, Body=b"the end")
        parts = [{"PartNumber": 1, "ETag": etag}, {"PartNumber": 2, "ETag": second["ETag"]}]
        await room.call("CompleteMultipartUpload", **begun, MultipartUpload={"Parts": parts})
        assert await read(room, "k") == first + b"the end"
        assert await read(room, "k", Range="bytes=-9") == b"xxthe end"

    within(tmp_path, work)


def test_a_copy_of_an_encrypted_object_shares_its_bytes_on_the_disk(tmp_path):
    async def work(room):
        await room.call("CreateBucket", **NAMED)
        for key, data in (("small", SMALL), ("big", BIG)):
            await room.call("PutObject", **NAMED, Key=key, Body=data)
            await room.call("CopyObject", **NAMED, Key=f"{key}-2", CopySource=f"bucket/{key}")
            await room.call("DeleteObject", **NAMED, Key=key)
            assert await read(room, f"{key}-2") == data
        copy = room.blobs.path((await stored(room, "big-2")).segments[0].id)
        assert copy.stat().st_nlink == 2

    within(tmp_path, work)


def test_a_small_object_that_was_changed_in_the_store_is_an_error(tmp_path):
    async def work(room):
        await room.call("CreateBucket", **NAMED)
        await room.call("PutObject", **NAMED, Key="k", Body=SMALL)
        made = await stored(room, "k")
        content = await room.store.transact(
            lambda tx: store.CONTENTS.load(tx, EVERYWHERE, made.content)
        )
        assert SMALL not in content.data
        for at in range(len(content.data)):
            data = bytearray(content.data)
            data[at] ^= 0x80
            await save(room, (store.CONTENTS, Content(made.content, bytes(data))))
            with pytest.raises(AwsError) as caught:
                await read(room, "k")
            assert caught.value.code in ("InternalFailure", "InternalError")

    within(tmp_path, work)


def test_the_key_of_another_installation_opens_nothing(tmp_path):
    async def work(room):
        await room.call("CreateBucket", **NAMED)
        await room.call("PutObject", **NAMED, Key="k", Body=BIG)
        room.platform.provide(Sealer, FileSealer(b"\1" * 32))
        with pytest.raises(AwsError) as caught:
            await read(room, "k")
        assert caught.value.code in ("InternalFailure", "InternalError")

    within(tmp_path, work)
