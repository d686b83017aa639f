"""CORS as the gateway does it for an HTTP API: preflight answers, headers of other answers. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from __future__ import annotations

from dataclasses import dataclass

from cumulet.core.http import Request
from cumulet.services.apigateway.v2.model import Cors

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CorsRules:
    """A configuration made ready. `exact` are whole origins, `starts` are schemes with a `*`."""

    exact: frozenset[str]
    starts: tuple[str, ...]
    takes_any: bool
    of_preflight: tuple[tuple[str, str], ...]
    of_answers: tuple[tuple[str, str], ...]

    def allowed(self, origin: str) -> str | None:
        """What `Access-Control-Allow-Origin` says to this origin; None for nothing."""
        if self.takes_any:
            return "*"
        if origin in self.exact or any(origin.startswith(start) for start in self.starts):
            return origin
        return None

    def preflight(self, request: Request) -> Pairs | None:
        """The headers of the answer to a preflight request, None when it is none."""
        headers = request.headers
        if request.method != "OPTIONS" or "origin" not in headers:
            return None
        if "access-control-request-method" not in headers:
            return None
        allowed = self.allowed(headers.get("origin"))
        if allowed is None:
            return []
        return [("access-control-allow-origin", allowed), *self.of_preflight]

    def headers(self, request: Request) -> Pairs:
        """What is added to the answer of any other request."""
        origin = request.headers.get("origin")
        allowed = self.allowed(origin) if origin else None
        if allowed is None:
            return []
        return [("access-control-allow-origin", allowed), *self.of_answers]


def cors_rules(cors: Cors | None) -> CorsRules | None:
    """The rules of a configuration; None when there is none, and backends answer for themselves."""
    if cors is None:
        return None
    origins = cors.allow_origins or ()
    always: Pairs = []
    if cors.allow_credentials:
        always.append(("access-control-allow-credentials", "true"))
    if cors.expose_headers:
        always.append(("access-control-expose-headers", ",".join(cors.expose_headers)))
    preflight: Pairs = []
    if cors.allow_methods:
        preflight.append(("access-control-allow-methods", ",".join(cors.allow_methods)))
    if cors.allow_headers:
        preflight.append(("access-control-allow-headers", ",".join(cors.allow_headers)))
    if cors.max_age is not None:
        preflight.append(("access-control-max-age", str(cors.max_age)))
    return CorsRules(
        exact=frozenset(one for one in origins if not one.endswith("*")),
        starts=tuple(one[:-1] for one in origins if one.endswith("://*")),
        takes_any="*" in origins,
        of_preflight=(*preflight, *always),
        of_answers=tuple(always),
    )
