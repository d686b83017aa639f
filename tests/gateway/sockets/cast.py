"""A WebSocket API from plain words, on a platform whose other services play their parts."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
from tests.gateway.cast import FUNCTION, SCOPE, TRACE, URI, Cast, lambda_says

from cumulet.core.http import Headers, Request, Response
from cumulet.core.trace import Trace
from cumulet.kit.ports import LogSink, Metrics
from cumulet.kit.surface import Welcome
from cumulet.kv.memory import MemoryStore
from cumulet.services.apigateway.admission.usage.passes import NoPass, Passes
from cumulet.services.apigateway.admission.usage.quotas import Quotas
from cumulet.services.apigateway.v2.model import Api, Snapshot, Stage
from cumulet.services.apigateway.v2.sockets.connections.live import Connections
from cumulet.services.apigateway.v2.sockets.deployed.served import serve_stage
from cumulet.services.apigateway.v2.sockets.deployed.stages import SocketStages
from cumulet.services.apigateway.v2.sockets.handshake import shake_hands
from cumulet.services.apigateway.v2.sockets.talk import say_farewell

__all__ = ["FUNCTION", "SCOPE", "URI", "FakeSocket", "Scene", "lambda_says", "stage_of"]


API = {
    "ApiId": "abc123",
    "Name": "n",
    "ProtocolType": "WEBSOCKET",
    "CreatedDate": 0,
    "RouteSelectionExpression": "$request.body.action",
    "ApiKeySelectionExpression": "$request.header.x-api-key",
    "DisableExecuteApiEndpoint": False,
    "IpAddressType": "ipv4",
}
STAGE = {
    "ApiId": "abc123",
    "StageName": "prod",
    "AutoDeploy": False,
    "CreatedDate": 0,
    "LastUpdatedDate": 0,
    "DefaultRouteSettings": {},
    "RouteSettings": {},
    "StageVariables": {},
    "DeploymentId": "d",
}


def stage_of(routes: dict[str, dict[str, Any]], *, stage: Any = None, **api: Any) -> Any:
    """A stage `prod` with these routes, each with its members and those of its `integration`."""
    parts: dict[str, list[Any]] = {
        **{name: [] for name in ("routes", "integrations", "route_responses", "authorizers")},
        **{name: [] for name in ("models", "integration_responses")},
    }
    for number, (key, given) in enumerate(routes.items()):
        members = dict(given)
        integration = {
            "ApiId": "abc123",
            "IntegrationId": f"i{number}",
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": URI,
            "ConnectionType": "INTERNET",
            "TimeoutInMillis": 29_000,
            **members.pop("integration", {}),
        }
        parts["integrations"].append(integration)
        for name in ("authorizers", "models"):
            parts[name] += members.pop(name, [])
        if members.pop("answers", False):
            parts["route_responses"].append(
                {
                    "ApiId": "abc123",
                    "RouteId": f"r{number}",
                    "RouteResponseId": "p1",
                    "RouteResponseKey": "$default",
                }
            )
        parts["routes"].append(
            {
                "ApiId": "abc123",
                "RouteId": f"r{number}",
                "RouteKey": key,
                "ApiKeyRequired": False,
                "AuthorizationType": "NONE",
                "Target": f"integrations/i{number}",
                **members,
            }
        )
    described = {**API, **api}
    settings = {**STAGE, **(stage or {})}
    made = msgspec.convert(described, Api)
    snapshot = msgspec.convert({"api": described, **parts}, Snapshot)
    return serve_stage(SCOPE, made, msgspec.convert(settings, Stage), snapshot)


class FakeSocket:
    """A client: what it says, and what it is told. It leaves once all was answered."""

    def __init__(self, *says: str | bytes) -> None:
        self.says = deque(says)
        self.told: list[str | bytes] = []
        self.close_code, self.close_reason = 1000, ""
        self.ended = asyncio.Event()
        self.awaited = 0

    async def receive(self) -> str | bytes | None:
        if self.says:
            self.awaited += 1
            return self.says.popleft()
        await self.ended.wait()
        return None

    async def send(self, message: str | bytes) -> None:
        self.told.append(message)
        if len(self.told) >= self.awaited:
            self.ended.set()

    def offer(self, message: str | bytes) -> bool:
        self.told.append(message)
        return True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.close_code, self.close_reason = code, reason
        self.ended.set()


class _Passes:
    """Every key opens everything, but one."""

    async def find(self, scope: Any, api_id: str, stage: str, value: str) -> Any:
        raise NoPass(f"no key {value}")


class _Written:
    """Ports that keep what they are told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.metrics: list[tuple[str, tuple[tuple[str, str], ...], float]] = []

    def write(self, scope: Any, group: str, stream: str, timestamp_ms: int, message: str) -> None:
        self.lines.append((group, message))

    def record(
        self, scope: Any, namespace: str, name: str, dimensions: Any, value: float, unit: str
    ) -> None:
        assert namespace == "AWS/ApiGateway"
        self.metrics.append((name, dimensions, value))


@dataclass
class SocketCast(Cast):
    """The platform, with a store."""

    store: MemoryStore = field(default_factory=MemoryStore)

    async def transact(self, work: Any, scope: Any, *args: Any) -> Any:
        return await self.store.transact(lambda tx: work(tx, scope, *args))


class Scene:
    """One stage on a platform; clients come by handshakes."""

    def __init__(self, stage: Any, answers: Any = None, **cast: Any) -> None:
        self.stage = stage
        self.written = _Written()
        self.platform = SocketCast(answers or lambda_says({"statusCode": 200}), **cast)
        self.connections = Connections(self.platform, say_farewell)  # type: ignore[arg-type]
        self.platform.parts.update(
            {
                Connections: self.connections,
                SocketStages: self,
                Passes: _Passes(),
                Quotas: None,
                LogSink: self.written,
                Metrics: self.written,
                **self.platform.parts,
            }
        )

    async def find(self, api_id: str, stage: str) -> Any:
        """The stages part: there is one."""
        return self.stage if (api_id, stage) == ("abc123", "prod") else None

    async def arrive(
        self, query: str = "", headers: list[tuple[str, str]] | None = None
    ) -> Response | Welcome:
        """A client asks to connect."""
        given = [("Host", "abc123.execute-api.localhost:4566"), *(headers or [])]
        request = Request("GET", "/prod", query, Headers(given))
        return await shake_hands(self.platform, self.stage, request, Trace(), TRACE)  # type: ignore[arg-type]

    async def talk(self, *says: str | bytes) -> FakeSocket:
        """A client connects, says this, and leaves when it was told something."""
        welcome = await self.arrive()
        assert isinstance(welcome, Welcome), json.loads(welcome.body)  # type: ignore[arg-type]
        client = FakeSocket(*says)
        await asyncio.wait_for(welcome.converse(client), 20)
        await self.connections.stop()
        return client
