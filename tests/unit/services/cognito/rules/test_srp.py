"""The server's half of SRP against a client's half that is written from the protocol."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.cognito.client import N, Srp

from cumulet.services.cognito.rules import srp


def proved(registered: str, told: str, salt: int, secret: int) -> bool:
    """Whether a client that knows `told` convinces a server that keeps `registered`."""
    pool, user = "us-east-1_AbCdEf123", "ann"
    code = pool.partition("_")[2]
    verifier = pow(2, srp.exponent(salt, code, user, registered), srp.PRIME)
    server = (srp.MULTIPLIER * verifier + pow(2, secret, srp.PRIME)) % srp.PRIME
    client = Srp(pool, told)
    block = base64.b64encode(b"block").decode()
    answer = client.answer(
        {
            "USER_ID_FOR_SRP": user,
            "SRP_B": f"{server:x}",
            "SALT": f"{salt:x}",
            "SECRET_BLOCK": block,
        }
    )
    scramble = srp.scrambler(client.public, server)
    shared = pow(client.public * pow(verifier, scramble, srp.PRIME), secret, srp.PRIME)
    wanted = srp.proof(shared, scramble, code, user, b"block", answer["TIMESTAMP"])
    return wanted == answer["PASSWORD_CLAIM_SIGNATURE"]


def test_the_group_is_that_of_rfc_5054() -> None:
    assert srp.PRIME == N
    assert srp.PRIME.bit_length() == 3072


# Salts of every length, as a leading zero or high bit changes what is hashed.
@settings(max_examples=6, deadline=None)
@given(st.integers(1, 2**128 - 1), st.integers(2**255, 2**256 - 1), st.text(max_size=20))
def test_the_password_is_proved_and_another_is_not(salt: int, secret: int, word: str) -> None:
    assert proved(word, word, salt, secret)
    assert not proved(word, word + "x", salt, secret)


@given(st.integers(0, 2**64))
def test_numbers_are_padded_to_be_positive(number: int) -> None:
    padded = srp.padded(number)
    assert int.from_bytes(padded, signed=True) == number


@pytest.mark.parametrize("number", [0, N, 5 * N])
def test_numbers_that_make_the_key_known_are_not_public(number: int) -> None:
    assert not srp.is_public(number)
