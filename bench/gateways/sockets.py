"""Open WebSockets on one process, and a broadcast to a part of them through `@connections`."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from typing import cast

import uvloop

from bench.clouds import Server, ours
from bench.functions import client
from bench.load import Caller, Counts, after
from bench.report import missed, show
from bench.requests import plain, signed

OPEN = 5_000
TOLD = 1_000
CONNECTS_PER_SECOND = 450
"""An account may open 500 connections a second."""

MESSAGES_PER_CPU_SECOND_MIN = 3_000
POSTERS = 16
BROADCAST_SECONDS = 5.0
MESSAGE = b"x" * 100
FRAME_BYTES = 2 + len(MESSAGE)


class Listener(asyncio.Protocol):
    """A client that counts what it is sent. It finds its connection's id in the first message."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.greeting = b""
        self.bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's, though they do the same.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.ready.done():
            self.bytes += len(data)
            return
        self.greeting += data
        head, end, rest = self.greeting.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 101"):
            self.ready.set_exception(RuntimeError(self.greeting.decode()))
        elif not rest:
            # A masked text frame of nothing: the answer tells the connection's id.
            self.transport.write(b"\x81\x80\0\0\0\0")
        else:
            self.ready.set_result(rest[2:].decode())


class Poster(Caller):
    """Sends one request after the other, each to another connection."""

    requests: list[bytes]
    turn = 0

    def answered(self, size: int) -> None:
        super().answered(size)
        self.turn = (self.turn + 1) % len(self.requests)
        self.request = self.requests[self.turn]


def make_api(server: Server) -> str:
    """An API that tells each client its connection's id; how its stage is addressed."""
    gateway = client(server, "apigatewayv2")
    api = gateway.create_api(
        Name="bench", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    mock = gateway.create_integration(
        ApiId=api, IntegrationType="MOCK", RequestTemplates={"$default": '{"statusCode": 200}'}
    )["IntegrationId"]
    gateway.create_integration_response(
        ApiId=api, IntegrationId=mock, IntegrationResponseKey="$default",
        ResponseTemplates={"$default": "$context.connectionId"},
    )  # fmt: skip
    route = gateway.create_route(
        ApiId=api, RouteKey="$default", Target=f"integrations/{mock}",
        RouteResponseSelectionExpression="$default",
    )["RouteId"]  # fmt: skip
    gateway.create_route_response(ApiId=api, RouteId=route, RouteResponseKey="$default")
    deployment = gateway.create_deployment(ApiId=api)["DeploymentId"]
    gateway.create_stage(ApiId=api, StageName="prod", DeploymentId=deployment)
    return f"/_aws/execute-api/{api}/prod"


def upgrade(server: Server, path: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return plain(server.endpoint, "GET", path, headers={
        "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13",
    })  # fmt: skip


async def open_all(server: Server, path: str) -> list[Listener]:
    """All clients, no faster than an account may open them."""
    loop = asyncio.get_running_loop()
    host, port = address(server)
    listeners: list[Listener] = []
    begin = time.perf_counter()
    while len(listeners) < OPEN:
        some = [Listener(upgrade(server, path)) for _ in range(50)]
        for one in some:
            await loop.create_connection(lambda one=one: one, host, port)
        await asyncio.gather(*(one.ready for one in some))
        listeners += some
        await after(max(0.0, begin + len(listeners) / CONNECTS_PER_SECOND - time.perf_counter()))
    return listeners


def address(server: Server) -> tuple[str, int]:
    host, _, port = server.endpoint.removeprefix("http://").partition(":")
    return host, int(port)


async def broadcast(server: Server, path: str, told: list[Listener]) -> tuple[float, float, Counts]:
    """Messages a second, and for each second of the server's processor."""
    counts = Counts()
    requests = [
        signed(server.endpoint, server.key, "execute-api", "POST",
               f"{path}/@connections/{one.ready.result()}", MESSAGE)
        for one in told
    ]  # fmt: skip
    posters = [Poster(*address(server), requests[0], counts) for _ in range(POSTERS)]
    for number, poster in enumerate(posters):
        poster.requests = requests
        poster.turn = number * len(requests) // POSTERS
        poster.request = requests[poster.turn]
        await poster.connect()
    await after(1.0)
    received, used, begin = heard(told), server.cpu_seconds(), time.perf_counter()
    await after(BROADCAST_SECONDS)
    messages = heard(told) - received
    took, used = time.perf_counter() - begin, server.cpu_seconds() - used
    for poster in posters:
        poster.stop()
    return messages / took, messages / used, counts


def heard(listeners: list[Listener]) -> float:
    return sum(one.bytes for one in listeners) / FRAME_BYTES


async def measure(server: Server) -> None:
    path = make_api(server)
    before_mb, before = server.memory_mb(), time.perf_counter()
    listeners = await open_all(server, path)
    opened, memory_mb = time.perf_counter() - before, server.memory_mb()
    await after(2.0)
    idle = server.cpu_seconds()
    await after(5.0)
    idle = (server.cpu_seconds() - idle) / 5
    per_second, per_cpu_second, counts = await broadcast(server, path, listeners[:TOLD])
    still = sum(not one.transport.is_closing() for one in listeners)
    show(
        f"{OPEN:,} open WebSockets on one process; a broadcast to {TOLD:,} through @connections, "
        f"signed, {POSTERS} callers",
        ("open", "opened in s", "KiB each", "idle CPU", "messages per CPU s", "per s", "failed"),
        [(still, opened, (memory_mb - before_mb) * 1024 / OPEN, f"{idle:.1%}", per_cpu_second,
          per_second, counts.failed)],
        f"aim: {OPEN:,} open, and above {MESSAGES_PER_CPU_SECOND_MIN:,} messages for each second "
        "of the main process's processor",
    )  # fmt: skip
    missed("open WebSockets", float(still), at_least=OPEN)
    missed("messages per CPU second", per_cpu_second, at_least=MESSAGES_PER_CPU_SECOND_MIN)
    for one in listeners:
        one.transport.abort()


def run() -> None:
    with ours() as server:
        uvloop.run(measure(server))
