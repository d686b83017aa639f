"""Access keys, memberships and identity providers.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.resources import (
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.credentials import SECRET_PURPOSE
from cumulet.services.iam.model import AccessKey
from cumulet.services.iam.resources.telling import (
    TEXTS,
    is_ours,
    made_already,
    own_tags,
    retag,
    tell,
    unless_gone,
    with_origin,
)


async def _create_key(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    user = props["UserName"]
    key = (await tell(ctx, "CreateAccessKey", UserName=user))["AccessKey"]
    with made_already(key["AccessKeyId"]):
        await _set_status(ctx, key["AccessKeyId"], user, props)
    return Provisioned(key["AccessKeyId"], {"SecretAccessKey": key["SecretAccessKey"]})


async def _set_status(ctx: Context, key_id: str, user: str, props: Props) -> None:
    await tell(
        ctx,
        "UpdateAccessKey",
        UserName=user,
        AccessKeyId=key_id,
        Status=props.get("Status", "Active"),
    )


async def _update_key(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _set_status(ctx, physical_id, new["UserName"], new)
    # No operation tells a secret twice, and the stack must not lose it.
    key = await ctx.transact(_load_key, physical_id)
    if key is None:
        return Provisioned(physical_id)
    sealer = ctx.need(Sealer)
    secret = sealer.unseal(key.sealed, SECRET_PURPOSE).decode()
    return Provisioned(physical_id, {"SecretAccessKey": secret})


async def _load_key(tx: Transaction, scope: Scope, key_id: str) -> AccessKey | None:
    key = await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id)
    return key if key is not None and key.account == scope.account else None


async def _delete_key(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx, "DeleteAccessKey", UserName=props["UserName"], AccessKeyId=physical_id)


async def _read_key(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx, "ListAccessKeys", UserName=props["UserName"])
    for key in () if found is None else found["AccessKeyMetadata"]:
        if key["AccessKeyId"] == physical_id:
            return {"UserName": key["UserName"], "Status": key["Status"]}
    return None


async def _create_addition(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    physical_id = draft.name(128)
    with made_already(physical_id):
        await _bring(ctx, {}, props)
    return Provisioned(physical_id)


async def _bring(ctx: Context, old: Props, new: Props) -> None:
    before = {(old.get("GroupName", ""), user) for user in old.get("Users", ())}
    after = {(new.get("GroupName", ""), user) for user in new.get("Users", ())}
    for group, user in sorted(after - before):
        await tell(ctx, "AddUserToGroup", GroupName=group, UserName=user)
    for group, user in sorted(before - after):
        await unless_gone(ctx, "RemoveUserFromGroup", GroupName=group, UserName=user)


async def _update_addition(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _bring(ctx, old, new)
    return Provisioned(physical_id)


async def _delete_addition(ctx: Context, physical_id: str, props: Props) -> None:
    await _bring(ctx, props, {})


async def _read_addition(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx, "GetGroup", GroupName=props["GroupName"], MaxItems=1_000)
    if found is None:
        return None
    members = {user["UserName"] for user in found["Users"]}
    return {
        "GroupName": props["GroupName"],
        "Users": [user for user in props["Users"] if user in members],
    }


async def _create_provider(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    url = props["Url"].removeprefix("https://").rstrip("/")
    arn = ctx.scope.global_arn("iam", f"oidc-provider/{url}")
    try:
        await tell(
            ctx,
            "CreateOpenIDConnectProvider",
            Url=props["Url"],
            ClientIDList=props.get("ClientIdList"),
            ThumbprintList=props.get("ThumbprintList"),
            Tags=with_origin(props, draft),
        )
    except AwsError as error:
        exists = error.code == "EntityAlreadyExistsException"
        listing = "ListOpenIDConnectProviderTags"
        if not exists or not await is_ours(ctx, listing, draft, OpenIDConnectProviderArn=arn):
            raise
    return Provisioned(arn, {"Arn": arn})


async def _update_provider(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    who = {"OpenIDConnectProviderArn": physical_id}
    before, after = old.get("ClientIdList", ()), new.get("ClientIdList", ())
    for client in [one for one in before if one not in after]:
        await tell(ctx, "RemoveClientIDFromOpenIDConnectProvider", ClientID=client, **who)
    for client in [one for one in after if one not in before]:
        await tell(ctx, "AddClientIDToOpenIDConnectProvider", ClientID=client, **who)
    if old.get("ThumbprintList") != new.get("ThumbprintList"):
        await tell(
            ctx,
            "UpdateOpenIDConnectProviderThumbprint",
            ThumbprintList=new.get("ThumbprintList", []),
            **who,
        )
    await retag(ctx, "OpenIDConnectProvider", old, new, **who)
    return Provisioned(physical_id, {"Arn": physical_id})


async def _delete_provider(ctx: Context, physical_id: str, props: Props) -> None:
    await tell(ctx, "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=physical_id)


async def _read_provider(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=physical_id)
    if found is None:
        return None
    return {
        "Url": f"https://{found['Url']}",
        "ClientIdList": found["ClientIDList"],
        "ThumbprintList": found["ThumbprintList"],
        "Tags": own_tags(found["Tags"]),
    }


ACCESS_TYPES = (
    ResourceType(
        "AWS::IAM::AccessKey",
        struct({"UserName": TEXT, "Status": TEXT, "Serial": NUMBER}, "UserName"),
        create=_create_key,
        update=_update_key,
        delete=_delete_key,
        read=_read_key,
        replace_on=frozenset({"UserName", "Serial"}),
        attributes=frozenset({"SecretAccessKey"}),
    ),
    ResourceType(
        "AWS::IAM::UserToGroupAddition",
        struct({"GroupName": TEXT, "Users": TEXTS}, "GroupName", "Users"),
        create=_create_addition,
        update=_update_addition,
        delete=_delete_addition,
        read=_read_addition,
    ),
    ResourceType(
        "AWS::IAM::OIDCProvider",
        struct({"Url": TEXT, "ClientIdList": TEXTS, "ThumbprintList": TEXTS, "Tags": TAGS}, "Url"),
        create=_create_provider,
        update=_update_provider,
        delete=_delete_provider,
        read=_read_provider,
        replace_on=frozenset({"Url"}),
        attributes=frozenset({"Arn"}),
    ),
)
