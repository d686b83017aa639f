"""Keys of issuers: fetched once, again when they are old or unknown, and never too often."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from cumulet.core.clock import ManualClock
from cumulet.services.apigateway.admission.jwt.issuers import Issuers, checked_url
from cumulet.services.apigateway.admission.jwt.keys import parse_key, parse_key_set
from cumulet.services.apigateway.admission.jwt.limits import (
    FAILURE_SECONDS,
    KEYS_SECONDS_MAX,
    REFETCH_SECONDS_MIN,
)
from cumulet.services.apigateway.admission.jwt.tokens import TokenError

ISSUER = "https://issuer.example/pool"
KEYS = {name: rsa.generate_private_key(65537, 2048) for name in ("one", "two")}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def jwk(name: str, **more: Any) -> dict[str, Any]:
    numbers = KEYS[name].public_key().public_numbers()
    return {"kty": "RSA", "kid": name, "n": number(numbers.n), "e": number(numbers.e), **more}


def token(name: str, **header: Any) -> str:
    parts = [{"alg": "RS256", "kid": name, **header}, {"iss": ISSUER}]
    signed = ".".join(b64(json.dumps(part).encode()) for part in parts)
    signature = KEYS[name].sign(signed.encode(), padding.PKCS1v15(), SHA256())
    return f"{signed}.{b64(signature)}"


class World:
    """An issuer whose keys can be changed, and that can be away."""

    def __init__(self) -> None:
        self.keys = [jwk("one")]
        self.fetched = 0
        self.is_away = False
        self.uri = "https://issuer.example/keys"
        self.clock = ManualClock()
        self.issuers = Issuers(self.clock, self.fetch)

    async def fetch(self, url: str) -> bytes:
        if self.is_away:
            raise OSError("away")
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return json.dumps({"issuer": ISSUER, "jwks_uri": self.uri}).encode()
        assert url == self.uri
        self.fetched += 1
        await self.clock.sleep(0)
        return json.dumps({"keys": self.keys}).encode()

    def verify(self, *texts: str) -> None:
        async def go() -> None:
            await asyncio.gather(*(self.issuers.verified(text, ISSUER) for text in texts))

        asyncio.run(go())

    def wait(self, seconds: float) -> None:
        asyncio.run(self.clock.advance(seconds))


def test_keys_are_fetched_once_for_all_who_wait():
    world = World()
    world.verify(*[token("one")] * 5)
    world.verify(token("one"))
    assert world.fetched == 1


def test_a_new_key_is_found_after_a_while_and_not_at_once():
    world = World()
    world.verify(token("one"))
    world.keys = [jwk("two")]
    with pytest.raises(TokenError, match="signature"):
        world.verify(token("two"))
    assert world.fetched == 1
    world.wait(REFETCH_SECONDS_MIN + 1)
    world.verify(token("two"))
    assert world.fetched == 2


def test_a_key_that_was_taken_back_is_of_no_use_after_its_time():
    world = World()
    world.verify(token("one"))
    world.keys = [jwk("two")]
    world.verify(token("one"))
    world.wait(KEYS_SECONDS_MAX + 1)
    with pytest.raises(TokenError):
        world.verify(token("one"))


def test_an_issuer_that_is_away_is_not_asked_at_each_token():
    world = World()
    world.is_away = True
    with pytest.raises(TokenError, match="discovery"):
        world.verify(token("one"))
    world.is_away = False
    with pytest.raises(TokenError, match="discovery"):
        world.verify(token("one"))
    assert world.fetched == 0
    world.wait(FAILURE_SECONDS + 1)
    world.verify(token("one"))


def test_a_document_that_sends_elsewhere_without_tls_is_not_followed():
    world = World()
    world.uri = "http://elsewhere.example/keys"
    with pytest.raises(TokenError, match="discovery"):
        world.verify(token("one"))
    assert world.fetched == 0


@pytest.mark.parametrize(
    "url", ["http://a.example", "file:///etc/passwd", "https://", "", None, 5, "ftp://a.example"]
)
def test_only_https_is_fetched(url):
    with pytest.raises(ValueError, match=r"no URL|HTTPS only"):
        checked_url(url)


def test_http_is_fetched_on_this_machine_only():
    assert checked_url("http://127.0.0.1:1/a") == "http://127.0.0.1:1/a"
    assert checked_url("https://a.example/b") == "https://a.example/b"


def test_a_key_that_names_its_algorithm_verifies_no_other():
    key = parse_key(jwk("one", alg="RS512"))
    assert key is not None
    assert key.algorithms == {"RS512"}
    assert parse_key(jwk("one", alg="HS256")) is None


def test_keys_that_are_weak_or_for_something_else_are_left_out():
    weak = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    bad: list[Any] = [
        {"kty": "RSA", "kid": "w", "n": number(weak.n), "e": number(weak.e)},
        jwk("one", use="enc"),
        {"kty": "oct", "k": b64(b"secret")},
        {"kty": "EC", "crv": "P-256", "x": b64(b"1" * 32), "y": b64(b"1" * 32)},
        {"kty": "EC", "crv": "secp256k1", "x": b64(b"1"), "y": b64(b"1")},
        {"kty": "RSA", "n": 5, "e": []},
        "nothing",
    ]
    assert parse_key_set({"keys": bad}) == ()
    with pytest.raises(ValueError, match="Key Set"):
        parse_key_set({"nothing": 1})


def test_a_signature_of_a_curve_has_exactly_its_length():
    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_numbers()
    x, y = (b64(part.to_bytes(32)) for part in (point.x, point.y))
    key = parse_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    assert key is not None
    der = private.sign(b"m", ec.ECDSA(SHA256()))
    # What ECDSA libraries write is not what a token carries.
    assert not key.verifies("ES256", b"m", der)
    assert not key.verifies("ES256", b"m", b"\0" * 64)
    assert not key.verifies("RS256", b"m", b"\0" * 64)
