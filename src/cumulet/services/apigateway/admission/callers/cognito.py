"""Cognito authorizers: which tokens count, and what of them is passed on. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from cumulet.core.identity import parse_arn

_TIMES = ("exp", "iat", "auth_time", "nbf")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_pool(arn: str) -> tuple[str, str] | None:
    """Region and id of the user pool that an ARN names, or None."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "cognito-idp":
        return None
    kind, slash, pool = parsed.resource.partition("/")
    return (parsed.region, pool) if kind == "userpool" and slash and pool else None


def issuers_of(arns: Iterable[str], endpoint: str) -> frozenset[str]:
    """The issuers that a token of these pools may name: AWS's form, and that of this cloud."""
    found = set()
    for arn in arns:
        pool = parse_pool(arn)
        if pool is not None:
            found.add(f"https://cognito-idp.{pool[0]}.amazonaws.com/{pool[1]}")
            found.add(f"{endpoint}/{pool[1]}")
    return frozenset(found)


def token_of(header: str) -> str:
    """The token of a header, with or without `Bearer` before it."""
    kind, _, rest = header.partition(" ")
    return rest.strip() if kind.lower() == "bearer" else header.strip()


def lets_through(claims: Mapping[str, object], issuers: frozenset[str], scopes: Any) -> bool:
    """Whether verified claims are of one of the pools and of the right kind.

    A method without scopes wants an identity token, one with scopes an access token that has at
    least one of them.
    """
    if claims.get("iss") not in issuers:
        return False
    if not scopes:
        return claims.get("token_use") == "id"
    if claims.get("token_use") != "access":
        return False
    given = claims.get("scope")
    return isinstance(given, str) and not set(scopes).isdisjoint(given.split())


def shown_claims(claims: Mapping[str, object]) -> dict[str, str]:
    """The claims as backends get them: texts all, times written out, lists with commas."""
    return {name: _text(name, value) for name, value in claims.items() if value is not None}


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if name in _TIMES and isinstance(value, int | float):
        return _written_out(value)
    if isinstance(value, list):
        return ",".join(_text("", item) for item in value)
    return str(value)


def _written_out(seconds: float) -> str:
    """`Tue Sep 18 20:01:47 UTC 2018`, whatever the machine's language."""
    t = time.gmtime(seconds)
    return (
        f"{_DAYS[t.tm_wday]} {_MONTHS[t.tm_mon - 1]} {t.tm_mday:02d} "
        f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} UTC {t.tm_year}"
    )
