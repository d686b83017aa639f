"""Tokens: taken apart, and their claims held against what an authorizer asks for. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from cumulet.services.apigateway.admission.jwt.keys import ALGORITHMS, decode_segment
from cumulet.services.apigateway.admission.jwt.limits import TOKEN_BYTES_MAX


class TokenError(Exception):
    """The token does not let its bearer in; the text may be told to the caller."""


class ScopeError(TokenError):
    """The token is good and has none of the scopes that are asked for."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; nothing of it is verified."""

    algorithm: str
    key_id: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def parse_token(text: str) -> Token:
    """Take a compact token apart. Raises TokenError."""
    if len(text) > TOKEN_BYTES_MAX:
        raise TokenError("the token is too long")
    parts = text.split(".")
    if len(parts) != 3:
        raise TokenError("the token contains an invalid number of segments")
    try:
        header, claims = (orjson.loads(decode_segment(part)) for part in parts[:2])
        signature = decode_segment(parts[2])
    except ValueError as cause:
        raise TokenError("the token is malformed") from cause
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenError("the token is malformed")
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenError("the token's signing algorithm is not supported")
    # An extension that must be understood and is not makes a token false (RFC 7515 §4.1.11).
    if not isinstance(key_id, str) or "crit" in header:
        raise TokenError("the token is malformed")
    return Token(algorithm, key_id, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def check_claims(
    claims: Mapping[str, Any],
    issuer: str,
    audiences: Collection[str],
    scopes: Collection[str],
    now: float,
) -> tuple[str, ...]:
    """The token's scopes, when its claims let it through. `now` is in epoch seconds.

    In AWS's order: `iss`, `aud` or else `client_id`, `exp`, `nbf`, `iat`, then scopes, of which
    one is enough. Raises TokenError, and ScopeError when only the scope is missing.
    """
    if claims.get("iss") != issuer:
        raise TokenError("the token does not have a valid issuer")
    if not _is_for(claims, audiences):
        raise TokenError("the token does not have a valid audience")
    expires, begins, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None or expires <= now:
        raise TokenError("the token has expired")
    if begins is not None and begins > now:
        raise TokenError("the token is not valid yet")
    if issued is not None and issued > now:
        raise TokenError("the token was issued in the future")
    held = scopes_of(claims)
    if scopes and not set(scopes) & set(held):
        raise ScopeError("the token does not have the required scopes")
    return held


def _is_for(claims: Mapping[str, Any], audiences: Collection[str]) -> bool:
    given = claims.get("aud", claims.get("client_id"))
    listed = given if isinstance(given, list) else [given]
    return any(isinstance(one, str) and one in audiences for one in listed)


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"the token's {name} is no time")
    return float(value)


def scopes_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes in `scope` or `scp`: words in a text, or a list."""
    given = claims.get("scope", claims.get("scp"))
    if isinstance(given, str):
        return tuple(given.split())
    if isinstance(given, list):
        return tuple(one for one in given if isinstance(one, str))
    return ()
