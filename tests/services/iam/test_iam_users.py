"""Users, their groups and keys.

Messages: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

import concurrent.futures
import datetime

import pytest
from tests.services.iam.iam_words import allow, document


def test_a_user_is_made_told_listed_and_removed(iam, name, account):
    made = iam.create_user(UserName=name, Path="/people/", Tags=[{"Key": "Team", "Value": "x"}])
    user = made["User"]
    assert user["Arn"] == f"arn:aws:iam::{account}:user/people/{name}"
    assert user["UserId"].startswith("AIDA")
    assert user["Tags"] == [{"Key": "Team", "Value": "x"}]
    assert isinstance(user["CreateDate"], datetime.datetime)
    assert iam.get_user(UserName=name)["User"] == user
    listed = iam.list_users(PathPrefix="/people/")["Users"]
    assert name in [one["UserName"] for one in listed]
    assert all("Tags" not in one for one in listed)
    iam.delete_user(UserName=name)
    assert name not in [one["UserName"] for one in iam.list_users(MaxItems=1000)["Users"]]


def test_missing_and_taken_names(iam, name, refused):
    iam.create_user(UserName=name)
    assert refused(iam.create_user, UserName=name) == (
        "EntityAlreadyExists",
        f"User with name {name} already exists.",
        409,
    )
    # Names are not told apart by case.
    assert refused(iam.create_user, UserName=name.upper())[0] == "EntityAlreadyExists"
    assert refused(iam.get_user, UserName=f"{name}-no") == (
        "NoSuchEntity",
        f"The user with name {name}-no cannot be found.",
        404,
    )
    for call in (iam.delete_user, iam.list_access_keys, iam.create_access_key, iam.list_user_tags):
        assert refused(call, UserName=f"{name}-no")[0] == "NoSuchEntity"


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        ({"UserName": "a b"}, "userName"),
        ({"UserName": "x" * 65}, "userName"),
        ({"UserName": "ok", "Path": "no-slashes"}, "path"),
    ],
)
def test_names_and_paths_are_checked(iam, refused, request_, part):
    code, message, status = refused(iam.create_user, **request_)
    assert (code, status) == ("ValidationError", 400)
    assert message.startswith("1 validation error detected: Value")
    assert part in message


def test_pages_go_through_every_user_once(iam, name):
    names = [f"{name}-{number}" for number in range(7)]
    for one in names:
        iam.create_user(UserName=one, Path=f"/{name}/")
    pages = list(
        iam.get_paginator("list_users").paginate(
            PathPrefix=f"/{name}/", PaginationConfig={"PageSize": 3}
        )
    )
    assert [len(page["Users"]) for page in pages] == [3, 3, 1]
    assert [user["UserName"] for page in pages for user in page["Users"]] == names
    assert [page["IsTruncated"] for page in pages] == [True, True, False]


def test_a_marker_that_is_not_ours_is_refused(iam, refused):
    assert refused(iam.list_users, Marker="nonsense")[0] == "ValidationError"


def test_of_two_equal_creations_one_succeeds(iam, name):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(iam.create_user, UserName=name) for _ in range(8)]
    failures = [call.exception() for call in calls if call.exception() is not None]
    assert len(failures) == 7
    assert {one.response["Error"]["Code"] for one in failures} == {"EntityAlreadyExists"}


def test_a_renamed_user_keeps_keys_groups_and_policies(cloud, iam, new_user, name):
    user = new_user().may(allow("iam:GetUser"))
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=user.name)
    iam.update_user(UserName=user.name, NewUserName=f"{name}-new", NewPath="/moved/")
    arn = user.client("sts").get_caller_identity()["Arn"]
    assert arn.endswith(f":user/moved/{name}-new")
    assert user.client("iam").get_user()["User"]["UserName"] == f"{name}-new"
    assert iam.get_group(GroupName=name)["Users"][0]["UserName"] == f"{name}-new"
    assert iam.list_access_keys(UserName=f"{name}-new")["AccessKeyMetadata"]


def test_a_user_goes_only_when_nothing_is_left(iam, name, refused):
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
    iam.add_user_to_group(GroupName=name, UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("s3:*")))
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll")
    left = []
    for undo in (
        lambda: iam.detach_user_policy(
            UserName=name, PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll"
        ),
        lambda: iam.delete_user_policy(UserName=name, PolicyName="p"),
        lambda: iam.remove_user_from_group(GroupName=name, UserName=name),
        lambda: iam.delete_access_key(UserName=name, AccessKeyId=key),
    ):
        code, message, status = refused(iam.delete_user, UserName=name)
        assert (code, status) == ("DeleteConflict", 409)
        left.append(message)
        undo()
    iam.delete_user(UserName=name)
    assert left == [
        "Cannot delete entity, must detach all policies first.",
        "Cannot delete entity, must delete policies first.",
        "Cannot delete entity, must remove users from group first.",
        "Cannot delete entity, must delete access keys first.",
    ]


def test_keys_work_until_they_are_inactive_or_gone(iam, new_user, refused):
    user = new_user()
    who = user.client("sts").get_caller_identity
    assert who()["Arn"] == user.arn
    iam.update_access_key(UserName=user.name, AccessKeyId=user.key[0], Status="Inactive")
    assert refused(who)[0] == "InvalidClientTokenId"
    listed = iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]
    assert [(key["AccessKeyId"], key["Status"]) for key in listed] == [(user.key[0], "Inactive")]
    assert "SecretAccessKey" not in listed[0]
    iam.update_access_key(UserName=user.name, AccessKeyId=user.key[0], Status="Active")
    assert who()["Arn"] == user.arn
    iam.delete_access_key(UserName=user.name, AccessKeyId=user.key[0])
    assert refused(who)[0] == "InvalidClientTokenId"
    assert (
        refused(iam.delete_access_key, UserName=user.name, AccessKeyId=user.key[0])[1]
        == f"The Access Key with id {user.key[0]} cannot be found."
    )


def test_a_user_has_at_most_two_keys(iam, name, refused):
    iam.create_user(UserName=name)
    first = iam.create_access_key(UserName=name)["AccessKey"]
    iam.create_access_key(UserName=name)
    assert refused(iam.create_access_key, UserName=name) == (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
        409,
    )
    assert first["AccessKeyId"].startswith("AKIA")
    assert len(first["SecretAccessKey"]) == 40


def test_without_a_name_a_user_is_itself(iam, new_user):
    user = new_user().may(allow("iam:*", resource="arn:aws:iam::*:user/${aws:username}"))
    mine = user.client("iam")
    assert mine.get_user()["User"]["UserName"] == user.name
    assert mine.list_access_keys()["AccessKeyMetadata"][0]["AccessKeyId"] == user.key[0]
    second = mine.create_access_key()["AccessKey"]
    assert second["UserName"] == user.name
    mine.delete_access_key(AccessKeyId=second["AccessKeyId"])


def test_the_account_is_a_user_without_a_name(iam, account):
    user = iam.get_user()["User"]
    assert user["Arn"] == f"arn:aws:iam::{account}:root"
    assert "UserName" not in user


def test_the_last_use_of_a_key_is_told(iam, new_user):
    user = new_user()
    assert "LastUsedDate" not in _last_use(iam, user)
    user.client("sts").get_caller_identity()
    used = _last_use(iam, user)
    age = datetime.datetime.now(datetime.UTC) - used["LastUsedDate"]
    assert age < datetime.timedelta(minutes=5)


def _last_use(iam, user):
    found = iam.get_access_key_last_used(AccessKeyId=user.key[0])
    assert found["UserName"] == user.name
    return found["AccessKeyLastUsed"]


def test_groups_give_their_policies_to_their_users(iam, new_user, name, refused):
    user = new_user()
    iam.create_group(GroupName=name)
    iam.put_group_policy(
        GroupName=name, PolicyName="p", PolicyDocument=document(allow("iam:ListGroups"))
    )
    groups = user.client("iam").list_groups
    assert refused(groups)[0] == "AccessDenied"
    iam.add_user_to_group(GroupName=name, UserName=user.name)
    iam.add_user_to_group(GroupName=name, UserName=user.name)
    groups()
    listed = iam.list_groups_for_user(UserName=user.name)["Groups"]
    assert [group["GroupName"] for group in listed] == [name]
    code, message, _ = refused(iam.delete_group, GroupName=name)
    assert code == "DeleteConflict"
    assert message == "Cannot delete entity, must delete policies first."
    iam.remove_user_from_group(GroupName=name, UserName=user.name)
    assert refused(groups)[0] == "AccessDenied"


def test_a_renamed_group_keeps_its_members(iam, new_user, name):
    user = new_user()
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=user.name)
    iam.update_group(GroupName=name, NewGroupName=f"{name}-new")
    assert iam.get_group(GroupName=f"{name}-new")["Users"][0]["UserName"] == user.name
    listed = iam.list_groups_for_user(UserName=user.name)["Groups"]
    assert [group["GroupName"] for group in listed] == [f"{name}-new"]


def test_tags_keep_their_case_and_are_the_same_without_it(iam, name, refused):
    iam.create_user(UserName=name, Tags=[{"Key": "Team", "Value": "1"}])
    iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "2"}, {"Key": "b", "Value": ""}])
    tags = iam.list_user_tags(UserName=name)["Tags"]
    assert tags == [{"Key": "b", "Value": ""}, {"Key": "team", "Value": "2"}]
    iam.untag_user(UserName=name, TagKeys=["TEAM", "absent"])
    assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "b", "Value": ""}]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    assert refused(iam.tag_user, UserName=name, Tags=twice)[0] == "InvalidInput"
