"""What somebody who is signed in does with the own account."""

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
    InvalidParameterException,
    NotAuthorizedException,
    UserNotFoundException,
)
from cumulet.services.cognito.flow import people, post
from cumulet.services.cognito.flow.place import Place, by_token
from cumulet.services.cognito.model import Code, Pool, User
from cumulet.services.cognito.rules.clients import may_read
from cumulet.services.cognito.rules.schema import ADDRESSES, check_values, read_attributes
from cumulet.services.cognito.rules.views import attribute_list, factor_view


@operation("GetUser", access="open", signed=False)
async def get_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show the own attributes that the client may read."""
    bearer = await by_token(ctx, request["AccessToken"])
    shown = [
        one for one in attribute_list(bearer.user) if may_read(bearer.place.through, one["Name"])
    ]
    return {
        "Username": bearer.user.name,
        "UserAttributes": shown,
        **factor_view(bearer.user),
    }


@operation("UpdateUserAttributes", access="open", signed=False)
async def update_user_attributes(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change own attributes; codes are sent for new addresses and numbers."""
    bearer = await by_token(ctx, request["AccessToken"])
    place = Place(
        bearer.place.ctx, bearer.place.pool, bearer.place.client, request.get("ClientMetadata", {})
    )
    given = read_attributes(request["UserAttributes"])
    people.check_writable(place, given)
    sent = await change(place, bearer.user, given)
    return {"CodeDeliveryDetailsList": sent}


async def change(place: Place, user: User, given: Mapping[str, str]) -> list[dict[str, str]]:
    """Change a user's attributes; the codes that were sent for it. Raises what AWS raises."""
    check_values(place.pool.schema, given, is_new=False)
    folded = people.folded_attributes(place.pool, given)
    now = place.ctx.clock.now()
    changed, renewed = await place.ctx.transact(
        change_attributes, place.pool, user.key, folded, place.is_admin, now
    )
    automatic = place.pool.settings.get("AutoVerifiedAttributes", ())
    sent = []
    for name in renewed:
        # An administrator may say with the address that it is verified.
        if name not in automatic or given.get(f"{name}_verified") == "true":
            continue
        address = post.Address(name, folded[name])
        purpose = post.VERIFY + name
        sent.append(await post.send_code(place, changed, address, purpose, "UpdateUserAttribute"))
    return sent


async def change_attributes(
    tx: Transaction,
    scope: Scope,
    pool: Pool,
    key: str,
    given: Mapping[str, str],
    admin: bool,
    now: float,
) -> tuple[User, list[str]]:
    """Write a user's attributes; tells which addresses and numbers are new.

    Where the pool wants it, a new one takes the place of the old when it is proved.
    """
    user = await store.USERS.load(tx, scope, pool.id, key)
    if user is None:
        raise UserNotFoundException("User does not exist.")
    renewed = [
        name for name in ADDRESSES if given.get(name) and given[name] != user.attributes.get(name)
    ]
    held_back = _held_back(pool, user, renewed, given, admin)
    attributes, pending = dict(user.attributes), dict(user.pending)
    for name, value in given.items():
        if name in held_back:
            pending[name] = value
        elif value == "":
            attributes.pop(name, None)
        else:
            attributes[name] = value
    for name in renewed:
        if name not in held_back and f"{name}_verified" not in given:
            attributes[f"{name}_verified"] = "false"
            pending.pop(name, None)
    for kind in pool.settings.get("UsernameAttributes", ()):
        if kind in renewed and await store.holders(tx, scope, pool, kind, given[kind]):
            raise people.alias_taken(kind)
    changed = msgspec.structs.replace(user, attributes=attributes, pending=pending, modified=now)
    await people.claim_aliases(tx, scope, pool, changed, forced=False)
    await store.save_user(tx, scope, changed)
    return changed, renewed


def _held_back(
    pool: Pool, user: User, renewed: list[str], given: Mapping[str, str], admin: bool
) -> set[str]:
    updates = pool.settings.get("UserAttributeUpdateSettings", {})
    wanted = updates.get("AttributesRequireVerificationBeforeUpdate", ())
    return {
        name
        for name in renewed
        if name in wanted
        and user.attributes.get(f"{name}_verified") == "true"
        and not (admin and given.get(f"{name}_verified") == "true")
    }


