"""Roles, users and groups.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    JSON,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.services.iam.resources.telling import (
    INLINE,
    TEXTS,
    document,
    hold_policies,
    is_ours,
    made_already,
    own_tags,
    read_document,
    read_policies,
    retag,
    tell,
    unless_gone,
    with_origin,
)

_EXISTS = "EntityAlreadyExistsException"


async def _create_role(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("RoleName") or draft.name(64)
    try:
        await tell(
            ctx,
            "CreateRole",
            RoleName=name,
            AssumeRolePolicyDocument=document(props["AssumeRolePolicyDocument"]),
            Path=props.get("Path"),
            Description=props.get("Description"),
            MaxSessionDuration=props.get("MaxSessionDuration"),
            PermissionsBoundary=props.get("PermissionsBoundary"),
            Tags=with_origin(props, draft),
        )
    except AwsError as error:
        if error.code != _EXISTS or not await is_ours(ctx, "ListRoleTags", draft, RoleName=name):
            raise
    with made_already(name):
        await hold_policies(ctx, "role", name, {}, props)
    return await _role(ctx, name)


async def _role(ctx: Context, name: str) -> Provisioned:
    role = (await tell(ctx, "GetRole", RoleName=name))["Role"]
    return Provisioned(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


async def _update_role(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
        await tell(
            ctx,
            "UpdateAssumeRolePolicy",
            RoleName=physical_id,
            PolicyDocument=document(new["AssumeRolePolicyDocument"]),
        )
    await tell(
        ctx,
        "UpdateRole",
        RoleName=physical_id,
        Description=new.get("Description", ""),
        MaxSessionDuration=new.get("MaxSessionDuration", 3_600),
    )
    await _bound(ctx, "Role", physical_id, old, new)
    await hold_policies(ctx, "role", physical_id, old, new)
    await retag(ctx, "Role", old, new, RoleName=physical_id)
    return await _role(ctx, physical_id)


async def _bound(ctx: Context, word: str, name: str, old: Props, new: Props) -> None:
    who = {f"{word}Name": name}
    before, after = old.get("PermissionsBoundary"), new.get("PermissionsBoundary")
    if after and after != before:
        await tell(ctx, f"Put{word}PermissionsBoundary", PermissionsBoundary=after, **who)
    elif before and not after:
        await unless_gone(ctx, f"Delete{word}PermissionsBoundary", **who)


async def _delete_role(ctx: Context, physical_id: str, props: Props) -> None:
    if await unless_gone(ctx, "GetRole", RoleName=physical_id) is not None:
        await hold_policies(ctx, "role", physical_id, props, {})
        await unless_gone(ctx, "DeleteRole", RoleName=physical_id)


async def _read_role(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx, "GetRole", RoleName=physical_id)
    if found is None:
        return None
    role = found["Role"]
    live: dict[str, Any] = {
        "RoleName": role["RoleName"],
        "Path": role["Path"],
        "MaxSessionDuration": role["MaxSessionDuration"],
        "AssumeRolePolicyDocument": read_document(role["AssumeRolePolicyDocument"]),
        **await read_policies(ctx, "role", physical_id),
    }
    return _with_rest(live, role)


def _with_rest(live: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    if found.get("Description"):
        live["Description"] = found["Description"]
    if "PermissionsBoundary" in found:
        live["PermissionsBoundary"] = found["PermissionsBoundary"]["PermissionsBoundaryArn"]
    if tags := own_tags(found.get("Tags", [])):
        live["Tags"] = tags
    return live


async def _create_user(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("UserName") or draft.name(64)
    try:
        await tell(
            ctx,
            "CreateUser",
            UserName=name,
            Path=props.get("Path"),
            PermissionsBoundary=props.get("PermissionsBoundary"),
            Tags=with_origin(props, draft),
        )
    except AwsError as error:
        if error.code != _EXISTS or not await is_ours(ctx, "ListUserTags", draft, UserName=name):
            raise
    with made_already(name):
        await hold_policies(ctx, "user", name, {}, props)
        await _join(ctx, name, {}, props)
    return await _user(ctx, name)


async def _join(ctx: Context, name: str, old: Props, new: Props) -> None:
    before, after = old.get("Groups", ()), new.get("Groups", ())
    for group in after:
        if group not in before:
            await tell(ctx, "AddUserToGroup", UserName=name, GroupName=group)
    for group in before:
        if group not in after:
            await unless_gone(ctx, "RemoveUserFromGroup", UserName=name, GroupName=group)


async def _user(ctx: Context, name: str) -> Provisioned:
    user = (await tell(ctx, "GetUser", UserName=name))["User"]
    return Provisioned(name, {"Arn": user["Arn"]})


async def _update_user(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if old.get("Path", "/") != new.get("Path", "/"):
        await tell(ctx, "UpdateUser", UserName=physical_id, NewPath=new.get("Path", "/"))
    await _bound(ctx, "User", physical_id, old, new)
    await hold_policies(ctx, "user", physical_id, old, new)
    await _join(ctx, physical_id, old, new)
    await retag(ctx, "User", old, new, UserName=physical_id)
    return await _user(ctx, physical_id)


async def _delete_user(ctx: Context, physical_id: str, props: Props) -> None:
    if await unless_gone(ctx, "GetUser", UserName=physical_id) is not None:
        await hold_policies(ctx, "user", physical_id, props, {})
        await _join(ctx, physical_id, props, {})
        await unless_gone(ctx, "DeleteUser", UserName=physical_id)


async def _read_user(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx, "GetUser", UserName=physical_id)
    if found is None:
        return None
    groups = await tell(ctx, "ListGroupsForUser", UserName=physical_id)
    live = {
        "UserName": physical_id,
        "Path": found["User"]["Path"],
        "Groups": [group["GroupName"] for group in groups["Groups"]],
        **await read_policies(ctx, "user", physical_id),
    }
    return _with_rest(live, found["User"])


async def _create_group(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("GroupName") or draft.name(128)
    try:
        await tell(ctx, "CreateGroup", GroupName=name, Path=props.get("Path"))
    except AwsError as error:
        # Groups have no tags: only a name that we drew ourselves tells that the group is ours.
        if error.code != _EXISTS or "GroupName" in props:
            raise
    with made_already(name):
        await hold_policies(ctx, "group", name, {}, props)
    return await _group(ctx, name)


async def _group(ctx: Context, name: str) -> Provisioned:
    group = (await tell(ctx, "GetGroup", GroupName=name, MaxItems=1))["Group"]
    return Provisioned(name, {"Arn": group["Arn"]})


async def _update_group(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if old.get("Path", "/") != new.get("Path", "/"):
        await tell(ctx, "UpdateGroup", GroupName=physical_id, NewPath=new.get("Path", "/"))
    await hold_policies(ctx, "group", physical_id, old, new)
    return await _group(ctx, physical_id)


async def _delete_group(ctx: Context, physical_id: str, props: Props) -> None:
    if await unless_gone(ctx, "GetGroup", GroupName=physical_id, MaxItems=1) is not None:
        await hold_policies(ctx, "group", physical_id, props, {})
        await unless_gone(ctx, "DeleteGroup", GroupName=physical_id)


async def _read_group(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx, "GetGroup", GroupName=physical_id, MaxItems=1)
    if found is None:
        return None
    return {
        "GroupName": physical_id,
        "Path": found["Group"]["Path"],
        **await read_policies(ctx, "group", physical_id),
    }


_HELD = {"Path": TEXT, "Policies": INLINE, "ManagedPolicyArns": TEXTS}

ENTITY_TYPES = (
    ResourceType(
        "AWS::IAM::Role",
        struct(
            {
                **_HELD,
                "RoleName": TEXT,
                "AssumeRolePolicyDocument": JSON,
                "Description": TEXT,
                "MaxSessionDuration": NUMBER,
                "PermissionsBoundary": TEXT,
                "Tags": TAGS,
            },
            "AssumeRolePolicyDocument",
        ),
        create=_create_role,
        update=_update_role,
        delete=_delete_role,
        read=_read_role,
        replace_on=frozenset({"RoleName", "Path"}),
        attributes=frozenset({"Arn", "RoleId"}),
    ),
    ResourceType(
        "AWS::IAM::User",
        struct(
            {
                **_HELD,
                "UserName": TEXT,
                "Groups": TEXTS,
                "PermissionsBoundary": TEXT,
                "Tags": TAGS,
            }
        ),
        create=_create_user,
        update=_update_user,
        delete=_delete_user,
        read=_read_user,
        replace_on=frozenset({"UserName"}),
        attributes=frozenset({"Arn"}),
    ),
    ResourceType(
        "AWS::IAM::Group",
        struct({**_HELD, "GroupName": TEXT}),
        create=_create_group,
        update=_update_group,
        delete=_delete_group,
        read=_read_group,
        replace_on=frozenset({"GroupName"}),
        attributes=frozenset({"Arn"}),
    ),
)
