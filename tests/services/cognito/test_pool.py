"""Pools, clients, groups, domains, resource servers and lists of users."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from tests.services.cognito.client import (
    Pool,
    claims_of,
    make_pool,
    name,
    read_mailbox,
    refusal,
)


def test_a_pool_is_described_changed_and_deleted(cloud: Any) -> None:
    pool = make_pool(cloud, PoolName="described", UserPoolTags={"team": "red"})
    shown = pool.admin.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert shown["Arn"].endswith(f":userpool/{pool.id}")
    assert shown["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
    assert shown["MfaConfiguration"] == "OFF"
    assert {one["Name"] for one in shown["SchemaAttributes"]} > {"sub", "email", "phone_number"}
    pool.admin.update_user_pool(
        UserPoolId=pool.id,
        DeletionProtection="ACTIVE",
        Policies={"PasswordPolicy": {"MinimumLength": 12}},
    )
    shown = pool.admin.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert shown["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert shown["UserPoolTags"] == {"team": "red"}
    code, message = refusal(pool.admin.delete_user_pool, UserPoolId=pool.id)
    assert code == "InvalidParameterException"
    assert "deletion protection is activated" in message
    pool.admin.update_user_pool(UserPoolId=pool.id, DeletionProtection="INACTIVE")
    pages = pool.admin.get_paginator("list_user_pools").paginate(MaxResults=1)
    assert pool.id in {one["Id"] for page in pages for one in page["UserPools"]}
    pool.admin.delete_user_pool(UserPoolId=pool.id)
    assert refusal(pool.admin.describe_user_pool, UserPoolId=pool.id) == (
        "ResourceNotFoundException",
        f"User pool {pool.id} does not exist.",
    )
    assert refusal(pool.sign_in, "ann") == (
        "ResourceNotFoundException",
        f"User pool client {pool.client} does not exist.",
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True}},
        {"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"}},
        {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["WEB_AUTHN"]}}},
        {"MfaConfiguration": "ON"},
        {"AliasAttributes": ["email"], "UsernameAttributes": ["email"]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_cannot_be_honoured_is_refused(cloud: Any, settings: dict[str, Any]) -> None:
    code, _ = refusal(cloud.client("cognito-idp").create_user_pool, PoolName="no", **settings)
    assert code in ("InvalidParameterException", "InvalidUserPoolConfigurationException")


def test_tags(pool: Pool) -> None:
    arn = pool.admin.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]
    pool.admin.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
    pool.admin.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert pool.admin.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "2"}


def test_attributes_are_added(pool: Pool) -> None:
    pool.admin.add_custom_attributes(
        UserPoolId=pool.id, CustomAttributes=[{"Name": "size", "AttributeDataType": "String"}]
    )
    shown = pool.admin.describe_user_pool(UserPoolId=pool.id)["UserPool"]["SchemaAttributes"]
    assert "custom:size" in {one["Name"] for one in shown}


def test_clients(pool: Pool) -> None:
    made = pool.admin.create_user_pool_client(
        UserPoolId=pool.id, ClientName="first", GenerateSecret=True
    )["UserPoolClient"]
    assert len(made["ClientSecret"]) == 51
    who = {"UserPoolId": pool.id, "ClientId": made["ClientId"]}
    changed = pool.admin.update_user_pool_client(
        ClientName="second",
        AccessTokenValidity=10,
        TokenValidityUnits={"AccessToken": "minutes"},
        **who,
    )["UserPoolClient"]
    assert changed["ClientSecret"] == made["ClientSecret"]
    shown = pool.admin.describe_user_pool_client(**who)["UserPoolClient"]
    assert (shown["ClientName"], shown["AccessTokenValidity"]) == ("second", 10)
    pages = pool.admin.get_paginator("list_user_pool_clients").paginate(
        UserPoolId=pool.id, MaxResults=1
    )
    listed = [one["ClientId"] for page in pages for one in page["UserPoolClients"]]
    assert made["ClientId"] in listed
    pool.admin.delete_user_pool_client(**who)
    assert refusal(pool.admin.describe_user_pool_client, **who)[0] == "ResourceNotFoundException"
    code, _ = refusal(
        pool.admin.create_user_pool_client,
        UserPoolId=pool.id,
        ClientName="no",
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "USER_PASSWORD_AUTH"],
    )
    assert code == "InvalidParameterException"


def test_groups_are_in_the_tokens(pool: Pool) -> None:
    user, red, blue = pool.user(), name("red"), name("blue")
    role = "arn:aws:iam::000000000000:role/blue"
    pool.admin.create_group(UserPoolId=pool.id, GroupName=red, Precedence=5)
    pool.admin.create_group(UserPoolId=pool.id, GroupName=blue, Precedence=1, RoleArn=role)
    assert refusal(pool.admin.create_group, UserPoolId=pool.id, GroupName=red) == (
        "GroupExistsException",
        "A group with the name already exists.",
    )
    for group in (red, blue):
        pool.admin.admin_add_user_to_group(UserPoolId=pool.id, Username=user, GroupName=group)
    claims = claims_of(pool.tokens(user)["IdToken"])
    assert claims["cognito:groups"] == [blue, red]
    assert claims["cognito:roles"] == [role]
    assert claims["cognito:preferred_role"] == role
    who = {"UserPoolId": pool.id, "Username": user}
    found = pool.admin.admin_list_groups_for_user(**who)["Groups"]
    assert [one["GroupName"] for one in found] == [blue, red]
    members = pool.admin.list_users_in_group(UserPoolId=pool.id, GroupName=red)["Users"]
    assert [one["Username"] for one in members] == [user]
    pool.admin.update_group(UserPoolId=pool.id, GroupName=red, Description="Reds")
    shown = pool.admin.get_group(UserPoolId=pool.id, GroupName=red)["Group"]
    assert shown["Description"] == "Reds"
    pool.admin.admin_remove_user_from_group(GroupName=blue, **who)
    pool.admin.delete_group(UserPoolId=pool.id, GroupName=red)
    assert pool.admin.admin_list_groups_for_user(**who)["Groups"] == []
    listed = pool.admin.list_groups(UserPoolId=pool.id)["Groups"]
    assert red not in {one["GroupName"] for one in listed}
    assert refusal(pool.admin.get_group, UserPoolId=pool.id, GroupName=red)[0] == (
        "ResourceNotFoundException"
    )


def test_users_are_found_by_what_they_have(cloud: Any) -> None:
    # https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-manage-user-accounts.html
    pool = make_pool(cloud)
    for n in range(5):
        pool.user(f"user{n}", email=f"u{n}@example.com", family_name="Smith" if n % 2 else "Smythe")

    def found(text: str, **more: Any) -> list[str]:
        users = pool.admin.list_users(UserPoolId=pool.id, Filter=text, **more)["Users"]
        return sorted(one["Username"] for one in users)

    assert found('email = "u3@example.com"') == ["user3"]
    assert found('family_name ^= "Smi"') == ["user1", "user3"]
    assert found('username ^= "user"') == [f"user{n}" for n in range(5)]
    assert found('cognito:user_status = "CONFIRMED"') == [f"user{n}" for n in range(5)]
    pool.admin.admin_disable_user(UserPoolId=pool.id, Username="user2")
    assert found('status = "Disabled"') == ["user2"]
    assert refusal(pool.sign_in, "user2") == ("NotAuthorizedException", "User is disabled.")
    pool.admin.admin_enable_user(UserPoolId=pool.id, Username="user2")
    pages = pool.admin.get_paginator("list_users").paginate(
        UserPoolId=pool.id, Filter='email ^= "u"', PaginationConfig={"PageSize": 2}
    )
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    code, _ = refusal(pool.admin.list_users, UserPoolId=pool.id, Filter="email like x")
    assert code == "InvalidParameterException"
    pool.admin.admin_delete_user_attributes(
        UserPoolId=pool.id, Username="user3", UserAttributeNames=["email"]
    )
    assert found('email = "u3@example.com"') == []
    pool.admin.admin_delete_user(UserPoolId=pool.id, Username="user3")
    shown = pool.admin.describe_user_pool(UserPoolId=pool.id)["UserPool"]
    assert shown["EstimatedNumberOfUsers"] == 4
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_an_invitation_brings_the_temporary_password(pool: Pool) -> None:
    user, email = name(), f"{name()}@example.com"
    create = {
        "UserPoolId": pool.id,
        "Username": user,
        "DesiredDeliveryMediums": ["EMAIL"],
    }
    made = pool.admin.admin_create_user(
        UserAttributes=[{"Name": "email", "Value": email}], **create
    )["User"]
    assert made["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    body = pool.mail(email)[0]["body"]
    assert body.startswith(f"Your username is {user} and temporary password is ")
    temporary = body.split()[-1].removesuffix(".")
    assert pool.sign_in(user, temporary)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    pool.admin.admin_create_user(MessageAction="RESEND", **create)
    again = pool.mail(email)[0]["body"].split()[-1].removesuffix(".")
    assert again != temporary
    assert refusal(pool.sign_in, user, temporary)[0] == "NotAuthorizedException"


def test_an_administrator_confirms_an_account(pool: Pool) -> None:
    user = name()
    pool.anyone.sign_up(ClientId=pool.client, Username=user, Password="Correct-Horse-7")
    pool.admin.admin_confirm_sign_up(UserPoolId=pool.id, Username=user)
    assert "AuthenticationResult" in pool.sign_in(user)


def test_domains_and_resource_servers(pool: Pool) -> None:
    domain = name("domain")
    pool.admin.create_user_pool_domain(UserPoolId=pool.id, Domain=domain)
    assert refusal(pool.admin.create_user_pool_domain, UserPoolId=pool.id, Domain=domain)[1] == (
        "Domain already associated with another user pool."
    )
    pool.admin.update_user_pool_domain(UserPoolId=pool.id, Domain=domain, ManagedLoginVersion=2)
    shown = pool.admin.describe_user_pool_domain(Domain=domain)["DomainDescription"]
    assert (shown["UserPoolId"], shown["ManagedLoginVersion"]) == (pool.id, 2)
    pool.admin.delete_user_pool_domain(UserPoolId=pool.id, Domain=domain)
    assert pool.admin.describe_user_pool_domain(Domain=domain)["DomainDescription"] == {}
    server = {"UserPoolId": pool.id, "Identifier": "https://api.example.com"}
    scopes = [{"ScopeName": "read", "ScopeDescription": "Read"}]
    pool.admin.create_resource_server(Name="api", Scopes=scopes, **server)
    pool.admin.update_resource_server(Name="API", Scopes=scopes, **server)
    found = pool.admin.describe_resource_server(**server)["ResourceServer"]
    assert (found["Name"], found["Scopes"]) == ("API", scopes)
    listed = pool.admin.list_resource_servers(UserPoolId=pool.id, MaxResults=10)
    assert [one["Identifier"] for one in listed["ResourceServers"]] == [server["Identifier"]]
    pool.admin.delete_resource_server(**server)
    assert refusal(pool.admin.describe_resource_server, **server)[0] == (
        "ResourceNotFoundException"
    )


def test_keys_are_published(pool: Pool, cloud: Any) -> None:
    begin = f"{cloud.endpoint}/{pool.id}/.well-known"
    with urllib.request.urlopen(f"{begin}/openid-configuration", timeout=10) as answer:
        told = json.load(answer)
    assert told["issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    with urllib.request.urlopen(told["jwks_uri"], timeout=10) as answer:
        keys = json.load(answer)["keys"]
    assert len(keys) == 2
    assert all(set(key) == {"alg", "e", "kid", "kty", "n", "use"} for key in keys)


def test_messages_come_from_whom_the_pool_says(cloud: Any) -> None:
    pool = make_pool(
        cloud,
        EmailConfiguration={
            "EmailSendingAccount": "DEVELOPER",
            "From": "Shop <shop@example.com>",
            "ReplyToEmailAddress": "help@example.com",
            "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/shop@example.com",
        },
        AdminCreateUserConfig={
            "AllowAdminCreateUserOnly": True,
            "InviteMessageTemplate": {"EmailMessage": "Dear {username}, use {####}"},
        },
    )
    email = f"{name()}@example.com"
    pool.admin.admin_create_user(
        UserPoolId=pool.id,
        Username="ann",
        DesiredDeliveryMediums=["EMAIL"],
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    (mail,) = pool.mail(email)
    assert (mail["sender"], mail["reply_to"]) == ("Shop <shop@example.com>", "help@example.com")
    assert mail["body"].startswith("Dear ann, use ")
    code, _ = refusal(
        pool.admin.set_user_pool_mfa_config,
        UserPoolId=pool.id,
        EmailMfaConfiguration={"Message": "no code in here"},
    )
    assert code == "InvalidParameterException"
    pool.admin.delete_user_pool(UserPoolId=pool.id)


def test_the_mailbox_is_for_the_root_of_the_account(cloud: Any) -> None:
    iam, user = cloud.client("iam"), name("reader")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        read_mailbox(cloud, key=(key["AccessKeyId"], key["SecretAccessKey"]))
    assert refused.value.code == 403
    refused.value.close()
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user)
