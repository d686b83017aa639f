"""ACLs, object ownership and block public access.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
"""

import pytest
from botocore.exceptions import ClientError
from tests.services.s3.settings.accounts import ONE, TWO, canonical, with_acls


def code_of(call, **members):
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"]


def test_a_public_object_is_read_by_anybody_and_a_private_one_is_not(one, anybody):
    with_acls(one, "acl-objects")
    one.put_object(Bucket="acl-objects", Key="open", Body=b"1", ACL="public-read")
    one.put_object(Bucket="acl-objects", Key="shut", Body=b"2")
    assert anybody.get_object(Bucket="acl-objects", Key="open")["Body"].read() == b"1"
    assert code_of(anybody.get_object, Bucket="acl-objects", Key="shut") == "AccessDenied"
    assert code_of(anybody.list_objects_v2, Bucket="acl-objects") == "AccessDenied"
    one.put_object_acl(Bucket="acl-objects", Key="open", ACL="private")
    assert code_of(anybody.get_object, Bucket="acl-objects", Key="open") == "AccessDenied"


def test_authenticated_read_lets_in_other_accounts_only(one, two, anybody):
    with_acls(one, "acl-signed")
    one.put_object(Bucket="acl-signed", Key="k", Body=b"1", ACL="authenticated-read")
    assert two.get_object(Bucket="acl-signed", Key="k")["Body"].read() == b"1"
    assert code_of(anybody.get_object, Bucket="acl-signed", Key="k") == "AccessDenied"


def test_a_grant_to_a_bucket_lets_another_account_list_it_and_no_more(one, two):
    with_acls(one, "acl-grants")
    one.put_object(Bucket="acl-grants", Key="k", Body=b"1")
    one.put_bucket_acl(Bucket="acl-grants", GrantRead=f'id="{canonical(TWO[0])}"')
    assert two.list_objects_v2(Bucket="acl-grants")["KeyCount"] == 1
    assert code_of(two.get_object, Bucket="acl-grants", Key="k") == "AccessDenied"
    assert code_of(two.put_object, Bucket="acl-grants", Key="n", Body=b"") == "AccessDenied"
    acl = one.get_bucket_acl(Bucket="acl-grants")
    assert [(g["Grantee"]["ID"], g["Permission"]) for g in acl["Grants"]] == [
        (canonical(TWO[0]), "READ")
    ]


def test_who_writes_owns_unless_the_bucket_says_otherwise(one, two):
    with_acls(one, "acl-owners")
    one.put_bucket_acl(Bucket="acl-owners", GrantWrite=f'id="{canonical(TWO[0])}"')
    two.put_object(Bucket="acl-owners", Key="theirs", Body=b"1")
    assert code_of(one.get_object, Bucket="acl-owners", Key="theirs") == "AccessDenied"
    assert two.get_object(Bucket="acl-owners", Key="theirs")["Body"].read() == b"1"
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    one.put_bucket_ownership_controls(Bucket="acl-owners", OwnershipControls=rules)
    two.put_object(Bucket="acl-owners", Key="given", Body=b"2", ACL="bucket-owner-full-control")
    assert one.get_object(Bucket="acl-owners", Key="given")["Body"].read() == b"2"
    owner = one.get_object_acl(Bucket="acl-owners", Key="given")["Owner"]["ID"]
    assert owner == canonical(ONE[0])


def test_a_document_replaces_the_acl(one):
    with_acls(one, "acl-document")
    acl = one.get_bucket_acl(Bucket="acl-document")
    group = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    acl["Grants"].append({"Grantee": group, "Permission": "READ"})
    policy = {name: acl[name] for name in ("Owner", "Grants")}
    one.put_bucket_acl(Bucket="acl-document", AccessControlPolicy=policy)
    assert group in [g["Grantee"] for g in one.get_bucket_acl(Bucket="acl-document")["Grants"]]
    wrong = {**policy, "Owner": {"ID": "nobody"}}
    assert (
        code_of(one.put_bucket_acl, Bucket="acl-document", AccessControlPolicy=wrong)
        == "InvalidArgument"
    )


def test_without_acls_only_the_owners_own_is_taken(one):
    one.create_bucket(Bucket="acl-none")
    one.put_bucket_acl(Bucket="acl-none", ACL="private")
    assert (
        code_of(one.put_bucket_acl, Bucket="acl-none", ACL="public-read")
        == "AccessControlListNotSupported"
    )
    one.delete_bucket_ownership_controls(Bucket="acl-none")
    assert code_of(one.put_bucket_acl, Bucket="acl-none", ACL="public-read") == "AccessDenied"
    rules = one.get_bucket_ownership_controls(Bucket="acl-none")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "ObjectWriter"}]


def test_blocks_ignore_and_prevent_public_acls(one, anybody):
    with_acls(one, "acl-blocks")
    one.put_object(Bucket="acl-blocks", Key="k", Body=b"1", ACL="public-read")
    block = {"IgnorePublicAcls": True}
    one.put_public_access_block(Bucket="acl-blocks", PublicAccessBlockConfiguration=block)
    assert code_of(anybody.get_object, Bucket="acl-blocks", Key="k") == "AccessDenied"
    block = {"BlockPublicAcls": True}
    one.put_public_access_block(Bucket="acl-blocks", PublicAccessBlockConfiguration=block)
    assert anybody.get_object(Bucket="acl-blocks", Key="k")["Body"].read() == b"1"
    refused = code_of(one.put_object_acl, Bucket="acl-blocks", Key="k", ACL="public-read")
    assert refused == "AccessDenied"


def test_the_blocks_of_an_account_hold_for_all_its_buckets(two_accounts, one, anybody):
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html
    control = two_accounts.client("s3control", key=ONE)
    with_acls(one, "acl-account")
    one.put_object(Bucket="acl-account", Key="k", Body=b"1", ACL="public-read")
    missing = code_of(control.get_public_access_block, AccountId=ONE[0])
    assert missing == "NoSuchPublicAccessBlockConfiguration"
    block = {"IgnorePublicAcls": True}
    control.put_public_access_block(AccountId=ONE[0], PublicAccessBlockConfiguration=block)
    try:
        assert code_of(anybody.get_object, Bucket="acl-account", Key="k") == "AccessDenied"
        found = control.get_public_access_block(AccountId=ONE[0])
        assert found["PublicAccessBlockConfiguration"]["IgnorePublicAcls"] is True
        assert code_of(control.get_public_access_block, AccountId=TWO[0]) == "AccessDenied"
    finally:
        control.delete_public_access_block(AccountId=ONE[0])
    assert anybody.get_object(Bucket="acl-account", Key="k")["Body"].read() == b"1"


def test_the_status_of_a_policy_says_whether_it_is_public(one):
    with_acls(one, "acl-status")
    assert code_of(one.get_bucket_policy_status, Bucket="acl-status") == "NoSuchBucketPolicy"
    one.put_bucket_acl(Bucket="acl-status", ACL="public-read")
    assert one.get_bucket_policy_status(Bucket="acl-status")["PolicyStatus"]["IsPublic"] is True
