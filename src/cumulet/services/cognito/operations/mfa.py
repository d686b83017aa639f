"""Second factors of users: authenticators tied to accounts, and which factors are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    EnableSoftwareTokenMFAException,
    InvalidParameterException,
    NotAuthorizedException,
    ResourceNotFoundException,
    SoftwareTokenMFANotFoundException,
)
from cumulet.services.cognito.flow import factors
from cumulet.services.cognito.flow.attempts import Taken, keep_open, take, wait_for
from cumulet.services.cognito.flow.issue import digest_of
from cumulet.services.cognito.flow.place import Place, as_cognito, by_pool, by_token
from cumulet.services.cognito.limits import CODE_SECONDS
from cumulet.services.cognito.model import Attempt, Home, User
from cumulet.services.cognito.rules import permissions, totp
from cumulet.services.cognito.rules.settings import factors_of

_NAMES = {
    "SMSMfaSettings": factors.SMS,
    "SoftwareTokenMfaSettings": factors.TOTP,
    "EmailMfaSettings": factors.EMAIL,
}


async def _whose(ctx: Context, request: Mapping[str, Any]) -> tuple[Place, User, Taken | None]:
    """Who ties an authenticator: by access token, or in the middle of the sign-in given with it."""
    if request.get("AccessToken"):
        bearer = await by_token(ctx, request["AccessToken"])
        return bearer.place, bearer.user, None
    session = request.get("Session")
    if not session:
        raise InvalidParameterException("AccessToken or Session is required.")
    attempt, home = await _attempt_of(ctx, session)
    place = await _through(ctx, home, attempt)
    taken = await take(place, session, factors.SETUP)
    return place, taken.present, taken


async def _attempt_of(ctx: Context, session: str) -> tuple[Attempt, Home]:
    """The sign-in of a session text; nothing else in the request says where it is."""
    found = await ctx.transact(store.find_attempt, digest_of(session))
    if found is None:
        raise NotAuthorizedException("Invalid session for the user, session is expired.")
    return found


async def _through(ctx: Context, home: Home, attempt: Attempt) -> Place:
    there = as_cognito(ctx, home)
    pool, client = await there.transact(store.open_door, attempt.pool, attempt.client)
    if pool is None or client is None:
        raise ResourceNotFoundException(f"User pool {attempt.pool} does not exist.")
    return Place(there, pool, client)


@operation("AssociateSoftwareToken", access="open", signed=False)
async def associate_software_token(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make the secret of an authenticator; it counts once a code proves that it arrived."""
    place, user, taken = await _whose(ctx, request)
    if factors.TOTP not in factors_of(place.pool.settings):
        raise SoftwareTokenMFANotFoundException("Software token MFA is not enabled for the pool.")
    secret = ctx.clock.random_bytes(totp.SECRET_BYTES)
    sealed = place.sealer.seal(secret, factors.TOTP_PURPOSE)
    expires_at = ctx.clock.now() + CODE_SECONDS
    await place.ctx.transact(store.set_pending_totp, user, sealed, expires_at)
    answer = {"SecretCode": totp.shown(secret)}
    if taken is not None:
        state = {"source": taken.state["source"]}
        answer["Session"] = await wait_for(place, user.key, factors.SETUP, state)
    return answer


