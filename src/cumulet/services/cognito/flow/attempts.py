"""Sign-ins that wait for an answer: each session text is good for one answer, and for minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import NotAuthorizedException
from cumulet.services.cognito.flow.issue import digest_of
from cumulet.services.cognito.flow.place import Place
from cumulet.services.cognito.limits import CHALLENGE_TRIES_MAX
from cumulet.services.cognito.model import Attempt, User
from cumulet.services.cognito.signing.keys import encode_segment

_SESSION_BYTES = 48
_PURPOSE = "cognito-attempt"


@dataclass(frozen=True, slots=True)
class Taken:
    """An attempt that is being answered. `user` is None when nobody has the name."""

    attempt: Attempt
    state: dict[str, Any]
    user: User | None

    @property
    def present(self) -> User:
        """The user. Raises NotAuthorizedException when there is none."""
        if self.user is None:
            raise NotAuthorizedException("Incorrect username or password.")
        return self.user


def new_session(place: Place) -> str:
    """A text that nobody can guess."""
    return encode_segment(place.ctx.clock.random_bytes(_SESSION_BYTES))


async def wait_for(
    place: Place, key: str, challenge: str, state: Mapping[str, Any], session: str = ""
) -> str:
    """Remember a challenge until it is answered; the session that the answer must bring."""
    session = session or new_session(place)
    minutes = place.through.settings["AuthSessionValidity"]
    attempt = Attempt(
        digest=digest_of(session),
        pool=place.pool.id,
        client=place.client_id,
        user=key,
        challenge=challenge,
        expires_at=place.ctx.clock.now() + minutes * 60,
        state=place.sealer.seal(orjson.dumps(dict(state)), _PURPOSE),
    )
    await place.ctx.transact(_save, attempt)
    return session


async def _save(tx: Transaction, scope: Scope, attempt: Attempt) -> None:
    await store.ATTEMPTS.save(tx, scope, attempt)


async def take(place: Place, session: str | None, *challenges: str) -> Taken:
    """What a session waited for; it is spent. Raises NotAuthorizedException.

    `challenges` are those that the answer can be for.
    """
    if not session:
        raise NotAuthorizedException("Invalid session for the user.")
    found = await place.ctx.transact(_take, digest_of(session))
    if found is None:
        raise NotAuthorizedException("Invalid session for the user, session is expired.")
    attempt, user = found
    fits = (
        attempt.client == place.client_id
        and attempt.pool == place.pool.id
        and attempt.challenge in challenges
    )
    if not fits or attempt.expires_at <= place.ctx.clock.now():
        raise NotAuthorizedException("Invalid session for the user, session is expired.")
    if user is not None and not user.enabled:
        raise NotAuthorizedException("User is disabled.")
    return Taken(attempt, orjson.loads(place.sealer.unseal(attempt.state, _PURPOSE)), user)


async def _take(tx: Transaction, scope: Scope, digest: bytes) -> tuple[Attempt, User | None] | None:
    attempt = await store.ATTEMPTS.drop(tx, scope, digest)
    if attempt is None:
        return None
    return attempt, await store.USERS.load(tx, scope, attempt.pool, attempt.user)


async def keep_open(place: Place, taken: Taken) -> None:
    """Let a session be answered again after a wrong answer, a few times."""
    tries = taken.attempt.tries + 1
    if tries < CHALLENGE_TRIES_MAX:
        await place.ctx.transact(_save, msgspec.structs.replace(taken.attempt, tries=tries))
