"""Passwords: changed, forgotten, and set by an administrator."""

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
    CodeMismatchException,
    ExpiredCodeException,
    InvalidParameterException,
    NotAuthorizedException,
    UserNotFoundException,
)
from cumulet.services.cognito.flow import people, post, triggers
from cumulet.services.cognito.flow.passwords import (
    check_unlocked,
    is_right,
    kept_password,
    note_right,
    note_wrong,
    set_password,
)
from cumulet.services.cognito.flow.place import (
    Place,
    by_client,
    by_pool,
    by_token,
    check_secret_hash,
)
from cumulet.services.cognito.model import (
    CONFIRMED,
    MUST_CHANGE,
    MUST_RESET,
    Code,
    Password,
    Pool,
    User,
)
from cumulet.services.cognito.operations.sign_up import nobodys
from cumulet.services.cognito.rules import permissions
from cumulet.services.cognito.rules.passwords import check_password, policy_of

_UNREACHABLE = (
    "Cannot reset password for the user as there is no registered/verified email or phone_number"
)


@operation("ChangePassword", access="open", signed=False)
async def change_password(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take another password; the present one must be told."""
    bearer = await by_token(ctx, request["AccessToken"])
    place, user = bearer.place, bearer.user
    check_password(policy_of(place.pool.settings), request["ProposedPassword"])
    if user.password is not None:
        check_unlocked(place, user)
        if not await is_right(place, user, request.get("PreviousPassword", "")):
            await note_wrong(place, user)
        await note_right(place, user)
    await _take(place, user, request["ProposedPassword"])
    return {}


async def _take(place: Place, user: User, password: str) -> None:
    kept = await kept_password(place, user.name, password)
    now = place.ctx.clock.now()
    await place.ctx.transact(set_password, place.pool, user.key, kept, modified=now)


@operation("ForgotPassword", access="open", signed=False)
async def forgot_password(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Have a code sent with which a new password can be set."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    name = request["Username"]
    user = await place.ctx.transact(store.find_user, place.pool, name)
    names = () if user is None else (user.name, user.sub)
    check_secret_hash(place, request.get("SecretHash"), name, *names)
    return {"CodeDeliveryDetails": await send_reset(place, user, name)}


async def send_reset(place: Place, user: User | None, name: str) -> dict[str, str]:
    """Send the code of a forgotten password, as the operation and the page do."""
    if user is None and triggers.has(place, "UserMigration"):
        user = await people.migrate(place, name, "", "ForgotPassword")
    if user is None:
        if place.hides_users:
            return nobodys(name)
        raise UserNotFoundException("User does not exist.")
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    if user.status == MUST_CHANGE:
        raise NotAuthorizedException("User password cannot be reset in the current state.")
    address = _recovery(place, user)
    if address is None:
        if place.hides_users:
            return nobodys(name)
        raise InvalidParameterException(_UNREACHABLE)
    return await post.send_code(place, user, address, post.RESET, "ForgotPassword")


def _recovery(place: Place, user: User) -> post.Address | None:
    """Where the code goes, in the order that the pool says."""
    ways = place.pool.settings.get("AccountRecoverySetting", {}).get("RecoveryMechanisms")
    if ways is None:
        return post.reachable(place, user, verified=True)
    for way in sorted(ways, key=lambda one: int(one["Priority"])):
        if way["Name"] == "admin_only":
            raise NotAuthorizedException("Contact administrator to reset password.")
        name = way["Name"].removeprefix("verified_")
        if user.attributes.get(f"{name}_verified") == "true" and user.attributes.get(name):
            return post.Address(name, user.attributes[name])
    return None


@operation("ConfirmForgotPassword", access="open", signed=False)
async def confirm_forgot_password(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Set a new password with the code that was sent."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    name = request["Username"]
    user = await place.ctx.transact(store.find_user, place.pool, name)
    names = () if user is None else (user.name, user.sub)
    check_secret_hash(place, request.get("SecretHash"), name, *names)
    check_password(policy_of(place.pool.settings), request["Password"])
    await reset(place, user, request["ConfirmationCode"], request["Password"])
    return {}


async def reset(place: Place, user: User | None, code: str, password: str) -> None:
    """Take the code of a forgotten password, and the new one."""
    if user is None:
        if place.hides_users:
            raise CodeMismatchException("Invalid verification code provided, please try again.")
        raise UserNotFoundException("User does not exist.")
    check_password(policy_of(place.pool.settings), password)
    spent = await post.check_code(place, user, post.RESET, code)
    kept = await kept_password(place, user.name, password)
    changed = await place.ctx.transact(
        _reset, place.pool, user.key, kept, spent, place.ctx.clock.now()
    )
    if changed is None:
        raise ExpiredCodeException("Invalid code provided, please request a code again.")
    await people.after_confirmation(place, changed, "ConfirmForgotPassword")


async def _reset(
    tx: Transaction, scope: Scope, pool: Pool, key: str, kept: Password, code: Code, now: float
) -> User | None:
    user = await store.USERS.load(tx, scope, pool.id, key)
    if user is None:
        return None
    attributes = post.proved(user, code)
    return await set_password(
        tx, scope, pool, key, kept, status=CONFIRMED, attributes=attributes, modified=now
    )


@operation("AdminSetUserPassword", resource=permissions.pool, conditions=permissions.keys)
async def admin_set_user_password(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a user a password, for good or until the next sign-in."""
    place = await by_pool(ctx, request["UserPoolId"])
    user = await place.user(request["Username"])
    check_password(policy_of(place.pool.settings), request["Password"])
    is_permanent = bool(request.get("Permanent"))
    kept = await kept_password(place, user.name, request["Password"], temporary=not is_permanent)
    status = CONFIRMED if is_permanent else MUST_CHANGE
    now = place.ctx.clock.now()
    await place.ctx.transact(set_password, place.pool, user.key, kept, status=status, modified=now)
    return {}


@operation("AdminResetUserPassword", resource=permissions.pool, conditions=permissions.keys)
async def admin_reset_user_password(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a user's password worthless; a code to set another is sent."""
    place = await by_pool(ctx, request["UserPoolId"], metadata=request.get("ClientMetadata"))
    user = await place.user(request["Username"])
    if user.status == MUST_CHANGE:
        raise NotAuthorizedException("User password cannot be reset in the current state.")
    address = _recovery(place, user)
    if address is None:
        raise InvalidParameterException(_UNREACHABLE)
    await place.ctx.transact(
        store.change_user, user.pool, user.key, status=MUST_RESET, modified=place.ctx.clock.now()
    )
    changed = msgspec.structs.replace(user, status=MUST_RESET)
    await post.send_code(place, changed, address, post.RESET, "ForgotPassword")
    return {}
