"""Buckets and their settings.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
"""

import json
import uuid

import pytest
from botocore.exceptions import ClientError


def code_of(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"]


def test_buckets_are_paged_by_name_prefix_and_region(cloud, s3):
    prefix = f"paged-{uuid.uuid4().hex[:8]}"
    there = cloud.client("s3", region="eu-west-1")
    where = {"LocationConstraint": "eu-west-1"}
    names = [f"{prefix}-{i}" for i in range(5)]
    for i, name in enumerate(names):
        if i % 2:
            there.create_bucket(Bucket=name, CreateBucketConfiguration=where)
        else:
            s3.create_bucket(Bucket=name)

    def listed(**request):
        found, token = [], {}
        while True:
            answer = s3.list_buckets(Prefix=prefix, MaxBuckets=2, **request, **token)
            found += [bucket["Name"] for bucket in answer.get("Buckets", [])]
            if "ContinuationToken" not in answer:
                return found
            token = {"ContinuationToken": answer["ContinuationToken"]}

    assert listed() == names
    assert listed(BucketRegion="us-east-1") == names[::2]
    assert listed(BucketRegion="eu-west-1") == names[1::2]
    assert code_of(s3.list_buckets, ContinuationToken="nonsense") == "InvalidArgument"
    for i, name in enumerate(names):
        (there if i % 2 else s3).delete_bucket(Bucket=name)


@pytest.mark.parametrize("name", ["UPPER", "a_b.c", "1.2.3.4", "xn--a", "two..dots", "-a-"])
def test_a_name_that_breaks_the_rules_is_refused(s3, name):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    assert code_of(s3.create_bucket, Bucket=name) == "InvalidBucketName"


def test_a_bucket_that_holds_something_is_not_deleted(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert code_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    s3.delete_object(Bucket=bucket, Key="k")
    assert code_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"


def statement(**changes):
    made = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::{bucket}/*",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (statement(Principal=None), "Principal"),
        (statement(Resource="arn:aws:s3:::another/*"), "invalid resource"),
        (statement(Resource="arn:aws:s3:::{bucket}-not/*"), "invalid resource"),
        (statement(Effect="Perhaps"), ""),
        (statement(Actoin="s3:PutObject"), ""),
    ],
)
def test_a_policy_that_is_none_or_of_another_bucket_is_refused(s3, bucket, one, words):
    text = json.dumps({"Version": "2012-10-17", "Statement": [one]})
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_policy(Bucket=bucket, Policy=text.replace("{bucket}", bucket))
    assert caught.value.response["Error"]["Code"] == "MalformedPolicy"
    assert words in caught.value.response["Error"]["Message"]
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"


def test_settings_that_cannot_be_honoured_are_refused(s3, bucket):
    kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    for call, members in (
        (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": {"Rules": [kms]}}),
        (
            s3.put_bucket_ownership_controls,
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        ),
        (
            s3.put_bucket_versioning,
            {"VersioningConfiguration": {"Status": "Enabled", "MFADelete": "Enabled"}},
        ),
        (s3.put_bucket_acl, {"ACL": "public-read"}),
        (s3.put_bucket_request_payment, {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
    ):
        assert code_of(call, Bucket=bucket, **members) == "NotImplemented"
