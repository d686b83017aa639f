"""What administrators do with users; passwords are in `password.py`, groups in `group.py`."""

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
    InvalidParameterException,
    NotAuthorizedException,
    UnsupportedUserStateException,
    UserNotFoundException,
)
from cumulet.services.cognito.flow import people, post
from cumulet.services.cognito.flow.passwords import kept_password
from cumulet.services.cognito.flow.place import Place, by_pool
from cumulet.services.cognito.model import CONFIRMED, MUST_CHANGE, UNCONFIRMED, Pool, User
from cumulet.services.cognito.operations import profile
from cumulet.services.cognito.rules import permissions
from cumulet.services.cognito.rules.passwords import check_password, made_up, policy_of
from cumulet.services.cognito.rules.schema import check_values, read_attributes
from cumulet.services.cognito.rules.views import attribute_list, factor_view, user_view


@operation("AdminCreateUser", resource=permissions.pool, conditions=permissions.keys)
async def admin_create_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a user with a temporary password, and send it to them."""
    place = await by_pool(ctx, request["UserPoolId"], metadata=request.get("ClientMetadata"))
    if request.get("MessageAction") == "RESEND":
        return {"User": user_view(await _invite_again(place, request))}
    policy = policy_of(place.pool.settings)
    password = request.get("TemporaryPassword") or made_up(ctx.clock, policy)
    check_password(policy, password)
    given = read_attributes(request.get("UserAttributes", ()))
    user = people.drafted(place, request["Username"], given, MUST_CHANGE)
    check_values(place.pool.schema, user.attributes, is_new=True)
    validation = read_attributes(request.get("ValidationData", ()))
    said = await people.before_sign_up(place, user, "AdminCreateUser", validation)
    user = people.with_verified(user, said)
    kept = await kept_password(place, user.name, password, temporary=True)
    user = msgspec.structs.replace(user, password=kept)
    invited = _invitations(request, user)
    forced = bool(request.get("ForceAliasCreation"))
    await place.ctx.transact(people.add_fresh, place.pool.id, user, forced)
    for address in invited:
        await post.deliver(place, user, address, "AdminCreateUser", password)
    return {"User": user_view(user)}


def _invitations(request: Mapping[str, Any], user: User) -> list[post.Address]:
    """Where the invitation goes: by text unless the request says otherwise, as AWS has it."""
    if request.get("MessageAction") == "SUPPRESS":
        return []
    wanted = request.get("DesiredDeliveryMediums") or ["SMS"]
    found = []
    for medium, name in (("EMAIL", "email"), ("SMS", "phone_number")):
        if medium not in wanted:
            continue
        if name in user.attributes:
            found.append(post.Address(name, user.attributes[name]))
        elif request.get("DesiredDeliveryMediums"):
            word = "email" if name == "email" else "phone number"
            raise InvalidParameterException(
                f"User has no {word}: the invitation cannot be delivered."
            )
    return found


async def _invite_again(place: Place, request: Mapping[str, Any]) -> User:
    user = await place.user(request["Username"])
    if user.status != MUST_CHANGE:
        raise UnsupportedUserStateException(
            f"Resend not possible. {user.name} status is not FORCE_CHANGE_PASSWORD"
        )
    policy = policy_of(place.pool.settings)
    password = request.get("TemporaryPassword") or made_up(place.ctx.clock, policy)
    check_password(policy, password)
    kept = await kept_password(place, user.name, password, temporary=True)
    await place.ctx.transact(store.change_user, user.pool, user.key, password=kept)
    for address in _invitations(request, user):
        await post.deliver(place, user, address, "AdminCreateUser", password)
    return user


@operation("AdminGetUser", resource=permissions.pool, conditions=permissions.keys)
async def admin_get_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show a user."""
    user = await _user(ctx, request)
    shown = user_view(user)
    del shown["Attributes"]
    return {**shown, "UserAttributes": attribute_list(user), **factor_view(user)}


async def _user(ctx: Context, request: Mapping[str, Any]) -> User:
    place = await by_pool(ctx, request["UserPoolId"])
    return await place.user(request["Username"])


@operation("AdminDeleteUser", resource=permissions.pool, conditions=permissions.keys)
async def admin_delete_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a user."""
    await ctx.transact(store.drop_user, await _user(ctx, request))
    return {}


@operation("AdminEnableUser", resource=permissions.pool, conditions=permissions.keys)
async def admin_enable_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Let a user sign in again."""
    await _set_enabled(ctx, request, is_enabled=True)
    return {}


@operation("AdminDisableUser", resource=permissions.pool, conditions=permissions.keys)
async def admin_disable_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Let a user sign in no more, and end all sign-ins."""
    await _set_enabled(ctx, request, is_enabled=False)
    return {}


async def _set_enabled(ctx: Context, request: Mapping[str, Any], *, is_enabled: bool) -> None:
    user = await _user(ctx, request)
    await ctx.transact(_enable, user.pool, user.key, is_enabled, ctx.clock.now())


async def _enable(
    tx: Transaction, scope: Scope, pool: str, key: str, is_enabled: bool, now: float
) -> None:
    changed = await store.change_user(tx, scope, pool, key, enabled=is_enabled, modified=now)
    if changed is not None and not is_enabled:
        await store.end_sign_ins(tx, scope, pool, key)


@operation("AdminConfirmSignUp", resource=permissions.pool, conditions=permissions.keys)
async def admin_confirm_sign_up(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Confirm an account without a code."""
    place = await by_pool(ctx, request["UserPoolId"], metadata=request.get("ClientMetadata"))
    user = await place.user(request["Username"])
    if user.status != UNCONFIRMED:
        raise NotAuthorizedException(f"User cannot be confirmed. Current status is {user.status}")
    changed = await place.ctx.transact(_confirm, place.pool, user.key, ctx.clock.now())
    await people.after_confirmation(place, changed, "ConfirmSignUp")
    return {}


async def _confirm(tx: Transaction, scope: Scope, pool: Pool, key: str, now: float) -> User:
    changed = await store.change_user(tx, scope, pool.id, key, status=CONFIRMED, modified=now)
    if changed is None:
        raise UserNotFoundException("User does not exist.")
    await people.claim_aliases(tx, scope, pool, changed, forced=False)
    return changed


@operation("AdminUpdateUserAttributes", resource=permissions.pool, conditions=permissions.keys)
async def admin_update_user_attributes(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change attributes of a user, also those that only developers see."""
    place = await by_pool(ctx, request["UserPoolId"], metadata=request.get("ClientMetadata"))
    user = await place.user(request["Username"])
    await profile.change(place, user, read_attributes(request["UserAttributes"]))
    return {}


@operation("AdminDeleteUserAttributes", resource=permissions.pool, conditions=permissions.keys)
async def admin_delete_user_attributes(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove attributes of a user."""
    place = await by_pool(ctx, request["UserPoolId"])
    user = await place.user(request["Username"])
    await profile.remove(place, user, list(request["UserAttributeNames"]))
    return {}


@operation("AdminUserGlobalSignOut", resource=permissions.pool, conditions=permissions.keys)
async def admin_user_global_sign_out(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """End all sign-ins of a user."""
    user = await _user(ctx, request)
    await ctx.transact(store.end_sign_ins, user.pool, user.key)
    return {}
