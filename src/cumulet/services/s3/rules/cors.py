"""CORS rules of a bucket: which pages of which origins may ask for what. Pure.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cumulet.services.s3.errors import InvalidRequest, malformed_xml
from cumulet.services.s3.limits import CORS_RULES_MAX

METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")


@dataclass(frozen=True, slots=True)
class Cors:
    """One rule. Origins and headers may have one `*` each."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: int | None

    def allows(self, origin: str, method: str, headers: Sequence[str]) -> bool:
        """Whether a page of that origin may send this method with these headers."""
        return (
            method in self.methods
            and any(_fits(pattern, origin) for pattern in self.origins)
            and all(any(_fits(one.lower(), name) for one in self.headers) for name in headers)
        )

    def answer(self, origin: str) -> list[tuple[str, str]]:
        """The headers that let the page read the answer."""
        anyone = "*" in self.origins
        told = [("access-control-allow-origin", "*" if anyone else origin)]
        told.append(("access-control-allow-methods", ", ".join(self.methods)))
        if self.exposed:
            told.append(("access-control-expose-headers", ", ".join(self.exposed)))
        if self.max_age is not None:
            told.append(("access-control-max-age", str(self.max_age)))
        if not anyone:
            told.append(("access-control-allow-credentials", "true"))
        told.append(
            ("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
        )
        return told


def _fits(pattern: str, value: str) -> bool:
    if "*" not in pattern:
        return pattern == value
    start, _, end = pattern.partition("*")
    fits = value.startswith(start) and value.endswith(end)
    return fits and len(value) >= len(start) + len(end)


def parse_cors(rules: Sequence[dict[str, Any]]) -> tuple[Cors, ...]:
    """Rules as they were put, made ready."""
    return tuple(
        Cors(
            tuple(rule["AllowedOrigins"]),
            tuple(rule["AllowedMethods"]),
            tuple(rule.get("AllowedHeaders") or ()),
            tuple(rule.get("ExposeHeaders") or ()),
            rule.get("MaxAgeSeconds"),
        )
        for rule in rules
    )


def check_cors(rules: Sequence[dict[str, Any]]) -> None:
    """Raise InvalidRequest or MalformedXML when S3 would not take the rules."""
    if not 0 < len(rules) <= CORS_RULES_MAX:
        raise malformed_xml()
    for rule in rules:
        if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
            raise malformed_xml()
        for method in rule["AllowedMethods"]:
            if method not in METHODS:
                raise InvalidRequest(
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                )
        for what, word in (
            ("AllowedOrigins", "AllowedOrigin"),
            ("AllowedHeaders", "AllowedHeader"),
        ):
            for pattern in rule.get(what) or ():
                if pattern.count("*") > 1:
                    raise InvalidRequest(f'{word} "{pattern}" can not have more than one wildcard.')


def rule_for(
    rules: Sequence[Cors], origin: str, method: str, headers: Sequence[str] = ()
) -> Cors | None:
    """The first rule that allows it."""
    return next((rule for rule in rules if rule.allows(origin, method, headers)), None)
