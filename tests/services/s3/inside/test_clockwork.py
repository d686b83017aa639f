"""What the clock does: lifecycles, access logs, and events that were not taken at first.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from tests.services.s3.inside.in_process import within

from cumulet.core.identity import Scope
from cumulet.services.s3 import store
from cumulet.services.s3.front.logs import AccessLogs, deliver_logs
from cumulet.services.s3.model import Event
from cumulet.services.s3.workers.lifecycle import carry_out_lifecycles
from cumulet.services.s3.workers.notifications import deliver_events

DAY = 86_400


async def with_rules(room, *rules):
    named = [{"ID": str(i), "Status": "Enabled", "Filter": {}, **r} for i, r in enumerate(rules)]
    await room.call(
        "PutBucketLifecycleConfiguration",
        Bucket="bucket",
        LifecycleConfiguration={"Rules": named},
    )


async def versions(room):
    answer = await room.call("ListObjectVersions", Bucket="bucket")
    return (
        [(one["Key"], one["IsLatest"]) for one in answer["Versions"]],
        [(one["Key"], one["IsLatest"]) for one in answer["DeleteMarkers"]],
    )


async def keys(room):
    answer = await room.call("ListObjectsV2", Bucket="bucket")
    return [one["Key"] for one in answer["Contents"]]


def test_objects_expire_at_the_midnight_after_their_days(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        await with_rules(room, {"Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}})
        for key in ("tmp/a", "kept"):
            await room.call("PutObject", Bucket="bucket", Key=key, Body=b"1")
        await room.clock.advance(DAY - 1)
        await carry_out_lifecycles(room.platform)
        assert await keys(room) == ["kept", "tmp/a"]
        await room.clock.advance(DAY + 1)
        await carry_out_lifecycles(room.platform)
        assert await keys(room) == ["kept"]

    within(tmp_path, work)


def test_versions_expire_behind_markers_and_the_markers_go_last(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        await room.call(
            "PutBucketVersioning",
            Bucket="bucket",
            VersioningConfiguration={"Status": "Enabled"},
        )
        await with_rules(
            room,
            {"Expiration": {"Days": 1}},
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 1}},
        )
        for _ in range(3):
            await room.call("PutObject", Bucket="bucket", Key="k", Body=b"1")
        await room.clock.advance(2 * DAY)
        await carry_out_lifecycles(room.platform)
        assert await versions(room) == ([("k", False)] * 3, [("k", True)])
        await room.clock.advance(3 * DAY)
        await carry_out_lifecycles(room.platform)
        # One noncurrent version must stay.
        assert await versions(room) == ([("k", False)], [("k", True)])
        await with_rules(
            room,
            {"Expiration": {"ExpiredObjectDeleteMarker": True}},
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 2}},
        )
        await carry_out_lifecycles(room.platform)
        assert await versions(room) == ([], [])

    within(tmp_path, work)


def test_locked_versions_stay_and_others_change_their_class(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket", ObjectLockEnabledForBucket=True)
        await with_rules(
            room,
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
            {
                "Filter": {"ObjectSizeGreaterThan": 1},
                "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
            },
        )
        await room.call(
            "PutObject",
            Bucket="bucket",
            Key="k",
            Body=b"1",
            ObjectLockLegalHoldStatus="ON",
            ChecksumAlgorithm="CRC32",
        )
        await room.call("PutObject", Bucket="bucket", Key="k", Body=b"22")
        await room.clock.advance(40 * DAY)
        await carry_out_lifecycles(room.platform)
        assert await versions(room) == ([("k", True), ("k", False)], [])
        head = await room.call("HeadObject", Bucket="bucket", Key="k")
        assert head["StorageClass"] == "STANDARD_IA"

    within(tmp_path, work)


def test_unfinished_uploads_are_given_up(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        await with_rules(room, {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}})
        await room.call("CreateMultipartUpload", Bucket="bucket", Key="k")
        await carry_out_lifecycles(room.platform)
        assert (await room.call("ListMultipartUploads", Bucket="bucket"))["Uploads"]
        await room.clock.advance(2 * DAY)
        await carry_out_lifecycles(room.platform)
        assert not (await room.call("ListMultipartUploads", Bucket="bucket"))["Uploads"]

    within(tmp_path, work)


def test_an_event_that_nobody_takes_waits_and_is_given_up_after_a_day(tmp_path):
    async def work(room):
        everywhere = Scope("", "")
        event = Event(0, "1", "123456789012", "us-east-1", "b", "arn:aws:sqs:r:1:q", "{}", 0)

        async def add(tx):
            store.EVENTS.add(tx, everywhere, event)

        async def count():
            return len(
                await room.store.transact(lambda tx: store.EVENTS.scan(tx, everywhere, limit=9))
            )

        since = int(room.clock.now() * 1000)
        event = Event(
            since, "1", "123456789012", "us-east-1", "b", "arn:aws:sqs:r:1:q", "{}", since
        )
        await room.store.transact(add)
        assert await deliver_events(room.platform) == 0.0
        assert await count() == 1
        assert 0 < await deliver_events(room.platform) <= 1.0
        await room.clock.advance(2 * DAY)
        await deliver_events(room.platform)
        assert await count() == 0

    within(tmp_path, work)


def test_log_lines_become_an_object_where_the_policy_lets_them(tmp_path):
    async def work(room):
        await room.call("CreateBucket", Bucket="bucket")
        enabled = {"TargetBucket": "bucket", "TargetPrefix": "logs/"}
        await room.call(
            "PutBucketLogging",
            Bucket="bucket",
            BucketLoggingStatus={"LoggingEnabled": enabled},
        )
        logs = room.platform.need(AccessLogs)
        logs.add("bucket", "refused")
        await deliver_logs(room.platform)
        assert await keys(room) == []
        policy = (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
            '{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject",'
            '"Resource":"arn:aws:s3:::bucket/logs/*"}]}'
        )
        await room.call("PutBucketPolicy", Bucket="bucket", Policy=policy)
        logs.add("bucket", "a line")
        await deliver_logs(room.platform)
        (key,) = await keys(room)
        assert key.startswith("logs/")
        assert (await room.call("GetObject", Bucket="bucket", Key=key))["Body"] == b"a line\n"

    within(tmp_path, work)
