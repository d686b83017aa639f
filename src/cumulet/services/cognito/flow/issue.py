"""Tokens for whoever has signed in: claims, the trigger that changes them, and refreshing.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    NotAuthorizedException,
    RefreshTokenReuseException,
)
from cumulet.services.cognito.flow import triggers
from cumulet.services.cognito.flow.place import Place
from cumulet.services.cognito.limits import GROUPS_PER_USER_MAX, SIGN_INS_MAX, SPENT_TOKENS_MAX
from cumulet.services.cognito.model import Group, SignIn, User
from cumulet.services.cognito.rules.claims import (
    Changes,
    access_claims,
    identity_claims,
    read_changes,
)
from cumulet.services.cognito.rules.clients import SELF_SERVICE, lifetimes
from cumulet.services.cognito.signing.identities import PoolTokens
from cumulet.services.cognito.signing.keys import encode_segment
from cumulet.services.cognito.signing.tokens import write_token

_REFRESH_BYTES = 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """What tokens are for: their scopes, the nonce of an OAuth request, and the trigger's source.

    `is_refreshable` is false for the implicit flow, which gives no refresh token.
    """

    scopes: tuple[str, ...] = (SELF_SERVICE,)
    nonce: str = ""
    source: str = "Authentication"
    auth_time: float | None = None
    is_refreshable: bool = True
    metadata: Mapping[str, str] = field(default_factory=dict)


def digest_of(secret: str) -> bytes:
    """What is kept of a token that is found by itself."""
    return sha256(secret.encode()).digest()


async def issue(place: Place, user: User, wanted: Wanted) -> dict[str, Any]:
    """Sign the user in: the `AuthenticationResult`."""
    clock, now = place.ctx.clock, place.ctx.clock.now()
    refresh = encode_segment(clock.random_bytes(_REFRESH_BYTES)) if wanted.is_refreshable else ""
    access, identity, life = lifetimes(place.through.settings)
    sign_in = SignIn(
        id=new_uuid(clock),
        pool=place.pool.id,
        client=place.client_id,
        user=user.key,
        auth_time=wanted.auth_time if wanted.auth_time is not None else now,
        expires_at=now + (life if refresh else max(access, identity)),
        scopes=wanted.scopes,
        refresh=digest_of(refresh) if refresh else b"",
        nonce=wanted.nonce,
    )
    tokens = await _tokens(place, user, sign_in, wanted)
    await place.ctx.transact(_keep, sign_in)
    return {**tokens, **({"RefreshToken": refresh} if refresh else {})}


async def _keep(tx: Transaction, scope: Scope, sign_in: SignIn) -> None:
    at = (sign_in.pool, sign_in.user)
    held = await store.SIGN_INS.lookup(tx, scope, "user", *at, limit=SIGN_INS_MAX)
    if len(held) >= SIGN_INS_MAX:
        oldest = min(held, key=lambda one: one.auth_time)
        await store.SIGN_INS.drop(tx, scope, oldest.pool, oldest.id)
    await store.SIGN_INS.save(tx, scope, sign_in)


async def _tokens(place: Place, user: User, sign_in: SignIn, wanted: Wanted) -> dict[str, Any]:
    ctx, pool, client = place.ctx, place.pool, place.through
    groups = await ctx.transact(load_groups, pool.id, user.groups)
    changes = await _changes(place, user, groups, wanted)
    access_life, identity_life, _ = lifetimes(client.settings)
    now = int(ctx.clock.now())
    ring = await ctx.need(PoolTokens).ring(pool.id)
    access = access_claims(pool, client, user, sign_in, groups, changes)
    access |= {"exp": now + access_life, "iat": now, "jti": new_uuid(ctx.clock)}
    found: dict[str, Any] = {
        "AccessToken": write_token(ring, access),
        "ExpiresIn": access_life,
        "TokenType": "Bearer",
    }
    if SELF_SERVICE in wanted.scopes or "openid" in wanted.scopes:
        identity = identity_claims(pool, client, user, sign_in, groups, changes)
        identity |= {"exp": now + identity_life, "iat": now, "jti": new_uuid(ctx.clock)}
        if "openid" in wanted.scopes:
            half = sha256(found["AccessToken"].encode()).digest()[:16]
            identity["at_hash"] = encode_segment(half)
        found["IdToken"] = write_token(ring, identity)
    return found


async def load_groups(
    tx: Transaction, scope: Scope, pool: str, names: Sequence[str]
) -> list[Group]:
    """A user's groups, those of the lowest precedence first."""
    found = [
        group
        for name in names[:GROUPS_PER_USER_MAX]
        if (group := await store.GROUPS.load(tx, scope, pool, name)) is not None
    ]
    last = 1 << 40
    return sorted(found, key=lambda g: (last if g.precedence is None else g.precedence, g.name))


