"""Identities: found or made for logins, and given tokens and credentials of roles.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidIdentityPoolConfigurationException,
    InvalidParameterException,
    NotAuthorizedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.cognito.flow.place import as_cognito
from cumulet.services.cognito.identity import pool as pools
from cumulet.services.cognito.identity.model import IDENTITIES, POOLS, Identity, IdentityPool
from cumulet.services.cognito.identity.roles import role_for
from cumulet.services.cognito.limits import IDENTITY_TOKEN_SECONDS, IDENTITY_TOKEN_SECONDS_MAX
from cumulet.services.cognito.operations.pool import position
from cumulet.services.cognito.signing.identities import IDENTITY_ISSUER, PoolTokens
from cumulet.services.cognito.signing.tokens import write_token

_SESSION = "CognitoIdentityCredentials"
_SECONDS = 3_600
Logins = Mapping[str, Mapping[str, Any]]


async def _pool(ctx: Context, id: str) -> tuple[Context, IdentityPool]:
    """The pool, and a context in its account and region; the caller need not have signed."""
    home = await ctx.need(PoolTokens).home_of(id)
    if home is None:
        raise ResourceNotFoundException(f"IdentityPool '{id}' not found.")
    there = as_cognito(ctx, home)
    return there, await there.transact(pools.load, id)


async def _identity(ctx: Context, id: str) -> Identity:
    found = await ctx.transact(_load, id)
    if found is None:
        raise ResourceNotFoundException(f"Identity '{id}' not found.")
    return found


async def _load(tx: Transaction, scope: Scope, id: str) -> Identity | None:
    return await IDENTITIES.load(tx, store.NOWHERE, id)


async def _verified(
    ctx: Context, pool: IdentityPool, logins: Mapping[str, str]
) -> dict[str, Mapping[str, Any]]:
    """The claims of each login's token, by provider. Raises NotAuthorizedException."""
    found: dict[str, Mapping[str, Any]] = {}
    for provider, token in logins.items():
        claims = await ctx.need(PoolTokens).verify(token)
        if claims is None or claims.get("token_use") != "id":
            raise NotAuthorizedException("Invalid login token. Token is not one of the provider.")
        if claims.get("iss") != f"https://{provider}":
            raise NotAuthorizedException("Invalid login token. Issuer doesn't match providerName")
        allowed = [
            one
            for one in pool.settings.get("CognitoIdentityProviders", ())
            if (one["ProviderName"], one["ClientId"]) == (provider, claims["aud"])
        ]
        if not allowed:
            raise NotAuthorizedException("Token is not from a supported provider of this pool.")
        if allowed[0].get("ServerSideTokenCheck"):
            await _check_signed_in(ctx, claims)
        found[provider] = claims
    return found


async def _check_signed_in(ctx: Context, claims: Mapping[str, Any]) -> None:
    pool = str(claims["iss"]).rpartition("/")[2]
    home = await ctx.need(PoolTokens).home_of(pool)
    held = None
    if home is not None:
        held = await as_cognito(ctx, home).transact(_is_held, pool, str(claims.get("event_id")))
    if not held:
        raise NotAuthorizedException("Invalid login token. Token is revoked.")


async def _is_held(tx: Transaction, scope: Scope, pool: str, id: str) -> bool:
    found = await store.SIGN_INS.load(tx, scope, pool, id)
    return found is not None and not found.revoked


