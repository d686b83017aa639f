"""Password policies, in AWS's words. Pure.

https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import Clock
from cumulet.services.cognito.errors import InvalidParameterException, InvalidPasswordException

POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
_SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")
_LENGTH_MAX = 256
_KINDS = (
    ("RequireUppercase", "uppercase", lambda c: "A" <= c <= "Z"),
    ("RequireLowercase", "lowercase", lambda c: "a" <= c <= "z"),
    ("RequireNumbers", "numeric", lambda c: "0" <= c <= "9"),
    ("RequireSymbols", "symbol", lambda c: c in _SYMBOLS),
)
_LETTERS = ("ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!@#%&*?-_=+")


def policy_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The policy of a pool with its defaults; the days have an older name elsewhere, too."""
    days = settings.get("AdminCreateUserConfig", {}).get("UnusedAccountValidityDays")
    older = {"TemporaryPasswordValidityDays": days} if days else {}
    return {**POLICY, **settings.get("Policies", {}).get("PasswordPolicy", {}), **older}


def check_policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A policy as given, with what it leaves open. Raises InvalidParameterException.

    One that is given requires only what it says; none at all requires everything.
    """
    if policy.get("PasswordHistorySize"):
        raise InvalidParameterException("PasswordHistorySize is not supported here.")
    if not 6 <= policy.get("MinimumLength", POLICY["MinimumLength"]) <= 99:
        raise InvalidParameterException(
            "Password minimum length should be between 6 and 99 characters."
        )
    off = {name: False for name, _, _ in _KINDS}
    rest = {"MinimumLength": 8, "TemporaryPasswordValidityDays": 7}
    given = {name: value for name, value in policy.items() if name != "PasswordHistorySize"}
    return {**rest, **off, **given}


def check_password(policy: Mapping[str, Any], password: str) -> None:
    """Raise InvalidPasswordException unless the password is as the policy wants it."""
    begin = "Password did not conform with policy: "
    if len(password) < policy["MinimumLength"]:
        raise InvalidPasswordException(f"{begin}Password not long enough")
    if len(password) > _LENGTH_MAX:
        raise InvalidPasswordException(f"{begin}Password too long")
    if password != password.strip():
        raise InvalidPasswordException(
            f"{begin}Password must not have leading or trailing whitespace"
        )
    for name, word, fits in _KINDS:
        if policy[name] and not any(fits(c) for c in password):
            raise InvalidPasswordException(f"{begin}Password must have {word} characters")


def made_up(clock: Clock, policy: Mapping[str, Any]) -> str:
    """A temporary password that the policy takes, without letters that look alike."""
    length = max(int(policy["MinimumLength"]), 12)
    dice = clock.random_bytes(length * 2)
    letters = [_LETTERS[n % 4][dice[n] % len(_LETTERS[n % 4])] for n in range(length)]
    order = sorted(range(length), key=lambda n: dice[length + n])
    return "".join(letters[n] for n in order)
