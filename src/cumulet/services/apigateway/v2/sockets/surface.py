"""The front of WebSocket APIs: upgrades at their addresses, by host or by path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cumulet.core import trace as tracing
from cumulet.core.clock import new_hex, new_uuid
from cumulet.core.context import Platform
from cumulet.core.http import Request, Response
from cumulet.core.trace import Trace
from cumulet.kit.surface import Surface, Welcome
from cumulet.services.apigateway.admission.domains.lookup import Domains
from cumulet.services.apigateway.pipeline.faults import missing_token
from cumulet.services.apigateway.v2.sockets.address import find_address
from cumulet.services.apigateway.v2.sockets.connections.live import Connections
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedStage
from cumulet.services.apigateway.v2.sockets.deployed.stages import SocketStages
from cumulet.services.apigateway.v2.sockets.handshake import shake_hands
from cumulet.services.apigateway.v2.sockets.talk import say_farewell

_PATH = "/@connections/"


def provides(platform: Platform) -> Mapping[type, Any]:
    """The parts that WebSocket APIs need."""
    return {
        SocketStages: SocketStages(platform),
        Connections: Connections(platform, say_farewell),
    }


class Sockets:
    """Takes WebSockets for deployed APIs. `others` answers upgrades of APIs that take none."""

    name = "websocket"

    def __init__(self, others: Surface) -> None:
        self._others = others

    def match(self, request: Request) -> bool:
        """An upgrade, or `@connections` without a signature, at an address of deployed APIs."""
        wanted = request.headers.get("upgrade").lower() == "websocket" or _PATH in request.path
        return wanted and self._others.match(request)

    async def claims(self, platform: Platform, request: Request) -> bool:
        """An upgrade at a custom domain."""
        if request.headers.get("upgrade").lower() != "websocket":
            return False
        return await platform.need(Domains).find(request.host) is not None

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Refuse `@connections` of a WebSocket API: signed requests for it do not come here.

        A request that does not really upgrade, or is for another API, is like any other.
        """
        address = await find_address(platform.need(Domains), request)
        manages = address is not None and address.rest.startswith(_PATH)
        stages = platform.need(SocketStages)
        if address is None or not manages or not await stages.speaks_sockets(address.api_id):
            return await self._others.serve(platform, request)
        fault = missing_token()
        headers = [
            ("x-amzn-RequestId", new_uuid(platform.clock)),
            ("x-amzn-ErrorType", fault.error_type),
            ("Content-Type", "application/json"),
        ]
        return Response(fault.status, headers, orjson.dumps({"message": fault.message}))

    async def admit(self, platform: Platform, request: Request) -> Response | Welcome:
        """Run the handshake of a WebSocket API; other APIs take the request as it is."""
        address = await find_address(platform.need(Domains), request)
        stages = platform.need(SocketStages)
        if address is None or await stages.speaks_sockets(address.api_id) is False:
            return await self._others.serve(platform, request)
        stage = await stages.find(address.api_id, address.stage)
        if stage is not None and not _is_open(stage, address.rest, by_domain=address.by_domain):
            stage = None
        trace = tracing.current.get() or Trace()
        return await shake_hands(platform, stage, request, trace, _trace_header(platform, request))


def _is_open(stage: ServedStage, rest: str, *, by_domain: bool) -> bool:
    """Whether the stage is at this very address: it has no paths of its own."""
    return rest in ("", "/") and (by_domain or not stage.is_disabled)


def _trace_header(platform: Platform, request: Request) -> str:
    """The client's own trace, or a new one."""
    given = request.headers.get("x-amzn-trace-id")
    if given.startswith("Root="):
        return given
    clock = platform.clock
    return f"Root=1-{int(clock.now()):08x}-{new_hex(clock, 24)}"
