"""For which resource, and under which conditions, an IAM operation asks its permission.

Names in requests come without a path, and permissions are asked with the whole ARN: an entity is
looked up before, and one that does not exist is taken to be at the root path.

Follows https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.model import Entity, Group, entity_arn
from cumulet.services.iam.store import EntityKind

Naming: TypeAlias = Callable[[Context, Any], Awaitable[str]]
Keys: TypeAlias = Callable[[Context, Any], Awaitable[dict[str, Any]]]

_FIELDS: Mapping[EntityKind, str] = {
    "user": "UserName",
    "group": "GroupName",
    "role": "RoleName",
}


def name_of(request: Mapping[str, Any], kind: EntityKind) -> str:
    """The entity that a request names."""
    name: str = request[_FIELDS[kind]]
    return name


def permission(kind: EntityKind) -> dict[str, Any]:
    """How an operation on an existing entity declares its permission."""
    return {"resource": existing(kind), "conditions": entity_keys(kind)}


def existing(kind: EntityKind) -> Naming:
    """The ARN of the entity that a request names; of the caller when it names none."""

    async def name(ctx: Context, request: Mapping[str, Any]) -> str:
        given = request.get(_FIELDS[kind])
        if given is None:
            return ctx.caller.policy_arn or ctx.caller.arn
        found = await ctx.transact(_load, kind, given)
        if found is None:
            return entity_arn(ctx.scope.account, kind, "/", given)
        return found.arn(ctx.scope.account)

    return name


def new(kind: str) -> Callable[[Context, Any], str]:
    """The ARN of the entity that a request would make."""
    field = f"{kind.capitalize()}Name"

    def name(ctx: Context, request: Mapping[str, Any]) -> str:
        path = request.get("Path") or "/"
        return entity_arn(ctx.scope.account, kind, path, request[field])

    return name


def listed(kind: str) -> Callable[[Context, Any], str]:
    """All entities under the path that a request names."""

    def name(ctx: Context, request: Mapping[str, Any]) -> str:
        return entity_arn(ctx.scope.account, kind, request.get("PathPrefix") or "/", "")

    return name


def policy_named(ctx: Context, request: Mapping[str, Any]) -> str:
    """The ARN of the managed policy that a request names."""
    arn: str = request["PolicyArn"]
    return arn


def provider_named(ctx: Context, request: Mapping[str, Any]) -> str:
    """The ARN of the provider that a request names."""
    arn: str = request["OpenIDConnectProviderArn"]
    return arn


def entity_keys(kind: EntityKind) -> Keys:
    """The condition keys of an operation on an existing entity."""

    async def keys(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
        given = request.get(_FIELDS[kind])
        found = None if given is None else await ctx.transact(_load, kind, given)
        asked = request_keys(ctx, request)
        if found is not None and not isinstance(found, Group):
            if found.boundary:
                asked.setdefault("iam:PermissionsBoundary", found.boundary)
            for name, value in found.tags.items():
                asked[f"aws:ResourceTag/{name}"] = value
                asked[f"iam:ResourceTag/{name}"] = value
        return asked

    return keys


async def policy_keys(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys of an operation on an existing managed policy."""
    asked = request_keys(ctx, request)
    asked.pop("iam:PolicyARN", None)
    found = await ctx.transact(store.load_policy, request["PolicyArn"])
    for name, value in (found.tags if found is not None else {}).items():
        asked[f"aws:ResourceTag/{name}"] = value
        asked[f"iam:ResourceTag/{name}"] = value
    return asked


def request_keys(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys that the request itself tells."""
    keys: dict[str, Any] = {}
    if "PolicyArn" in request:
        keys["iam:PolicyARN"] = request["PolicyArn"]
    if "PermissionsBoundary" in request:
        keys["iam:PermissionsBoundary"] = request["PermissionsBoundary"]
    for tag in request.get("Tags", ()):
        keys[f"aws:RequestTag/{tag['Key']}"] = tag["Value"]
    tagged = [tag["Key"] for tag in request.get("Tags", ())] + list(request.get("TagKeys", ()))
    if tagged:
        keys["aws:TagKeys"] = tagged
    return keys


async def _load(tx: Transaction, scope: Scope, kind: EntityKind, name: str) -> Entity | None:
    return await store.load_entity(tx, scope, kind, name)
