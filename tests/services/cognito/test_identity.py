"""Identity pools: credentials of roles for guests and for who signed in.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.services.cognito.client import Pool, claims_of, name, refusal


def role(cloud: Any, pool: str, kind: str) -> str:
    """A role that identities of the pool may take, as AWS's guide writes its trust."""
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": pool},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": kind},
            },
        },
    }
    made = cloud.client("iam").create_role(
        RoleName=name(kind), AssumeRolePolicyDocument=json.dumps(trust)
    )
    arn: str = made["Role"]["Arn"]
    return arn


@pytest.fixture(scope="module")
def identities(cloud: Any, pool: Pool) -> Iterator[tuple[Any, Any, str, dict[str, str]]]:
    admin = cloud.client("cognito-identity")
    anyone = cloud.client("cognito-identity", unsigned=True)
    provider = f"cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    made = admin.create_identity_pool(
        IdentityPoolName="identities",
        AllowUnauthenticatedIdentities=True,
        AllowClassicFlow=True,
        DeveloperProviderName="login.mine",
        CognitoIdentityProviders=[
            {"ProviderName": provider, "ClientId": pool.client, "ServerSideTokenCheck": True}
        ],
    )["IdentityPoolId"]
    roles = {kind: role(cloud, made, kind) for kind in ("authenticated", "unauthenticated")}
    admin.set_identity_pool_roles(IdentityPoolId=made, Roles=roles)
    yield admin, anyone, made, roles
    admin.delete_identity_pool(IdentityPoolId=made)
    for arn in roles.values():
        cloud.client("iam").delete_role(RoleName=arn.rpartition("/")[2])


def caller(cloud: Any, given: dict[str, Any]) -> str:
    key = (given["AccessKeyId"], given["SecretKey"], given["SessionToken"])
    arn: str = cloud.client("sts", key=key).get_caller_identity()["Arn"]
    return arn


def test_who_signed_in_gets_the_role(cloud: Any, pool: Pool, identities: Any) -> None:
    admin, anyone, made, roles = identities
    provider = f"cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    user = pool.user()
    tokens = pool.tokens(user)
    logins = {provider: tokens["IdToken"]}
    id = anyone.get_id(IdentityPoolId=made, Logins=logins)["IdentityId"]
    assert anyone.get_id(IdentityPoolId=made, Logins=logins)["IdentityId"] == id
    given = anyone.get_credentials_for_identity(IdentityId=id, Logins=logins)
    assert caller(cloud, given["Credentials"]).endswith(
        f"assumed-role/{roles['authenticated'].rpartition('/')[2]}/CognitoIdentityCredentials"
    )
    shown = admin.describe_identity(IdentityId=id)
    assert shown["Logins"] == [provider]
    assert refusal(anyone.get_credentials_for_identity, IdentityId=id) == (
        "NotAuthorizedException",
        f"Access to Identity '{id}' is forbidden.",
    )
    for false in (tokens["AccessToken"], pool.tokens(pool.user())["IdToken"]):
        code, _ = refusal(
            anyone.get_credentials_for_identity, IdentityId=id, Logins={provider: false}
        )
        assert code == "NotAuthorizedException"
    pool.anyone.global_sign_out(AccessToken=tokens["AccessToken"])
    code, _ = refusal(anyone.get_credentials_for_identity, IdentityId=id, Logins=logins)
    assert code == "NotAuthorizedException"


