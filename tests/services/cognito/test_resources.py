"""Stacks with pools, clients, groups, users, domains and identity pools."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import WaiterError
from tests.services.cognito.client import name, refusal

OFTEN = {"Delay": 0.2, "MaxAttempts": 300}


OF_POOL = {"UserPoolId": {"Ref": "Pool"}}


def resource(kind: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": f"AWS::Cognito::{kind}", "Properties": properties, **more}


def of_pool(kind: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return resource(f"UserPool{kind}", {**OF_POOL, **properties}, **more)


def pool_itself(domain: str, more: dict[str, Any]) -> dict[str, Any]:
    properties = {
        "UserPoolName": domain,
        "UsernameAttributes": ["email"],
        "AutoVerifiedAttributes": ["email"],
        "MfaConfiguration": "OPTIONAL",
        "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
        "Policies": {"PasswordPolicy": {"MinimumLength": "10"}},
        "Schema": [{"Name": "email", "Required": True, "Mutable": True}],
        **more,
    }
    return resource("UserPool", properties)


def people() -> dict[str, Any]:
    user = {
        "Username": "ann@example.com",
        "UserAttributes": [{"Name": "email", "Value": "ann@example.com"}],
        "MessageAction": "SUPPRESS",
    }
    member = {"GroupName": {"Ref": "Group"}, "Username": {"Ref": "User"}}
    return {
        "Group": of_pool("Group", {"GroupName": "staff", "Precedence": 1}),
        "User": of_pool("User", user),
        "Member": of_pool("UserToGroupAttachment", member),
    }


def identities() -> dict[str, Any]:
    provider = {
        "ClientId": {"Ref": "Client"},
        "ProviderName": {"Fn::GetAtt": ["Pool", "ProviderName"]},
    }
    pool = {"AllowUnauthenticatedIdentities": False, "CognitoIdentityProviders": [provider]}
    roles = {
        "IdentityPoolId": {"Ref": "Identities"},
        "Roles": {"authenticated": "arn:aws:iam::000000000000:role/in"},
    }
    return {
        "Identities": resource("IdentityPool", pool),
        "Roles": resource("IdentityPoolRoleAttachment", roles),
    }


def template(domain: str, **pool: Any) -> dict[str, Any]:
    client = {
        "GenerateSecret": True,
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["client_credentials"],
        "AllowedOAuthScopes": ["api/read"],
    }
    scope = {"ScopeName": "read", "ScopeDescription": "Read"}
    return {
        "Resources": {
            "Pool": pool_itself(domain, pool),
            "Client": of_pool("Client", client, DependsOn="Server"),
            "Server": of_pool(
                "ResourceServer", {"Identifier": "api", "Name": "api", "Scopes": [scope]}
            ),
            "Domain": of_pool("Domain", {"Domain": domain}),
            **people(),
            **identities(),
        },
        "Outputs": {
            "Pool": {"Value": {"Ref": "Pool"}},
            "Arn": {"Value": {"Fn::GetAtt": ["Pool", "Arn"]}},
            "Client": {"Value": {"Ref": "Client"}},
            "Secret": {"Value": {"Fn::GetAtt": ["Client", "ClientSecret"]}},
            "Identities": {"Value": {"Ref": "Identities"}},
        },
    }


def wait(stacks: Any, stack: str, waiter: str) -> dict[str, str]:
    try:
        stacks.get_waiter(waiter).wait(StackName=stack, WaiterConfig=OFTEN)
    except WaiterError as error:
        events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
        raise AssertionError([e.get("ResourceStatusReason") for e in events]) from error
    (found,) = stacks.describe_stacks(StackName=stack)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}


def test_a_stack_makes_changes_and_deletes_everything(cloud: Any) -> None:
    stacks, idp = cloud.client("cloudformation"), cloud.client("cognito-idp")
    stack = name("people")
    stacks.create_stack(StackName=stack, TemplateBody=json.dumps(template(stack)))
    out = wait(stacks, stack, "stack_create_complete")
    pool = out["Pool"]
    assert out["Arn"].endswith(f"userpool/{pool}")
    shown = idp.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert shown["Policies"]["PasswordPolicy"]["MinimumLength"] == 10
    assert idp.get_user_pool_mfa_config(UserPoolId=pool)["SoftwareTokenMfaConfiguration"] == {
        "Enabled": True
    }
    client = idp.describe_user_pool_client(UserPoolId=pool, ClientId=out["Client"])
    assert client["UserPoolClient"]["ClientSecret"] == out["Secret"]
    members = idp.list_users_in_group(UserPoolId=pool, GroupName="staff")["Users"]
    assert len(members) == 1
    roles = cloud.client("cognito-identity").get_identity_pool_roles(
        IdentityPoolId=out["Identities"]
    )
    assert roles["Roles"] == {"authenticated": "arn:aws:iam::000000000000:role/in"}
    changed = template(
        stack,
        Policies={"PasswordPolicy": {"MinimumLength": 14}},
        Schema=[
            {"Name": "email", "Required": True, "Mutable": True},
            {"Name": "team", "AttributeDataType": "String", "Mutable": True},
        ],
    )
    stacks.update_stack(StackName=stack, TemplateBody=json.dumps(changed))
    assert wait(stacks, stack, "stack_update_complete")["Pool"] == pool
    shown = idp.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert shown["Policies"]["PasswordPolicy"]["MinimumLength"] == 14
    assert "custom:team" in {one["Name"] for one in shown["SchemaAttributes"]}
    stacks.delete_stack(StackName=stack)
    stacks.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=OFTEN)
    assert refusal(idp.describe_user_pool, UserPoolId=pool)[0] == "ResourceNotFoundException"


def test_a_property_that_cannot_be_honoured_fails_the_stack(cloud: Any) -> None:
    stacks, stack = cloud.client("cloudformation"), name("people")
    body = {
        "Resources": {
            "Pool": {
                "Type": "AWS::Cognito::UserPool",
                "Properties": {"DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True}},
            }
        }
    }
    try:
        stacks.create_stack(StackName=stack, TemplateBody=json.dumps(body), OnFailure="DO_NOTHING")
        stacks.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=OFTEN)
    except WaiterError:
        events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
        assert any("DeviceConfiguration" in e.get("ResourceStatusReason", "") for e in events)
        stacks.delete_stack(StackName=stack)
    else:
        raise AssertionError("the stack was made")
