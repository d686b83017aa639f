"""Long-term keys of users and of the account itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import permissions, store
from cumulet.services.iam.credentials import SECRET_PURPOSE, StoredCredentials
from cumulet.services.iam.describe import describe_key, page
from cumulet.services.iam.errors import LimitExceededException, NoSuchEntityException, missing
from cumulet.services.iam.limits import ACCESS_KEYS_PER_USER_MAX
from cumulet.services.iam.model import ROOT, AccessKey, KeyUse, new_key_id, new_secret
from cumulet.services.iam.operations.user import named_user

_USER = permissions.existing("user")


@operation("CreateAccessKey", resource=_USER)
async def create_access_key(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a key for a user, or for the caller; its secret is told now and never again."""
    name = named_user(ctx, request)
    secret = new_secret(ctx.clock)
    sealer = ctx.need(Sealer)
    key = AccessKey(
        new_key_id(ctx.clock, "AKIA", ctx.scope.account),
        ctx.scope.account,
        name.lower(),
        sealer.seal(secret.encode(), SECRET_PURPOSE),
        float(int(ctx.clock.now())),
    )
    owner = await ctx.transact(_add, name, key)
    return {"AccessKey": {**describe_key(owner, key), "SecretAccessKey": secret}}


async def _add(tx: Transaction, scope: Scope, name: str, key: AccessKey) -> str:
    owner = await _owner(tx, scope, name)
    if len(await store.keys_of(tx, scope, key.owner)) >= ACCESS_KEYS_PER_USER_MAX:
        raise LimitExceededException(
            f"Cannot exceed quota for AccessKeysPerUser: {ACCESS_KEYS_PER_USER_MAX}"
        )
    await store.ACCESS_KEYS.save(tx, store.EVERYWHERE, key)
    return owner


async def _owner(tx: Transaction, scope: Scope, name: str) -> str:
    if name == ROOT:
        return ROOT
    user = await store.load_user(tx, scope, name)
    if user is None:
        raise missing("user", name)
    return user.name


@operation("ListAccessKeys", resource=_USER)
async def list_access_keys(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the keys of a user, or of the caller."""
    name, keys = await ctx.transact(_listed, named_user(ctx, request))
    return page(
        "AccessKeyMetadata",
        [describe_key(name, key) for key in keys],
        request,
        lambda key: key["AccessKeyId"],
    )


async def _listed(tx: Transaction, scope: Scope, name: str) -> tuple[str, list[AccessKey]]:
    owner = await _owner(tx, scope, name)
    return owner, await store.keys_of(tx, scope, owner.lower())


@operation("UpdateAccessKey", resource=_USER)
async def update_access_key(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a key active or inactive."""
    name = named_user(ctx, request)
    await ctx.transact(_set_status, name, request["AccessKeyId"], request["Status"])
    return {}


async def _set_status(tx: Transaction, scope: Scope, name: str, key_id: str, status: str) -> None:
    key = await _owned(tx, scope, name, key_id)
    await store.ACCESS_KEYS.save(tx, store.EVERYWHERE, msgspec.structs.replace(key, status=status))


async def _owned(tx: Transaction, scope: Scope, name: str, key_id: str) -> AccessKey:
    owner = await _owner(tx, scope, name)
    key = await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id)
    if key is None or (key.account, key.owner) != (scope.account, owner.lower()):
        raise NoSuchEntityException(f"The Access Key with id {key_id} cannot be found.")
    return key


@operation("DeleteAccessKey", resource=_USER)
async def delete_access_key(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a key; what is signed with it is refused from now on."""
    await ctx.transact(_remove, named_user(ctx, request), request["AccessKeyId"])
    return {}


async def _remove(tx: Transaction, scope: Scope, name: str, key_id: str) -> None:
    key = await _owned(tx, scope, name, key_id)
    await store.ACCESS_KEYS.drop(tx, store.EVERYWHERE, key.id)
    await store.KEY_USES.drop(tx, store.EVERYWHERE, key.id)


@operation("GetAccessKeyLastUsed")
async def get_access_key_last_used(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell when a key signed last."""
    key_id = request["AccessKeyId"]
    owner, use = await ctx.transact(_last_used, key_id)
    at = ctx.need(StoredCredentials).last_used(key_id) or use.at
    last: dict[str, Any] = {"ServiceName": "N/A", "Region": "N/A"}
    if at:
        last["LastUsedDate"] = float(int(at))
    return {**({"UserName": owner} if owner else {}), "AccessKeyLastUsed": last}


async def _last_used(tx: Transaction, scope: Scope, key_id: str) -> tuple[str, KeyUse]:
    key = await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id)
    if key is None or key.account != scope.account:
        raise NoSuchEntityException(f"The Access Key with id {key_id} cannot be found.")
    user = None if key.owner == ROOT else await store.load_user(tx, scope, key.owner)
    use = await store.KEY_USES.load(tx, store.EVERYWHERE, key_id)
    return "" if user is None else user.name, use or KeyUse(key_id, 0.0)
