"""JSON Web Tokens by RS256: written, taken apart, and verified with a pool's keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from cumulet.services.cognito.limits import TOKEN_TEXT_MAX
from cumulet.services.cognito.signing.keys import KeyRing, decode_segment, encode_segment


class BadToken(Exception):
    """The token is not one of ours, or is altered."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A token taken apart; nothing of it is verified."""

    key_id: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def issuer(self) -> str:
        """Who says to have made it."""
        return str(self.claims.get("iss", ""))


def write_token(ring: KeyRing, claims: Mapping[str, Any]) -> str:
    """A signed token with these claims."""
    head = orjson.dumps({"kid": ring.id, "alg": "RS256"})
    text = f"{encode_segment(head)}.{encode_segment(orjson.dumps(claims))}"
    return f"{text}.{encode_segment(ring.sign(text.encode()))}"


def parse_token(text: str) -> Parsed:
    """Take a compact token apart. Raises BadToken for anything but RS256 with a key's id."""
    parts = text.split(".")
    if len(text) > TOKEN_TEXT_MAX or len(parts) != 3:
        raise BadToken("not a token")
    try:
        head, claims = (orjson.loads(decode_segment(part)) for part in parts[:2])
        signature = decode_segment(parts[2])
    except ValueError as cause:
        raise BadToken("malformed") from cause
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise BadToken("malformed")
    if head.get("alg") != "RS256" or not isinstance(head.get("kid"), str) or "crit" in head:
        raise BadToken("not signed as our tokens are")
    return Parsed(head["kid"], claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def verified(ring: KeyRing, token: Parsed) -> Mapping[str, Any]:
    """The claims, when a key of the ring signed them. Raises BadToken."""
    key = ring.public.get(token.key_id)
    if key is None or not key.verifies(token.signed, token.signature):
        raise BadToken("the signature does not hold")
    return token.claims
