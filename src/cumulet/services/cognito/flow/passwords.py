"""Passwords: made into SRP verifiers, checked, and held back after too many wrong ones.

A password is kept as its verifier alone, sealed with the installation's key: nobody can guess
against a copy of the store without that key.
"""

from __future__ import annotations

import hmac
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import NotAuthorizedException
from cumulet.services.cognito.flow.place import Place
from cumulet.services.cognito.flow.work import PasswordWork
from cumulet.services.cognito.limits import FAILURES_BEFORE_LOCK, LOCK_SECONDS_MAX
from cumulet.services.cognito.model import Password, Pool, User
from cumulet.services.cognito.rules import srp
from cumulet.services.cognito.rules.passwords import policy_of

PURPOSE = "cognito-verifier"
WRONG = "Incorrect username or password."
_DAY = 86_400.0


async def kept_password(
    place: Place, name: str, password: str, *, temporary: bool = False
) -> Password:
    """What is kept of a new password."""
    ctx, now = place.ctx, place.ctx.clock.now()
    salt = ctx.clock.random_bytes(srp.SALT_BYTES).hex()
    power = srp.exponent(int(salt, 16), place.pool.code, name, password)
    verifier = await ctx.need(PasswordWork).power(srp.GENERATOR, power)
    days = policy_of(place.pool.settings)["TemporaryPasswordValidityDays"]
    return Password(
        salt=salt,
        verifier=place.sealer.seal(f"{verifier:x}".encode(), PURPOSE),
        set_at=now,
        expires_at=now + days * _DAY if temporary else None,
    )


def verifier_of(place: Place, password: Password) -> int:
    """The verifier, opened."""
    return int(place.sealer.unseal(password.verifier, PURPOSE), 16)


async def is_right(place: Place, user: User, password: str) -> bool:
    """Whether this is the user's password. Takes as long when there is none."""
    kept = user.password
    salt = int(kept.salt, 16) if kept is not None else 1
    power = srp.exponent(salt, place.pool.code, user.name, password)
    found = await place.ctx.need(PasswordWork).power(srp.GENERATOR, power)
    if kept is None:
        return False
    wanted = verifier_of(place, kept)
    return hmac.compare_digest(f"{wanted:x}".encode(), f"{found:x}".encode())


async def spend_time(place: Place, name: str, password: str) -> None:
    """Do the work of a check for nobody, so that its time does not tell who exists."""
    power = srp.exponent(1, place.pool.code, name, password)
    await place.ctx.need(PasswordWork).power(srp.GENERATOR, power)


def check_unlocked(place: Place, user: User) -> None:
    """Raise NotAuthorizedException while the user is held back."""
    if user.locked_until > place.ctx.clock.now():
        raise NotAuthorizedException("Password attempts exceeded")


async def count_wrong(place: Place, user: User) -> None:
    """Count a wrong password or code, and hold the user back after too many."""
    await place.ctx.transact(_count, place.pool.id, user.key, place.ctx.clock.now())


async def note_wrong(place: Place, user: User) -> None:
    """Count a wrong password. Raises NotAuthorizedException, always."""
    await count_wrong(place, user)
    raise NotAuthorizedException(WRONG)


async def _count(tx: Transaction, scope: Scope, pool: str, key: str, now: float) -> None:
    user = await store.USERS.load(tx, scope, pool, key)
    if user is None:
        return
    failures = user.failures + 1
    beyond = failures - FAILURES_BEFORE_LOCK
    lock = min(2.0 ** min(beyond, 20), LOCK_SECONDS_MAX) if beyond >= 0 else 0.0
    changed = msgspec.structs.replace(
        user, failures=failures, locked_until=now + lock if lock else user.locked_until
    )
    await store.save_user(tx, scope, changed)


async def note_right(place: Place, user: User) -> None:
    """Forget what was wrong, once somebody has signed in: a right password alone is not enough,
    or who has it could guess at the second factor for ever."""
    if user.failures:
        await place.ctx.transact(
            store.change_user, place.pool.id, user.key, failures=0, locked_until=0.0
        )


async def set_password(
    tx: Transaction, scope: Scope, pool: Pool, key: str, password: Password, /, **changes: Any
) -> User | None:
    """Give a user a password, which also ends being held back."""
    return await store.change_user(
        *(tx, scope, pool.id, key),
        password=password,
        failures=0,
        locked_until=0.0,
        **changes,
    )
