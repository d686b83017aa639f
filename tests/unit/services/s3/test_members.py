"""No member of a request is accepted and ignored: each is read by some code, or refused."""

import ast
from pathlib import Path

import boto3
import pytest

from cumulet.core.errors import AwsError
from cumulet.services import s3 as room
from cumulet.services.s3 import S3
from cumulet.services.s3.members import UNSUPPORTED, refuse_ignored
from cumulet.services.s3.rules.acl import GRANTS

FOLDER = Path(room.__file__).parent

WITHOUT_EFFECT = {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html: the header is
    # a consent, which a bucket whose owner pays does not need.
    "RequestPayer",
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html
    # is refused for every bucket, and without it S3 does not ask for the code.
    "MFA",
    # There are no archived objects to tell the restoration of.
    "OptionalObjectAttributes",
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html: AWS gives
    # the token out by its support; anybody who may put the configuration needs none here.
    "Token",
    # Only says that the caller knows; the root may always take a policy back.
    "ConfirmRemoveSelfBucketAccess",
    # Read by `edge`, over the bytes of the document.
    "ContentMD5",
    # The body knows its length.
    "ContentLength",
}


def words_of_the_code():
    words = set()
    for path in FOLDER.rglob("*.py"):
        if path.name == "members.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
    keys = {f"SSECustomer{part}" for part in ("Algorithm", "Key", "KeyMD5")}
    return words | keys | {f"CopySource{w}" for w in words | keys if w.startswith(("If", "SSEC"))}


def test_every_member_of_every_operation_is_honoured_or_refused():
    model = boto3.Session(region_name="us-east-1").client("s3").meta.service_model
    known = words_of_the_code() | WITHOUT_EFFECT | set(UNSUPPORTED) | set(GRANTS)
    known |= {"BucketNamespace"}
    ignored = {
        (name, member)
        for name in S3.operations
        if (shape := model.operation_model(name).input_shape) is not None
        for member in shape.members
        if member not in known
    }
    assert not ignored


@pytest.mark.parametrize("member", sorted(UNSUPPORTED))
def test_what_is_unsupported_is_refused_by_name(member):
    with pytest.raises(AwsError) as caught:
        refuse_ignored({member: "x"})
    assert (caught.value.code, caught.value.http_status) == ("NotImplemented", 501)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"ServerSideEncryption": "aws:kms"}, "NotImplemented"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "NotImplemented"),
        ({"StorageClass": "VELVET"}, "InvalidStorageClass"),
        ({"BucketNamespace": "account-regional"}, "NotImplemented"),
    ],
)
def test_values_that_would_be_ignored_are_refused(members, code):
    with pytest.raises(AwsError) as caught:
        refuse_ignored(members)
    assert caught.value.code == code


def test_what_is_so_anyway_is_taken():
    for members in (
        {},
        {"ACL": "private"},
        {"ACL": "bucket-owner-full-control"},
        {"StorageClass": "STANDARD_IA", "ServerSideEncryption": "AES256"},
        {"BucketKeyEnabled": False},
    ):
        refuse_ignored(members)
