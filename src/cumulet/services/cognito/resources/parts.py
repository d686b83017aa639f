"""What belongs to a pool: clients, domains, resource servers, groups, users.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Cognito.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    NUMBER,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)

_GONE = ("ResourceNotFoundException", "UserNotFoundException")
_TEXTS = list_of(TEXT)


async def _without(ctx: Context, operation: str, **request: Any) -> None:
    """Carry out a deletion; what is already gone is no error."""
    try:
        await ctx.call("cognito-idp", operation, **request)
    except AwsError as error:
        is_gone = error.code in _GONE or error.message.startswith("No such domain")
        if not is_gone:
            raise


_CLIENT = {
    "UserPoolId": TEXT,
    "ClientName": TEXT,
    "GenerateSecret": FLAG,
    "RefreshTokenValidity": NUMBER,
    "AccessTokenValidity": NUMBER,
    "IdTokenValidity": NUMBER,
    "TokenValidityUnits": struct({"AccessToken": TEXT, "IdToken": TEXT, "RefreshToken": TEXT}),
    "ReadAttributes": _TEXTS,
    "WriteAttributes": _TEXTS,
    "ExplicitAuthFlows": _TEXTS,
    "SupportedIdentityProviders": _TEXTS,
    "CallbackURLs": _TEXTS,
    "LogoutURLs": _TEXTS,
    "DefaultRedirectURI": TEXT,
    "AllowedOAuthFlows": _TEXTS,
    "AllowedOAuthScopes": _TEXTS,
    "AllowedOAuthFlowsUserPoolClient": FLAG,
    "PreventUserExistenceErrors": TEXT,
    "EnableTokenRevocation": FLAG,
    "AuthSessionValidity": NUMBER,
    "RefreshTokenRotation": struct({"Feature": TEXT, "RetryGracePeriodSeconds": NUMBER}),
}


async def _create_client(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = {**props, "ClientName": props.get("ClientName") or draft.name(128)}
    found = await _client_before(ctx, request) if draft.resumed else None
    if found is None:
        found = (await ctx.call("cognito-idp", "CreateUserPoolClient", **request))["UserPoolClient"]
    return _client(found)


async def _client_before(ctx: Context, request: dict[str, Any]) -> dict[str, Any] | None:
    """The client of the same name and kind that an earlier try made."""
    pool, token = request["UserPoolId"], dict[str, str]()
    while True:
        page = await ctx.call("cognito-idp", "ListUserPoolClients", UserPoolId=pool, **token)
        for one in page["UserPoolClients"]:
            if one["ClientName"] != request["ClientName"]:
                continue
            who = {"UserPoolId": pool, "ClientId": one["ClientId"]}
            found: dict[str, Any] = (
                await ctx.call("cognito-idp", "DescribeUserPoolClient", **who)
            )["UserPoolClient"]
            if ("ClientSecret" in found) == bool(request.get("GenerateSecret")):
                return found
        if "NextToken" not in page:
            return None
        token = {"NextToken": page["NextToken"]}


def _client(found: dict[str, Any]) -> Provisioned:
    attributes = {"ClientId": found["ClientId"], "Name": found["ClientName"]}
    if "ClientSecret" in found:
        attributes["ClientSecret"] = found["ClientSecret"]
    return Provisioned(found["ClientId"], attributes)


async def _update_client(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    request = {name: value for name, value in new.items() if name != "GenerateSecret"}
    answer = await ctx.call("cognito-idp", "UpdateUserPoolClient", ClientId=physical_id, **request)
    return _client(answer["UserPoolClient"])


async def _delete_client(ctx: Context, physical_id: str, props: Props) -> None:
    pool = props["UserPoolId"]
    await _without(ctx, "DeleteUserPoolClient", UserPoolId=pool, ClientId=physical_id)


async def _create_domain(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    try:
        await ctx.call("cognito-idp", "CreateUserPoolDomain", **props)
    except AwsError:
        shown = await ctx.call("cognito-idp", "DescribeUserPoolDomain", Domain=props["Domain"])
        mine = shown["DomainDescription"].get("UserPoolId") == props["UserPoolId"]
        if not (draft.resumed and mine):
            raise
    return Provisioned(props["Domain"])


async def _update_domain(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    request = {"ManagedLoginVersion": 1, **new}
    await ctx.call("cognito-idp", "UpdateUserPoolDomain", **request)
    return Provisioned(physical_id)


async def _delete_domain(ctx: Context, physical_id: str, props: Props) -> None:
    pool = props["UserPoolId"]
    await _without(ctx, "DeleteUserPoolDomain", UserPoolId=pool, Domain=physical_id)


async def _create_server(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    try:
        await ctx.call("cognito-idp", "CreateResourceServer", **props)
    except AwsError as error:
        if not (draft.resumed and "already exists" in error.message):
            raise
    return Provisioned(props["Identifier"])


async def _update_server(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await ctx.call("cognito-idp", "UpdateResourceServer", **new)
    return Provisioned(physical_id)


async def _delete_server(ctx: Context, physical_id: str, props: Props) -> None:
    pool = props["UserPoolId"]
    await _without(ctx, "DeleteResourceServer", UserPoolId=pool, Identifier=physical_id)


async def _create_group(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("GroupName") or draft.name(128)
    try:
        await ctx.call("cognito-idp", "CreateGroup", **{**props, "GroupName": name})
    except AwsError as error:
        if not (draft.resumed and error.code == "GroupExistsException"):
            raise
    return Provisioned(name)


async def _update_group(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await ctx.call("cognito-idp", "UpdateGroup", **{**new, "GroupName": physical_id})
    return Provisioned(physical_id)


async def _delete_group(ctx: Context, physical_id: str, props: Props) -> None:
    pool = props["UserPoolId"]
    await _without(ctx, "DeleteGroup", UserPoolId=pool, GroupName=physical_id)


_USER = {
    "UserPoolId": TEXT,
    "Username": TEXT,
    "UserAttributes": list_of(struct({"Name": TEXT, "Value": TEXT})),
    "ValidationData": list_of(struct({"Name": TEXT, "Value": TEXT})),
    "DesiredDeliveryMediums": _TEXTS,
    "ForceAliasCreation": FLAG,
    "MessageAction": TEXT,
    "ClientMetadata": map_of(TEXT),
}


async def _create_user(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("Username") or draft.name(128)
    try:
        made = await ctx.call("cognito-idp", "AdminCreateUser", **{**props, "Username": name})
    except AwsError as error:
        if not (draft.resumed and error.code == "UsernameExistsException"):
            raise
        who = {"UserPoolId": props["UserPoolId"], "Username": name}
        return Provisioned((await ctx.call("cognito-idp", "AdminGetUser", **who))["Username"])
    return Provisioned(made["User"]["Username"])


async def _delete_user(ctx: Context, physical_id: str, props: Props) -> None:
    pool = props["UserPoolId"]
    await _without(ctx, "AdminDeleteUser", UserPoolId=pool, Username=physical_id)


async def _create_member(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await ctx.call("cognito-idp", "AdminAddUserToGroup", **props)
    return Provisioned(f"{props['UserPoolId']}|{props['GroupName']}|{props['Username']}")


async def _delete_member(ctx: Context, physical_id: str, props: Props) -> None:
    await _without(ctx, "AdminRemoveUserFromGroup", **props)


_MEMBER = {"UserPoolId": TEXT, "GroupName": TEXT, "Username": TEXT}
_SCOPE = struct({"ScopeName": TEXT, "ScopeDescription": TEXT}, "ScopeName", "ScopeDescription")
PARTS = (
    ResourceType(
        "AWS::Cognito::UserPoolClient",
        struct(_CLIENT, "UserPoolId"),
        create=_create_client,
        update=_update_client,
        delete=_delete_client,
        replace_on=frozenset({"UserPoolId", "GenerateSecret"}),
        attributes=frozenset({"ClientId", "ClientSecret", "Name"}),
    ),
    ResourceType(
        "AWS::Cognito::UserPoolDomain",
        struct(
            {"UserPoolId": TEXT, "Domain": TEXT, "ManagedLoginVersion": NUMBER},
            *("UserPoolId", "Domain"),
        ),
        create=_create_domain,
        update=_update_domain,
        delete=_delete_domain,
        replace_on=frozenset({"UserPoolId", "Domain"}),
    ),
    ResourceType(
        "AWS::Cognito::UserPoolResourceServer",
        struct(
            {"UserPoolId": TEXT, "Identifier": TEXT, "Name": TEXT, "Scopes": list_of(_SCOPE)},
            *("UserPoolId", "Identifier", "Name"),
        ),
        create=_create_server,
        update=_update_server,
        delete=_delete_server,
        replace_on=frozenset({"UserPoolId", "Identifier"}),
    ),
    ResourceType(
        "AWS::Cognito::UserPoolGroup",
        struct(
            {
                "UserPoolId": TEXT,
                "GroupName": TEXT,
                "Description": TEXT,
                "Precedence": NUMBER,
                "RoleArn": TEXT,
            },
            "UserPoolId",
        ),
        create=_create_group,
        update=_update_group,
        delete=_delete_group,
        replace_on=frozenset({"UserPoolId", "GroupName"}),
    ),
    ResourceType(
        "AWS::Cognito::UserPoolUser",
        struct(_USER, "UserPoolId"),
        create=_create_user,
        delete=_delete_user,
    ),
    ResourceType(
        "AWS::Cognito::UserPoolUserToGroupAttachment",
        struct(_MEMBER, *_MEMBER),
        create=_create_member,
        delete=_delete_member,
    ),
)
