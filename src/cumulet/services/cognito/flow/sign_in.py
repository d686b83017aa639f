"""The course of a sign-in: a flow begins, challenges follow, tokens end it.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cumulet.core.errors import AwsError
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    NotAuthorizedException,
)
from cumulet.services.cognito.flow import custom, factors, issue, people, proofs, triggers
from cumulet.services.cognito.flow.attempts import take, wait_for
from cumulet.services.cognito.flow.passwords import note_right
from cumulet.services.cognito.flow.place import Place, check_secret_hash, needed
from cumulet.services.cognito.model import MUST_CHANGE, User
from cumulet.services.cognito.rules.clients import allows

NEW_PASSWORD = "NEW_PASSWORD_REQUIRED"
_ATTRIBUTES = "userAttributes."
_DEVICES = ("DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER")
_NAMES = {"REFRESH_TOKEN": "REFRESH_TOKEN_AUTH", "ADMIN_NO_SRP_AUTH": "ADMIN_USER_PASSWORD_AUTH"}


async def begin(place: Place, flow: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Begin a flow of InitiateAuth or AdminInitiateAuth."""
    flow = _NAMES.get(flow, flow)
    if parameters.get("DEVICE_KEY"):
        raise InvalidParameterException("Device tracking is not supported here: DEVICE_KEY.")
    if flow == "ADMIN_USER_PASSWORD_AUTH" and not place.is_admin:
        raise InvalidParameterException("Initiate Auth method not supported.")
    if not allows(place.through, flow):
        raise _not_enabled(flow)
    if flow == "REFRESH_TOKEN_AUTH":
        return await _refresh(place, parameters)
    try:
        return await _first_step(place, flow, parameters)
    except AwsError:
        place.measure("SignInSuccesses", 0.0)
        raise


def _not_enabled(flow: str) -> AwsError:
    if flow == "USER_PASSWORD_AUTH":
        return InvalidParameterException("USER_PASSWORD_AUTH flow not enabled for this client")
    if flow == "USER_SRP_AUTH":
        return InvalidParameterException("USER_SRP_AUTH is not enabled for the client.")
    return InvalidParameterException("Auth flow not enabled for this client")


async def _first_step(place: Place, flow: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    if flow in ("USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH"):
        return await after_password(place, await proofs.by_password(place, parameters))
    if flow == "USER_SRP_AUTH":
        return await proofs.begin_srp(place, parameters)
    if flow == "CUSTOM_AUTH":
        return await _begin_custom(place, parameters)
    raise InvalidParameterException(f"{flow} is not supported here.")


async def _refresh(place: Place, parameters: Mapping[str, str]) -> dict[str, Any]:
    token = needed(parameters, "REFRESH_TOKEN")
    sign_in = await place.ctx.transact(issue.find_sign_in, place.pool.id, issue.digest_of(token))
    names: list[str] = []
    if sign_in is not None:
        user = await place.ctx.transact(issue.load_by_key, place.pool.id, sign_in.user)
        if user is not None:
            known = [user.attributes.get(name, "") for name in ("email", "phone_number")]
            names = [user.name, user.sub, *filter(None, known)]
    check_secret_hash(place, parameters.get("SECRET_HASH"), *names)
    try:
        tokens = await issue.refreshed(place, token, rotates=False)
    except AwsError:
        place.measure("TokenRefreshSuccesses", 0.0)
        raise
    return {"AuthenticationResult": tokens, "ChallengeParameters": {}}


async def _begin_custom(place: Place, parameters: Mapping[str, str]) -> dict[str, Any]:
    custom.check_functions(place)
    name = needed(parameters, "USERNAME")
    known = await place.ctx.transact(store.find_user, place.pool, name)
    names = () if known is None else (known.name, known.sub)
    check_secret_hash(place, parameters.get("SECRET_HASH"), name, *names)
    user = await proofs.named_user(place, name)
    if user is not None:
        proofs.check_state(user)
    if parameters.get("CHALLENGE_NAME") == "SRP_A":
        number = proofs.public_number(needed(parameters, "SRP_A"))
        first = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]
        answer = await custom.next_round(place, user, name, first, number)
    else:
        answer = await custom.next_round(place, user, name, [])
    return answer if answer is not None else await _signed_in(place, user)


async def _signed_in(place: Place, user: User | None) -> dict[str, Any]:
    assert user is not None
    return await complete(place, user, "Authentication")


