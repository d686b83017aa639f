"""Codes of authenticators, by the vectors of RFC 6238 appendix B (SHA-1)."""

from __future__ import annotations

import pytest

from cumulet.services.cognito.rules import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(SECRET, seconds // 30) == code
    assert totp.matching_step(SECRET, code, seconds) == seconds // 30


def test_a_step_before_and_after_is_taken_and_no_other() -> None:
    now = 1111111109.0
    step = int(now // 30)
    taken = [
        bool(totp.matching_step(SECRET, totp.code_at(SECRET, step + n), now)) for n in range(-2, 3)
    ]
    assert taken == [False, True, True, True, False]
