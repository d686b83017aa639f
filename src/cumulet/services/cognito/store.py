"""Where pools, users, sign-ins and messages lie; the only file that knows keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kit.workers.deliveries import DeliveryTables
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.table import Key, Table
from cumulet.kv.tuples import pack
from cumulet.services.cognito.limits import SIGN_INS_MAX, SWEEP_ROWS
from cumulet.services.cognito.model import (
    Attempt,
    Client,
    Code,
    Domain,
    Group,
    Home,
    ImportJob,
    ImportPart,
    Mail,
    OAuthCode,
    Pool,
    Server,
    SignIn,
    SigningKey,
    User,
)

NOWHERE = Scope("", "")
FOUND_BY = (
    *("email", "phone_number", "preferred_username", "name", "given_name", "family_name", "sub"),
)
"""Attributes by which users are found."""
_INDEXED_CHARACTERS_MAX = 256


def indexed(value: str) -> str:
    """What of a value is in the index."""
    return value[:_INDEXED_CHARACTERS_MAX]


def place_of(user: User, name: str) -> Key:
    """Where a user is in the index of an attribute."""
    return next(entry for entry in _by_attribute(user) if entry[1] == name)


def _by_attribute(user: User) -> Iterator[Key]:
    for name in FOUND_BY:
        value = user.sub if name == "sub" else user.attributes.get(name)
        if value:
            yield (user.pool, name, indexed(value))
    yield (user.pool, "cognito:user_status", user.status)
    yield (user.pool, "status", "Enabled" if user.enabled else "Disabled")


def _counted(tx: Transaction, scope: Scope, old: User | None, new: User | None) -> None:
    if (old is None) != (new is None):
        pool = new.pool if new is not None else old.pool if old is not None else ""
        tx.count(_users_key(scope, pool), 1 if old is None else -1)


def _users_key(scope: Scope, pool: str) -> bytes:
    return pack((*scope, "cognito-idp", "users", pool))


async def count_users(tx: Transaction, scope: Scope, pool: str) -> int:
    """How many users a pool has."""
    return read_count(await tx.get(_users_key(scope, pool)))


POOLS: Table[Pool] = Table("cognito-idp", "pool", Pool, lambda pool: (pool.id,))
HOMES: Table[Home] = Table("cognito-idp", "home", Home, lambda home: (home.id,), extent="global")
CLIENTS: Table[Client] = Table("cognito-idp", "client", Client, lambda one: (one.pool, one.id))
USERS: Table[User] = Table(
    "cognito-idp",
    "user",
    User,
    lambda user: (user.pool, user.key),
    indexes={
        "attribute": _by_attribute,
        "group": lambda user: [(user.pool, group) for group in user.groups],
    },
    on_change=_counted,
)
GROUPS: Table[Group] = Table("cognito-idp", "group", Group, lambda one: (one.pool, one.name))
CODES: Table[Code] = Table(
    "cognito-idp",
    "code",
    Code,
    lambda code: (code.pool, code.user, code.purpose),
    indexes={"due": lambda code: [(code.expires_at,)]},
)
ATTEMPTS: Table[Attempt] = Table(
    "cognito-idp",
    "attempt",
    Attempt,
    lambda one: (one.digest,),
    extent="global",
    indexes={"due": lambda one: [(one.expires_at,)]},
)
SIGN_INS: Table[SignIn] = Table(
    "cognito-idp",
    "sign-in",
    SignIn,
    lambda one: (one.pool, one.id),
    indexes={
        "user": lambda one: [(one.pool, one.user)],
        "refresh": lambda one: [
            (one.pool, digest) for digest in (one.refresh, one.previous, *one.spent) if digest
        ],
        "due": lambda one: [(one.expires_at,)],
    },
)
KEYS: Table[SigningKey] = Table(
    "cognito-idp", "key", SigningKey, lambda key: (key.pool, key.id), extent="global"
)
SERVERS: Table[Server] = Table(
    "cognito-idp", "server", Server, lambda one: (one.pool, one.identifier)
)
DOMAINS: Table[Domain] = Table(
    "cognito-idp",
    "domain",
    Domain,
    lambda one: (one.name,),
    extent="global",
    indexes={"pool": lambda one: [(one.pool,)]},
)
OAUTH_CODES: Table[OAuthCode] = Table(
    "cognito-idp",
    "oauth-code",
    OAuthCode,
    lambda one: (one.pool, one.digest),
    indexes={"due": lambda one: [(one.expires_at,)]},
)
MAILS: Table[Mail] = Table(
    "cognito-idp",
    "mail",
    Mail,
    lambda mail: (mail.sent_at, mail.id),
    indexes={"to": lambda mail: [(mail.to, mail.sent_at)]},
)

IMPORT_JOBS: Table[ImportJob] = Table(
    "cognito-idp",
    "import",
    ImportJob,
    lambda job: (job.pool, job.id),
    extent="global",
    indexes={
        "active": lambda job: [(job.account,)] if job.is_active else [],
        "waiting": lambda job: [(job.created,)] if job.status == "Created" else [],
    },
)
IMPORT_PARTS: Table[ImportPart] = Table(
    "cognito-idp",
    "import part",
    ImportPart,
    lambda part: (part.pool, part.job, part.upload, part.number),
    extent="global",
)
QUEUE = DeliveryTables("cognito-idp")
"""Messages for the SMTP server."""

TABLES: tuple[Table[Any], ...] = (
    *(POOLS, HOMES, CLIENTS, USERS, GROUPS, CODES, ATTEMPTS, SIGN_INS, KEYS, SERVERS),
    *(DOMAINS, OAUTH_CODES, MAILS, IMPORT_JOBS),
    IMPORT_PARTS,
    *QUEUE.all,
)
_TOTP = "totp"
PARTS_AT_ONCE = 16
"""Parts of files are large: so many go in one transaction."""
_OF_POOLS: tuple[Table[Any], ...] = (
    *(CLIENTS, USERS, GROUPS, CODES, SIGN_INS, KEYS, SERVERS, OAUTH_CODES),
    *(IMPORT_PARTS, IMPORT_JOBS),
)
PASSING: tuple[Table[Any], ...] = (CODES, ATTEMPTS, SIGN_INS, OAUTH_CODES)
"""What is gone after its time; each has an index `due`."""


async def find_home(tx: Transaction, own: Scope, id: str) -> Home | None:
    """Where the pool, client or domain with this id lies."""
    return await HOMES.load(tx, NOWHERE, id)


async def load_pool(tx: Transaction, scope: Scope, pool: str) -> Pool | None:
    """A pool."""
    return await POOLS.load(tx, scope, pool)


async def load_client(tx: Transaction, scope: Scope, pool: str, id: str) -> Client | None:
    """A client of a pool."""
    return await CLIENTS.load(tx, scope, pool, id)


async def open_door(
    tx: Transaction, scope: Scope, pool: str, id: str
) -> tuple[Pool | None, Client | None]:
    """A client and its pool."""
    return await POOLS.load(tx, scope, pool), await CLIENTS.load(tx, scope, pool, id)


async def found_pool(
    tx: Transaction, scope: Scope, pool: Pool, keys: tuple[SigningKey, ...]
) -> None:
    """Write a new pool and its keys."""
    await POOLS.save(tx, scope, pool)
    for key in keys:
        await KEYS.save(tx, scope, key)
    await HOMES.save(tx, NOWHERE, Home(pool.id, scope.account, scope.region, pool.id))


async def close_pool(tx: Transaction, scope: Scope, pool: str) -> bool:
    """Remove a pool, and let it be found no more; its rows go in batches, by `clear_pool`."""
    clients = await CLIENTS.scan(tx, scope, pool, limit=SWEEP_ROWS * 4)
    for client in clients:
        await HOMES.drop(tx, NOWHERE, client.id)
    await HOMES.drop(tx, NOWHERE, pool)
    return await POOLS.drop(tx, scope, pool) is not None


async def clear_pool(tx: Transaction, scope: Scope, pool: str) -> bool:
    """Remove a batch of what belonged to a pool; tells whether there may be more."""
    for table in _OF_POOLS:
        limit = PARTS_AT_ONCE if table is IMPORT_PARTS else SWEEP_ROWS
        rows = await table.scan(tx, scope, pool, limit=limit)
        for row in rows:
            await table.drop(tx, scope, *table.key_of(row))
        if rows:
            return True
    return False


async def save_client(tx: Transaction, scope: Scope, client: Client) -> None:
    """Write a client, new or changed."""
    await CLIENTS.save(tx, scope, client)
    await HOMES.save(tx, NOWHERE, Home(client.id, scope.account, scope.region, client.pool))


async def drop_client(tx: Transaction, scope: Scope, pool: str, id: str) -> bool:
    """Remove a client with its sign-ins' door; tells whether it was there."""
    await HOMES.drop(tx, NOWHERE, id)
    return await CLIENTS.drop(tx, scope, pool, id) is not None


