"""CUSTOM_AUTH: challenges that a pool's functions define, create and verify.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-challenge.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.services.cognito.errors import (
    InvalidLambdaResponseException,
    InvalidParameterException,
    NotAuthorizedException,
)
from cumulet.services.cognito.flow import triggers
from cumulet.services.cognito.flow.attempts import Taken, wait_for
from cumulet.services.cognito.flow.passwords import WRONG
from cumulet.services.cognito.flow.place import Place, needed
from cumulet.services.cognito.flow.proofs import VERIFIER, offer_srp
from cumulet.services.cognito.limits import CUSTOM_ROUNDS_MAX
from cumulet.services.cognito.model import User

CUSTOM = "CUSTOM_CHALLENGE"
_FUNCTIONS = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")


def check_functions(place: Place) -> None:
    """Raise InvalidParameterException unless the pool has the functions."""
    if not triggers.has(place, _FUNCTIONS[0]):
        raise InvalidParameterException("Custom auth lambda trigger is not configured.")


async def next_round(
    place: Place,
    user: User | None,
    name: str,
    session: list[dict[str, Any]],
    public_number: int = 0,
) -> dict[str, Any] | None:
    """What the functions want now: a challenge, or None when the user is signed in.

    Raises NotAuthorizedException when they say no.
    """
    said = await triggers.fire(
        place,
        "DefineAuthChallenge",
        "Authentication",
        user.name if user is not None else name,
        {
            "userAttributes": triggers.seen_attributes(user) if user is not None else {},
            "session": session,
            "clientMetadata": dict(place.metadata),
            **({"userNotFound": user is None} if place.hides_users else {}),
        },
        {"challengeName": None, "issueTokens": None, "failAuthentication": None},
    )
    said = said or {}
    if said.get("failAuthentication") is True or len(session) >= CUSTOM_ROUNDS_MAX:
        raise NotAuthorizedException(WRONG)
    if said.get("issueTokens") is True:
        if user is None:
            raise NotAuthorizedException(WRONG)
        return None
    wanted = said.get("challengeName")
    if wanted == VERIFIER and public_number:
        state = {"custom": session, "name": name}
        answer = await offer_srp(place, user, name, public_number, state)
        # The block in the parameters is what finds the attempt; clients send a session along.
        return {**answer, "Session": answer["ChallengeParameters"]["SECRET_BLOCK"]}
    if wanted != CUSTOM:
        raise InvalidLambdaResponseException("DefineAuthChallenge gave no usable challenge.")
    return await _created(place, user, name, session)


async def _created(
    place: Place, user: User | None, name: str, session: list[dict[str, Any]]
) -> dict[str, Any]:
    said = await triggers.fire(
        place,
        "CreateAuthChallenge",
        "Authentication",
        user.name if user is not None else name,
        {
            "userAttributes": triggers.seen_attributes(user) if user is not None else {},
            "challengeName": CUSTOM,
            "session": session,
            "clientMetadata": dict(place.metadata),
            **({"userNotFound": user is None} if place.hides_users else {}),
        },
        {
            "publicChallengeParameters": {},
            "privateChallengeParameters": {},
            "challengeMetadata": None,
        },
    )
    if said is None:
        raise InvalidParameterException("Custom auth lambda trigger is not configured.")
    public = _texts(said.get("publicChallengeParameters"))
    state = {
        "custom": session,
        "name": name,
        "private": _texts(said.get("privateChallengeParameters")),
        "metadata": said.get("challengeMetadata"),
    }
    waiting = await wait_for(place, user.key if user is not None else "", CUSTOM, state)
    shown = {"USERNAME": user.name if user is not None else name, **public}
    return {"ChallengeName": CUSTOM, "Session": waiting, "ChallengeParameters": shown}


def _texts(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise InvalidLambdaResponseException("Unrecognizable lambda output")
    return given


async def answered(
    place: Place, taken: Taken, responses: Mapping[str, str]
) -> dict[str, Any] | None:
    """Verify an answer, and go on as the functions say; None when the user is signed in."""
    user, state = taken.user, taken.state
    said = await triggers.fire(
        place,
        "VerifyAuthChallengeResponse",
        "Authentication",
        user.name if user is not None else state["name"],
        {
            "userAttributes": triggers.seen_attributes(user) if user is not None else {},
            "privateChallengeParameters": state["private"],
            "challengeAnswer": needed(responses, "ANSWER"),
            "clientMetadata": dict(place.metadata),
            **({"userNotFound": user is None} if place.hides_users else {}),
        },
        {"answerCorrect": None},
    )
    if said is None:
        raise InvalidParameterException("Custom auth lambda trigger is not configured.")
    result = {
        "challengeName": CUSTOM,
        "challengeResult": said.get("answerCorrect") is True,
        "challengeMetadata": state["metadata"],
    }
    return await next_round(place, user, state["name"], [*state["custom"], result])
