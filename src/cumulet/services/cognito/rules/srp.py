"""Secure Remote Password as Cognito's clients speak it: group, hashes and proof. Pure.

SRP-6a over the 3072-bit group of RFC 5054 with SHA-256. Numbers are hashed as bytes with a zero
before a high bit; the password is mixed with the pool's code and the user's name; the key is
derived with HKDF under the label `Caldera Derived Key`.
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac

PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33"
    "A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864"
    "D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2"
    "08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = 2
SALT_BYTES = 16
SECRET_BYTES = 32
_LABEL = b"Caldera Derived Key\x01"


def padded(number: int) -> bytes:
    """A number as the clients hash it: positive in two's complement."""
    digits = f"{number:x}"
    if len(digits) % 2:
        digits = "0" + digits
    elif digits[0] in "89abcdef":
        digits = "00" + digits
    return bytes.fromhex(digits)


def _number(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest())


MULTIPLIER = _number(padded(PRIME), padded(GENERATOR))


def exponent(salt: int, pool_code: str, user: str, password: str) -> int:
    """`x`: what the verifier's generator is raised to."""
    inner = hashlib.sha256(f"{pool_code}{user}:{password}".encode()).digest()
    return _number(padded(salt), inner)


def is_public(number: int) -> bool:
    """Whether a client's public number may be used; others would make the key known."""
    return number % PRIME != 0


def scrambler(client: int, server: int) -> int:
    """`u`, of both public numbers; 0 must be refused."""
    return _number(padded(client), padded(server))


def proof(
    shared: int, scramble: int, pool_code: str, user: str, block: bytes, timestamp: str
) -> str:
    """The signature that a client with the password makes, in Base64."""
    secret = hmac.new(padded(scramble), padded(shared), hashlib.sha256).digest()
    key = hmac.new(secret, _LABEL, hashlib.sha256).digest()[:16]
    text = pool_code.encode() + user.encode() + block + timestamp.encode()
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