async def find_user(tx: Transaction, scope: Scope, pool: Pool, name: str) -> User | None:
    """A user by name, by sub, or by an alias: a verified address or number of the pool's kinds."""
    user = await USERS.load(tx, scope, pool.id, pool.folded(name))
    if user is not None:
        return user
    for attribute in ("sub", *_aliases(pool)):
        for found in await holders(tx, scope, pool, attribute, name):
            needs_proof = attribute in pool.settings.get("AliasAttributes", ()) and (
                attribute in ("email", "phone_number")
            )
            if not needs_proof or found.attributes.get(f"{attribute}_verified") == "true":
                return found
    return None


async def holders(
    tx: Transaction, scope: Scope, pool: Pool, attribute: str, value: str
) -> list[User]:
    """The users who have a value in an attribute by which users are found."""
    wanted = value
    if attribute in ("email", "preferred_username") and not pool.is_case_sensitive:
        wanted = value.lower()
    found = await USERS.lookup(
        tx, scope, "attribute", pool.id, attribute, indexed(wanted), limit=20
    )
    return [
        user
        for user in found
        if (user.sub if attribute == "sub" else user.attributes.get(attribute)) == wanted
    ]


def _aliases(pool: Pool) -> list[str]:
    return [
        *pool.settings.get("AliasAttributes", ()),
        *pool.settings.get("UsernameAttributes", ()),
    ]


