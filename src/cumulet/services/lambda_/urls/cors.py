"""Cross-origin rules of a function URL. Pure.

https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from cumulet.core.http import Headers


def is_preflight(method: str, headers: Headers) -> bool:
    """Whether a browser asks what it may do."""
    return (
        method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers
    )


def cors_headers(
    cors: Mapping[str, Any], headers: Headers, *, preflight: bool
) -> list[tuple[str, str]]:
    """The headers for the browser; none when the origin is not allowed."""
    origin = headers.get("origin")
    allowed = list(cors.get("AllowOrigins") or ())
    if not origin or not any(_matches(origin, each) for each in allowed):
        return []
    credentials = bool(cors.get("AllowCredentials"))
    shown = "*" if "*" in allowed and not credentials else origin
    answer = [("access-control-allow-origin", shown)]
    if shown != "*":
        answer.append(("vary", "Origin"))
    if credentials:
        answer.append(("access-control-allow-credentials", "true"))
    if preflight:
        _add(answer, "access-control-allow-methods", cors.get("AllowMethods"))
        _add(answer, "access-control-allow-headers", cors.get("AllowHeaders"))
        if cors.get("MaxAge") is not None:
            answer.append(("access-control-max-age", str(cors["MaxAge"])))
    _add(answer, "access-control-expose-headers", cors.get("ExposeHeaders"))
    return answer


def _add(answer: list[tuple[str, str]], name: str, values: Iterable[str] | None) -> None:
    joined = ",".join(values or ())
    if joined:
        answer.append((name, joined))


def _matches(origin: str, allowed: str) -> bool:
    if allowed == "*":
        return True
    return fnmatchcase(origin.lower(), allowed.lower().replace("[", "[[]"))


def without_cors(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The function's own headers without those that the URL's configuration replaces."""
    return [pair for pair in headers if not pair[0].startswith("access-control-")]
