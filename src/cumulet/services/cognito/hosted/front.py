"""The front of pools' domains: which path is what.

https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from cumulet.core.context import Platform
from cumulet.core.errors import RequestTooLarge
from cumulet.core.http import Request, Response
from cumulet.core.identity import ANONYMOUS, Scope
from cumulet.core.trace import current
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.hosted import accounts, authorize, login, tokens
from cumulet.services.cognito.hosted.asking import (
    Asked,
    json_answer,
    parse_form,
    place_of,
    read_form,
)
from cumulet.services.cognito.hosted.authorize import Refused
from cumulet.services.cognito.model import Domain

_Answer = Callable[[Asked], Awaitable[Response]]
_PAGES: Mapping[str, _Answer] = {
    "/oauth2/authorize": authorize.authorize,
    "/login": login.login,
    "/login/challenge": login.challenge,
    "/signup": accounts.signup,
    "/confirm": accounts.confirm,
    "/forgotPassword": accounts.forgot_password,
    "/confirmForgotPassword": accounts.confirm_forgot_password,
    "/logout": login.logout,
    "/confirmUser": accounts.confirm_user,
}
_POSTS: Mapping[str, _Answer] = {
    "/oauth2/token": tokens.token,
    "/oauth2/revoke": tokens.revocation,
}
_INFO = "/oauth2/userInfo"
_PREFLIGHT = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", "authorization, content-type"),
    ("access-control-max-age", "7200"),
]
"""For scripts of other sites, which may call what answers with JSON."""


class PoolDomains:
    """Answers for the domains of pools."""

    name = "cognito-domain"

    def match(self, request: Request) -> bool:
        """By host, or by the path form; only the paths that are there."""
        place = place_of(request)
        return place is not None and (place[1] in _PAGES or place[1] in _POSTS or place[1] == _INFO)

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Answer one request to a domain."""
        place = place_of(request)
        assert place is not None
        name, path, base = place
        domain = await platform.transact(_load, store.NOWHERE, name)
        if domain is None:
            return json_answer(404, {"error": "no such domain"})
        scope = Scope(domain.account, domain.region)
        ctx = platform.context(scope, ANONYMOUS, request=request, trace=current.get())
        try:
            query = parse_form(request.query)
            form = await read_form(request) if request.method == "POST" else {}
        except (ValueError, RequestTooLarge):
            return json_answer(400, {"error": "invalid_request"})
        asked = Asked(ctx, request, domain, path, base, query, form)
        if request.method == "OPTIONS" and path not in _PAGES:
            return Response(204, _PREFLIGHT)
        if path in _POSTS and request.method != "POST":
            return json_answer(405, {"error": "method_not_allowed"}, ("allow", "POST"))
        if request.method not in ("GET", "HEAD", "POST"):
            return json_answer(405, {"error": "method_not_allowed"}, ("allow", "GET, POST"))
        answer = _PAGES.get(path) or _POSTS.get(path) or tokens.user_info
        try:
            return await answer(asked)
        except Refused as refused:
            return refused.answer


async def _load(tx: Transaction, scope: Scope, name: str) -> Domain | None:
    return await store.DOMAINS.load(tx, scope, name)
