"""Where identities, keys and policies lie. Moves of several records are in `moves.py`."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope, parse_arn
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import pack
from cumulet.services.iam.model import (
    AccessKey,
    Account,
    Group,
    KeyUse,
    ManagedPolicy,
    PolicyVersion,
    Provider,
    Role,
    User,
)

EVERYWHERE = Scope("", "")
"""The scope of records that belong to the whole store."""

KEYS_CHANGED = pack(("", "", "iam", "changed", "keys"))
POLICIES_CHANGED = pack(("", "", "iam", "changed", "policies"))
"""Counters that grow with every change to what the caches of `credentials.py` hold: one place to
listen at, whatever the account."""


def _touch_keys(
    tx: Transaction, scope: Scope, old: msgspec.Struct | None, new: msgspec.Struct | None
) -> None:
    tx.count(KEYS_CHANGED, 1)


def _touch_policies(
    tx: Transaction, scope: Scope, old: msgspec.Struct | None, new: msgspec.Struct | None
) -> None:
    tx.count(POLICIES_CHANGED, 1)


def _touch_both(
    tx: Transaction, scope: Scope, old: msgspec.Struct | None, new: msgspec.Struct | None
) -> None:
    tx.count(KEYS_CHANGED, 1)
    tx.count(POLICIES_CHANGED, 1)


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
    on_change=_touch_both,
)
GROUPS: Table[Group] = Table(
    "iam",
    "group",
    Group,
    lambda group: (group.key,),
    extent="account",
    indexes={"policy": lambda group: [(arn,) for arn in group.attached]},
    on_change=_touch_policies,
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
    on_change=_touch_policies,
)
ACCESS_KEYS: Table[AccessKey] = Table(
    "iam",
    "access-key",
    AccessKey,
    lambda key: (key.id,),
    extent="global",
    indexes={"owner": lambda key: [(key.account, key.owner)]},
    on_change=_touch_keys,
)
KEY_USES: Table[KeyUse] = Table("iam", "key-use", KeyUse, lambda use: (use.id,), extent="global")
POLICIES: Table[ManagedPolicy] = Table(
    "iam",
    "policy",
    ManagedPolicy,
    lambda policy: (policy.key,),
    extent="account",
    on_change=_touch_policies,
)
VERSIONS: Table[PolicyVersion] = Table(
    "iam",
    "policy-version",
    PolicyVersion,
    lambda version: (version.policy, version.number),
    extent="account",
)
PROVIDERS: Table[Provider] = Table(
    "iam", "provider", Provider, lambda provider: (provider.url,), extent="account"
)

TABLES = (*(ACCOUNTS, USERS, GROUPS, ROLES, ACCESS_KEYS, KEY_USES, POLICIES, VERSIONS, PROVIDERS),)


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


async def load_role_by_arn(tx: Transaction, arn: str) -> tuple[Scope, Role] | None:
    """The role with that ARN, in whichever account it is."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
        return None
    scope = Scope(parsed.account, "")
    role = await ROLES.load(tx, scope, parsed.resource.rsplit("/", 1)[-1].lower())
    return (scope, role) if role is not None and role.arn(scope.account) == arn else None
