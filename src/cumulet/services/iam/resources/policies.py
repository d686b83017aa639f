"""Policies: inline ones for several entities, managed ones, and inline ones for one entity.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    JSON,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.services.iam.limits import POLICY_VERSIONS_MAX
from cumulet.services.iam.resources.telling import (
    TEXTS,
    document,
    is_ours,
    made_already,
    named,
    read_document,
    tell,
    unless_gone,
    with_origin,
)
from cumulet.services.iam.store import EntityKind

_LISTS: Mapping[EntityKind, str] = {"user": "Users", "group": "Groups", "role": "Roles"}


def _holders(props: Props) -> Iterator[tuple[EntityKind, str]]:
    for kind, field in _LISTS.items():
        for name in props.get(field, ()):
            yield kind, name


async def _create_policy(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    physical_id = draft.name(128)
    with made_already(physical_id):
        await _hold(ctx, {}, props)
    return Provisioned(physical_id, {"Id": physical_id})


async def _hold(ctx: Context, old: Props, new: Props) -> None:
    """Put the policy into the new holders, and take it from those that are none any more."""
    kept = {(kind, name, new["PolicyName"]) for kind, name in _holders(new)} if new else set()
    for kind, name, policy in kept:
        await tell(
            ctx,
            f"Put{kind.capitalize()}Policy",
            PolicyName=policy,
            PolicyDocument=document(new["PolicyDocument"]),
            **named(kind, name),
        )
    before = {(kind, name, old["PolicyName"]) for kind, name in _holders(old)} if old else set()
    for kind, name, policy in before - kept:
        await unless_gone(
            ctx, f"Delete{kind.capitalize()}Policy", PolicyName=policy, **named(kind, name)
        )


async def _update_policy(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _hold(ctx, old, new)
    return Provisioned(physical_id, {"Id": physical_id})


async def _delete_policy(ctx: Context, physical_id: str, props: Props) -> None:
    await _hold(ctx, props, {})


async def _read_policy(ctx: Context, physical_id: str, props: Props) -> Props | None:
    live: dict[str, Any] = {"PolicyName": props["PolicyName"]}
    for kind, name in _holders(props):
        found = await unless_gone(
            ctx,
            f"Get{kind.capitalize()}Policy",
            PolicyName=props["PolicyName"],
            **named(kind, name),
        )
        if found is not None:
            live.setdefault(_LISTS[kind], []).append(name)
            live["PolicyDocument"] = read_document(found["PolicyDocument"])
    return live if "PolicyDocument" in live else None


async def _create_managed(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name, path = props.get("ManagedPolicyName") or draft.name(128), props.get("Path", "/")
    arn = ctx.scope.global_arn("iam", f"policy{path}{name}")
    try:
        await tell(
            ctx,
            "CreatePolicy",
            PolicyName=name,
            Path=path,
            Description=props.get("Description"),
            PolicyDocument=document(props["PolicyDocument"]),
            Tags=with_origin({}, draft),
        )
    except AwsError as error:
        exists = error.code == "EntityAlreadyExistsException"
        if not exists or not await is_ours(ctx, "ListPolicyTags", draft, PolicyArn=arn):
            raise
    with made_already(arn):
        await _attach(ctx, arn, {}, props)
    return await _managed(ctx, arn)


async def _attach(ctx: Context, arn: str, old: Props, new: Props) -> None:
    before, after = set(_holders(old)), set(_holders(new))
    for kind, name in after - before:
        await tell(ctx, f"Attach{kind.capitalize()}Policy", PolicyArn=arn, **named(kind, name))
    for kind, name in before - after:
        await unless_gone(
            ctx, f"Detach{kind.capitalize()}Policy", PolicyArn=arn, **named(kind, name)
        )


async def _managed(ctx: Context, arn: str) -> Provisioned:
    policy = (await tell(ctx, "GetPolicy", PolicyArn=arn))["Policy"]
    told = {name: policy[name] for name in _MANAGED_ATTRIBUTES if name != "PolicyArn"}
    return Provisioned(arn, {"PolicyArn": arn, **told})


async def _update_managed(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if old["PolicyDocument"] != new["PolicyDocument"]:
        found = await tell(ctx, "ListPolicyVersions", PolicyArn=physical_id)
        spare = [one["VersionId"] for one in found["Versions"] if not one["IsDefaultVersion"]]
        if len(found["Versions"]) >= POLICY_VERSIONS_MAX:
            await tell(ctx, "DeletePolicyVersion", PolicyArn=physical_id, VersionId=spare[-1])
        await tell(
            ctx,
            "CreatePolicyVersion",
            PolicyArn=physical_id,
            PolicyDocument=document(new["PolicyDocument"]),
            SetAsDefault=True,
        )
    await _attach(ctx, physical_id, old, new)
    return await _managed(ctx, physical_id)


async def _delete_managed(ctx: Context, physical_id: str, props: Props) -> None:
    found = await unless_gone(ctx, "ListPolicyVersions", PolicyArn=physical_id)
    if found is None:
        return
    await _attach(ctx, physical_id, props, {})
    for version in found["Versions"]:
        if not version["IsDefaultVersion"]:
            await unless_gone(
                ctx,
                "DeletePolicyVersion",
                PolicyArn=physical_id,
                VersionId=version["VersionId"],
            )
    await unless_gone(ctx, "DeletePolicy", PolicyArn=physical_id)


async def _read_managed(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx, "GetPolicy", PolicyArn=physical_id)
    if found is None:
        return None
    policy = found["Policy"]
    version = await tell(
        ctx,
        "GetPolicyVersion",
        PolicyArn=physical_id,
        VersionId=policy["DefaultVersionId"],
    )
    held = await tell(ctx, "ListEntitiesForPolicy", PolicyArn=physical_id, MaxItems=1_000)
    live = {
        "ManagedPolicyName": policy["PolicyName"],
        "Path": policy["Path"],
        "PolicyDocument": read_document(version["PolicyVersion"]["Document"]),
    }
    if policy.get("Description"):
        live["Description"] = policy["Description"]
    for kind, field in _LISTS.items():
        word = kind.capitalize()
        if names := [one[f"{word}Name"] for one in held[f"Policy{word}s"]]:
            live[field] = names
    return live


_MANAGED_ATTRIBUTES = frozenset(
    {
        *("PolicyArn", "PolicyId", "AttachmentCount", "PermissionsBoundaryUsageCount"),
        *("CreateDate", "UpdateDate", "DefaultVersionId", "IsAttachable"),
    }
)


def _single(kind: EntityKind) -> ResourceType:
    """The type of an inline policy of one entity: its id is `policy|entity`."""
    word = kind.capitalize()
    field = f"{word}Name"

    async def put(ctx: Context, props: Props, draft: Draft) -> Provisioned:
        await tell(
            ctx,
            f"Put{word}Policy",
            PolicyName=props["PolicyName"],
            PolicyDocument=document(props["PolicyDocument"]),
            **named(kind, props[field]),
        )
        return Provisioned(f"{props['PolicyName']}|{props[field]}")

    async def update(
        ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
    ) -> Provisioned:
        return await put(ctx, new, draft)

    async def delete(ctx: Context, physical_id: str, props: Props) -> None:
        await unless_gone(
            ctx,
            f"Delete{word}Policy",
            PolicyName=props["PolicyName"],
            **named(kind, props[field]),
        )

    async def read(ctx: Context, physical_id: str, props: Props) -> Props | None:
        found = await unless_gone(
            ctx, f"Get{word}Policy", PolicyName=props["PolicyName"], **named(kind, props[field])
        )
        if found is None:
            return None
        return {
            "PolicyName": found["PolicyName"],
            field: found[field],
            "PolicyDocument": read_document(found["PolicyDocument"]),
        }

    return ResourceType(
        f"AWS::IAM::{word}Policy",
        struct(
            {"PolicyName": TEXT, "PolicyDocument": JSON, field: TEXT},
            *("PolicyName", "PolicyDocument", field),
        ),
        create=put,
        update=update,
        delete=delete,
        read=read,
        replace_on=frozenset({"PolicyName", field}),
    )


POLICY_TYPES = (
    ResourceType(
        "AWS::IAM::Policy",
        struct(
            {
                "PolicyName": TEXT,
                "PolicyDocument": JSON,
                "Users": TEXTS,
                "Groups": TEXTS,
                "Roles": TEXTS,
            },
            *("PolicyName", "PolicyDocument"),
        ),
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
        read=_read_policy,
        attributes=frozenset({"Id"}),
    ),
    ResourceType(
        "AWS::IAM::ManagedPolicy",
        struct(
            {
                "ManagedPolicyName": TEXT,
                "Description": TEXT,
                "Path": TEXT,
                "PolicyDocument": JSON,
                "Users": TEXTS,
                "Groups": TEXTS,
                "Roles": TEXTS,
            },
            "PolicyDocument",
        ),
        create=_create_managed,
        update=_update_managed,
        delete=_delete_managed,
        read=_read_managed,
        replace_on=frozenset({"ManagedPolicyName", "Description", "Path"}),
        attributes=_MANAGED_ATTRIBUTES,
    ),
    *map(_single, _LISTS),
)
