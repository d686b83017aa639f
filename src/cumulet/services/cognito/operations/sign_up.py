"""Signing up, and confirming it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    ExpiredCodeException,
    InvalidParameterException,
    NotAuthorizedException,
    UserNotFoundException,
)
from cumulet.services.cognito.flow import people, post
from cumulet.services.cognito.flow.passwords import kept_password
from cumulet.services.cognito.flow.place import Place, by_client, check_secret_hash
from cumulet.services.cognito.model import CONFIRMED, UNCONFIRMED, Code, Pool, User
from cumulet.services.cognito.rules.passwords import check_password, policy_of
from cumulet.services.cognito.rules.schema import check_values, read_attributes
from cumulet.services.cognito.rules.words import hidden

# The operations of users carry no signature: a password, a code or a token proves who they are.


@operation("SignUp", access="open", signed=False)
async def sign_up(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make an account for oneself; a code proves the address before it can be used."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    check_secret_hash(place, request.get("SecretHash"), request["Username"])
    try:
        answer = await register(place, request)
    except AwsError:
        place.measure("SignUpSuccesses", 0.0)
        raise
    place.measure("SignUpSuccesses", 1.0)
    return answer


async def register(place: Place, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make the account of SignUp and of the sign-up page."""
    if place.pool.settings["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]:
        raise NotAuthorizedException("SignUp is not permitted for this user pool")
    password = request.get("Password")
    if not password:
        raise InvalidParameterException("Password is required.")
    check_password(policy_of(place.pool.settings), password)
    given = read_attributes(request.get("UserAttributes", ()))
    people.check_writable(place, given)
    user = people.drafted(place, request["Username"], given, UNCONFIRMED)
    check_values(place.pool.schema, user.attributes, is_new=True)
    await place.ctx.transact(_check_free, place.pool, user)
    validation = read_attributes(request.get("ValidationData", ()))
    said = await people.before_sign_up(place, user, "SignUp", validation)
    user = people.with_verified(user, said)
    is_confirmed = said.get("autoConfirmUser") is True
    user = msgspec.structs.replace(
        user,
        password=await kept_password(place, user.name, password),
        status=CONFIRMED if is_confirmed else UNCONFIRMED,
    )
    await place.ctx.transact(people.add_fresh, place.pool.id, user)
    answer: dict[str, Any] = {"UserConfirmed": is_confirmed, "UserSub": user.sub}
    if is_confirmed:
        await people.after_confirmation(place, user, "ConfirmSignUp")
        return answer
    address = post.reachable(place, user, verified=False)
    if address is not None:
        details = await post.send_code(place, user, address, post.CONFIRM, "SignUp")
        answer["CodeDeliveryDetails"] = details
    return answer


async def _check_free(tx: Transaction, scope: Scope, pool: Pool, user: User) -> None:
    """Say that a name is taken before functions are called for it."""
    for kind in pool.settings.get("UsernameAttributes", ()):
        value = user.attributes.get(kind)
        if value and await store.holders(tx, scope, pool, kind, value):
            raise people.taken(kind)
    if await store.USERS.load(tx, scope, pool.id, user.key) is not None:
        raise people.taken("")


@operation("ConfirmSignUp", access="open", signed=False)
async def confirm_sign_up(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Confirm an account with the code that was sent."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    name = request["Username"]
    user = await place.ctx.transact(store.find_user, place.pool, name)
    names = () if user is None else (user.name, user.sub)
    check_secret_hash(place, request.get("SecretHash"), name, *names)
    if user is None:
        if place.hides_users:
            raise ExpiredCodeException("Invalid code provided, please request a code again.")
        raise UserNotFoundException("User does not exist.")
    await confirm(
        place, user, request["ConfirmationCode"], forced=bool(request.get("ForceAliasCreation"))
    )
    return {}


async def confirm(place: Place, user: User, code: str, *, forced: bool = False) -> None:
    """Take the code of a sign-up: the user is confirmed, and the address proved."""
    if user.status != UNCONFIRMED:
        raise NotAuthorizedException(f"User cannot be confirmed. Current status is {user.status}")
    kept = await post.check_code(place, user, post.CONFIRM, code)
    now = place.ctx.clock.now()
    changed = await place.ctx.transact(_confirm, place.pool, user.key, kept, forced, now)
    await people.after_confirmation(place, changed, "ConfirmSignUp")


async def _confirm(
    tx: Transaction, scope: Scope, pool: Pool, key: str, code: Code, forced: bool, now: float
) -> User:
    user = await store.USERS.load(tx, scope, pool.id, key)
    if user is None:
        raise UserNotFoundException("User does not exist.")
    attributes = post.proved(user, code)
    changed = msgspec.structs.replace(user, attributes=attributes, status=CONFIRMED, modified=now)
    await people.claim_aliases(tx, scope, pool, changed, forced=forced)
    await store.save_user(tx, scope, changed)
    return changed


@operation("ResendConfirmationCode", access="open", signed=False)
async def resend_confirmation_code(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send another code for a sign-up."""
    place = await by_client(ctx, request["ClientId"], request.get("ClientMetadata"))
    name = request["Username"]
    user = await place.ctx.transact(store.find_user, place.pool, name)
    names = () if user is None else (user.name, user.sub)
    check_secret_hash(place, request.get("SecretHash"), name, *names)
    if user is None:
        if place.hides_users:
            return {"CodeDeliveryDetails": nobodys(name)}
        raise UserNotFoundException("User does not exist.")
    if user.status != UNCONFIRMED:
        raise InvalidParameterException("User is already confirmed.")
    address = post.reachable(place, user, verified=False)
    if address is None:
        raise InvalidParameterException(
            "Cannot resend codes. Auto verification not turned on for user pool"
        )
    details = await post.send_code(place, user, address, post.CONFIRM, "ResendCode")
    return {"CodeDeliveryDetails": details}


def nobodys(name: str) -> dict[str, str]:
    """What is said to have been sent to somebody who does not exist; the same each time."""
    shown = name if "@" in name else f"{name}@{name}"
    return {
        "Destination": hidden("email", shown),
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
