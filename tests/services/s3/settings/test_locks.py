"""Object lock: retention and legal hold.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def locked(s3):
    name = f"lock-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def code_of(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


def test_a_governed_version_goes_only_with_the_bypass(s3, locked):
    made = s3.put_object(
        Bucket=locked,
        Key="k",
        Body=b"1",
        ChecksumAlgorithm="SHA256",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=FAR,
    )
    version = {"Bucket": locked, "Key": "k", "VersionId": made["VersionId"]}
    assert code_of(s3.delete_object, **version) == "AccessDenied"
    head = s3.head_object(**version)
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", FAR)
    # A marker may always be put: it removes nothing.
    assert s3.delete_object(Bucket=locked, Key="k")["DeleteMarker"] is True
    s3.delete_object(**version, BypassGovernanceRetention=True)


def test_compliance_is_never_weakened(s3, locked):
    made = s3.put_object(Bucket=locked, Key="k", Body=b"1", ChecksumAlgorithm="CRC32")
    version = {"Bucket": locked, "Key": "k", "VersionId": made["VersionId"]}
    soon = datetime.now(UTC) + timedelta(days=2)
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": soon}
    s3.put_object_retention(**version, Retention=retention)
    assert s3.get_object_retention(**version)["Retention"]["Mode"] == "COMPLIANCE"
    for weaker in (
        {"Mode": "COMPLIANCE", "RetainUntilDate": soon - timedelta(days=1)},
        {"Mode": "GOVERNANCE", "RetainUntilDate": soon},
    ):
        refused = code_of(
            s3.put_object_retention, **version, Retention=weaker, BypassGovernanceRetention=True
        )
        assert refused == "AccessDenied"
    refused = code_of(s3.delete_object, **version, BypassGovernanceRetention=True)
    assert refused == "AccessDenied"
    longer = {"Mode": "COMPLIANCE", "RetainUntilDate": soon + timedelta(days=1)}
    s3.put_object_retention(**version, Retention=longer)


def test_a_legal_hold_keeps_a_version_until_it_is_lifted(s3, locked):
    made = s3.put_object(Bucket=locked, Key="k", Body=b"1")
    version = {"Bucket": locked, "Key": "k", "VersionId": made["VersionId"]}
    assert code_of(s3.get_object_legal_hold, **version) == "NoSuchObjectLockConfiguration"
    s3.put_object_legal_hold(**version, LegalHold={"Status": "ON"})
    assert code_of(s3.delete_object, **version) == "AccessDenied"
    s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(**version)["LegalHold"]["Status"] == "OFF"
    s3.delete_object(**version)


def test_the_default_retention_is_that_of_new_versions(s3, locked):
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    s3.put_object_lock_configuration(
        Bucket=locked, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    found = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert found["Rule"] == rule
    s3.put_object(Bucket=locked, Key="k", Body=b"1", ChecksumAlgorithm="CRC32")
    until = s3.head_object(Bucket=locked, Key="k")["ObjectLockRetainUntilDate"]
    assert timedelta(days=2) < until - datetime.now(UTC) <= timedelta(days=3)


def test_a_bucket_without_the_lock_takes_none(s3, bucket, locked):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    hold = {"Status": "ON"}
    refused = code_of(s3.put_object_legal_hold, Bucket=bucket, Key="k", LegalHold=hold)
    assert refused == "InvalidRequest"
    refused = code_of(s3.delete_object, Bucket=bucket, Key="k", BypassGovernanceRetention=True)
    assert refused == "InvalidArgument"
    configuration = {"ObjectLockEnabled": "Enabled"}
    refused = code_of(
        s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=configuration
    )
    assert refused == "InvalidBucketState"
    suspended = {"Status": "Suspended"}
    refused = code_of(s3.put_bucket_versioning, Bucket=locked, VersioningConfiguration=suspended)
    assert refused == "InvalidBucketState"