async def add_user(tx: Transaction, scope: Scope, user: User) -> bool:
    """Write a new user; tells whether the name was free."""
    return await USERS.insert(tx, scope, user)


async def save_user(tx: Transaction, scope: Scope, user: User) -> None:
    """Write a changed user."""
    await USERS.save(tx, scope, user)


async def drop_user(tx: Transaction, scope: Scope, user: User) -> None:
    """Remove a user and everything that is theirs."""
    await USERS.drop(tx, scope, user.pool, user.key)
    for code in await CODES.scan(tx, scope, user.pool, user.key, limit=SWEEP_ROWS):
        await CODES.drop(tx, scope, code.pool, code.user, code.purpose)
    await end_sign_ins(tx, scope, user.pool, user.key)


async def end_sign_ins(tx: Transaction, scope: Scope, pool: str, user: str) -> None:
    """End every sign-in of a user; they are kept until their time, to be told from unknown ones."""
    for one in await SIGN_INS.lookup(tx, scope, "user", pool, user, limit=SIGN_INS_MAX):
        if not one.revoked:
            await SIGN_INS.save(tx, scope, msgspec.structs.replace(one, revoked=True))


async def change_user(
    tx: Transaction, scope: Scope, pool: str, key: str, /, **changes: Any
) -> User | None:
    """Change fields of a user as they are in this moment."""
    user = await USERS.load(tx, scope, pool, key)
    if user is None:
        return None
    changed = msgspec.structs.replace(user, **changes)
    await USERS.save(tx, scope, changed)
    return changed


async def find_attempt(tx: Transaction, scope: Scope, digest: bytes) -> tuple[Attempt, Home] | None:
    """A sign-in that waits, by the digest of its session alone, and where its pool lies."""
    attempt = await ATTEMPTS.load(tx, NOWHERE, digest)
    home = await HOMES.load(tx, NOWHERE, attempt.pool) if attempt is not None else None
    return (attempt, home) if attempt is not None and home is not None else None


async def set_pending_totp(
    tx: Transaction, scope: Scope, user: User, sealed: bytes, expires_at: float
) -> None:
    """Keep the secret of an authenticator that is not tied yet."""
    await CODES.save(
        tx, scope, Code(user.pool, user.key, _TOTP, sealed, expires_at, attribute="", value="")
    )


async def pending_totp(tx: Transaction, scope: Scope, user: User) -> bytes | None:
    """The secret of an authenticator that is not tied yet."""
    found = await CODES.load(tx, scope, user.pool, user.key, _TOTP)
    return found.sealed if found is not None else None


async def drop_pending_totp(tx: Transaction, scope: Scope, user: User) -> None:
    """Forget the secret, as the authenticator is tied."""
    await CODES.drop(tx, scope, user.pool, user.key, _TOTP)


async def domain_of(tx: Transaction, scope: Scope, pool: str) -> Domain | None:
    """The domain of a pool."""
    found = await DOMAINS.lookup(tx, NOWHERE, "pool", pool, limit=1)
    return found[0] if found else None
