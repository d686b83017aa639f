"""Who may do what: callers × bucket policies × Block Public Access × operations.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
"""

import json
from functools import partial

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud

OTHER = "111111111111"
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
EVERYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    }
)


@pytest.fixture(scope="module")
def two_accounts(tmp_path_factory):
    running = Cloud(
        tmp_path_factory.mktemp("accounts") / "data", "--key", f"{OTHER}:secret"
    ).start()
    yield running
    running.stop()


def key_of_a_user(cloud, name, *, root=None, policy=""):
    iam = cloud.client("iam", key=root)
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def session_of_a_role(cloud, root):
    iam = cloud.client("iam", key=root)
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
            "Action": "sts:AssumeRole",
        },
    }
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=EVERYTHING)
    user = key_of_a_user(
        cloud,
        "assumer",
        root=root,
        policy=EVERYTHING.replace("s3:*", "sts:AssumeRole"),
    )
    sts = cloud.client("sts", key=user)
    found = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="matrix")["Credentials"]
    return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


@pytest.fixture(scope="module")
def callers(two_accounts):
    root = (OTHER, "secret")
    keys = {
        "root": None,
        "user": key_of_a_user(two_accounts, "plain"),
        "user with policy": key_of_a_user(two_accounts, "mighty", policy=EVERYTHING),
        "other root": root,
        "other user": key_of_a_user(two_accounts, "plain", root=root),
        "other role": session_of_a_role(two_accounts, root),
    }
    made = {name: two_accounts.client("s3", key=key) for name, key in keys.items()}
    return made | {"anonymous": two_accounts.client("s3", unsigned=True)}


@pytest.fixture(scope="module")
def open_bucket(two_accounts):
    s3 = two_accounts.client("s3")
    s3.create_bucket(Bucket="matrix")
    s3.put_object(Bucket="matrix", Key="k", Body=b"x")
    return s3


def statement(effect, principal):
    return {
        "Effect": effect,
        "Principal": principal,
        "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::matrix", "arn:aws:s3:::matrix/*"],
    }


OTHER_ACCOUNT = {"AWS": f"arn:aws:iam::{OTHER}:root"}
POLICIES = {
    "none": [],
    "everyone": [statement("Allow", "*")],
    "the other account": [statement("Allow", OTHER_ACCOUNT)],
    "nobody": [statement("Deny", "*")],
    "all but the other account": [
        statement("Allow", "*"),
        statement("Deny", OTHER_ACCOUNT),
    ],
}
OWN = {"root", "user", "user with policy"}
OWN_POLICIES = {"root", "user with policy"}
STRONG_OTHERS = {"other root", "other role"}
ALLOWED = {
    ("none", False): OWN_POLICIES,
    ("none", True): OWN_POLICIES,
    # Of another account, the account's own policies must allow as well.
    ("everyone", False): OWN | STRONG_OTHERS | {"anonymous"},
    # A public policy that is restricted still speaks to users of the owner's account.
    ("everyone", True): OWN,
    ("the other account", False): OWN_POLICIES | STRONG_OTHERS,
    # A policy that names an account is not public.
    ("the other account", True): OWN_POLICIES | STRONG_OTHERS,
    ("nobody", False): set(),
    ("nobody", True): set(),
    ("all but the other account", False): OWN | {"anonymous"},
    ("all but the other account", True): OWN,
}
OPERATIONS = {
    "get": lambda s3: s3.get_object(Bucket="matrix", Key="k")["Body"].read(),
    "put": lambda s3: s3.put_object(Bucket="matrix", Key="k", Body=b"x"),
    "list": lambda s3: s3.list_objects_v2(Bucket="matrix"),
}


def may(act):
    try:
        act()
    except ClientError as error:
        told = error.response
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 403, told
        assert told["Error"]["Code"] in ("AccessDenied", "403"), told
        return False
    return True


def set_up(s3, name, blocked):
    s3.delete_public_access_block(Bucket="matrix")
    s3.delete_bucket_policy(Bucket="matrix")
    if POLICIES[name]:
        document = {"Version": "2012-10-17", "Statement": POLICIES[name]}
        s3.put_bucket_policy(Bucket="matrix", Policy=json.dumps(document))
    if blocked:
        everything = dict.fromkeys(BLOCKS, True)
        s3.put_public_access_block(Bucket="matrix", PublicAccessBlockConfiguration=everything)


