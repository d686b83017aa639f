"""Public keys of issuers, from JSON Web Key Sets, and the signatures they verify. Pure.

https://www.rfc-editor.org/rfc/rfc7517 and https://www.rfc-editor.org/rfc/rfc7518
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from cumulet.services.apigateway.admission.jwt.limits import (
    KEYS_MAX,
    RSA_BITS_MAX,
    RSA_BITS_MIN,
)

_HASHES: Mapping[str, type[SHA256 | SHA384 | SHA512]] = {
    "256": SHA256,
    "384": SHA384,
    "512": SHA512,
}
_CURVES: Mapping[str, tuple[type[ec.EllipticCurve], str, int]] = {
    "P-256": (ec.SECP256R1, "ES256", 32),
    "P-384": (ec.SECP384R1, "ES384", 48),
    "P-521": (ec.SECP521R1, "ES512", 66),
}
_RSA = ("RS256", "RS384", "RS512")
ALGORITHMS = frozenset((*_RSA, *(name for _, name, _ in _CURVES.values())))
"""Those that verify with a public key. `none` and the shared-secret ones are never taken."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """One key and the algorithms that it may verify. `size` is that of an EC coordinate."""

    key_id: str
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    algorithms: frozenset[str]
    size: int = 0

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether the signature over these bytes is this key's, by this algorithm."""
        if algorithm not in self.algorithms:
            return False
        digest = _HASHES[algorithm[2:]]()
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, signed, padding.PKCS1v15(), digest)
                return True
            if len(signature) != 2 * self.size:
                return False
            r, s = (int.from_bytes(part) for part in _halves(signature))
            self.key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))
        except InvalidSignature:
            return False
        return True


def _halves(signature: bytes) -> tuple[bytes, bytes]:
    middle = len(signature) // 2
    return signature[:middle], signature[middle:]


def parse_key_set(document: Any) -> tuple[VerifyingKey, ...]:
    """The keys of a set that can verify; others are left out. Raises ValueError for no set."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JSON Web Key Set")
    found = (parse_key(one) for one in listed[:KEYS_MAX])
    return tuple(key for key in found if key is not None)


def parse_key(one: Any) -> VerifyingKey | None:
    """One key, or None when it is not for verifying, too weak or malformed."""
    if not isinstance(one, dict) or one.get("use") not in (None, "sig"):
        return None
    key_id, named = str(one.get("kid") or ""), one.get("alg")
    try:
        if one.get("kty") == "RSA":
            return _rsa(key_id, one, named)
        if one.get("kty") == "EC":
            return _ec(key_id, one, named)
    except (KeyError, TypeError, ValueError, UnsupportedAlgorithm):
        return None
    return None


def _rsa(key_id: str, one: Mapping[str, Any], named: Any) -> VerifyingKey | None:
    modulus, exponent = _number(one["n"]), _number(one["e"])
    if not RSA_BITS_MIN <= modulus.bit_length() <= RSA_BITS_MAX or exponent.bit_length() > 64:
        return None
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    return _limited(key_id, key, frozenset(_RSA), named, 0)


def _ec(key_id: str, one: Mapping[str, Any], named: Any) -> VerifyingKey | None:
    curve, algorithm, size = _CURVES[one["crv"]]
    numbers = ec.EllipticCurvePublicNumbers(_number(one["x"]), _number(one["y"]), curve())
    return _limited(key_id, numbers.public_key(), frozenset({algorithm}), named, size)


def _limited(
    key_id: str,
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    algorithms: frozenset[str],
    named: Any,
    size: int,
) -> VerifyingKey | None:
    """A key that names its algorithm verifies no other one."""
    if named is not None:
        algorithms &= {str(named)}
    return VerifyingKey(key_id, key, algorithms, size) if algorithms else None


def _number(text: str) -> int:
    return int.from_bytes(decode_segment(text))


def decode_segment(text: str) -> bytes:
    """Base64 for URLs without padding, exactly as RFC 7515 writes it. Raises ValueError."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError) as cause:
        raise ValueError("not base64url") from cause
    if base64.urlsafe_b64encode(plain).rstrip(b"=").decode() != text:
        raise ValueError("not canonical base64url")
    return plain
