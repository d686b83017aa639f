"""Buckets of other regions than the caller's.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import uuid

import pytest
from botocore.exceptions import ClientError
from tests.services.s3.raw import ask

HOME = "eu-west-1"


@pytest.fixture
def home(cloud):
    return cloud.client("s3", region=HOME)


@pytest.fixture
def bucket(home):
    name = f"test-{uuid.uuid4()}"
    made = home.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
    assert made["Location"] == f"/{name}"
    yield name
    for entry in home.list_objects_v2(Bucket=name).get("Contents", []):
        home.delete_object(Bucket=name, Key=entry["Key"])
    home.delete_bucket(Bucket=name)


def test_boto3_is_sent_to_the_buckets_region(cloud, bucket):
    for region in ("us-east-1", "us-west-2"):
        s3 = cloud.client("s3", region=region)
        s3.put_object(Bucket=bucket, Key=region, Body=b"found")
        assert s3.get_object(Bucket=bucket, Key=region)["Body"].read() == b"found"
        head = cloud.client("s3", region=region).head_bucket(Bucket=bucket)
        assert head["BucketRegion"] == HOME
        assert cloud.client("s3", region=region).head_object(Bucket=bucket, Key=region)


def test_the_redirect_names_the_region_before_anything_else_is_told(cloud, bucket):
    answer = ask(cloud, "GET", f"/{bucket}/no-such-key", region="us-west-2")
    assert (answer.status, answer.code) == (301, "PermanentRedirect")
    assert answer.headers["x-amz-bucket-region"] == HOME
    assert answer.field("Bucket") == bucket
    assert cloud.endpoint.endswith(answer.field("Endpoint"))
    head = ask(cloud, "HEAD", f"/{bucket}", region="us-west-2")
    assert (head.status, head.body, head.headers["x-amz-bucket-region"]) == (301, b"", HOME)


def test_a_stranger_names_no_region_and_is_not_sent_away(cloud, bucket):
    assert ask(cloud, "GET", f"/{bucket}/k", unsigned=True).status == 403


def test_the_location_is_told_everywhere(cloud, bucket, s3):
    for region in (HOME, "us-east-1", "ap-south-1"):
        found = cloud.client("s3", region=region).get_bucket_location(Bucket=bucket)
        assert found["LocationConstraint"] == HOME
    listed = s3.list_buckets(BucketRegion=HOME, Prefix=bucket)["Buckets"]
    assert [(b["Name"], b["BucketRegion"]) for b in listed] == [(bucket, HOME)]
    assert s3.list_buckets(BucketRegion="us-east-2", Prefix=bucket).get("Buckets", []) == []


def test_a_copy_crosses_regions(cloud, s3, home, bucket):
    there = f"test-{uuid.uuid4()}"
    s3.create_bucket(Bucket=there)
    home.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.copy_object(Bucket=there, Key="k", CopySource={"Bucket": bucket, "Key": "k"})
    assert s3.get_object(Bucket=there, Key="k")["Body"].read() == b"x"
    s3.delete_object(Bucket=there, Key="k")
    s3.delete_bucket(Bucket=there)


@pytest.mark.parametrize(
    ("region", "constraint", "code"),
    [
        ("eu-west-1", None, "IllegalLocationConstraintException"),
        ("eu-west-1", "us-west-2", "IllegalLocationConstraintException"),
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("us-east-1", "the moon", "InvalidLocationConstraint"),
    ],
)
def test_where_a_bucket_can_be_made(cloud, region, constraint, code):
    where = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    with pytest.raises(ClientError) as caught:
        cloud.client("s3", region=region).create_bucket(Bucket=f"test-{uuid.uuid4()}", **where)
    assert caught.value.response["Error"]["Code"] == code


def test_the_first_region_makes_buckets_of_every_region(s3, home):
    name = f"test-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
    with pytest.raises(home.exceptions.BucketAlreadyOwnedByYou):
        home.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
    home.delete_bucket(Bucket=name)
