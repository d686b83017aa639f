"""First factors: a password sent, or its possession proved by SRP.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    NotAuthorizedException,
    PasswordResetRequiredException,
    UserNotConfirmedException,
    UserNotFoundException,
)
from cumulet.services.cognito.flow import people, triggers
from cumulet.services.cognito.flow.attempts import Taken, take, wait_for
from cumulet.services.cognito.flow.passwords import (
    WRONG,
    check_unlocked,
    is_right,
    note_wrong,
    spend_time,
    verifier_of,
)
from cumulet.services.cognito.flow.place import Place, check_secret_hash, needed
from cumulet.services.cognito.flow.work import PasswordWork
from cumulet.services.cognito.limits import SRP_NUMBER_DIGITS_MAX
from cumulet.services.cognito.model import MUST_RESET, UNCONFIRMED, User
from cumulet.services.cognito.rules import srp

VERIFIER = "PASSWORD_VERIFIER"
PEPPER_PURPOSE = "cognito-pepper"
_BLOCK_BYTES = 192


async def named_user(place: Place, name: str) -> User | None:
    """The user who wants to sign in, after the trigger before it.

    None when there is none and the client hides it; else raises UserNotFoundException.
    """
    user = await place.ctx.transact(store.find_user, place.pool, name)
    if user is None and not place.hides_users:
        raise UserNotFoundException("User does not exist.")
    await triggers.fire(
        *(place, "PreAuthentication", "Authentication", user.name if user is not None else name),
        {
            "userAttributes": triggers.seen_attributes(user) if user is not None else {},
            "validationData": dict(place.metadata),
            **({"userNotFound": user is None} if place.hides_users else {}),
        },
    )
    return user


def check_state(user: User) -> None:
    """Raise unless the user may sign in at all; asked once the password was right."""
    if not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    if user.status == UNCONFIRMED:
        raise UserNotConfirmedException("User is not confirmed.")
    if user.status == MUST_RESET:
        raise PasswordResetRequiredException("Password reset required for the user")


async def by_password(place: Place, parameters: Mapping[str, str]) -> User:
    """The user whose password was sent. Raises NotAuthorizedException and its kin."""
    name, password = needed(parameters, "USERNAME"), needed(parameters, "PASSWORD")
    known = await place.ctx.transact(store.find_user, place.pool, name)
    names = () if known is None else (known.name, known.sub)
    if not place.is_page:
        check_secret_hash(place, parameters.get("SECRET_HASH"), name, *names)
    if known is None and triggers.has(place, "UserMigration"):
        migrated = await people.migrate(place, name, password, "Authentication")
        if migrated is not None:
            return migrated
    user = await named_user(place, name)
    if user is None:
        await spend_time(place, name, password)
        raise NotAuthorizedException(WRONG)
    check_unlocked(place, user)
    if user.status == MUST_RESET and not place.hides_users:
        check_state(user)
    if not await is_right(place, user, password):
        await note_wrong(place, user)
    check_state(user)
    return user


async def begin_srp(
    place: Place, parameters: Mapping[str, str], state: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The server's half of SRP: salt, public number, and the block that must come back signed."""
    name = needed(parameters, "USERNAME")
    client = public_number(needed(parameters, "SRP_A"))
    known = await place.ctx.transact(store.find_user, place.pool, name)
    names = () if known is None else (known.name, known.sub)
    check_secret_hash(place, parameters.get("SECRET_HASH"), name, *names)
    user = await named_user(place, name)
    if user is not None:
        check_unlocked(place, user)
        if not user.enabled or user.status == MUST_RESET:
            check_state(user)
    return await offer_srp(place, user, name, client, state or {})


async def offer_srp(
    place: Place, user: User | None, name: str, client: int, state: Mapping[str, Any]
) -> dict[str, Any]:
    """The challenge of SRP for a client's public number; one for nobody looks the same."""
    ctx, work = place.ctx, place.ctx.need(PasswordWork)
    secret = int.from_bytes(ctx.clock.random_bytes(srp.SECRET_BYTES))
    power = await work.power(srp.GENERATOR, secret)
    if user is not None and user.password is not None:
        salt = user.password.salt
        verifier = verifier_of(place, user.password)
        server = (srp.MULTIPLIER * verifier + power) % srp.PRIME
    else:
        pepper = place.sealer.unseal(place.pool.pepper, PEPPER_PURPOSE)
        salt = hmac.new(pepper, name.encode(), hashlib.sha256).hexdigest()[:32]
        server = power
    block = base64.b64encode(ctx.clock.random_bytes(_BLOCK_BYTES)).decode()
    kept = {**state, "secret": f"{secret:x}", "client": f"{client:x}", "server": f"{server:x}"}
    key = user.key if user is not None and user.password is not None else ""
    await wait_for(place, key, VERIFIER, kept, block)
    shown = user.name if user is not None else name
    return {
        "ChallengeName": VERIFIER,
        "ChallengeParameters": {
            "SALT": salt,
            "SECRET_BLOCK": block,
            "SRP_B": f"{server:x}",
            "USERNAME": shown,
            "USER_ID_FOR_SRP": shown,
        },
    }


def public_number(text: str) -> int:
    """A client's public number. Raises InvalidParameterException for one that gives all away."""
    try:
        if len(text) > SRP_NUMBER_DIGITS_MAX:
            raise ValueError("too long")
        number = int(text, 16)
    except ValueError:
        number = 0
    if number <= 0 or not srp.is_public(number):
        raise InvalidParameterException("SRP_A is not a valid public value.")
    return number


async def finish_srp(place: Place, responses: Mapping[str, str]) -> Taken:
    """Whose password was proved. Raises NotAuthorizedException; a block is good for one proof."""
    block = needed(responses, "PASSWORD_CLAIM_SECRET_BLOCK")
    signature = needed(responses, "PASSWORD_CLAIM_SIGNATURE")
    timestamp = needed(responses, "TIMESTAMP")
    taken = await take(place, block, VERIFIER)
    state, user = taken.state, taken.user
    secret, client, server = (int(state[name], 16) for name in ("secret", "client", "server"))
    work = place.ctx.need(PasswordWork)
    scramble = srp.scrambler(client, server)
    if not scramble:
        raise NotAuthorizedException(WRONG)
    if user is None or user.password is None:
        await work.power(client, scramble)
        await work.power(client, secret)
        raise NotAuthorizedException(WRONG)
    check_unlocked(place, user)
    mixed = client * await work.power(verifier_of(place, user.password), scramble)
    shared = await work.power(mixed, secret)
    try:
        plain = base64.b64decode(block, validate=True)
    except binascii.Error as cause:
        raise NotAuthorizedException(WRONG) from cause
    wanted = srp.proof(shared, scramble, place.pool.code, user.name, plain, timestamp)
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        await note_wrong(place, user)
    return taken
