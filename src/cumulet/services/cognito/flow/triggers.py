"""The functions that a pool calls: events out, responses in.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from cumulet.core.errors import AwsError
from cumulet.services.cognito.errors import (
    InvalidLambdaResponseException,
    UnexpectedLambdaException,
    UserLambdaValidationException,
)
from cumulet.services.cognito.flow.place import Place
from cumulet.services.cognito.limits import TRIGGER_SECONDS_MAX, TRIGGER_TRIES_MAX
from cumulet.services.cognito.model import User

_PERMISSIONS = frozenset({"AccessDenied", "AccessDeniedException"})
_AGAIN = frozenset({"TooManyRequestsException", "ServiceException", "InternalFailure"})


def seen_attributes(user: User) -> dict[str, str]:
    """A user's attributes as triggers see them."""
    return {"sub": user.sub, "cognito:user_status": user.status, **user.attributes}


def has(place: Place, trigger: str) -> bool:
    """Whether the pool has a function for the trigger."""
    return trigger in place.pool.triggers()


async def fire(
    place: Place,
    trigger: str,
    source: str,
    name: str,
    request: Mapping[str, Any],
    response: Mapping[str, Any] | None = None,
    *,
    version: str = "1",
) -> dict[str, Any] | None:
    """Call the trigger's function; its `response`, or None when the pool has none.

    `response` are the members that the function finds empty. Raises UserLambdaValidationException
    when the function fails, UnexpectedLambdaException when it cannot be called, and
    InvalidLambdaResponseException when its answer is no event.
    """
    function = place.pool.triggers().get(trigger)
    if function is None:
        return None
    event = {
        "version": version,
        "triggerSource": f"{trigger_name(trigger)}_{source}",
        "region": place.ctx.scope.region,
        "userPoolId": place.pool.id,
        "userName": name,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": place.client_id,
        },
        "request": dict(request),
        "response": dict(response or {}),
    }
    payload = await _call(place, trigger, function, orjson.dumps(event))
    try:
        answer = orjson.loads(payload or b"null")
    except ValueError as cause:
        raise InvalidLambdaResponseException("Unrecognizable lambda output") from cause
    given = answer.get("response") if isinstance(answer, dict) else None
    if given is None:
        given = {}
    if not isinstance(answer, dict) or not isinstance(given, dict):
        raise InvalidLambdaResponseException("Unrecognizable lambda output")
    return given


def trigger_name(trigger: str) -> str:
    """The trigger's name in `triggerSource`."""
    return {"PreTokenGeneration": "TokenGeneration"}.get(trigger, trigger)


async def _call(place: Place, trigger: str, function: str, event: bytes) -> bytes:
    for tried in range(1, TRIGGER_TRIES_MAX + 1):
        try:
            async with asyncio.timeout(TRIGGER_SECONDS_MAX):
                answer = await place.ctx.call(
                    *("lambda", "Invoke"), FunctionName=function, Payload=event
                )
        except TimeoutError as cause:
            if tried == TRIGGER_TRIES_MAX:
                raise UnexpectedLambdaException(
                    f"{trigger} failed with error Socket timeout while invoking Lambda function."
                ) from cause
            continue
        except AwsError as error:
            if error.code in _AGAIN and tried < TRIGGER_TRIES_MAX:
                continue
            why = "AccessDeniedException" if error.code in _PERMISSIONS else error.code
            raise UnexpectedLambdaException(
                f"{trigger} invocation failed due to error {why}."
            ) from error
        payload: bytes = answer.get("Payload") or b""
        if answer.get("FunctionError"):
            raise UserLambdaValidationException(f"{trigger} failed with error {_said(payload)}.")
        return payload
    raise AssertionError("the last try returns or raises")


def _said(payload: bytes) -> str:
    """The message of a failed function."""
    try:
        told = orjson.loads(payload)
        return str(told.get("errorMessage", "")).rstrip(".")
    except (ValueError, AttributeError):
        return "unknown"