def test_a_guest_gets_the_guests_role(cloud: Any, identities: Any) -> None:
    admin, anyone, made, roles = identities
    id = anyone.get_id(IdentityPoolId=made)["IdentityId"]
    given = anyone.get_credentials_for_identity(IdentityId=id)["Credentials"]
    assert roles["unauthenticated"].rpartition("/")[2] in caller(cloud, given)
    token = anyone.get_open_id_token(IdentityId=id)["Token"]
    assert claims_of(token)["amr"] == ["unauthenticated"]
    code, _ = refusal(
        cloud.client("sts", unsigned=True).assume_role_with_web_identity,
        RoleArn=roles["authenticated"],
        RoleSessionName="guest",
        WebIdentityToken=token,
    )
    assert code == "AccessDenied"
    listed = admin.list_identities(IdentityPoolId=made, MaxResults=60)["Identities"]
    assert id in {one["IdentityId"] for one in listed}
    admin.delete_identities(IdentityIdsToDelete=[id])
    assert refusal(anyone.get_credentials_for_identity, IdentityId=id) == (
        "ResourceNotFoundException",
        f"Identity '{id}' not found.",
    )


def test_rules_and_tokens_choose_roles(cloud: Any, pool: Pool, identities: Any) -> None:
    admin, anyone, made, roles = identities
    provider = f"cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    special = role(cloud, made, "authenticated")
    rule = {"Claim": "nickname", "MatchType": "Equals", "Value": "boss", "RoleARN": special}
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "Deny",
        "RulesConfiguration": {"Rules": [rule]},
    }
    mappings = {f"{provider}:{pool.client}": mapping}
    admin.set_identity_pool_roles(IdentityPoolId=made, Roles=roles, RoleMappings=mappings)
    assert admin.get_identity_pool_roles(IdentityPoolId=made)["RoleMappings"] == mappings

    def credentials(user: str) -> Any:
        logins = {provider: pool.tokens(user)["IdToken"]}
        id = anyone.get_id(IdentityPoolId=made, Logins=logins)["IdentityId"]
        return anyone.get_credentials_for_identity(IdentityId=id, Logins=logins)["Credentials"]

    boss = caller(cloud, credentials(pool.user(nickname="boss")))
    assert special.rpartition("/")[2] in boss
    assert refusal(credentials, pool.user(nickname="clerk"))[0] == "NotAuthorizedException"
    admin.set_identity_pool_roles(IdentityPoolId=made, Roles=roles)
    cloud.client("iam").delete_role(RoleName=special.rpartition("/")[2])


def test_developers_vouch_for_their_own(identities: Any) -> None:
    admin, _, made, _ = identities
    asked = {"IdentityPoolId": made, "Logins": {"login.mine": "ann"}}
    first = admin.get_open_id_token_for_developer_identity(**asked)
    again = admin.get_open_id_token_for_developer_identity(**asked)
    assert first["IdentityId"] == again["IdentityId"]
    assert claims_of(first["Token"])["amr"][:2] == ["authenticated", "login.mine"]


def test_an_identity_pool_is_changed_and_tagged(cloud: Any) -> None:
    admin = cloud.client("cognito-identity")
    made = admin.create_identity_pool(
        IdentityPoolName="closed", AllowUnauthenticatedIdentities=False
    )["IdentityPoolId"]
    anyone = cloud.client("cognito-identity", unsigned=True)
    assert refusal(anyone.get_id, IdentityPoolId=made) == (
        "NotAuthorizedException",
        "Unauthenticated access is not supported for this identity pool.",
    )
    admin.update_identity_pool(
        IdentityPoolId=made, IdentityPoolName="open", AllowUnauthenticatedIdentities=True
    )
    assert admin.describe_identity_pool(IdentityPoolId=made)["IdentityPoolName"] == "open"
    listed = admin.list_identity_pools(MaxResults=60)["IdentityPools"]
    assert made in {one["IdentityPoolId"] for one in listed}
    arn = f"arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{made}"
    admin.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
    admin.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert admin.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "2"}
    code, _ = refusal(
        admin.create_identity_pool,
        IdentityPoolName="no",
        AllowUnauthenticatedIdentities=False,
        SupportedLoginProviders={"graph.facebook.com": "1"},
    )
    assert code == "InvalidParameterException"
    admin.delete_identity_pool(IdentityPoolId=made)
    assert refusal(admin.describe_identity_pool, IdentityPoolId=made)[0] == (
        "ResourceNotFoundException"
    )
