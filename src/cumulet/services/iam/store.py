"""Where identities, keys and policies lie, and the moves between their states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from cumulet.core.identity import Scope, parse_arn
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.table import ChangeHook, Table
from cumulet.kv.tuples import pack
from cumulet.services.iam.limits import ENTITIES_COUNTED_MAX, KEYS_LISTED_MAX
from cumulet.services.iam.model import (
    AccessKey,
    Account,
    Entity,
    Group,
    KeyUse,
    ManagedPolicy,
    PolicyVersion,
    Provider,
    Role,
    User,
)
from cumulet.services.iam.policies.aws import managed_document

EVERYWHERE = Scope("", "")
"""The scope of records that belong to the whole store."""

KEYS_CHANGED = pack(("", "", "iam", "changed", "keys"))
POLICIES_CHANGED = pack(("", "", "iam", "changed", "policies"))
"""Counters that grow with every change to what the caches of `credentials.py` hold: one place to
listen at, whatever the account."""


def _told(kind: str, *caches: bytes) -> ChangeHook[Any]:
    def told(tx: Transaction, scope: Scope, old: object | None, new: object | None) -> None:
        for key in caches:
            tx.count(key, 1)
        if (old is None) is not (new is None):
            tx.count(_count_key(scope, kind), 1 if old is None else -1)

    return told


def _count_key(scope: Scope, kind: str) -> bytes:
    return pack((scope.account, "", "iam", "count", kind))


ACCOUNTS: Table[Account] = Table(
    "iam",
    "account",
    Account,
    lambda account: (account.id,),
    extent="global",
    indexes={"alias": lambda account: [(account.alias,)] if account.alias else []},
)
USERS: Table[User] = Table(
    "iam",
    "user",
    User,
    lambda user: (user.key,),
    extent="account",
    indexes={
        "group": lambda user: [(group,) for group in user.groups],
        "policy": lambda user: [(arn,) for arn in user.attached],
        "boundary": lambda user: [(user.boundary,)] if user.boundary else [],
    },
    on_change=_told("user", KEYS_CHANGED, POLICIES_CHANGED),
)
GROUPS: Table[Group] = Table(
    "iam",
    "group",
    Group,
    lambda group: (group.key,),
    extent="account",
    indexes={"policy": lambda group: [(arn,) for arn in group.attached]},
    on_change=_told("group", POLICIES_CHANGED),
)
ROLES: Table[Role] = Table(
    "iam",
    "role",
    Role,
    lambda role: (role.key,),
    extent="account",
    indexes={
        "policy": lambda role: [(arn,) for arn in role.attached],
        "boundary": lambda role: [(role.boundary,)] if role.boundary else [],
    },
    on_change=_told("role", POLICIES_CHANGED),
)
ACCESS_KEYS: Table[AccessKey] = Table(
    "iam",
    "access-key",
    AccessKey,
    lambda key: (key.id,),
    extent="global",
    indexes={"owner": lambda key: [(key.account, key.owner)]},
    on_change=_told("key", KEYS_CHANGED),
)
KEY_USES: Table[KeyUse] = Table("iam", "key-use", KeyUse, lambda use: (use.id,), extent="global")
POLICIES: Table[ManagedPolicy] = Table(
    "iam",
    "policy",
    ManagedPolicy,
    lambda policy: (policy.key,),
    extent="account",
    on_change=_told("policy", POLICIES_CHANGED),
)
VERSIONS: Table[PolicyVersion] = Table(
    "iam",
    "policy-version",
    PolicyVersion,
    lambda version: (version.policy, version.number),
    extent="account",
    on_change=_told("policy-version"),
)
PROVIDERS: Table[Provider] = Table(
    "iam",
    "provider",
    Provider,
    lambda provider: (provider.url,),
    extent="account",
    on_change=_told("provider"),
)

TABLES = (*(ACCOUNTS, USERS, GROUPS, ROLES, ACCESS_KEYS, KEY_USES, POLICIES, VERSIONS, PROVIDERS),)


EntityKind: TypeAlias = Literal["user", "group", "role"]
E = TypeVar("E", bound=Entity)

ENTITIES: Mapping[EntityKind, Table[Any]] = {"user": USERS, "group": GROUPS, "role": ROLES}


async def load_user(tx: Transaction, scope: Scope, name: str) -> User | None:
    """The user of that name, whatever its case."""
    return await USERS.load(tx, scope, name.lower())


async def load_group(tx: Transaction, scope: Scope, name: str) -> Group | None:
    """The group of that name, whatever its case."""
    return await GROUPS.load(tx, scope, name.lower())


async def load_role(tx: Transaction, scope: Scope, name: str) -> Role | None:
    """The role of that name, whatever its case."""
    return await ROLES.load(tx, scope, name.lower())


async def load_policy(tx: Transaction, scope: Scope, arn: str) -> ManagedPolicy | None:
    """The account's own managed policy with that ARN."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.account != scope.account:
        return None
    policy = await POLICIES.load(tx, scope, parsed.resource.rsplit("/", 1)[-1].lower())
    return policy if policy is not None and policy.arn(scope.account) == arn else None


