"""Temporary credentials.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access.html
"""

import datetime

import pytest
from tests.services.iam.iam_words import User, allow, document, trust


def keys(answer):
    found = answer["Credentials"]
    return (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


@pytest.fixture
def new_role(iam, name):
    """Makes roles that trust somebody and may do something."""

    def make(principal, *statements, suffix="", **settings):
        extra = settings.pop("trusting", {})
        role = iam.create_role(
            RoleName=name + suffix,
            AssumeRolePolicyDocument=trust(principal, *extra.pop("actions", ()), **extra),
            **settings,
        )["Role"]
        if statements:
            iam.put_role_policy(
                RoleName=name + suffix, PolicyName="p", PolicyDocument=document(*statements)
            )
        return role["Arn"]

    return make


def test_a_role_is_assumed_by_whom_it_trusts(cloud, iam, new_user, new_role, name, account):
    user = new_user()
    arn = new_role({"AWS": user.arn}, allow("iam:GetRole"))
    answer = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="first")
    assert answer["AssumedRoleUser"]["Arn"] == (f"arn:aws:sts::{account}:assumed-role/{name}/first")
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    lasts = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=58) < lasts <= datetime.timedelta(hours=1)
    session = cloud.client("sts", key=keys(answer)).get_caller_identity()
    assert session["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert session["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    as_role = cloud.client("iam", key=keys(answer))
    assert as_role.get_role(RoleName=name)["Role"]["Arn"] == arn


def test_others_and_missing_roles_are_refused_alike(new_user, new_role, refused):
    friend, stranger = new_user(), new_user().may(allow("sts:AssumeRole"))
    arn = new_role({"AWS": friend.arn})
    for target in (arn, arn + "-missing"):
        code, message, status = refused(
            stranger.client("sts").assume_role, RoleArn=target, RoleSessionName="me"
        )
        assert (code, status) == ("AccessDenied", 403)
        assert message == (
            f"User: {stranger.arn} is not authorized to perform: sts:AssumeRole on resource: "
            f"{target}"
        )


def test_a_role_that_trusts_the_account_leaves_it_to_the_users_policies(
    new_user, new_role, refused, account
):
    arn = new_role({"AWS": account})
    user = new_user()
    call = user.client("sts").assume_role
    assert refused(call, RoleArn=arn, RoleSessionName="me")[0] == "AccessDenied"
    user.may(allow("sts:AssumeRole", resource=arn))
    call(RoleArn=arn, RoleSessionName="me")


def test_the_account_itself_assumes_nothing(sts, new_role, refused, account):
    arn = new_role({"AWS": account})
    assert refused(sts.assume_role, RoleArn=arn, RoleSessionName="me")[1] == (
        "Roles may not be assumed by root accounts."
    )


def test_an_external_id_must_be_the_agreed_one(new_user, new_role, refused):
    user = new_user()
    agreed = {"Condition": {"StringEquals": {"sts:ExternalId": "agreed"}}}
    arn = new_role({"AWS": user.arn}, trusting=agreed)
    call = user.client("sts").assume_role
    for given in ({}, {"ExternalId": "other"}):
        assert refused(call, RoleArn=arn, RoleSessionName="me", **given)[0] == "AccessDenied"
    call(RoleArn=arn, RoleSessionName="me", ExternalId="agreed")


def test_a_session_has_at_most_what_its_policies_allow(cloud, iam, new_user, new_role, refused):
    user = new_user()
    arn = new_role({"AWS": user.arn}, allow("iam:*"))
    narrow = user.client("sts").assume_role(
        RoleArn=arn, RoleSessionName="me", Policy=document(allow("iam:ListUsers", "s3:*"))
    )
    assert narrow["PackedPolicySize"] > 0
    as_role = cloud.client("iam", key=keys(narrow))
    as_role.list_users()
    assert refused(as_role.list_roles)[1].endswith(
        "because no session policy allows the iam:ListRoles action"
    )
    by_arn = user.client("sts").assume_role(
        RoleArn=arn,
        RoleSessionName="me",
        PolicyArns=[{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}],
    )
    as_reader = cloud.client("iam", key=keys(by_arn))
    as_reader.list_roles()
    assert refused(as_reader.create_user, UserName="nobody")[0] == "AccessDenied"
    bad = {"RoleArn": arn, "RoleSessionName": "me", "Policy": "nonsense"}
    assert refused(user.client("sts").assume_role, **bad)[0] == "MalformedPolicyDocument"


def test_durations_have_rules(cloud, new_user, new_role, refused):
    user = new_user()
    arn = new_role({"AWS": user.arn}, allow("sts:AssumeRole"), MaxSessionDuration=7200)
    call = user.client("sts").assume_role
    first = call(RoleArn=arn, RoleSessionName="me", DurationSeconds=7200)
    code, message, _ = refused(call, RoleArn=arn, RoleSessionName="me", DurationSeconds=7201)
    assert code == "ValidationError"
    assert message == (
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    )
    # boto3 would refuse this by itself.
    frank = cloud.client("sts", key=user.key, parameter_validation=False)
    short = {"RoleArn": arn, "RoleSessionName": "me", "DurationSeconds": 899}
    assert refused(frank.assume_role, **short)[0] == "ValidationError"
    second = new_role({"AWS": arn}, suffix="-2", MaxSessionDuration=7200)
    chained = cloud.client("sts", key=keys(first)).assume_role
    code, message, _ = refused(chained, RoleArn=second, RoleSessionName="me", DurationSeconds=3601)
    assert code == "ValidationError"
    assert "role chaining" in message
    chained(RoleArn=second, RoleSessionName="me", DurationSeconds=3600)


def test_tags_of_a_session_are_its_principals_tags(cloud, new_user, new_role, refused):
    user = new_user()
    whole = {"actions": ("sts:AssumeRole", "sts:TagSession")}
    wanted = {"StringEquals": {"aws:PrincipalTag/Team": "blue"}}
    first = new_role(
        {"AWS": user.arn},
        allow("iam:ListUsers", Condition=wanted),
        allow("sts:AssumeRole", "sts:TagSession"),
        trusting=whole,
        Tags=[{"Key": "Team", "Value": "red"}],
    )
    call = user.client("sts").assume_role
    plain = call(RoleArn=first, RoleSessionName="me")
    assert refused(cloud.client("iam", key=keys(plain)).list_users)[0] == "AccessDenied"
    tagged = call(
        RoleArn=first,
        RoleSessionName="me",
        Tags=[{"Key": "Team", "Value": "blue"}],
        TransitiveTagKeys=["Team"],
    )
    cloud.client("iam", key=keys(tagged)).list_users()
    # A transitive tag goes with the caller into the next session, and cannot be replaced there.
    second = new_role(
        {"AWS": first},
        allow("iam:ListUsers", Condition=wanted),
        suffix="-2",
        trusting={"actions": ("sts:AssumeRole", "sts:TagSession")},
    )
    chained = cloud.client("sts", key=keys(tagged)).assume_role
    answer = chained(RoleArn=second, RoleSessionName="me")
    cloud.client("iam", key=keys(answer)).list_users()
    again = {"Tags": [{"Key": "team", "Value": "green"}]}
    assert refused(chained, RoleArn=second, RoleSessionName="me", **again)[0] == "ValidationError"


def test_tags_need_a_trust_that_allows_them(new_user, new_role, refused):
    user = new_user()
    arn = new_role({"AWS": user.arn})
    code, message, _ = refused(
        user.client("sts").assume_role,
        RoleArn=arn,
        RoleSessionName="me",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    assert code == "AccessDenied"
    assert "sts:TagSession" in message


def test_a_source_identity_stays_for_good(cloud, new_user, new_role, refused):
    user = new_user()
    actions = {"actions": ("sts:AssumeRole", "sts:SetSourceIdentity")}
    first = new_role({"AWS": user.arn}, allow("sts:*"), trusting=dict(actions))
    second = new_role({"AWS": first}, suffix="-2", trusting=dict(actions))
    answer = user.client("sts").assume_role(
        RoleArn=first, RoleSessionName="me", SourceIdentity="bob"
    )
    assert answer["SourceIdentity"] == "bob"
    chained = cloud.client("sts", key=keys(answer)).assume_role
    assert chained(RoleArn=second, RoleSessionName="me")["SourceIdentity"] == "bob"
    other = {"RoleArn": second, "RoleSessionName": "me", "SourceIdentity": "eve"}
    assert refused(chained, **other)[0] == "AccessDenied"


def test_a_session_of_a_role_that_is_gone_or_new_may_nothing(
    cloud, iam, new_user, new_role, name, refused
):
    user = new_user()
    arn = new_role({"AWS": user.arn}, allow("iam:ListUsers"))
    answer = user.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    as_role = cloud.client("iam", key=keys(answer))
    as_role.list_users()
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)
    assert refused(as_role.list_users)[0] == "AccessDenied"
    new_role({"AWS": user.arn}, allow("iam:ListUsers"))
    assert refused(as_role.list_users)[0] == "AccessDenied"


@pytest.mark.parametrize("change", ["key", "token", "secret", "none"])
def test_key_secret_and_token_belong_together(cloud, new_user, new_role, refused, change):
    user = new_user()
    call = user.client("sts").assume_role
    arn = new_role({"AWS": user.arn})
    one = keys(call(RoleArn=arn, RoleSessionName="one"))
    two = keys(call(RoleArn=arn, RoleSessionName="two"))
    mixed = {
        "key": (two[0], one[1], one[2]),
        "token": (one[0], one[1], two[2]),
        "secret": (one[0], two[1], one[2]),
        "none": (one[0], one[1]),
    }[change]
    code = refused(cloud.client("sts", key=mixed).get_caller_identity)[0]
    assert code == ("SignatureDoesNotMatch" if change == "secret" else "InvalidClientTokenId")


def test_a_token_cannot_be_altered(cloud, new_user, new_role, refused):
    user = new_user()
    arn = new_role({"AWS": user.arn})
    key, secret, token = keys(user.client("sts").assume_role(RoleArn=arn, RoleSessionName="me"))
    for altered in (token[:-8] + "AAAAAAA=", "A" + token[1:], "nonsense", token * 20):
        if altered != token:
            client = cloud.client("sts", key=(key, secret, altered))
            assert refused(client.get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_session_of_a_user_is_the_user(cloud, iam, new_user, refused):
    user = new_user().may(allow("iam:GetUser", "iam:ListAccessKeys"))
    session = keys(user.client("sts").get_session_token(DurationSeconds=900))
    assert cloud.client("sts", key=session).get_caller_identity()["Arn"] == user.arn
    assert cloud.client("iam", key=session).get_user()["User"]["UserName"] == user.name
    again = refused(cloud.client("sts", key=session).get_session_token)
    assert again[:2] == ("AccessDenied", "Cannot call GetSessionToken with session credentials")


def test_a_federated_user_has_what_both_allow(cloud, new_user, account, refused):
    user = new_user().may(allow("sts:GetFederationToken", "iam:ListUsers", "iam:ListRoles"))
    answer = user.client("sts").get_federation_token(
        Name="guest", Policy=document(allow("iam:ListUsers", "iam:ListGroups"))
    )
    assert answer["FederatedUser"]["Arn"] == f"arn:aws:sts::{account}:federated-user/guest"
    guest = cloud.client("iam", key=keys(answer))
    guest.list_users()
    for call in (guest.list_roles, guest.list_groups):
        assert refused(call)[0] == "AccessDenied"
    bare = user.client("sts").get_federation_token(Name="guest")
    assert refused(cloud.client("iam", key=keys(bare)).list_users)[0] == "AccessDenied"
    assert cloud.client("sts", key=keys(bare)).get_caller_identity()["UserId"] == f"{account}:guest"


def test_the_account_of_a_key_is_told(sts, cloud, new_user, new_role, account, refused):
    user = new_user()
    arn = new_role({"AWS": user.arn})
    session = keys(user.client("sts").assume_role(RoleArn=arn, RoleSessionName="me"))
    for key in (user.key[0], session[0]):
        assert sts.get_access_key_info(AccessKeyId=key)["Account"] == account
    assert refused(sts.get_access_key_info, AccessKeyId="AKIA" + "B" * 16)[0] == "ValidationError"


def test_a_web_identity_without_an_issuer_is_refused(cloud, new_role, account, refused):
    arn = new_role({"AWS": account})
    unsigned = cloud.client("sts", unsigned=True)
    code, _, status = refused(
        unsigned.assume_role_with_web_identity,
        RoleArn=arn,
        RoleSessionName="me",
        WebIdentityToken="header.claims.signature",
    )
    assert (code, status) == ("InvalidIdentityToken", 400)


def test_roles_of_other_accounts_need_both_sides(new_cloud, refused):
    cloud = new_cloud("--key", "222233334444:second-secret")
    here, there = cloud.client("iam"), cloud.client("iam", key=("222233334444", "second-secret"))
    assert there.get_user()["User"]["Arn"] == "arn:aws:iam::222233334444:root"
    user = User(cloud, there, "guest")
    arn = here.create_role(
        RoleName="host", AssumeRolePolicyDocument=trust({"AWS": "222233334444"})
    )["Role"]["Arn"]
    here.put_role_policy(
        RoleName="host", PolicyName="p", PolicyDocument=document(allow("iam:GetRole"))
    )
    call = user.client("sts").assume_role
    assert refused(call, RoleArn=arn, RoleSessionName="me")[0] == "AccessDenied"
    user.may(allow("sts:AssumeRole", resource=arn))
    session = keys(call(RoleArn=arn, RoleSessionName="me"))
    # The session acts in the role's account, where the other's entities are not.
    as_host = cloud.client("iam", key=session)
    assert as_host.get_role(RoleName="host")["Role"]["Arn"] == arn
    here.update_assume_role_policy(
        RoleName="host", PolicyDocument=trust({"Service": "lambda.amazonaws.com"})
    )
    assert refused(call, RoleArn=arn, RoleSessionName="me")[0] == "AccessDenied"
