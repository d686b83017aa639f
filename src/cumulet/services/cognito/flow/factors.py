"""Second factors: which one a sign-in needs, and whether the answer is right.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    CodeMismatchException,
    ExpiredCodeException,
    InvalidParameterException,
    MFAMethodNotFoundException,
)
from cumulet.services.cognito.flow.attempts import Taken, keep_open, wait_for
from cumulet.services.cognito.flow.passwords import count_wrong
from cumulet.services.cognito.flow.place import Place, needed
from cumulet.services.cognito.flow.post import Address, deliver
from cumulet.services.cognito.model import User, new_digits
from cumulet.services.cognito.rules import totp
from cumulet.services.cognito.rules.settings import factors_of
from cumulet.services.cognito.rules.words import hidden

TOTP, SMS, EMAIL = "SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP"
SELECT, SETUP = "SELECT_MFA_TYPE", "MFA_SETUP"
TOTP_PURPOSE = "cognito-totp"
_ATTRIBUTE = {SMS: "phone_number", EMAIL: "email"}
_ANSWERS = {TOTP: "SOFTWARE_TOKEN_MFA_CODE", SMS: "SMS_MFA_CODE", EMAIL: "EMAIL_OTP_CODE"}


def usable(place: Place, user: User) -> list[str]:
    """The factors that this user can be asked for."""
    offered = factors_of(place.pool.settings)
    found = [one for one in user.factors.enabled if one in offered]
    if found or place.pool.settings["MfaConfiguration"] != "ON":
        return found
    # Where everybody needs a factor, a known number or address is one without being chosen.
    return [
        name
        for name in (SMS, EMAIL)
        if name in offered and user.attributes.get(f"{_ATTRIBUTE[name]}_verified") == "true"
    ][:1]


async def challenge(place: Place, user: User, source: str) -> dict[str, Any] | None:
    """The challenge for a second factor, or None when the sign-in needs none.

    Raises MFAMethodNotFoundException when one is needed and the user can have none.
    """
    mode = place.pool.settings["MfaConfiguration"]
    if mode == "OFF":
        return None
    found = usable(place, user)
    if not found:
        return await _set_up(place, user, source) if mode == "ON" else None
    if user.factors.preferred in found:
        return await ask(place, user, user.factors.preferred, source)
    if len(found) == 1:
        return await ask(place, user, found[0], source)
    state = {"source": source, "factors": found}
    session = await wait_for(place, user.key, SELECT, state)
    shown = {"MFAS_CAN_CHOOSE": orjson.dumps(found).decode(), "USER_ID_FOR_SRP": user.name}
    for name, label in ((SMS, "SMS"), (EMAIL, "EMAIL")):
        if name in found:
            attribute = _ATTRIBUTE[name]
            target = hidden(attribute, user.attributes.get(attribute, ""))
            shown[f"CODE_DELIVERY_DESTINATION_{label}"] = target
    return {"ChallengeName": SELECT, "Session": session, "ChallengeParameters": shown}


async def _set_up(place: Place, user: User, source: str) -> dict[str, Any]:
    can = [one for one in factors_of(place.pool.settings) if one == TOTP]
    if not can:
        raise MFAMethodNotFoundException("No MFA mechanism set for user")
    session = await wait_for(place, user.key, SETUP, {"source": source})
    return {
        "ChallengeName": SETUP,
        "Session": session,
        "ChallengeParameters": {
            "MFAS_CAN_SETUP": orjson.dumps(can).decode(),
            "USER_ID_FOR_SRP": user.name,
        },
    }


async def ask(place: Place, user: User, factor: str, source: str) -> dict[str, Any]:
    """Ask for one factor; a code is sent when it is one of codes that are sent."""
    state: dict[str, Any] = {"source": source}
    shown = {"USER_ID_FOR_SRP": user.name}
    if factor == TOTP:
        shown["FRIENDLY_DEVICE_NAME"] = "TOTP device"
    else:
        address = Address(_ATTRIBUTE[factor], user.attributes.get(_ATTRIBUTE[factor], ""))
        if not address.value:
            raise MFAMethodNotFoundException("No MFA mechanism set for user")
        state["code"] = new_digits(place.ctx.clock)
        await deliver(place, user, address, "Authentication", state["code"])
        shown["CODE_DELIVERY_DELIVERY_MEDIUM"] = address.medium
        shown["CODE_DELIVERY_DESTINATION"] = hidden(address.attribute, address.value)
    session = await wait_for(place, user.key, factor, state)
    return {"ChallengeName": factor, "Session": session, "ChallengeParameters": shown}


async def chosen(place: Place, taken: Taken, responses: Mapping[str, str]) -> dict[str, Any]:
    """The user's choice between factors."""
    answer = needed(responses, "ANSWER")
    if answer not in taken.state["factors"]:
        raise InvalidParameterException("Invalid answer to SELECT_MFA_TYPE.")
    return await ask(place, taken.present, answer, taken.state["source"])


async def check(place: Place, taken: Taken, factor: str, responses: Mapping[str, str]) -> User:
    """The user, when the answer to a factor is right.

    Raises CodeMismatchException, and ExpiredCodeException for an authenticator's code that was
    used before.
    """
    user, given = taken.present, needed(responses, _ANSWERS[factor])
    if factor != TOTP:
        if not hmac.compare_digest(taken.state["code"].encode(), given.encode()):
            await count_wrong(place, user)
            await keep_open(place, taken)
            raise CodeMismatchException("Invalid code or auth state for the user.")
        return user
    secret = place.sealer.unseal(user.factors.totp, TOTP_PURPOSE)
    step = totp.matching_step(secret, given, place.ctx.clock.now())
    if not step:
        await count_wrong(place, user)
        await keep_open(place, taken)
        raise CodeMismatchException("Invalid code received for user")
    if not await place.ctx.transact(use_step, user.pool, user.key, step):
        await keep_open(place, taken)
        raise ExpiredCodeException("Your software token has already been used once.")
    return user


async def use_step(tx: Transaction, scope: Scope, pool: str, key: str, step: int) -> bool:
    """Spend a time step of a user's authenticator; tells whether it was not spent before."""
    user = await store.USERS.load(tx, scope, pool, key)
    if user is None or user.factors.totp_step >= step:
        return False
    factors = msgspec.structs.replace(user.factors, totp_step=step)
    await store.save_user(tx, scope, msgspec.structs.replace(user, factors=factors))
    return True
