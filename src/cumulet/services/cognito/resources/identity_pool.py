"""AWS::Cognito::IdentityPool and its roles.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Cognito.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)

_STEP = "aws:cloudformation:step"
_PAGE = 60


def _request(props: Props, draft: Draft) -> dict[str, Any]:
    tags = {one["Key"]: one["Value"] for one in props.get("IdentityPoolTags", ())}
    return {
        **props,
        "IdentityPoolName": props.get("IdentityPoolName") or draft.name(128),
        "IdentityPoolTags": {**tags, _STEP: draft.token},
    }


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = _request(props, draft)
    found = await _made_before(ctx, draft) if draft.resumed else None
    if found is None:
        made = await ctx.call("cognito-identity", "CreateIdentityPool", **request)
        found = made["IdentityPoolId"]
    return Provisioned(found, {"Name": request["IdentityPoolName"]})


async def _made_before(ctx: Context, draft: Draft) -> str | None:
    """The identity pool that an earlier try of the same step made."""
    token: dict[str, str] = {}
    while True:
        page = await ctx.call("cognito-identity", "ListIdentityPools", MaxResults=_PAGE, **token)
        for one in page["IdentityPools"]:
            id: str = one["IdentityPoolId"]
            shown = await ctx.call("cognito-identity", "DescribeIdentityPool", IdentityPoolId=id)
            if shown["IdentityPoolTags"].get(_STEP) == draft.token:
                return id
        if "NextToken" not in page:
            return None
        token = {"NextToken": page["NextToken"]}


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    request = _request(new, draft)
    if "IdentityPoolName" not in new:
        shown = await ctx.call(
            "cognito-identity", "DescribeIdentityPool", IdentityPoolId=physical_id
        )
        request["IdentityPoolName"] = shown["IdentityPoolName"]
    await ctx.call("cognito-identity", "UpdateIdentityPool", IdentityPoolId=physical_id, **request)
    return Provisioned(physical_id, {"Name": request["IdentityPoolName"]})


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("cognito-identity", "DeleteIdentityPool", IdentityPoolId=physical_id)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


async def _attach(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    mappings = {
        given.get("IdentityProvider", name): {
            key: value for key, value in given.items() if key != "IdentityProvider"
        }
        for name, given in props.get("RoleMappings", {}).items()
    }
    await ctx.call(
        "cognito-identity",
        "SetIdentityPoolRoles",
        IdentityPoolId=props["IdentityPoolId"],
        Roles=props.get("Roles", {}),
        RoleMappings=mappings,
    )
    return Provisioned(props["IdentityPoolId"])


async def _reattach(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _attach(ctx, new, draft)


async def _detach(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call(
            "cognito-identity",
            "SetIdentityPoolRoles",
            IdentityPoolId=physical_id,
            Roles={},
            RoleMappings={},
        )
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


_PROVIDER = struct({"ProviderName": TEXT, "ClientId": TEXT, "ServerSideTokenCheck": FLAG})
_RULE = struct({"Claim": TEXT, "MatchType": TEXT, "Value": TEXT, "RoleARN": TEXT})
_MAPPING = struct(
    {
        "IdentityProvider": TEXT,
        "Type": TEXT,
        "AmbiguousRoleResolution": TEXT,
        "RulesConfiguration": struct({"Rules": list_of(_RULE)}),
    },
    "Type",
)
IDENTITY_POOLS = (
    ResourceType(
        "AWS::Cognito::IdentityPool",
        struct(
            {
                "IdentityPoolName": TEXT,
                "AllowUnauthenticatedIdentities": FLAG,
                "AllowClassicFlow": FLAG,
                "DeveloperProviderName": TEXT,
                "CognitoIdentityProviders": list_of(_PROVIDER),
                "IdentityPoolTags": TAGS,
            },
            "AllowUnauthenticatedIdentities",
        ),
        create=_create,
        update=_update,
        delete=_delete,
        attributes=frozenset({"Name"}),
    ),
    ResourceType(
        "AWS::Cognito::IdentityPoolRoleAttachment",
        struct(
            {"IdentityPoolId": TEXT, "Roles": map_of(TEXT), "RoleMappings": map_of(_MAPPING)},
            "IdentityPoolId",
        ),
        create=_attach,
        update=_reattach,
        delete=_detach,
        replace_on=frozenset({"IdentityPoolId"}),
    ),
)
