"""A server in the test's own loop, a clock that the test moves, and raw sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop
from tests.edge.small_cloud import catalog, cloud

from cumulet.core.clock import ManualClock
from cumulet.core.http import Request, Response
from cumulet.edge.limits import Limits
from cumulet.edge.listen import Server

__all__ = ["catalog", "cloud"]


class App:
    """An application made of two functions."""

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Response]],
        upgrade: Callable[[Request], Awaitable[Any]] | None = None,
    ) -> None:
        self.answer = answer
        self.upgrade = upgrade


class Wire:
    """A raw connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:-2])
        return int(lines[0].split(" ")[1]), fields

    async def response(self, *, head_only: bool = False) -> tuple[int, dict[str, str], bytes]:
        status, fields = await self.head()
        if head_only:
            return status, fields, b""
        if fields.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += await self.reader.readexactly(size)
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self.reader.readexactly(2) == b"\r\n"
            return status, fields, body
        if "content-length" in fields:
            return status, fields, await self.reader.readexactly(int(fields["content-length"]))
        return status, fields, b""

    async def ended(self) -> bytes:
        """What is left until the server closes."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class Stage:
    """A server that runs, and the clock that its time limits follow."""

    def __init__(self, server: Server, clock: ManualClock, port: int) -> None:
        self.server, self.clock, self.port = server, clock, port
        self.wires: list[Wire] = []

    async def connect(self, data: bytes = b"") -> Wire:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.port))
        self.wires.append(wire)
        if data:
            await wire.send(data)
        return wire

    async def ask(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        return await (await self.connect(data)).response()


@asynccontextmanager
async def staged(app: Any, tls: Any = None, **limits: Any) -> AsyncIterator[Stage]:
    clock = ManualClock()
    server = Server(app, clock, Limits(**limits))
    port = await server.listen(tls=tls)
    stage = Stage(server, clock, port)
    try:
        yield stage
    finally:
        for wire in stage.wires:
            await wire.close()
        await server.drain(5)
        assert not server.connections


@pytest.fixture
def run():
    """Run a coroutine on the loop that the product uses, with a limit so that nothing hangs."""

    def runner(work: Awaitable[Any]) -> Any:
        async def limited() -> Any:
            return await asyncio.wait_for(work, 30)

        return uvloop.run(limited())

    return runner


@pytest.fixture
def stage():
    """`async with stage(answer, …) as s`: a server of that one function."""

    def make(answer: Any, upgrade: Any = None, **limits: Any) -> Any:
        return staged(App(answer, upgrade), **limits)

    return make


async def echo(request: Request) -> Response:
    """Tells what came."""
    body = await request.body.read(1 << 24)
    told = [("x-method", request.method), ("x-path", request.path), ("x-query", request.query)]
    return Response(200, told, body)


@pytest.fixture(name="echo")
def _echo():
    return echo