@pytest.mark.parametrize(("name", "blocked"), ALLOWED, ids=lambda one: str(one))
def test_the_matrix(open_bucket, callers, name, blocked):
    set_up(open_bucket, name, blocked)
    for operation, act in OPERATIONS.items():
        allowed = {caller for caller, s3 in callers.items() if may(partial(act, s3))}
        assert allowed == ALLOWED[name, blocked], operation


ACL_OPERATIONS = {
    "get": lambda s3: s3.get_object(Bucket="matrix-acl", Key="k")["Body"].read(),
    "put": lambda s3: s3.put_object(Bucket="matrix-acl", Key="new", Body=b"x"),
    "list": lambda s3: s3.list_objects_v2(Bucket="matrix-acl"),
}
ALL = OWN | STRONG_OTHERS | {"anonymous"}
ACLS = {
    "private": {},
    "public-read": {"get": ALL, "list": ALL},
    "public-read-write": {"get": ALL, "list": ALL, "put": ALL},
    # Who has signed at all; an account's own policies must allow it, too.
    "authenticated-read": {"get": ALL - {"anonymous"}, "list": ALL - {"anonymous"}},
}


@pytest.fixture(scope="module")
def acl_bucket(two_accounts):
    s3 = two_accounts.client("s3")
    s3.create_bucket(Bucket="matrix-acl", ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket="matrix-acl")
    return s3


@pytest.mark.parametrize("blocked", [False, True], ids=["open", "blocked"])
@pytest.mark.parametrize("acl", ACLS)
def test_the_matrix_of_acls(acl_bucket, callers, acl, blocked):
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
    acl_bucket.delete_public_access_block(Bucket="matrix-acl")
    acl_bucket.put_bucket_acl(Bucket="matrix-acl", ACL=acl)
    acl_bucket.put_object(Bucket="matrix-acl", Key="k", Body=b"x", ACL=acl)
    if blocked:
        ignoring = {"IgnorePublicAcls": True}
        acl_bucket.put_public_access_block(
            Bucket="matrix-acl", PublicAccessBlockConfiguration=ignoring
        )
    granted = {} if blocked else ACLS[acl]
    for operation, act in ACL_OPERATIONS.items():
        allowed = {caller for caller, s3 in callers.items() if may(partial(act, s3))}
        assert allowed == granted.get(operation, OWN_POLICIES), operation


