"""The surface of HTTP APIs: at their own addresses, by the path forms, and by custom domains."""

from __future__ import annotations

from cumulet.core import trace as tracing
from cumulet.core.context import Platform
from cumulet.core.http import Request, Response
from cumulet.core.trace import Trace
from cumulet.kit.surface import Surface
from cumulet.services.apigateway.admission.domains.lookup import Domain, Domains
from cumulet.services.apigateway.surface import parse_address
from cumulet.services.apigateway.v2.http.entry.front import HttpApis, refuse, serve
from cumulet.services.apigateway.v2.http.refusals import forbidden
from cumulet.services.apigateway.v2.model import HTTP, WEBSOCKET


class HttpFront:
    """Answers for HTTP APIs. `others` answers for the APIs of other kinds at the same addresses."""

    name = "execute-api"

    def __init__(self, others: Surface) -> None:
        self._others = others

    def match(self, request: Request) -> bool:
        """At the addresses of deployed APIs."""
        return self._others.match(request)

    async def claims(self, platform: Platform, request: Request) -> bool:
        """By a custom domain, whatever it leads to."""
        return await platform.need(Domains).find(request.host) is not None

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Serve the HTTP API that the request is for, or hand it on."""
        trace = tracing.current.get() or Trace()
        domain = await platform.need(Domains).find(request.host)
        if domain is not None:
            return await self._by_domain(platform, request, domain, trace)
        address = parse_address(request)
        if address is None:
            return await self._others.serve(platform, request)
        place = await platform.need(HttpApis).place(address.api_id)
        if place is None or place.protocol not in (HTTP, WEBSOCKET):
            return await self._others.serve(platform, request)
        if place.protocol == WEBSOCKET:
            return refuse(platform, request, trace, forbidden("the API takes only WebSockets"))
        if address.by_host:
            return await serve(platform, request, trace, place.api_id)
        return await serve(
            platform, request, trace, place.api_id, stage=address.stage, path=address.path
        )

    async def _by_domain(
        self, platform: Platform, request: Request, domain: Domain, trace: Trace
    ) -> Response:
        target = domain.target(request.path)
        if target is None or target.protocol != HTTP:
            return await self._others.serve(platform, request)
        if not domain.admits(request):
            return refuse(platform, request, trace, forbidden("no certificate that is trusted"))
        return await serve(
            platform,
            request,
            trace,
            target.api_id,
            stage=target.stage,
            path=target.path or "/",
            base_path=target.key,
            by_domain=True,
        )