@operation("DeleteUserAttributes", access="open", signed=False)
async def delete_user_attributes(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove own attributes."""
    bearer = await by_token(ctx, request["AccessToken"])
    names = dict.fromkeys(request["UserAttributeNames"], "")
    people.check_writable(bearer.place, names)
    await remove(bearer.place, bearer.user, list(names))
    return {}


async def remove(place: Place, user: User, names: list[str]) -> None:
    """Remove attributes of a user; required ones stay. Raises InvalidParameterException."""
    for name in names:
        entry = place.pool.schema.get(name)
        if entry is None:
            raise InvalidParameterException(f"user.{name}: Attribute does not exist in the schema.")
        if entry["Required"] or not entry["Mutable"]:
            raise InvalidParameterException(f"user.{name}: Attribute cannot be deleted.")
    await place.ctx.transact(_remove, user, names, place.ctx.clock.now())


async def _remove(tx: Transaction, scope: Scope, seen: User, names: list[str], now: float) -> None:
    user = await store.USERS.load(tx, scope, seen.pool, seen.key)
    if user is None:
        raise UserNotFoundException("User does not exist.")
    gone = {*names, *(f"{name}_verified" for name in names if name in ADDRESSES)}
    rest = {name: value for name, value in user.attributes.items() if name not in gone}
    await store.save_user(tx, scope, msgspec.structs.replace(user, attributes=rest, modified=now))


@operation("GetUserAttributeVerificationCode", access="open", signed=False)
async def get_user_attribute_verification_code(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Have a code sent that proves an own address or number."""
    bearer = await by_token(ctx, request["AccessToken"])
    name, user = request["AttributeName"], bearer.user
    if name not in ADDRESSES:
        raise InvalidParameterException(f"{name} cannot be verified.")
    value = user.pending.get(name) or user.attributes.get(name)
    if not value:
        raise InvalidParameterException(f"User has no {name}.")
    place = Place(
        bearer.place.ctx, bearer.place.pool, bearer.place.client, request.get("ClientMetadata", {})
    )
    address, purpose = post.Address(name, value), post.VERIFY + name
    details = await post.send_code(place, user, address, purpose, "VerifyUserAttribute")
    return {"CodeDeliveryDetails": details}


@operation("VerifyUserAttribute", access="open", signed=False)
async def verify_user_attribute(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Prove an own address or number with the code that was sent to it."""
    bearer = await by_token(ctx, request["AccessToken"])
    place, name = bearer.place, request["AttributeName"]
    if name not in ADDRESSES:
        raise InvalidParameterException(f"{name} cannot be verified.")
    code = await post.check_code(place, bearer.user, post.VERIFY + name, request["Code"])
    await place.ctx.transact(_prove, place.pool, bearer.user.key, code, ctx.clock.now())
    return {}


async def _prove(
    tx: Transaction, scope: Scope, pool: Pool, key: str, code: Code, now: float
) -> None:
    user = await store.USERS.load(tx, scope, pool.id, key)
    if user is None:
        raise NotAuthorizedException("Invalid Access Token")
    name, pending = code.attribute, dict(user.pending)
    if code.value != pending.pop(name, user.attributes.get(name)):
        raise CodeMismatchException("Invalid verification code provided, please try again.")
    attributes = {**user.attributes, name: code.value, f"{name}_verified": "true"}
    changed = msgspec.structs.replace(user, attributes=attributes, pending=pending, modified=now)
    await people.claim_aliases(tx, scope, pool, changed, forced=False)
    await store.save_user(tx, scope, changed)


@operation("DeleteUser", access="open", signed=False)
async def delete_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete the own account."""
    bearer = await by_token(ctx, request["AccessToken"])
    await bearer.place.ctx.transact(store.drop_user, bearer.user)
    return {}


@operation("GlobalSignOut", access="open", signed=False)
async def global_sign_out(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """End all own sign-ins."""
    bearer = await by_token(ctx, request["AccessToken"])
    user = bearer.user
    await bearer.place.ctx.transact(store.end_sign_ins, user.pool, user.key)
    return {}