async def _changes(place: Place, user: User, groups: Sequence[Group], wanted: Wanted) -> Changes:
    configured = place.pool.triggers().get("PreTokenGenerationConfig")
    if configured is None:
        return Changes()
    is_second = configured["LambdaVersion"] == "V2_0"
    roles = [group.role for group in groups if group.role]
    request: dict[str, Any] = {
        "userAttributes": triggers.seen_attributes(user),
        "groupConfiguration": {
            "groupsToOverride": [group.name for group in groups],
            "iamRolesToOverride": roles,
            "preferredRole": roles[0] if roles else None,
        },
    }
    if wanted.source != "RefreshTokens" or place.metadata:
        request["clientMetadata"] = dict(place.metadata)
    if is_second:
        request["scopes"] = list(wanted.scopes)
    said = await triggers.fire(
        place,
        "PreTokenGeneration",
        wanted.source,
        user.name,
        request,
        {"claimsAndScopeOverrideDetails" if is_second else "claimsOverrideDetails": None},
        version="2" if is_second else "1",
    )
    return read_changes(said or {}, is_second=is_second)


async def refreshed(place: Place, token: str, *, rotates: bool) -> dict[str, Any]:
    """Fresh tokens for a refresh token. Raises NotAuthorizedException.

    With `rotates` and a client that wants it, the token is exchanged for another: afterwards it is
    taken for the client's grace period only, then RefreshTokenReuseException.
    """
    ctx, now = place.ctx, place.ctx.clock.now()
    digest = digest_of(token)
    sign_in = await ctx.transact(find_sign_in, place.pool.id, digest)
    if sign_in is None or sign_in.client != place.client_id:
        raise NotAuthorizedException("Invalid Refresh Token")
    if sign_in.revoked:
        raise NotAuthorizedException("Refresh Token has been revoked")
    if sign_in.expires_at <= now:
        raise NotAuthorizedException("Refresh Token has expired")
    in_grace = digest == sign_in.previous and sign_in.previous_until > now
    if digest != sign_in.refresh and not in_grace:
        raise RefreshTokenReuseException("Refresh token has been used already")
    user = await ctx.transact(load_by_key, place.pool.id, sign_in.user)
    if user is None:
        raise NotAuthorizedException("Invalid Refresh Token")
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    wanted = Wanted(sign_in.scopes, sign_in.nonce, "RefreshTokens")
    tokens = await _tokens(place, user, sign_in, wanted)
    rotation = place.through.settings.get("RefreshTokenRotation", {})
    if rotates and rotation.get("Feature") == "ENABLED":
        fresh = encode_segment(ctx.clock.random_bytes(_REFRESH_BYTES))
        until = now + rotation.get("RetryGracePeriodSeconds", 0)
        if not await ctx.transact(_rotate, sign_in, digest_of(fresh), until):
            raise RefreshTokenReuseException("Refresh token has been used already")
        tokens["RefreshToken"] = fresh
    place.measure("TokenRefreshSuccesses", 1.0)
    place.see(user)
    return tokens


async def _rotate(tx: Transaction, scope: Scope, seen: SignIn, fresh: bytes, until: float) -> bool:
    now = await store.SIGN_INS.load(tx, scope, seen.pool, seen.id)
    if now is None or now.revoked or now.refresh != seen.refresh:
        return False
    spent = (now.previous, *now.spent)[:SPENT_TOKENS_MAX] if now.previous else now.spent
    changed = msgspec.structs.replace(
        now, refresh=fresh, previous=now.refresh, previous_until=until, spent=spent
    )
    await store.SIGN_INS.save(tx, scope, changed)
    return True


async def find_sign_in(tx: Transaction, scope: Scope, pool: str, digest: bytes) -> SignIn | None:
    """The sign-in that a refresh token belongs, or belonged, to."""
    found = await store.SIGN_INS.lookup(tx, scope, "refresh", pool, digest, limit=1)
    return found[0] if found else None


async def load_by_key(tx: Transaction, scope: Scope, pool: str, key: str) -> User | None:
    """A user by the key of the record."""
    return await store.USERS.load(tx, scope, pool, key)