@operation("GetId", access="open", signed=False)
async def get_id(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of somebody who has signed in, or a new one for a guest."""
    there, pool = await _pool(ctx, request["IdentityPoolId"])
    claims = await _verified(there, pool, request.get("Logins", {}))
    if not claims and not pool.settings["AllowUnauthenticatedIdentities"]:
        raise NotAuthorizedException(
            "Unauthenticated access is not supported for this identity pool."
        )
    subjects = {provider: str(told["sub"]) for provider, told in claims.items()}
    fresh = f"{there.scope.region}:{new_uuid(ctx.clock)}"
    identity = await there.transact(_found, pool.id, subjects, fresh, ctx.clock.now())
    return {"IdentityId": identity.id}


async def _found(
    tx: Transaction, scope: Scope, pool: str, subjects: dict[str, str], fresh: str, now: float
) -> Identity:
    """The identity of these logins, with all of them linked to it."""
    found: Identity | None = None
    for login in subjects.items():
        held = await IDENTITIES.lookup(tx, store.NOWHERE, "login", pool, *login, limit=1)
        if held and found is not None and held[0].id != found.id:
            raise ResourceConflictException("Login is already linked to another account.")
        found = held[0] if held else found
    identity = found or Identity(fresh, pool, now, now)
    changed = msgspec.structs.replace(
        identity, logins={**identity.logins, **subjects}, modified=now
    )
    if found is None or changed.logins != identity.logins:
        await IDENTITIES.save(tx, store.NOWHERE, changed)
    return changed


async def _admitted(
    ctx: Context, request: Mapping[str, Any]
) -> tuple[Context, IdentityPool, Identity, Logins]:
    """Whoever may have tokens of an identity: a guest, or who shows one of its logins."""
    identity = await _identity(ctx, request["IdentityId"])
    there, pool = await _pool(ctx, identity.pool)
    claims = await _verified(there, pool, request.get("Logins", {}))
    if not claims:
        if identity.logins:
            raise NotAuthorizedException(f"Access to Identity '{identity.id}' is forbidden.")
        if not pool.settings["AllowUnauthenticatedIdentities"]:
            raise NotAuthorizedException(
                "Unauthenticated access is not supported for this identity pool."
            )
        return there, pool, identity, {}
    subjects = {provider: str(told["sub"]) for provider, told in claims.items()}
    if identity.logins and not set(subjects.items()) & set(identity.logins.items()):
        raise NotAuthorizedException(f"Access to Identity '{identity.id}' is forbidden.")
    changed = await there.transact(_link, identity.id, subjects, ctx.clock.now())
    return there, pool, changed, claims


async def _link(
    tx: Transaction, scope: Scope, id: str, subjects: dict[str, str], now: float
) -> Identity:
    identity = await IDENTITIES.load(tx, store.NOWHERE, id)
    if identity is None:
        raise ResourceNotFoundException(f"Identity '{id}' not found.")
    for login in subjects.items():
        at = (identity.pool, *login)
        held = await IDENTITIES.lookup(tx, store.NOWHERE, "login", *at, limit=1)
        if held and held[0].id != id:
            raise ResourceConflictException("Login is already linked to another account.")
    changed = msgspec.structs.replace(
        identity, logins={**identity.logins, **subjects}, modified=now
    )
    if changed.logins != identity.logins:
        await IDENTITIES.save(tx, store.NOWHERE, changed)
    return changed


async def _token(
    ctx: Context, pool: IdentityPool, identity: Identity, amr: list[str], seconds: int
) -> str:
    now = int(ctx.clock.now())
    ring = await ctx.need(PoolTokens).identity_ring()
    claims = {
        "sub": identity.id,
        "aud": pool.id,
        "amr": amr,
        "iss": IDENTITY_ISSUER,
        "exp": now + seconds,
        "iat": now,
    }
    return write_token(ring, claims)


def _amr(claims: Logins) -> list[str]:
    """How somebody was authenticated, as conditions of roles' trust ask."""
    if not claims:
        return ["unauthenticated"]
    found = ["authenticated"]
    for provider, told in claims.items():
        found += [provider, f"{provider}:CognitoSignIn:{told['sub']}"]
    return found


@operation("GetOpenIdToken", access="open", signed=False)
async def get_open_id_token(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """A token of the identity, with which STS gives credentials (the basic flow)."""
    there, pool, identity, claims = await _admitted(ctx, request)
    if not pool.settings.get("AllowClassicFlow"):
        raise InvalidParameterException(
            "Basic (classic) flow is not enabled, please use enhanced flow."
        )
    text = await _token(there, pool, identity, _amr(claims), IDENTITY_TOKEN_SECONDS)
    return {"IdentityId": identity.id, "Token": text}


@operation("GetCredentialsForIdentity", access="open", signed=False)
async def get_credentials_for_identity(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Credentials of the role that the pool has for the identity (the enhanced flow)."""
    there, pool, identity, claims = await _admitted(ctx, request)
    role = role_for(pool, claims, request.get("CustomRoleArn", ""))
    text = await _token(there, pool, identity, _amr(claims), IDENTITY_TOKEN_SECONDS)
    try:
        answer = await there.call(
            *("sts", "AssumeRoleWithWebIdentity"),
            RoleArn=role,
            RoleSessionName=_SESSION,
            WebIdentityToken=text,
            DurationSeconds=_SECONDS,
        )
    except AwsError as error:
        raise InvalidIdentityPoolConfigurationException(
            "Invalid identity pool configuration. Check assigned IAM roles for this pool."
        ) from error
    given = answer["Credentials"]
    return {
        "IdentityId": identity.id,
        "Credentials": {
            "AccessKeyId": given["AccessKeyId"],
            "SecretKey": given["SecretAccessKey"],
            "SessionToken": given["SessionToken"],
            "Expiration": given["Expiration"],
        },
    }


@operation("GetOpenIdTokenForDeveloperIdentity", resource=pools.one)
async def get_open_id_token_for_developer_identity(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """A token for somebody whom the developer's own server has authenticated."""
    pool = await ctx.transact(pools.load, request["IdentityPoolId"])
    if request.get("PrincipalTags"):
        raise InvalidParameterException("PrincipalTags is not supported here.")
    provider = pool.settings.get("DeveloperProviderName")
    if not provider or set(request["Logins"]) != {provider}:
        raise InvalidParameterException("Please provide a valid developer provider.")
    seconds = request.get("TokenDuration", 900)
    if not 1 <= seconds <= IDENTITY_TOKEN_SECONDS_MAX:
        raise InvalidParameterException("TokenDuration must be between 1 and 86400 seconds.")
    subjects = dict(request["Logins"])
    now = ctx.clock.now()
    if request.get("IdentityId"):
        identity = await _identity(ctx, request["IdentityId"])
        if identity.pool != pool.id:
            raise ResourceNotFoundException(f"Identity '{identity.id}' not found.")
        identity = await ctx.transact(_link, identity.id, subjects, now)
    else:
        fresh = f"{ctx.scope.region}:{new_uuid(ctx.clock)}"
        identity = await ctx.transact(_found, pool.id, subjects, fresh, now)
    amr = ["authenticated", provider, f"{provider}:{pool.id}:{subjects[provider]}"]
    text = await _token(ctx, pool, identity, amr, seconds)
    return {"IdentityId": identity.id, "Token": text}


async def _where(ctx: Context, request: Mapping[str, Any]) -> str:
    """The pool of the identity that a request names, for permissions."""
    found = await ctx.transact(_load, request["IdentityId"])
    pool = found.pool if found is not None else "*"
    return ctx.scope.arn("cognito-identity", f"identitypool/{pool}")


async def _own(ctx: Context, id: str) -> Identity:
    """The identity, when its pool is of the caller's account and region."""
    identity = await _identity(ctx, id)
    if await ctx.transact(_is_here, identity.pool):
        return identity
    raise ResourceNotFoundException(f"Identity '{id}' not found.")


async def _is_here(tx: Transaction, scope: Scope, pool: str) -> bool:
    return await POOLS.load(tx, scope, pool) is not None


@operation("DescribeIdentity", resource=_where)
async def describe_identity(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show an identity and the providers of its logins."""
    return _view(await _own(ctx, request["IdentityId"]))


def _view(identity: Identity) -> dict[str, Any]:
    return {
        "IdentityId": identity.id,
        "Logins": list(identity.logins),
        "CreationDate": identity.created,
        "LastModifiedDate": identity.modified,
    }


@operation("ListIdentities", resource=pools.one)
async def list_identities(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the identities of a pool."""
    pool = await ctx.transact(pools.load, request["IdentityPoolId"])
    limit = request["MaxResults"]
    found = await ctx.transact(_page, pool.id, limit + 1, position(request.get("NextToken")))
    last = found[limit - 1] if len(found) > limit else None
    more = {"NextToken": make_token([pool.id, last.id])} if last is not None else {}
    shown = [_view(one) for one in found[:limit]]
    return {"IdentityPoolId": pool.id, "Identities": shown, **more}


async def _page(
    tx: Transaction, scope: Scope, pool: str, limit: int, after: tuple[Any, ...] | None
) -> list[Identity]:
    return await IDENTITIES.lookup(tx, store.NOWHERE, "pool", pool, limit=limit, after=after)


@operation("DeleteIdentities", resource="*")
async def delete_identities(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete identities; those that are not there are no error."""
    for id in request["IdentityIdsToDelete"]:
        await ctx.transact(_drop, id)
    return {"UnprocessedIdentityIds": []}


async def _drop(tx: Transaction, scope: Scope, id: str) -> None:
    identity = await IDENTITIES.load(tx, store.NOWHERE, id)
    if identity is not None and await POOLS.load(tx, scope, identity.pool) is not None:
        await IDENTITIES.drop(tx, store.NOWHERE, id)
