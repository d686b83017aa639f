"""Issuers and their keys: discovered over HTTPS, kept for a while, asked with bounds.

`{issuer}/.well-known/openid-configuration` names the key set.
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import orjson

from cumulet.core.clock import Clock
from cumulet.services.apigateway.admission.jwt.keys import VerifyingKey, parse_key_set
from cumulet.services.apigateway.admission.jwt.limits import (
    FAILURE_SECONDS,
    FETCH_SECONDS_MAX,
    ISSUERS_MAX,
    KEYS_SECONDS_MAX,
    REFETCH_SECONDS_MIN,
    VERIFIED_MAX,
)
from cumulet.services.apigateway.admission.jwt.tokens import Token, TokenError, parse_token

Fetch = Callable[[str], Awaitable[bytes]]
"""The content behind a URL. Raises OSError; the caller bounds the time."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_UNREACHABLE = "OIDC discovery endpoint communication error"


@dataclass(slots=True)
class _Known:
    """What is known of one issuer. Times are monotonic seconds."""

    keys: tuple[VerifyingKey, ...] = ()
    fetched: float = float("-inf")
    failed: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Issuers:
    """The keys of issuers, and the tokens that they are known to have signed."""

    def __init__(self, clock: Clock, fetch: Fetch) -> None:
        self._clock = clock
        self._fetch = fetch
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._verified: OrderedDict[tuple[str, bytes], tuple[float, Mapping[str, Any]]] = (
            OrderedDict()
        )

    async def verified(self, text: str, issuer: str) -> Mapping[str, Any]:
        """The claims of a token that this issuer signed; they are not checked. Raises TokenError.

        A signature that held is not verified again while the issuer's keys are kept.
        """
        now = self._clock.monotonic()
        mark = (issuer, sha256(text.encode()).digest())
        kept = self._verified.get(mark)
        if kept is not None and kept[0] > now:
            self._verified.move_to_end(mark)
            return kept[1]
        token = parse_token(text)
        if token.claims.get("iss") != issuer:
            # Said before any key is fetched: the keys are not the ones that would verify it.
            raise TokenError("the token does not have a valid issuer")
        known = await self._keys_for(issuer, token)
        if not any(
            key.verifies(token.algorithm, token.signed, token.signature)
            for key in _candidates(known.keys, token)
        ):
            raise TokenError("the token's signature is not valid")
        self._verified[mark] = (known.fetched + KEYS_SECONDS_MAX, token.claims)
        if len(self._verified) > VERIFIED_MAX:
            self._verified.popitem(last=False)
        return token.claims

    async def _keys_for(self, issuer: str, token: Token) -> _Known:
        known = self._known.get(issuer)
        if known is None:
            known = self._known[issuer] = _Known()
            if len(self._known) > ISSUERS_MAX:
                self._known.popitem(last=False)
        self._known.move_to_end(issuer)
        if self._is_enough(known, token):
            return known
        # One fetch at a time for an issuer; those who waited look again.
        async with known.lock:
            if not self._is_enough(known, token):
                await self._refresh(issuer, known)
        return known

    def _is_enough(self, known: _Known, token: Token) -> bool:
        age = self._clock.monotonic() - known.fetched
        if age >= KEYS_SECONDS_MAX:
            return False
        return age < REFETCH_SECONDS_MIN or bool(_candidates(known.keys, token))

    async def _refresh(self, issuer: str, known: _Known) -> None:
        now = self._clock.monotonic()
        if now - known.failed < FAILURE_SECONDS:
            raise TokenError(_UNREACHABLE)
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX * 2):
                found = await self._discovered(issuer)
        except (OSError, ValueError, TimeoutError) as cause:
            known.failed = now
            raise TokenError(_UNREACHABLE) from cause
        known.keys, known.fetched = found, now

    async def _discovered(self, issuer: str) -> tuple[VerifyingKey, ...]:
        address = issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = orjson.loads(await self._fetch(checked_url(address)))
        if not isinstance(document, dict) or document.get("issuer") != issuer:
            raise ValueError("the discovery document is another issuer's")
        keys = orjson.loads(await self._fetch(checked_url(document.get("jwks_uri"))))
        return parse_key_set(keys)


def _candidates(keys: tuple[VerifyingKey, ...], token: Token) -> list[VerifyingKey]:
    """The keys that the token may be signed with: that of its id, or all when it names none."""
    return [
        key
        for key in keys
        if token.algorithm in key.algorithms and (not token.key_id or key.key_id == token.key_id)
    ]


def checked_url(url: Any) -> str:
    """The URL when keys may be fetched from it: HTTPS, or HTTP on this machine. Raises ValueError.

    Whoever can change the answer can sign tokens, so that plain HTTP never leaves the machine.
    """
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or not parts.hostname:
        raise ValueError("no URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("keys are fetched over HTTPS only")
    return parts.geturl()