def test_the_owners_root_can_always_take_the_policy_back(open_bucket, callers):
    set_up(open_bucket, "none", False)
    everything = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::matrix", "arn:aws:s3:::matrix/*"],
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": everything})
    open_bucket.put_bucket_policy(Bucket="matrix", Policy=document)
    assert not may(lambda: open_bucket.list_objects_v2(Bucket="matrix"))
    assert not may(lambda: callers["user with policy"].get_bucket_policy(Bucket="matrix"))
    assert not may(lambda: callers["other root"].delete_bucket_policy(Bucket="matrix"))
    assert json.loads(open_bucket.get_bucket_policy(Bucket="matrix")["Policy"])
    open_bucket.delete_bucket_policy(Bucket="matrix")
    assert may(lambda: open_bucket.list_objects_v2(Bucket="matrix"))


def test_a_public_policy_is_refused_where_it_is_blocked(open_bucket):
    set_up(open_bucket, "none", True)
    document = {"Version": "2012-10-17", "Statement": POLICIES["everyone"]}
    assert not may(
        lambda: open_bucket.put_bucket_policy(Bucket="matrix", Policy=json.dumps(document))
    )
    named = {"Version": "2012-10-17", "Statement": POLICIES["the other account"]}
    open_bucket.put_bucket_policy(Bucket="matrix", Policy=json.dumps(named))


def test_a_missing_key_is_as_a_forbidden_one_to_who_may_not_list(open_bucket, callers):
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
    set_up(open_bucket, "none", False)
    reads = {**statement("Allow", "*"), "Action": "s3:GetObject"}
    document = {"Version": "2012-10-17", "Statement": reads}
    open_bucket.put_bucket_policy(Bucket="matrix", Policy=json.dumps(document))
    for caller in ("anonymous", "user", "other root"):
        s3 = callers[caller]
        assert may(lambda s3=s3: s3.get_object(Bucket="matrix", Key="k"))
        assert not may(lambda s3=s3: s3.get_object(Bucket="matrix", Key="none"))
        assert not may(lambda s3=s3: s3.head_object(Bucket="matrix", Key="none"))
    with pytest.raises(open_bucket.exceptions.NoSuchKey):
        open_bucket.get_object(Bucket="matrix", Key="none")


def test_the_expected_owner_must_be_the_owner(open_bucket, two_accounts):
    set_up(open_bucket, "none", False)
    mine = two_accounts.client("sts").get_caller_identity()["Account"]
    open_bucket.get_object(Bucket="matrix", Key="k", ExpectedBucketOwner=mine)
    for act in (
        lambda: open_bucket.get_object(Bucket="matrix", Key="k", ExpectedBucketOwner=OTHER),
        lambda: open_bucket.delete_bucket(Bucket="matrix", ExpectedBucketOwner=OTHER),
        lambda: open_bucket.head_bucket(Bucket="matrix", ExpectedBucketOwner=OTHER),
        lambda: open_bucket.delete_objects(
            Bucket="matrix", Delete={"Objects": [{"Key": "k"}]}, ExpectedBucketOwner=OTHER
        ),
        lambda: open_bucket.copy_object(
            Bucket="matrix",
            Key="k2",
            CopySource="matrix/k",
            ExpectedSourceBucketOwner=OTHER,
        ),
    ):
        assert not may(act)


def test_tags_that_come_with_an_object_need_their_own_permission(open_bucket, two_accounts):
    open_bucket.delete_bucket_policy(Bucket="matrix")  # Another test may have left one.
    only_puts = EVERYTHING.replace("s3:*", "s3:PutObject")
    key = key_of_a_user(two_accounts, "putter", policy=only_puts)
    s3 = two_accounts.client("s3", key=key)
    assert may(lambda: s3.put_object(Bucket="matrix", Key="t", Body=b""))
    assert not may(lambda: s3.put_object(Bucket="matrix", Key="t", Body=b"", Tagging="a=b"))


def test_a_list_of_deletes_is_answered_key_by_key(open_bucket, callers, two_accounts):
    set_up(open_bucket, "none", False)
    for key in ("mine/1", "theirs/1"):
        open_bucket.put_object(Bucket="matrix", Key=key, Body=b"")
    deletes = {
        "Effect": "Allow",
        "Principal": OTHER_ACCOUNT,
        "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::matrix/theirs/*",
    }
    document = {"Version": "2012-10-17", "Statement": deletes}
    open_bucket.put_bucket_policy(Bucket="matrix", Policy=json.dumps(document))
    wanted = {"Objects": [{"Key": "mine/1"}, {"Key": "theirs/1"}, {"Key": "theirs/none"}]}
    answer = callers["other root"].delete_objects(Bucket="matrix", Delete=wanted)
    assert [one["Key"] for one in answer["Deleted"]] == ["theirs/1", "theirs/none"]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("mine/1", "AccessDenied")]
    assert not may(lambda: callers["anonymous"].delete_objects(Bucket="matrix", Delete=wanted))
    with pytest.raises(ClientError) as caught:
        callers["other root"].delete_objects(Bucket="no-such-bucket-here", Delete=wanted)
    assert caught.value.response["Error"]["Code"] == "NoSuchBucket"


def test_each_account_lists_its_own_buckets_and_names_are_everybodys(
    open_bucket, two_accounts, callers
):
    mine, theirs = two_accounts.client("s3"), callers["other root"]
    mine.create_bucket(Bucket="matrix")  # In us-east-1 this is no error to the owner.
    theirs.create_bucket(Bucket="of-the-other")
    listed = [b["Name"] for b in theirs.list_buckets()["Buckets"]]
    assert "of-the-other" in listed
    assert "matrix" not in listed
    assert "of-the-other" not in [b["Name"] for b in mine.list_buckets()["Buckets"]]
    with pytest.raises(ClientError) as caught:
        mine.create_bucket(Bucket="of-the-other")
    told = caught.value.response
    assert told["Error"]["Code"] == "BucketAlreadyExists"
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 409
    theirs.delete_bucket(Bucket="of-the-other")
    mine.create_bucket(Bucket="of-the-other")
    mine.delete_bucket(Bucket="of-the-other")