async def after_password(place: Place, user: User) -> dict[str, Any]:
    """What follows a right password: a new password, a second factor, or tokens."""
    if user.status != MUST_CHANGE:
        return await after_first_factor(place, user, "Authentication")
    ends = user.password.expires_at if user.password is not None else None
    if ends is not None and ends <= place.ctx.clock.now():
        raise NotAuthorizedException(
            "Temporary password has expired and must be reset by an administrator."
        )
    missing = [
        f"{_ATTRIBUTES}{name}"
        for name, entry in place.pool.schema.items()
        if entry["Required"] and name != "sub" and not user.attributes.get(name)
    ]
    session = await wait_for(place, user.key, NEW_PASSWORD, {})
    return {
        "ChallengeName": NEW_PASSWORD,
        "Session": session,
        "ChallengeParameters": {
            "USER_ID_FOR_SRP": user.name,
            "requiredAttributes": orjson.dumps(missing).decode(),
            "userAttributes": orjson.dumps(user.attributes).decode(),
        },
    }


async def after_first_factor(place: Place, user: User, source: str) -> dict[str, Any]:
    """A second factor when one is needed, else tokens."""
    asked = await factors.challenge(place, user, source)
    return asked if asked is not None else await complete(place, user, source)


async def complete(place: Place, user: User, source: str) -> dict[str, Any]:
    """The end of a sign-in: the trigger after it, and tokens."""
    await note_right(place, user)
    place.see(user)
    await triggers.fire(
        place,
        "PostAuthentication",
        "Authentication",
        user.name,
        {
            "userAttributes": triggers.seen_attributes(user),
            "newDeviceUsed": False,
            "clientMetadata": dict(place.metadata),
        },
    )
    if place.is_page:
        place.measure("SignInSuccesses", 1.0)
        return {"User": user}
    tokens = await issue.issue(place, user, issue.Wanted(source=source))
    place.measure("SignInSuccesses", 1.0)
    return {"AuthenticationResult": tokens, "ChallengeParameters": {}}


async def respond(
    place: Place, challenge: str, session: str | None, responses: Mapping[str, str]
) -> dict[str, Any]:
    """Answer a challenge: the next one, or tokens."""
    if challenge in _DEVICES:
        raise InvalidParameterException(f"Device tracking is not supported here: {challenge}.")
    try:
        return await answered(place, challenge, session, responses)
    except AwsError:
        place.measure("SignInSuccesses", 0.0)
        raise


async def answered(
    place: Place, challenge: str, session: str | None, responses: Mapping[str, str]
) -> dict[str, Any]:
    """What follows an answer; a page, unlike a client, need not show the client's secret."""
    if not place.is_page:
        name = responses.get("USERNAME", "")
        known = await place.ctx.transact(store.find_user, place.pool, name) if name else None
        names = () if known is None else (known.name, known.sub)
        check_secret_hash(place, responses.get("SECRET_HASH"), name, *names)
    if challenge == proofs.VERIFIER:
        return await _proved(place, responses)
    taken = await take(place, session, challenge)
    if challenge == custom.CUSTOM:
        answer = await custom.answered(place, taken, responses)
        return answer if answer is not None else await _signed_in(place, taken.user)
    if challenge == NEW_PASSWORD:
        user = await people.new_password(
            place,
            taken.present,
            needed(responses, "NEW_PASSWORD"),
            {
                key.removeprefix(_ATTRIBUTES): value
                for key, value in responses.items()
                if key.startswith(_ATTRIBUTES)
            },
        )
        return await after_first_factor(place, user, "NewPasswordChallenge")
    if challenge == factors.SELECT:
        return await factors.chosen(place, taken, responses)
    if challenge == factors.SETUP:
        if not taken.state.get("done"):
            raise NotAuthorizedException("Invalid session for the user.")
        return await complete(place, taken.present, taken.state["source"])
    if challenge in (factors.TOTP, factors.SMS, factors.EMAIL):
        user = await factors.check(place, taken, challenge, responses)
        return await complete(place, user, taken.state["source"])
    raise InvalidParameterException(f"{challenge} is not supported here.")


async def _proved(place: Place, responses: Mapping[str, str]) -> dict[str, Any]:
    taken = await proofs.finish_srp(place, responses)
    user = taken.present
    proofs.check_state(user)
    if "custom" in taken.state:
        result = {
            "challengeName": proofs.VERIFIER,
            "challengeResult": True,
            "challengeMetadata": None,
        }
        session = [*taken.state["custom"], result]
        answer = await custom.next_round(place, user, user.name, session)
        return answer if answer is not None else await _signed_in(place, user)
    return await after_password(place, user)
