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
        (statement(Principal=None, NotPrincipal={"AWS": "111111111111"}), "NotPrincipal"),
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
            s3.put_bucket_versioning,
            {"VersioningConfiguration": {"Status": "Enabled", "MFADelete": "Enabled"}},
        ),
    ):
        assert code_of(call, Bucket=bucket, **members) == "NotImplemented"


def test_who_pays_is_recorded(s3, bucket):
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"


NONE = {
    "get_bucket_cors": "NoSuchCORSConfiguration",
    "get_bucket_website": "NoSuchWebsiteConfiguration",
    "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
    "get_bucket_replication": "ReplicationConfigurationNotFoundError",
    "get_object_lock_configuration": "ObjectLockConfigurationNotFoundError",
    "get_bucket_tagging": "NoSuchTagSet",
    "get_bucket_policy": "NoSuchBucketPolicy",
}
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""


@pytest.mark.parametrize("operation", NONE)
def test_a_setting_that_is_not_there_is_named(s3, bucket, operation):
    assert code_of(getattr(s3, operation), Bucket=bucket) == NONE[operation]
    assert code_of(getattr(s3, operation), Bucket="no-such-bucket-here") == "NoSuchBucket"


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("get_bucket_logging", {}),
        ("get_bucket_notification_configuration", {}),
        ("get_bucket_accelerate_configuration", {}),
        ("get_bucket_request_payment", {"Payer": "BucketOwner"}),
        ("get_bucket_versioning", {}),
    ],
)
def test_a_setting_that_is_off_says_so(s3, bucket, operation, expected):
    answer = getattr(s3, operation)(Bucket=bucket)
    answer.pop("ResponseMetadata")
    assert answer == expected


def test_encryption_is_s3s_own_unless_said_and_again_after(s3, bucket):
    def rules():
        found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        return found["Rules"]

    own = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert rules() == [{**own, "BucketKeyEnabled": False}]
    configuration = {"Rules": [{**own, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)
    assert rules() == configuration["Rules"]
    s3.delete_bucket_encryption(Bucket=bucket)
    assert rules() == [{**own, "BucketKeyEnabled": False}]


def test_the_owner_owns_all_objects_and_has_the_only_grant(s3, bucket):
    owned = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == owned
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=owned)
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == owned
    acl = s3.get_bucket_acl(Bucket=bucket)
    [grant] = acl["Grants"]
    assert (grant["Permission"], grant["Grantee"]["ID"]) == ("FULL_CONTROL", acl["Owner"]["ID"])


def test_tags_of_buckets_and_objects_come_and_go(s3, bucket):
    tags = {"TagSet": [{"Key": "a", "Value": "1"}]}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags["TagSet"]
    s3.delete_bucket_tagging(Bucket=bucket)
    assert code_of(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tags)
    assert s3.head_object(Bucket=bucket, Key="k")["TagCount"] == 1
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    many = {"TagSet": [{"Key": str(i), "Value": ""} for i in range(11)]}
    assert code_of(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=many) == "BadRequest"
    twice = {"TagSet": tags["TagSet"] * 2}
    assert code_of(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice) == "InvalidTag"