async def load_document(tx: Transaction, scope: Scope, arn: str) -> str | None:
    """The text of the default version of the account's own policy with that ARN."""
    policy = await load_policy(tx, scope, arn)
    if policy is None:
        return None
    version = await VERSIONS.load(tx, scope, policy.key, policy.version)
    return None if version is None else version.document


async def load_any_document(tx: Transaction, scope: Scope, arn: str) -> str | None:
    """The text of a managed policy's default version, be it AWS's or the account's own."""
    return managed_document(arn) or await load_document(tx, scope, arn)


async def load_role_by_arn(tx: Transaction, arn: str) -> tuple[Scope, Role] | None:
    """The role with that ARN, in whichever account it is."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
        return None
    scope = Scope(parsed.account, "")
    role = await ROLES.load(tx, scope, parsed.resource.rsplit("/", 1)[-1].lower())
    return (scope, role) if role is not None and role.arn(scope.account) == arn else None


async def load_entity(tx: Transaction, scope: Scope, kind: EntityKind, name: str) -> Entity | None:
    """The user, group or role of that name, whatever its case."""
    found: Entity | None = await ENTITIES[kind].load(tx, scope, name.lower())
    return found


async def change_entity(
    tx: Transaction,
    scope: Scope,
    kind: EntityKind,
    name: str,
    change: Callable[[Any], Any],
) -> Any:
    """Replace an entity by what `change` makes of it; returns that, or None if there is none."""
    found = await ENTITIES[kind].load(tx, scope, name.lower())
    if found is None:
        return None
    changed = change(found)
    if changed is not found:
        await ENTITIES[kind].save(tx, scope, changed)
    return changed


async def rename_user(tx: Transaction, scope: Scope, old: User, new: User) -> bool:
    """Give a user another name or path, with its keys. False when the name is taken."""
    if old.key != new.key:
        if await USERS.load(tx, scope, new.key) is not None:
            return False
        await USERS.drop(tx, scope, old.key)
        for key in await keys_of(tx, scope, old.key):
            await ACCESS_KEYS.save(tx, EVERYWHERE, msgspec.structs.replace(key, owner=new.key))
    await USERS.save(tx, scope, new)
    return True


async def rename_group(tx: Transaction, scope: Scope, old: Group, new: Group) -> bool:
    """Give a group another name or path, with its members. False when the name is taken."""
    if old.key != new.key:
        if await GROUPS.load(tx, scope, new.key) is not None:
            return False
        await GROUPS.drop(tx, scope, old.key)
        for user in await members_of(tx, scope, old.key):
            groups = tuple(new.key if name == old.key else name for name in user.groups)
            await USERS.save(tx, scope, msgspec.structs.replace(user, groups=groups))
    await GROUPS.save(tx, scope, new)
    return True


async def keys_of(tx: Transaction, scope: Scope, owner: str) -> list[AccessKey]:
    """The access keys of a user (by its key) or of the account (ROOT), in the order of ids."""
    return await ACCESS_KEYS.lookup(
        tx, EVERYWHERE, "owner", scope.account, owner, limit=KEYS_LISTED_MAX
    )


async def members_of(tx: Transaction, scope: Scope, group: str) -> list[User]:
    """The users of a group (by its key)."""
    return await USERS.lookup(tx, scope, "group", group, limit=ENTITIES_COUNTED_MAX)


async def attached_to(
    tx: Transaction, scope: Scope, arn: str, index: Literal["policy", "boundary"]
) -> dict[EntityKind, list[Any]]:
    """The entities to which a managed policy is attached, or whose boundary it is."""
    return {
        kind: await table.lookup(tx, scope, index, arn, limit=ENTITIES_COUNTED_MAX)
        for kind, table in ENTITIES.items()
        if index in table.indexes
    }


async def count_of(tx: Transaction, scope: Scope, kind: str) -> int:
    """How many records of a kind an account has; keys are counted for the whole store."""
    return read_count(await tx.get(_count_key(scope, kind)))
