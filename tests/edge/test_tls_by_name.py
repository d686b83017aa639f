"""TLS by the name that the client asks for: whose certificate it gets, and how long it may take."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from tests.edge.conftest import App

from cumulet.core.clock import ManualClock
from cumulet.core.http import Response
from cumulet.edge.limits import Limits
from cumulet.edge.listen import Server
from cumulet.edge.tls.contexts import CONTEXT_SECONDS_MAX, Contexts, server_context
from cumulet.kit.tls.authority import Authority
from cumulet.kit.tls.hosts import HostName, HostTls

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Names:
    """Host names of users, as a test gives them."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.given: dict[str, tuple[HostName, HostTls]] = {}
        self.loaded = 0

    def give(self, name: str, revision: str = "1", trusted: tuple[bytes, ...] = ()) -> None:
        issued = self.authority.issue([name], 30)
        tls = HostTls(issued.certificate, issued.key, trusted)
        self.given[name] = HostName(name, revision), tls

    async def named(self, name: str) -> HostName | None:
        found = self.given.get(name)
        return found[0] if found else None

    async def tls(self, name: HostName) -> HostTls | None:
        self.loaded += 1
        found = self.given.get(name.name)
        return found[1] if found else None


async def tell(request):
    return Response(200, [], request.tls_domain.encode() or b"own")


class Door:
    """A server that chooses by name."""

    def __init__(self, names: Names, contexts: Contexts, clock: ManualClock, port: int) -> None:
        self.names, self.contexts, self.clock, self.port = names, contexts, clock, port

    async def ask(self, name: str, trusts: ssl.SSLContext | None = None) -> bytes:
        context = trusts or ssl.create_default_context(
            cadata=self.names.authority.certificate().decode()
        )
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context, server_hostname=name
        )
        writer.write(GET)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.rpartition(b"\r\n\r\n")[2]


@asynccontextmanager
async def opened(folder, **limits):
    clock = ManualClock(start=datetime.now(UTC).timestamp())
    names = Names(Authority(folder, clock))
    contexts = Contexts(server_context(folder, clock=clock), names, clock)
    server = Server(App(tell), clock, Limits(**limits))
    port = await server.listen_by_name("127.0.0.1", 0, contexts.of)
    try:
        yield Door(names, contexts, clock, port)
    finally:
        await server.drain(5)
        assert not server.connections


def test_each_name_has_its_certificate_and_others_the_server_s(run, tmp_path):
    async def work():
        async with opened(tmp_path) as door:
            door.names.give("one.example.com")
            door.names.give("two.example.com")
            assert await door.ask("one.example.com") == b"one.example.com"
            assert await door.ask("two.example.com") == b"two.example.com"
            assert await door.ask("localhost") == b"own"
            with pytest.raises(ssl.SSLCertVerificationError):
                await door.ask("three.example.com")

    run(work())


def test_a_context_lasts_until_its_revision_or_its_time_ends(run, tmp_path):
    async def work():
        async with opened(tmp_path) as door:
            door.names.give("one.example.com")
            first = await door.contexts.of("one.example.com")
            assert await door.contexts.of("one.example.com") is first
            door.names.give("one.example.com", "2")
            second = await door.contexts.of("one.example.com")
            assert second is not first
            await door.clock.advance(CONTEXT_SECONDS_MAX + 1)
            assert await door.contexts.of("one.example.com") is not second
            assert door.names.loaded == 3
            del door.names.given["one.example.com"]
            assert not hasattr(await door.contexts.of("one.example.com"), "tls_domain")

    run(work())


def test_a_domain_without_a_usable_certificate_gets_no_other_one(run, tmp_path):
    async def work():
        async with opened(tmp_path) as door:
            door.names.given["bad.example.com"] = (
                HostName("bad.example.com", "1"),
                HostTls(b"no certificate", b"no key"),
            )
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await door.ask("bad.example.com")
            assert await door.ask("localhost") == b"own"

    run(work())


@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_a_hello_that_does_not_come_is_not_waited_for_long(run, tmp_path, said):
    async def work():
        async with opened(tmp_path, head_seconds=0.2) as door:
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(said)
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
            assert await door.ask("localhost") == b"own"

    run(work())


def test_a_hello_in_pieces_is_put_together(run, tmp_path):
    async def work():
        async with opened(tmp_path) as door:
            door.names.give("one.example.com")
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            authority = door.names.authority.certificate().decode()
            client = ssl.create_default_context(cadata=authority).wrap_bio(
                incoming, outgoing, server_hostname="one.example.com"
            )
            with pytest.raises(ssl.SSLWantReadError):
                client.do_handshake()
            hello = outgoing.read()
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            for at in range(0, len(hello), 50):
                writer.write(hello[at : at + 50])
                await writer.drain()
            while True:
                incoming.write(await reader.read(65_536))
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    continue
            assert client.getpeercert()["subject"] == ((("commonName", "one.example.com"),),)
            writer.close()

    run(work())
