"""One request to a pool's domain: where it is, what it brings, and whether it may be believed.

Forms carry a text that must be the one in a cookie, so that no other site can send them.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import orjson

from cumulet.core.context import Context
from cumulet.core.http import Request, Response
from cumulet.kit.ports import Sealer
from cumulet.services.cognito.limits import FORM_SECONDS, LOGIN_COOKIE_SECONDS, OAUTH_BODY_BYTES_MAX
from cumulet.services.cognito.model import Domain, Home, User
from cumulet.services.cognito.signing.keys import decode_segment, encode_segment

PATH = "/_cognito/"
_HOST = re.compile(r"(?P<domain>[a-z0-9-]+)\.auth\.(?P<region>[a-z0-9-]+)\.", re.IGNORECASE)
_LOGIN, _FORM = "cognito", "XSRF-TOKEN"
_LOGIN_PURPOSE, _FORM_PURPOSE = "cognito-login-cookie", "cognito-form"
_TOKEN_BYTES = 24


def place_of(request: Request) -> tuple[str, str, str] | None:
    """Domain, path on it, and what goes before that path; None when it is no pool's.

    `{domain}.auth.{region}.…` by host, or `/_cognito/{domain}/…` on any host.
    """
    if request.path.startswith(PATH):
        domain, _, rest = request.path.removeprefix(PATH).partition("/")
        return domain, f"/{rest}", f"{PATH}{domain}"
    found = _HOST.match(request.host)
    return (found["domain"].lower(), request.path, "") if found is not None else None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a pool's domain. `ctx` is nobody's; `base` goes before the paths of links."""

    ctx: Context
    request: Request
    domain: Domain
    path: str
    base: str
    query: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def home(self) -> Home:
        """Where the pool is."""
        one = self.domain
        return Home(one.pool, one.account, one.region, one.pool)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that came along."""
        found = {}
        for part in self.request.headers.get("cookie").split(";"):
            name, _, value = part.strip().partition("=")
            found[name] = unquote(value)
        return found

    @property
    def sealer(self) -> Sealer:
        """What seals cookies."""
        return self.ctx.need(Sealer)

    def link(self, path: str, **changes: str) -> str:
        """A link on this domain with the query of this request, or parts of it changed."""
        query = {**self.query, **changes}
        query.pop("error", None)
        return f"{self.base}{path}?{urlencode(query)}"

    def new_form_token(self) -> str:
        """A text for a form and its cookie."""
        until = self.ctx.clock.now() + FORM_SECONDS
        plain = {"until": until, "nonce": self.ctx.clock.random_bytes(_TOKEN_BYTES).hex()}
        return encode_segment(self.sealer.seal(orjson.dumps(plain), _FORM_PURPOSE))

    def is_own_form(self) -> bool:
        """Whether the form is from one of our pages, shown to this browser, not long ago."""
        given, kept = self.form.get("_csrf", ""), self.cookies.get(_FORM, "")
        if not given or not hmac.compare_digest(given.encode(), kept.encode()):
            return False
        plain = self._opened(given, _FORM_PURPOSE)
        return plain is not None and plain["until"] > self.ctx.clock.now()

    def signed_in(self) -> tuple[str, float] | None:
        """Who is signed in on these pages: the key of the user, and since when."""
        plain = self._opened(self.cookies.get(_LOGIN, ""), _LOGIN_PURPOSE)
        if plain is None or plain["pool"] != self.domain.pool:
            return None
        if plain["until"] <= self.ctx.clock.now():
            return None
        return str(plain["user"]), float(plain["since"])

    def _opened(self, text: str, purpose: str) -> dict[str, Any] | None:
        try:
            found = orjson.loads(self.sealer.unseal(decode_segment(text), purpose))
        except (ValueError, UnicodeError):
            return None
        return found if isinstance(found, dict) else None

    def login_cookie(self, user: User, since: float) -> tuple[str, str]:
        """The header that remembers who signed in."""
        plain = {
            "pool": self.domain.pool,
            "user": user.key,
            "since": since,
            "until": since + LOGIN_COOKIE_SECONDS,
        }
        value = encode_segment(self.sealer.seal(orjson.dumps(plain), _LOGIN_PURPOSE))
        return self._cookie(_LOGIN, value, LOGIN_COOKIE_SECONDS)

    def no_login_cookie(self) -> tuple[str, str]:
        """The header that forgets it."""
        return self._cookie(_LOGIN, "", 0)

    def form_cookie(self, token: str) -> tuple[str, str]:
        """The header that goes with a form."""
        return self._cookie(_FORM, token, FORM_SECONDS)

    def _cookie(self, name: str, value: str, seconds: int) -> tuple[str, str]:
        secure = "; Secure" if self.request.scheme == "https" else ""
        at = self.base or "/"
        text = f"{name}={value}; Path={at}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        return ("set-cookie", text)


def parse_form(text: str) -> dict[str, str]:
    """The fields of a form or a query; of a name that comes twice, the first."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=100):
        found.setdefault(name, value)
    return found


async def read_form(request: Request) -> dict[str, str]:
    """The form in a body; empty for one that is none. Raises RequestTooLarge."""
    content = await request.body.read(OAUTH_BODY_BYTES_MAX)
    if not request.headers.get("content-type").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        return parse_form(content.decode())
    except ValueError:
        return {}


def redirect(to: str, *headers: tuple[str, str]) -> Response:
    """Send the browser elsewhere, with GET."""
    return Response(303, [("location", to), ("cache-control", "no-store"), *headers])


def json_answer(status: int, value: Any, *headers: tuple[str, str]) -> Response:
    """An answer for programs, which browsers' scripts of other sites may read."""
    return Response(
        status,
        [
            ("content-type", "application/json;charset=UTF-8"),
            ("cache-control", "no-store"),
            ("access-control-allow-origin", "*"),
            *headers,
        ],
        orjson.dumps(value),
    )
