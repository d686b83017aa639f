"""The authorization endpoint: what a client may ask for, and the code or tokens that it gets.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from cumulet.core.errors import AwsError
from cumulet.core.http import Response
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.flow import issue
from cumulet.services.cognito.flow.place import Place, by_client
from cumulet.services.cognito.hosted.asking import Asked, redirect
from cumulet.services.cognito.hosted.pages import Page, show
from cumulet.services.cognito.limits import OAUTH_CODE_SECONDS
from cumulet.services.cognito.model import OAuthCode, User
from cumulet.services.cognito.signing.keys import encode_segment

_CODE_BYTES = 32
_CHALLENGE_LENGTHS = range(43, 129)
_NONCE_MAX = 2_048


@dataclass(frozen=True, slots=True)
class Wish:
    """A request for a code or tokens that may be granted once somebody has signed in."""

    place: Place
    kind: str
    redirect: str
    scopes: tuple[str, ...]
    state: str
    challenge: str
    nonce: str

    @property
    def origin(self) -> str:
        """Where the browser will go, as pages must allow it."""
        parts = urlsplit(self.redirect)
        if parts.scheme in ("http", "https"):
            return f"{parts.scheme}://{parts.netloc}"
        return f"{parts.scheme}:"


class Refused(Exception):
    """The request cannot be granted; the answer says so."""

    def __init__(self, answer: Response) -> None:
        super().__init__("refused")
        self.answer = answer


def problem(text: str, status: int = 400) -> Refused:
    """A refusal that only the person may see, as the client's address is not to be trusted."""
    return Refused(show(Page("This page cannot be shown", error=text), status=status))


async def read_wish(asked: Asked) -> Wish:
    """What is asked for. Raises Refused.

    A wrong client or address is told to the person; everything else to the client.
    """
    query = asked.query
    try:
        place = await by_client(asked.ctx, query.get("client_id", ""))
    except AwsError as cause:
        raise problem("The application is not known: client_id.") from cause
    settings = place.through.settings
    if place.pool.id != asked.domain.pool:
        raise problem("The application is not known: client_id.")
    callbacks = settings.get("CallbackURLs", [])
    back = query.get("redirect_uri") or settings.get("DefaultRedirectURI") or ""
    if not back and len(callbacks) == 1:
        back = callbacks[0]
    if back not in callbacks:
        raise problem("The address of the application is not known: redirect_mismatch.")
    state, kind = query.get("state", ""), query.get("response_type", "")
    flows = settings.get("AllowedOAuthFlows", [])
    if not settings["AllowedOAuthFlowsUserPoolClient"]:
        raise _told(back, state, "unauthorized_client", "OAuth is not enabled for this client")
    needed = {"code": "code", "token": "implicit"}.get(kind)
    if needed is None:
        raise _told(back, state, "unsupported_response_type", "")
    if needed not in flows:
        raise _told(back, state, "unauthorized_client", f"{needed} flow is not allowed")
    allowed = settings.get("AllowedOAuthScopes", [])
    scopes = tuple(dict.fromkeys(query.get("scope", "").split())) or tuple(allowed)
    if not set(scopes) <= set(allowed):
        raise _told(back, state, "invalid_scope", "")
    if {"email", "phone", "profile"} & set(scopes) and "openid" not in scopes:
        raise _told(back, state, "invalid_scope", "openid is needed with these scopes")
    challenge = query.get("code_challenge", "")
    if challenge or "code_challenge_method" in query:
        is_known = query.get("code_challenge_method") == "S256"
        if not is_known or len(challenge) not in _CHALLENGE_LENGTHS:
            raise _told(back, state, "invalid_request", "code_challenge_method must be S256")
    nonce = query.get("nonce", "")[:_NONCE_MAX]
    return Wish(replace(place, is_page=True), kind, back, scopes, state, challenge, nonce)


def _told(back: str, state: str, error: str, text: str) -> Refused:
    query = {"error": error}
    if text:
        query["error_description"] = text
    if state:
        query["state"] = state
    return Refused(redirect(_with_query(back, query)))


def _with_query(address: str, query: dict[str, str]) -> str:
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}{urlencode(query)}"


async def authorize(asked: Asked) -> Response:
    """Grant at once to somebody who is signed in here already; else show the way to sign in."""
    wish = await read_wish(asked)
    known = asked.signed_in()
    prompts = asked.query.get("prompt", "").split()
    if known is not None and "login" not in prompts:
        user = await wish.place.ctx.transact(issue.load_by_key, wish.place.pool.id, known[0])
        if user is not None and user.enabled:
            return await grant(asked, wish, user, known[1])
    if "none" in prompts:
        raise _told(wish.redirect, wish.state, "login_required", "")
    return redirect(asked.link("/login"))


async def grant(asked: Asked, wish: Wish, user: User, since: float) -> Response:
    """Send the browser back to the client with a code, or with tokens."""
    cookie = asked.login_cookie(user, since)
    state = {"state": wish.state} if wish.state else {}
    if wish.kind == "code":
        code = await _new_code(wish, user, since)
        return redirect(_with_query(wish.redirect, {"code": code, **state}), cookie)
    wanted = issue.Wanted(
        wish.scopes, wish.nonce, "HostedAuth", auth_time=since, is_refreshable=False
    )
    tokens = await issue.issue(wish.place, user, wanted)
    parts = {
        **({"id_token": tokens["IdToken"]} if "openid" in wish.scopes else {}),
        "access_token": tokens["AccessToken"],
        "expires_in": str(tokens["ExpiresIn"]),
        "token_type": "Bearer",
        **state,
    }
    return redirect(f"{wish.redirect}#{urlencode(parts)}", cookie)


async def _new_code(wish: Wish, user: User, since: float) -> str:
    clock = wish.place.ctx.clock
    text = encode_segment(clock.random_bytes(_CODE_BYTES))
    code = OAuthCode(
        digest=issue.digest_of(text),
        pool=wish.place.pool.id,
        client=wish.place.client_id,
        user=user.key,
        redirect=wish.redirect,
        scopes=wish.scopes,
        challenge=wish.challenge,
        nonce=wish.nonce,
        auth_time=since,
        expires_at=clock.now() + OAUTH_CODE_SECONDS,
    )
    await wish.place.ctx.transact(_save, code)
    return text


async def _save(tx: Transaction, scope: Scope, code: OAuthCode) -> None:
    await store.OAUTH_CODES.save(tx, scope, code)
