"""What CloudWatch is told of buckets once a day.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from typing import Any

from tests.services.s3.inside.in_process import within

from cumulet.kit.ports import Metrics
from cumulet.services.s3.workers.sizes import measure_sizes

DAY = 86_400


class Heard:
    """Takes the place of CloudWatch."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, float, str]] = []

    def record(
        self, scope: Any, space: str, name: str, at: Any, value: float, unit: str = "Count"
    ) -> None:
        dimensions = dict(at)
        assert (space, dimensions["BucketName"]) == ("AWS/S3", "bucket")
        self.told.append((name, dimensions["StorageType"], value, unit))


def test_versions_markers_and_unfinished_parts_count_once_a_day(tmp_path):
    async def work(room):
        heard = Heard()
        room.platform.provide(Metrics, heard)
        await room.call("CreateBucket", Bucket="bucket")
        await room.call(
            "PutBucketVersioning",
            Bucket="bucket",
            VersioningConfiguration={"Status": "Enabled"},
        )
        for size in (10, 20):
            await room.call("PutObject", Bucket="bucket", Key="a", Body=b"x" * size)
        await room.call("DeleteObject", Bucket="bucket", Key="a")
        await room.call(
            "PutObject", Bucket="bucket", Key="b", Body=b"x" * 5, StorageClass="STANDARD_IA"
        )
        upload = await room.call("CreateMultipartUpload", Bucket="bucket", Key="c")
        await room.call(
            "UploadPart",
            Bucket="bucket",
            Key="c",
            UploadId=upload["UploadId"],
            PartNumber=1,
            Body=b"x" * 100,
        )
        await measure_sizes(room.platform)
        expected = [
            ("NumberOfObjects", "AllStorageTypes", 5.0, "Count"),
            ("BucketSizeBytes", "StandardStorage", 130.0, "Bytes"),
            ("BucketSizeBytes", "StandardIAStorage", 5.0, "Bytes"),
        ]
        assert sorted(heard.told) == sorted(expected)
        await measure_sizes(room.platform)
        assert len(heard.told) == len(expected)
        await room.clock.advance(DAY)
        await measure_sizes(room.platform)
        assert len(heard.told) == 2 * len(expected)

    within(tmp_path, work)


def test_an_empty_bucket_has_no_bytes_and_no_objects(tmp_path):
    async def work(room):
        heard = Heard()
        room.platform.provide(Metrics, heard)
        await room.call("CreateBucket", Bucket="bucket")
        await measure_sizes(room.platform)
        assert heard.told == [
            ("NumberOfObjects", "AllStorageTypes", 0.0, "Count"),
            ("BucketSizeBytes", "StandardStorage", 0.0, "Bytes"),
        ]

    within(tmp_path, work)
