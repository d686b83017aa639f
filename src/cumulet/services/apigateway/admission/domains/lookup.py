"""Which domain a request is for, and which API its path leads to. One lookup for v1 and v2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from cumulet.core.context import Platform
from cumulet.core.http import Request
from cumulet.core.identity import Scope
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.limits import ROUTES_MAX
from cumulet.services.apigateway.admission.domains.model import ApiMapping, DomainRoute

REST, HTTP, WEBSOCKET = "REST", "HTTP", "WEBSOCKET"


class Target(NamedTuple):
    """The API that a path of a domain leads to.

    `key` is the base path that matched, without slashes around it; `path` is what follows it (and
    the stage, where the path names that), as sent: it begins with a slash or is empty.
    """

    api_id: str
    stage: str
    protocol: str
    key: str
    path: str


class Domain:
    """One custom domain, ready to be asked."""

    __slots__ = ("_by_key", "_levels", "mutual_tls", "name", "revision", "scope")

    def __init__(self, route: DomainRoute) -> None:
        self.name = route.name
        self.scope = Scope(route.account, route.region)
        self.mutual_tls = route.mutual_tls
        self.revision = route.revision
        self._by_key: dict[str, ApiMapping] = {one.key: one for one in route.mappings}
        self._levels = max((_levels(key) for key in self._by_key), default=0)

    def target(self, path: str) -> Target | None:
        """Where a path (as sent) leads: the longest base path wins. None when to nothing.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
        """
        segments = path[1:].split("/") if path.startswith("/") else []
        for length in range(min(self._levels, len(segments)), -1, -1):
            mapping = self._by_key.get("/".join(segments[:length]))
            if mapping is None or _levels(mapping.key) != length:
                continue
            rest = path[len(mapping.key) + 1 :] if mapping.key else path
            stage = mapping.stage
            if stage is None:
                name, slash, left = rest.lstrip("/").partition("/")
                stage, rest = unquote(name), slash + left
            return Target(mapping.api_id, stage, mapping.protocol, mapping.key, rest)
        return None

    def admits(self, request: Request) -> bool:
        """Whether mutual TLS lets the request in: it must have come by this domain's own TLS.

        The certificate was held against the trust store in the handshake; a connection made for
        another name, or without TLS, has not been through that.
        """
        if not self.mutual_tls:
            return True
        return request.tls_domain == self.name and request.client_certificate is not None


def _levels(key: str) -> int:
    return key.count("/") + 1 if key else 0


class Domains:
    """Every custom domain of the cloud, in memory until one changes."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._view: CachedView[None, Mapping[str, Domain]] = CachedView(
            platform.need(Store),
            store.ROUTES.prefix(store.NOWHERE),
            self._load,
        )

    async def find(self, host: str) -> Domain | None:
        """The domain of a `Host` header, or of a server name; None when it is not a custom one.

        `*.example.com` is found for every name one level below `example.com`.
        """
        domains = self._view.held(None)
        if domains is None:
            domains = await self._view.get(None)
        if not domains:
            return None
        name = host_name(host)
        found = domains.get(name)
        if found is None:
            _, dot, parent = name.partition(".")
            found = domains.get(f"*.{parent}") if dot else None
        return found

    async def _load(self, _: None) -> Mapping[str, Domain]:
        async def load(tx: Any, scope: Scope) -> list[DomainRoute]:
            return await store.ROUTES.scan(tx, scope, limit=ROUTES_MAX)

        routes = await self._platform.transact(load, store.NOWHERE)
        return {route.name: Domain(route) for route in routes}


def host_name(host: str) -> str:
    """The name of a `Host` header in lower case, without port and final dot."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit():
        name = host
    return name.lower().removesuffix(".")
