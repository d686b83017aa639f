"""What identity pools are made of, and where it lies."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.table import Table


class IdentityPool(msgspec.Struct, frozen=True):
    """An identity pool. `settings` are in AWS's spelling."""

    id: str
    name: str
    settings: dict[str, Any]
    roles: dict[str, str] = {}
    mappings: dict[str, Any] = {}
    tags: dict[str, str] = {}


class Identity(msgspec.Struct, frozen=True):
    """Somebody of an identity pool: `logins` are subjects by provider, none for a guest."""

    id: str
    pool: str
    created: float
    modified: float
    logins: dict[str, str] = {}


POOLS: Table[IdentityPool] = Table(
    "cognito-identity", "pool", IdentityPool, lambda pool: (pool.id,)
)
IDENTITIES: Table[Identity] = Table(
    "cognito-identity",
    "identity",
    Identity,
    lambda one: (one.id,),
    extent="global",
    indexes={
        "pool": lambda one: [(one.pool,)],
        "login": lambda one: [(one.pool, *login) for login in one.logins.items()],
    },
)
TABLES: tuple[Table[Any], ...] = (POOLS, IDENTITIES)


def identity_pool_arn(scope: Scope, id: str) -> str:
    """The ARN of an identity pool."""
    return scope.arn("cognito-identity", f"identitypool/{id}")
