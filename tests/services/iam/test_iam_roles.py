"""Roles, providers, and the account as a whole."""

import json

from tests.services.iam.iam_words import allow, document, trust

LAMBDA = trust({"Service": "lambda.amazonaws.com"})


def test_a_role_is_made_changed_and_removed(iam, name, account, refused):
    made = iam.create_role(
        RoleName=name,
        Path="/service/",
        AssumeRolePolicyDocument=LAMBDA,
        Description="runs",
        MaxSessionDuration=7200,
        Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{account}:role/service/{name}"
    assert made["RoleId"].startswith("AROA")
    role = iam.get_role(RoleName=name)["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(LAMBDA)
    assert (role["MaxSessionDuration"], role["Description"]) == (7200, "runs")
    iam.update_role(RoleName=name, MaxSessionDuration=3600)
    assert iam.get_role(RoleName=name)["Role"]["Description"] == "runs"
    changed = iam.update_role_description(RoleName=name, Description="walks")["Role"]
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("walks", 3600)
    other = trust({"Service": "s3.amazonaws.com"})
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=other)
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == json.loads(other)
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    listed = iam.list_roles(PathPrefix="/service/")["Roles"]
    assert name in [one["RoleName"] for one in listed]
    iam.delete_role(RoleName=name)
    assert refused(iam.get_role, RoleName=name) == (
        "NoSuchEntity",
        f"The role with name {name} cannot be found.",
        404,
    )


def test_a_role_goes_only_without_policies(iam, name, refused):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow("s3:*")))
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll")
    assert refused(iam.delete_role, RoleName=name)[1] == (
        "Cannot delete entity, must detach all policies first."
    )
    iam.detach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll")
    assert refused(iam.delete_role, RoleName=name)[1] == (
        "Cannot delete entity, must delete policies first."
    )
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)


def test_tags_of_roles(iam, name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=LAMBDA)
    iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName=name, TagKeys=["A"])
    assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert iam.get_role(RoleName=name)["Role"]["Tags"] == [{"Key": "b", "Value": "2"}]


def test_whom_a_role_trusts_must_exist(iam, name, account, refused):
    missing = f"arn:aws:iam::{account}:user/{name}"
    code, message, _ = refused(
        iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust({"AWS": missing})
    )
    assert code == "MalformedPolicyDocument"
    assert message == f'Invalid principal in policy: "AWS":"{missing}"'
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": missing}))
    # Accounts that are not of this cloud may be named all the same.
    elsewhere = trust({"AWS": "arn:aws:iam::999988887777:role/somebody"})
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=elsewhere)


def test_roles_linked_to_services_are_refused(iam, name, refused):
    code, message, _ = refused(
        iam.create_role,
        RoleName=name,
        Path="/aws-service-role/x.amazonaws.com/",
        AssumeRolePolicyDocument=LAMBDA,
    )
    assert code == "InvalidInput"
    assert "linked to services" in message


def test_what_is_not_there_says_so(iam, name, refused):
    _, message, status = refused(iam.create_login_profile, UserName=name, Password="Secret123!")
    assert status == 501
    assert "CreateLoginProfile" in message


def test_providers_of_web_identities(iam, name, account, refused):
    url = f"https://{name}.example/issuer"
    arn = iam.create_open_id_connect_provider(
        Url=url, ClientIDList=["one"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{account}:oidc-provider/{name}.example/issuer"
    who = {"OpenIDConnectProviderArn": arn}
    iam.add_client_id_to_open_id_connect_provider(ClientID="two", **who)
    iam.remove_client_id_from_open_id_connect_provider(ClientID="one", **who)
    iam.update_open_id_connect_provider_thumbprint(ThumbprintList=["b" * 40], **who)
    iam.tag_open_id_connect_provider(
        Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}], **who
    )
    iam.untag_open_id_connect_provider(TagKeys=["c"], **who)
    assert iam.list_open_id_connect_provider_tags(**who)["Tags"] == [{"Key": "a", "Value": "b"}]
    found = iam.get_open_id_connect_provider(**who)
    assert found["ClientIDList"] == ["two"]
    assert found["ThumbprintList"] == ["b" * 40]
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    assert refused(iam.create_open_id_connect_provider, Url=url)[0] == "EntityAlreadyExists"
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert {"Arn": arn} in listed
    iam.delete_open_id_connect_provider(**who)
    iam.delete_open_id_connect_provider(**who)
    assert refused(iam.get_open_id_connect_provider, **who)[0] == "NoSuchEntity"


def test_the_summary_counts(new_cloud):
    iam = new_cloud().client("iam")
    before = iam.get_account_summary()["SummaryMap"]
    assert (before["Users"], before["AccountAccessKeysPresent"]) == (0, 1)
    iam.create_user(UserName="one")
    iam.create_role(RoleName="two", AssumeRolePolicyDocument=LAMBDA)
    iam.create_policy(PolicyName="three", PolicyDocument=document(allow("s3:*")))
    iam.delete_user(UserName="one")
    after = iam.get_account_summary()["SummaryMap"]
    grown = {key: after[key] - before[key] for key in ("Users", "Roles", "Policies")}
    assert grown == {"Users": 0, "Roles": 1, "Policies": 1}
    assert after["PolicyVersionsInUse"] == before["PolicyVersionsInUse"] + 1
    iam.create_account_alias(AccountAlias="our-cloud")
    assert iam.list_account_aliases()["AccountAliases"] == ["our-cloud"]
    iam.delete_account_alias(AccountAlias="our-cloud")
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_everything_about_the_identities_is_told(iam, name):
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    iam.put_group_policy(
        GroupName=name, PolicyName="p", PolicyDocument=document(allow("s3:ListBucket"))
    )
    arn = iam.create_policy(PolicyName=name, PolicyDocument=document(allow("s3:GetObject")))
    iam.attach_user_policy(UserName=name, PolicyArn=arn["Policy"]["Arn"])
    users, groups, policies = {}, {}, {}
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["User", "Group", "LocalManagedPolicy"], PaginationConfig={"PageSize": 50}
    )
    for page in pages:
        users |= {one["UserName"]: one for one in page["UserDetailList"]}
        groups |= {one["GroupName"]: one for one in page["GroupDetailList"]}
        policies |= {one["PolicyName"]: one for one in page["Policies"]}
        assert page["RoleDetailList"] == []
    assert users[name]["GroupList"] == [name]
    assert users[name]["AttachedManagedPolicies"][0]["PolicyName"] == name
    assert groups[name]["GroupPolicyList"][0]["PolicyName"] == "p"
    assert policies[name]["AttachmentCount"] == 1
