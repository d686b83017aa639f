"""The console's addresses, at a host name of its own: its files, links, and sessions.

Everything is below `/_cumulet/console/` of a host whose first label is `console`
(`http://console.localhost:4566/_cumulet/console/`). Pages of users are served by the same cloud at
other names, and share no origin, so no storage, with the console; what else is answered at the
console's name may not run scripts (`edge/app.py`).
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any

from cumulet.console.sign_in import CODE_SECONDS, Codes, check_long_term, open_session
from cumulet.core.clock import Clock
from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.core.identity import Principal
from cumulet.kit.ports import Authenticator, Sealer

PLACE = "/_cumulet/console/"
_HOST = "console."
_BODY_BYTES_MAX = 4_096
_Give = Callable[[Platform, Request, bytes], Awaitable[Mapping[str, Any]]]
"""Makes the answer to a request whose body was read. Raises AwsError."""
_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'"),
        *("img-src 'self' data: blob:", "media-src 'self' blob:", "connect-src 'self'"),
        *("form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"),
    )
)
_HEADERS = [
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-cache"),
]


class ConsoleSurface:
    """Serves the console's files from the package, and its sign-in."""

    name = "console"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes = Codes(clock)
        self._files: dict[str, tuple[str, bytes]] = {}

    def match(self, request: Request) -> bool:
        """Whether the path is one of the console's, at whatever host."""
        return request.path.startswith(PLACE) or request.path == PLACE[:-1]

    def link(self, endpoint: str, caller: Principal) -> str:
        """An address that signs its first visitor in as `caller`. Raises AccessDenied."""
        return f"{own_address(endpoint)}{PLACE}#code={self._codes.give(caller)}"

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Answer with a file, a link or a session; at another host, with the way to its own."""
        name = request.path.removeprefix(PLACE)
        if name == "links":
            return await self._guarded(platform, request, self._give_link)
        host = request.headers.get("host")
        if not host.lower().startswith(_HOST):
            if request.method not in ("GET", "HEAD"):
                return _json(403, {"message": "The console has a host name of its own."})
            return Response(302, [("location", own_address(f"{request.scheme}://{host}") + PLACE)])
        if name == "session":
            return await self._guarded(platform, request, self._give_session)
        if request.method not in ("GET", "HEAD"):
            return _json(405, {"message": "The console's files can only be read."})
        if request.path == PLACE[:-1]:
            return Response(302, [("location", PLACE)])
        if not self._files:
            self._files = _load_files()
        found = self._files.get(name or "index.html")
        if found is None:
            return Response(404, [*_HEADERS, ("content-type", "text/plain")], b"No such file.\n")
        kind, content = found
        return Response(200, [*_HEADERS, ("content-type", kind)], content)

    async def _guarded(self, platform: Platform, request: Request, give: _Give) -> Response:
        if request.method != "POST":
            return _json(405, {"message": "use POST"})
        try:
            body = await request.body.read(_BODY_BYTES_MAX)
            return _json(200, await give(platform, request, body))
        except AwsError as error:
            return _json(error.http_status or 403, {"message": error.message})

    async def _give_link(self, platform: Platform, request: Request, body: bytes) -> dict[str, Any]:
        caller = await _signer(platform, request, body)
        host = f"{request.scheme}://{request.headers.get('host')}"
        return {"url": self.link(host, caller), "seconds": CODE_SECONDS}

    async def _give_session(
        self, platform: Platform, request: Request, body: bytes
    ) -> Mapping[str, Any]:
        """For a code, or for a request that is signed with a key."""
        if "authorization" in request.headers:
            caller: Principal | None = await _signer(platform, request, body)
        else:
            caller = self._codes.take(_code_in(body))
        if caller is None:
            raise AwsError("This link was used already, or is too old.", http_status=403)
        sealer = platform.need(Sealer)
        session = open_session(sealer, self._clock, caller)
        return {
            "accessKeyId": session.key_id,
            "secretAccessKey": session.secret,
            "sessionToken": session.token,
            "expiresAt": session.expires_at,
            "arn": caller.arn,
            "account": caller.account,
        }


def own_address(endpoint: str) -> str:
    """The console's own host beside an endpoint's: `console.` before the name.

    An address in numbers can have no name below it: loopback's is `localhost`, others have none,
    and get `console.localhost` too, which reaches a console on the same machine alone.
    """
    scheme, _, rest = endpoint.partition("://")
    host, _, port = rest.rpartition(":") if not rest.endswith("]") else (rest, "", "")
    if not port.isdigit():
        host, port = rest, ""
    if host.lower().startswith(_HOST):
        name = host
    elif host.replace(".", "").isdigit() or host.startswith("["):
        name = f"{_HOST}localhost"
    else:
        name = _HOST + host
    return f"{scheme}://{name}{':' + port if port else ''}"


async def _signer(platform: Platform, request: Request, body: bytes) -> Principal:
    authenticator = platform.need(Authenticator)
    caller = await authenticator.authenticate(request, "cumulet", body)
    check_long_term(caller)
    return caller


def _code_in(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    code = found.get("code") if isinstance(found, dict) else None
    return code if isinstance(code, str) else ""


def _load_files() -> dict[str, tuple[str, bytes]]:
    """Every file of `static/` by its path, with its content type; they are few and small."""
    found = {}
    root = files("cumulet.console") / "static"
    waiting = [("", root)]
    while waiting:
        above, folder = waiting.pop()
        for entry in folder.iterdir():
            name = f"{above}{entry.name}"
            if entry.is_dir():
                waiting.append((f"{name}/", entry))
                continue
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            kind = "text/javascript" if name.endswith(".js") else kind
            text = kind.startswith("text/")
            found[name] = (f"{kind}; charset=utf-8" if text else kind, entry.read_bytes())
    return found


def _json(status: int, value: object) -> Response:
    headers = [*_HEADERS, ("content-type", "application/json")]
    return Response(status, headers, json.dumps(value).encode())
