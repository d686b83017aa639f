"""Host and path → who answers: surfaces in their order, else the AWS API.

Also turns S3's virtual-hosted addresses, and those of `@connections`, into the path that the models
know, for reading; signatures are verified over the address as it came.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from cumulet.core.context import Platform
from cumulet.core.http import Request
from cumulet.kit.surface import Surface
from cumulet.kit.tls.hosts import HostSurface
from cumulet.wire.sigv4 import claimed_service

_CONNECTIONS = "/@connections/"
_BUCKET_HOST = re.compile(r"(?P<bucket>.+)\.s3(?:[.-][^:]+)?(?::\d+)?\Z", re.IGNORECASE)


_OWN = re.compile(r"(?:localhost|[0-9.]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?\Z", re.IGNORECASE)
_OWN_HOSTS_MAX = 64
_PLACES_KNOWN_MAX = 1_024
_PATH_KNOWN_CHARACTERS_MAX = 256


def is_own(host: str) -> bool:
    """Whether a Host header is `localhost` or an address, which no user can have for a domain."""
    return _OWN.match(host) is not None


def _is_bucket_s(request: Request) -> bool:
    """Whether this may be a browser's for a bucket, which its surface claims at any address."""
    if request.method == "OPTIONS":
        return True
    kind = request.headers.first.get("content-type", "")
    return request.method == "POST" and kind[:10].lower() == "multipart/"


class Routes:
    """The surfaces that have the first refusal, in order."""

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        self._surfaces = tuple(surfaces)
        self._own: set[str] = set()
        self._addresses: set[str] = set()
        self._known: dict[tuple[str, str], Surface | None] = {}
        self._claiming = tuple(
            cast(HostSurface, surface) for surface in surfaces if hasattr(surface, "claims")
        )

    def leaves_to_aws(self, request: Request) -> bool:
        """Whether this is the root path of the server's own address, where AWS's API answers.

        No user may have such a name, so that nobody else will ever answer there: it is asked once.
        """
        if request.path != "/":
            return False
        host = request.headers.first.get("host", "")
        if host in self._own:
            return True
        if not is_own(host) or any(surface.match(request) for surface in self._surfaces):
            return False
        if len(self._own) >= _OWN_HOSTS_MAX:
            self._own.clear()
        self._own.add(host)
        return True

    def _is_address(self, host: str) -> bool:
        """Whether no user can have given this host to a surface; remembered, as it is for ever."""
        if host in self._addresses:
            return True
        if not is_own(host):
            return False
        if len(self._addresses) >= _OWN_HOSTS_MAX:
            self._addresses.clear()
        self._addresses.add(host)
        return True

    async def find(self, platform: Platform, request: Request) -> Surface | None:
        """The surface that answers this request, or None for the AWS API.

        A host name that a user gave to a surface goes before what paths say.
        """
        if self.leaves_to_aws(request) or manages_connections(request):
            return None
        if _is_bucket_s(request) or not self._is_address(request.headers.first.get("host", "")):
            for claiming in self._claiming:
                if await claiming.claims(platform, request):
                    return claiming
        return self._matching(request)

    def _matching(self, request: Request) -> Surface | None:
        """The first surface that this address is one of; it follows from host and path alone,
        but for upgrades."""
        first = request.headers.first
        if "upgrade" in first or len(request.path) > _PATH_KNOWN_CHARACTERS_MAX:
            return self._ask(request)
        place = (first.get("host", ""), request.path)
        if place in self._known:
            return self._known[place]
        found = self._ask(request)
        if len(self._known) >= _PLACES_KNOWN_MAX:
            self._known.clear()
        self._known[place] = found
        return found

    def _ask(self, request: Request) -> Surface | None:
        for surface in self._surfaces:
            if surface.match(request):
                return surface
        return None


def path_style(request: Request) -> Request:
    """The request with its bucket in the path, when its host names one; else the same request.

    `{bucket}.s3.localhost` and `{bucket}.s3.{region}.localhost`, with any domain and port.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    What stands before `/@connections/` names an API and a stage; it is left out.
    """
    if manages_connections(request):
        return _at(request, _CONNECTIONS + request.path.rpartition(_CONNECTIONS)[2])
    host = request.host
    if ".s3" not in host:
        return request
    found = _BUCKET_HOST.match(host)
    return request if found is None else _at(request, f"/{found['bucket']}{request.path}")


def manages_connections(request: Request) -> bool:
    """Whether the request is for `@connections` of a WebSocket API, at whatever address.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
    """
    return _CONNECTIONS in request.path and claimed_service(request) == "execute-api"


def _at(request: Request, path: str) -> Request:
    return Request(
        request.method,
        path,
        request.query,
        request.headers,
        request.body,
        scheme=request.scheme,
        peer=request.peer,
        client_certificate=request.client_certificate,
        tls_domain=request.tls_domain,
    )
