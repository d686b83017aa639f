"""Cognito's fronts besides its API: what verifiers fetch, the mailbox, and pools' domains.

Keys and the OpenID configuration of a pool are at `/{pool id}/.well-known/…` on any host.
"""

from __future__ import annotations

import re

import orjson

from cumulet.core.context import Platform
from cumulet.core.http import Request, Response
from cumulet.services.cognito import store
from cumulet.services.cognito.hosted.front import PoolDomains
from cumulet.services.cognito.hosted.imports.upload import Uploads
from cumulet.services.cognito.hosted.mailbox import Mailbox
from cumulet.services.cognito.signing.identities import PoolTokens
from cumulet.services.cognito.signing.tokens import BadToken

_WELL_KNOWN = re.compile(
    r"/(?P<pool>[a-z0-9-]+_[0-9a-zA-Z]+)/\.well-known/(?P<name>jwks\.json|openid-configuration)\Z"
)
_MARK = "/.well-known/"


class WellKnown:
    """The keys and the OpenID configuration of pools, for everybody."""

    name = "cognito-well-known"

    def match(self, request: Request) -> bool:
        """By path."""
        return _MARK in request.path and _WELL_KNOWN.match(request.path) is not None

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Answer with JSON."""
        found = _WELL_KNOWN.match(request.path)
        assert found is not None
        tokens, pool = platform.need(PoolTokens), found["pool"]
        home = await tokens.home_of(pool)
        try:
            ring = await tokens.ring(pool)
        except BadToken:
            home = None
        if home is None:
            return _json(404, {"message": f"User pool {pool} does not exist."})
        if request.method not in ("GET", "HEAD"):
            return _json(405, {"message": "Method not allowed"})
        if found["name"] == "jwks.json":
            return _json(200, ring.shown())
        domain = await platform.transact(store.domain_of, store.NOWHERE, pool)
        at = f"{platform.endpoint}/_cognito/{domain.name}" if domain is not None else ""
        return _json(200, _configuration(platform.endpoint, home.region, pool, at))


def _configuration(endpoint: str, region: str, pool: str, domain: str) -> dict[str, object]:
    """The document of https://openid.net/specs/openid-connect-discovery-1_0.html.

    The issuer is the one that tokens name; its keys are here. `domain` is where the pool's OAuth
    endpoints begin, or empty.
    """
    paths = {
        "authorization_endpoint": "authorize",
        "token_endpoint": "token",
        "userinfo_endpoint": "userInfo",
        "revocation_endpoint": "revoke",
    }
    endpoints = {name: f"{domain}/oauth2/{path}" for name, path in paths.items()}
    return {
        **(endpoints if domain else {}),
        **({"end_session_endpoint": f"{domain}/logout"} if domain else {}),
        "issuer": f"https://cognito-idp.{region}.amazonaws.com/{pool}",
        "jwks_uri": f"{endpoint}/{pool}/.well-known/jwks.json",
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "token"],
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


def _json(status: int, value: object) -> Response:
    headers = [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=3600"),
        ("access-control-allow-origin", "*"),
    ]
    return Response(status, headers, orjson.dumps(value))


SURFACES = (WellKnown(), Mailbox(), PoolDomains(), Uploads())