@operation("VerifySoftwareToken", access="open", signed=False)
async def verify_software_token(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tie the authenticator, as its code proves that it has the secret."""
    place, user, taken = await _whose(ctx, request)
    pending = await place.ctx.transact(store.pending_totp, user)
    if pending is None:
        raise EnableSoftwareTokenMFAException("Code mismatch")
    secret = place.sealer.unseal(pending, factors.TOTP_PURPOSE)
    step = totp.matching_step(secret, request["UserCode"], ctx.clock.now())
    if not step:
        if taken is not None:
            await keep_open(place, taken)
        raise EnableSoftwareTokenMFAException("Code mismatch")
    await place.ctx.transact(_tie, user, pending, step, taken is not None)
    answer: dict[str, Any] = {"Status": "SUCCESS"}
    if taken is not None:
        state = {"source": taken.state["source"], "done": True}
        answer["Session"] = await wait_for(place, user.key, factors.SETUP, state)
    return answer


async def _tie(
    tx: Transaction, scope: Scope, seen: User, secret: bytes, step: int, turns_on: bool
) -> None:
    user = await store.USERS.load(tx, scope, seen.pool, seen.key)
    if user is None:
        raise NotAuthorizedException("Invalid session for the user.")
    enabled = user.factors.enabled
    if turns_on and factors.TOTP not in enabled:
        enabled = (*enabled, factors.TOTP)
    changed = msgspec.structs.replace(user.factors, totp=secret, totp_step=step, enabled=enabled)
    await store.save_user(tx, scope, msgspec.structs.replace(user, factors=changed))
    await store.drop_pending_totp(tx, scope, user)


@operation("SetUserMFAPreference", access="open", signed=False)
async def set_user_mfa_preference(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Say which second factors one wants."""
    bearer = await by_token(ctx, request["AccessToken"])
    await _prefer(bearer.place, bearer.user, request)
    return {}


@operation("AdminSetUserMFAPreference", resource=permissions.pool, conditions=permissions.keys)
async def admin_set_user_mfa_preference(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Say which second factors a user has."""
    place = await by_pool(ctx, request["UserPoolId"])
    await _prefer(place, await place.user(request["Username"]), request)
    return {}


async def _prefer(place: Place, user: User, request: Mapping[str, Any]) -> None:
    if request.get("WebAuthnMfaSettings", {}).get("Enabled"):
        raise InvalidParameterException("Passkeys are not supported here: WebAuthnMfaSettings.")
    await place.ctx.transact(_set_factors, user, dict(request), factors_of(place.pool.settings))


async def _set_factors(
    tx: Transaction,
    scope: Scope,
    seen: User,
    request: dict[str, Any],
    offered: tuple[str, ...],
) -> None:
    user = await store.USERS.load(tx, scope, seen.pool, seen.key)
    if user is None:
        raise NotAuthorizedException("Invalid Access Token")
    enabled, preferred = list(user.factors.enabled), user.factors.preferred
    for name, factor in _NAMES.items():
        wanted = request.get(name)
        if wanted is None:
            continue
        if wanted.get("PreferredMfa") and not wanted.get("Enabled"):
            raise InvalidParameterException(f"{factor} must be enabled to be preferred.")
        if not wanted.get("Enabled"):
            enabled = [one for one in enabled if one != factor]
            preferred = "" if preferred == factor else preferred
            continue
        _check_possible(user, factor, offered)
        if factor not in enabled:
            enabled.append(factor)
        if wanted.get("PreferredMfa"):
            preferred = factor
        elif preferred == factor:
            preferred = ""
    if sum(bool(request.get(name, {}).get("PreferredMfa")) for name in _NAMES) > 1:
        raise InvalidParameterException("Only one MFA method can be preferred.")
    changed = msgspec.structs.replace(user.factors, enabled=tuple(enabled), preferred=preferred)
    await store.save_user(tx, scope, msgspec.structs.replace(user, factors=changed))


def _check_possible(user: User, factor: str, offered: tuple[str, ...]) -> None:
    if factor not in offered:
        raise InvalidParameterException(f"The user pool does not have {factor}.")
    if factor == factors.TOTP and not user.factors.totp:
        raise InvalidParameterException("User has not verified software token mfa")
    if factor == factors.SMS and not user.attributes.get("phone_number"):
        raise InvalidParameterException("User does not have delivery config set to turn on SMS_MFA")
    if factor == factors.EMAIL and not user.attributes.get("email"):
        raise InvalidParameterException("User does not have an email to turn on EMAIL_OTP")
