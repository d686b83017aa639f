"""Managed and inline policies, attachments and boundaries.

Messages: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

import json

import pytest
from tests.services.iam.iam_words import allow, document, trust

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ONE = document(allow("s3:GetObject"))
TWO = document(allow("s3:PutObject"))


def test_a_managed_policy_has_versions(iam, name, refused):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=ONE, Description="d")["Policy"]["Arn"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    second = iam.create_policy_version(PolicyArn=arn, PolicyDocument=TWO)["PolicyVersion"]
    assert (second["VersionId"], second["IsDefaultVersion"]) == ("v2", False)
    third = iam.create_policy_version(PolicyArn=arn, PolicyDocument=TWO, SetAsDefault=True)
    assert third["PolicyVersion"]["IsDefaultVersion"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert found["Document"] == json.loads(ONE)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    for _ in range(2):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=ONE)
    code, message, _ = refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=ONE)
    assert code == "LimitExceeded"
    assert message.startswith("A managed policy can have up to 5 versions.")
    assert refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v1")[1] == (
        "Cannot delete the default version of a policy."
    )
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    for number in range(2, 6):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    # Numbers are not given twice.
    again = iam.create_policy_version(PolicyArn=arn, PolicyDocument=ONE)["PolicyVersion"]
    assert again["VersionId"] == "v6"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v6")
    iam.delete_policy(PolicyArn=arn)
    assert refused(iam.get_policy, PolicyArn=arn)[0] == "NoSuchEntity"
    assert refused(iam.get_policy_version, PolicyArn=arn, VersionId="v1")[0] == "NoSuchEntity"


def test_a_policy_name_is_taken_once(iam, name, refused):
    iam.create_policy(PolicyName=name, PolicyDocument=ONE)
    assert refused(iam.create_policy, PolicyName=name, PolicyDocument=ONE) == (
        "EntityAlreadyExists",
        f"A policy called {name} already exists. Duplicate names are not allowed.",
        409,
    )


def test_a_malformed_document_is_refused_wherever_it_is_given(iam, name, refused):
    iam.create_user(UserName=name)
    bad = document({"Effect": "Allow", "Action": "s3:GetObject"})
    expected = ("MalformedPolicyDocument", "Policy statement must contain resources.", 400)
    assert refused(iam.create_policy, PolicyName=name, PolicyDocument=bad) == expected
    put = {"UserName": name, "PolicyName": "p", "PolicyDocument": bad}
    assert refused(iam.put_user_policy, **put) == expected


def test_policies_have_a_largest_size(iam, name, refused):
    large = document(allow("s3:GetObject", resource=[f"arn:aws:s3:::{'b' * 60}"] * 100))
    code, message, _ = refused(iam.create_policy, PolicyName=name, PolicyDocument=large)
    assert (code, message) == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    iam.create_user(UserName=name)
    code, message, _ = refused(
        iam.put_user_policy, UserName=name, PolicyName="p", PolicyDocument=large
    )
    assert code == "LimitExceeded"
    assert message == f"Maximum policy size of 2048 bytes exceeded for user {name}"


def test_white_space_does_not_count(iam, name):
    iam.create_user(UserName=name)
    airy = json.dumps(json.loads(ONE), indent=400)
    assert len(airy) > 2_048
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=airy)


@pytest.mark.parametrize(
    ("kind", "put", "get", "listing", "delete"),
    [
        (
            "user",
            *("put_user_policy", "get_user_policy", "list_user_policies", "delete_user_policy"),
        ),
        (
            "group",
            *("put_group_policy", "get_group_policy", "list_group_policies", "delete_group_policy"),
        ),
        (
            "role",
            *("put_role_policy", "get_role_policy", "list_role_policies", "delete_role_policy"),
        ),
    ],
)
def test_inline_policies_of_every_kind(iam, name, refused, kind, put, get, listing, delete):
    who = _made(iam, kind, name)
    put, get, delete = getattr(iam, put), getattr(iam, get), getattr(iam, delete)
    for policy in ("b", "a"):
        put(PolicyName=policy, PolicyDocument=ONE, **who)
    put(PolicyName="a", PolicyDocument=TWO, **who)
    assert getattr(iam, listing)(**who)["PolicyNames"] == ["a", "b"]
    assert get(PolicyName="a", **who)["PolicyDocument"] == json.loads(TWO)
    delete(PolicyName="a", **who)
    assert getattr(iam, listing)(**who)["PolicyNames"] == ["b"]
    for call in (get, delete):
        code, message, status = refused(call, PolicyName="a", **who)
        assert (code, status) == ("NoSuchEntity", 404)
        assert message == f"The {kind} policy with name a cannot be found."


@pytest.mark.parametrize(
    ("kind", "attach", "listing", "detach"),
    [
        ("user", "attach_user_policy", "list_attached_user_policies", "detach_user_policy"),
        ("group", "attach_group_policy", "list_attached_group_policies", "detach_group_policy"),
        ("role", "attach_role_policy", "list_attached_role_policies", "detach_role_policy"),
    ],
)
def test_attachments_of_every_kind(iam, name, refused, kind, attach, listing, detach):
    who = _made(iam, kind, name)
    attach, listing, detach = getattr(iam, attach), getattr(iam, listing), getattr(iam, detach)
    arn = iam.create_policy(PolicyName=name, PolicyDocument=ONE, Path="/own/")["Policy"]["Arn"]
    for policy in (arn, BASIC, arn):
        attach(PolicyArn=policy, **who)
    assert {one["PolicyArn"] for one in listing(**who)["AttachedPolicies"]} == {arn, BASIC}
    only = listing(PathPrefix="/own/", **who)["AttachedPolicies"]
    assert only == [{"PolicyName": name, "PolicyArn": arn}]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    held = iam.list_entities_for_policy(PolicyArn=arn)
    assert [one[f"{kind.capitalize()}Name"] for one in held[f"Policy{kind.capitalize()}s"]] == [
        name
    ]
    assert refused(iam.delete_policy, PolicyArn=arn)[1] == (
        "Cannot delete a policy attached to entities."
    )
    detach(PolicyArn=arn, **who)
    code, message, _ = refused(detach, PolicyArn=arn, **who)
    assert (code, message) == ("NoSuchEntity", f"Policy {arn} was not found.")
    missing = arn + "-no"
    code, message, _ = refused(attach, PolicyArn=missing, **who)
    assert code == "NoSuchEntity"
    assert message == f"Policy {missing} does not exist or is not attachable."


def test_versions_are_listed_from_the_newest(iam, name):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=ONE)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=TWO)
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(one["VersionId"], one["IsDefaultVersion"]) for one in versions] == [
        ("v2", False),
        ("v1", True),
    ]
    assert all("Document" not in one for one in versions)


def test_tags_of_policies(iam, name):
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    made = iam.create_policy(PolicyName=name, PolicyDocument=ONE, Tags=tags[:1])["Policy"]
    iam.tag_policy(PolicyArn=made["Arn"], Tags=tags[1:])
    assert iam.list_policy_tags(PolicyArn=made["Arn"])["Tags"] == tags
    iam.untag_policy(PolicyArn=made["Arn"], TagKeys=["a"])
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"]["Tags"] == tags[1:]


def test_boundaries_of_roles(iam, name, refused):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=ONE)["Policy"]["Arn"]
    who = _made(iam, "role", name)
    iam.put_role_permissions_boundary(PermissionsBoundary=arn, **who)
    told = iam.get_role(**who)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert told == arn
    held = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert [one["RoleName"] for one in held["PolicyRoles"]] == [name]
    iam.delete_role_permissions_boundary(**who)
    assert "PermissionsBoundary" not in iam.get_role(**who)["Role"]
    assert refused(iam.delete_role_permissions_boundary, **who)[0] == "NoSuchEntity"


def test_the_keys_that_policies_look_at(iam):
    looking = allow(
        "s3:GetObject",
        resource="arn:aws:s3:::b/${aws:username}/*",
        Condition={"StringEquals": {"s3:prefix": "${aws:PrincipalTag/team, 'all'}"}},
    )
    found = iam.get_context_keys_for_custom_policy(PolicyInputList=[document(looking)])
    assert found["ContextKeyNames"] == ["aws:PrincipalTag/team", "aws:username", "s3:prefix"]


def _made(iam, kind, name):
    if kind == "role":
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}),
        )
    else:
        getattr(iam, f"create_{kind}")(**{f"{kind.capitalize()}Name": name})
    return {f"{kind.capitalize()}Name": name}


def test_at_most_ten_policies_are_attached(iam, name, refused):
    iam.create_user(UserName=name)
    for number in range(11):
        arn = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=ONE)["Policy"]["Arn"]
        if number < 10:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
    assert refused(iam.attach_user_policy, UserName=name, PolicyArn=arn) == (
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerUser: 10",
        409,
    )


def test_policies_of_aws_are_there_and_cannot_be_changed(iam, refused):
    policy = iam.get_policy(PolicyArn=BASIC)["Policy"]
    assert policy["PolicyName"] == "AWSLambdaBasicExecutionRole"
    version = iam.get_policy_version(PolicyArn=BASIC, VersionId=policy["DefaultVersionId"])
    actions = version["PolicyVersion"]["Document"]["Statement"][0]["Action"]
    assert "logs:PutLogEvents" in actions
    assert refused(iam.delete_policy, PolicyArn=BASIC)[0] == "InvalidInput"
    pages = iam.get_paginator("list_policies").paginate(
        Scope="AWS", PaginationConfig={"PageSize": 25}
    )
    names = [one["PolicyName"] for page in pages for one in page["Policies"]]
    assert len(names) == len(set(names)) > 50
    assert {"AdministratorAccess", "AWSLambdaBasicExecutionRole", "ReadOnlyAccess"} <= set(names)


def test_every_policy_of_aws_can_be_used(iam, new_user):
    # Ten at a time are parsed when the user asks for something.
    user = new_user()
    arns = [
        one["Arn"]
        for page in iam.get_paginator("list_policies").paginate(Scope="AWS")
        for one in page["Policies"]
        if one["PolicyName"] not in ("AWSDenyAll",)
    ]
    for start in range(0, len(arns), 10):
        chosen = [*arns[start : start + 9], "arn:aws:iam::aws:policy/IAMReadOnlyAccess"]
        for arn in chosen:
            iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
        user.client("iam").get_user()
        for arn in dict.fromkeys(chosen):
            iam.detach_user_policy(UserName=user.name, PolicyArn=arn)


def test_a_boundary_limits_and_is_told(iam, new_user, name, refused):
    user = new_user().may(allow("iam:*"))
    arn = iam.create_policy(PolicyName=name, PolicyDocument=document(allow("iam:GetUser")))
    arn = arn["Policy"]["Arn"]
    mine = user.client("iam")
    mine.list_users()
    iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=arn)
    mine.get_user()
    code, message, _ = refused(mine.list_users)
    assert code == "AccessDenied"
    assert message.endswith("because no permissions boundary allows the iam:ListUsers action")
    told = iam.get_user(UserName=user.name)["User"]["PermissionsBoundary"]
    assert told == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.delete_user_permissions_boundary(UserName=user.name)
    mine.list_users()


def test_a_helper_may_only_make_users_with_the_boundary_it_was_told(iam, new_user, name, refused):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=ONE)["Policy"]["Arn"]
    bounded = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    admin = new_user().may(allow("iam:CreateUser", "iam:PutUserPolicy", Condition=bounded))
    mine = admin.client("iam")
    assert refused(mine.create_user, UserName=f"{name}-free")[0] == "AccessDenied"
    mine.create_user(UserName=f"{name}-bound", PermissionsBoundary=arn)
    mine.put_user_policy(UserName=f"{name}-bound", PolicyName="p", PolicyDocument=ONE)
    put = {"UserName": admin.name, "PolicyName": "p", "PolicyDocument": ONE}
    assert refused(mine.put_user_policy, **put)[0] == "AccessDenied"


def test_permissions_are_asked_for_the_whole_arn(iam, new_user, refused):
    admin = new_user().may(allow("iam:GetUser", resource="arn:aws:iam::*:user/team/*"))
    inside, outside = new_user("/team/"), new_user("/other/")
    admin.client("iam").get_user(UserName=inside.name)
    code, message, status = refused(admin.client("iam").get_user, UserName=outside.name)
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        f"User: {admin.arn} is not authorized to perform: iam:GetUser on resource: {outside.arn} "
        "because no identity-based policy allows the iam:GetUser action"
    )


def test_an_explicit_deny_is_told(iam, new_user, refused):
    user = new_user().may(allow("iam:*"), {**allow("iam:ListRoles"), "Effect": "Deny"})
    message = refused(user.client("iam").list_roles)[1]
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_change_of_a_policy_counts_at_once(iam, new_user, name, refused):
    user = new_user()
    arn = iam.create_policy(PolicyName=name, PolicyDocument=document(allow("iam:ListUsers")))
    arn = arn["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    mine = user.client("iam")
    for version in range(3):
        mine.list_users()
        other = document(allow("s3:*"))
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=other, SetAsDefault=True)
        assert refused(mine.list_users)[0] == "AccessDenied"
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{version + 2}")


def test_simulations_tell_what_would_be_decided(iam, new_user):
    user = new_user().may(allow("s3:Get*", Condition={"Bool": {"aws:SecureTransport": "true"}}))

    def decided(context):
        found = iam.simulate_principal_policy(
            PolicySourceArn=user.arn,
            ActionNames=["s3:GetObject", "s3:PutObject"],
            ContextEntries=context,
        )
        return [one["EvalDecision"] for one in found["EvaluationResults"]]

    secure = [
        {
            "ContextKeyName": "aws:SecureTransport",
            "ContextKeyValues": ["true"],
            "ContextKeyType": "boolean",
        }
    ]
    assert decided([]) == ["implicitDeny", "implicitDeny"]
    assert decided(secure) == ["allowed", "implicitDeny"]
    found = iam.get_context_keys_for_principal_policy(PolicySourceArn=user.arn)
    assert found["ContextKeyNames"] == ["aws:SecureTransport"]


def test_custom_policies_can_be_simulated(iam, refused):
    found = iam.simulate_custom_policy(
        PolicyInputList=[document(allow("s3:*"), {**allow("s3:PutObject"), "Effect": "Deny"})],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::b/k"],
    )["EvaluationResults"]
    assert [one["EvalDecision"] for one in found] == ["allowed", "explicitDeny"]
    assert found[1]["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"
    bad = {"PolicyInputList": ["nonsense"], "ActionNames": ["s3:GetObject"]}
    assert refused(iam.simulate_custom_policy, **bad)[0] == "InvalidInput"
