"""Clients that take too long are let go, each by its named limit; the test moves the time."""

from __future__ import annotations

import asyncio

import pytest

from cumulet.core.http import Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"


async def settle(s):
    """Let the sockets do what is already due."""
    for _ in range(20):
        await s.clock.advance(0)


def test_head_that_trickles_is_timed_out(run, stage, echo):
    async def work():
        async with stage(echo, head_seconds=10) as s:
            wire = await s.connect(b"GET / HTTP/1.1\r\n")
            await settle(s)
            for _ in range(9):
                await s.clock.advance(1)
                await wire.send(b"X-A: b\r\n")
                await settle(s)
            assert s.server.connections
            await s.clock.advance(2)
            assert (await wire.response())[0] == 408
            assert await wire.ended() == b""

    run(work())


def test_idle_connection_is_closed(run, stage, echo):
    async def work():
        async with stage(echo, idle_seconds=75) as s:
            silent = await s.connect()
            used = await s.connect(GET)
            await used.response()
            await s.clock.advance(74)
            await used.send(GET)
            assert (await used.response())[0] == 200
            await s.clock.advance(3)
            assert await silent.ended() == b""
            assert len(s.server.connections) == 1
            await s.clock.advance(80)
            assert await used.ended() == b""

    run(work())


def test_late_head_has_its_own_time(run, stage, echo):
    async def work():
        async with stage(echo, idle_seconds=75, head_seconds=10) as s:
            wire = await s.connect(GET)
            await wire.response()
            await s.clock.advance(70)
            await wire.send(GET[:10])
            await settle(s)
            await s.clock.advance(8)
            await wire.send(GET[10:])
            assert (await wire.response())[0] == 200

    run(work())


@pytest.mark.parametrize(("trickle", "seconds"), [(0, 33), (100, 36)])
def test_body_that_stops_or_trickles_is_given_up(run, stage, echo, trickle, seconds):
    seen = []

    async def answer(request):
        try:
            return await echo(request)
        except Exception as cause:
            seen.append(cause)
            return Response(400, [], b"too slow")

    async def work():
        async with stage(answer, body_gap_seconds=30, body_rate_bytes_min=1024) as s:
            wire = await s.connect(UPLOAD)
            await settle(s)
            for _ in range(seconds):
                if seen:
                    break
                if trickle:
                    await wire.send(b"x" * trickle)
                await settle(s)
                await s.clock.advance(1)
            status, fields, body = await wire.response()
            assert (status, fields["connection"], body) == (400, "close", b"too slow")

    run(work())
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    assert [cause.code for cause in seen] == ["RequestTimeout"]


def test_body_that_flows_has_all_the_time_it_needs(run, stage, echo):
    async def work():
        async with stage(echo, body_gap_seconds=5, body_rate_bytes_min=100) as s:
            wire = await s.connect(UPLOAD)
            await settle(s)
            for _ in range(100):
                await wire.send(b"x" * 1000)
                await settle(s)
                await s.clock.advance(1)
            assert (await wire.response())[0] == 200

    run(work())


def test_slow_handler_is_not_the_clients_fault(run, stage):
    gate = []

    async def answer(request):
        gate.append(asyncio.get_running_loop().create_future())
        await gate[0]
        return Response(200, [], b"%d" % len(await request.body.read(1 << 20)))

    async def work():
        async with stage(answer, body_buffer_bytes=1000, body_gap_seconds=5) as s:
            wire = await s.connect(UPLOAD + b"x" * 100_000)
            while not gate:
                await s.clock.advance(0)
            await s.clock.advance(500)
            gate[0].set_result(None)
            assert (await wire.response())[2] == b"100000"

    run(work())


def test_client_that_takes_nothing_is_let_go(run, stage):
    closed = []

    async def endless():
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.append(True)

    async def answer(request):
        return Response(200, [], endless())

    async def work():
        async with stage(answer, write_gap_seconds=60) as s:
            await s.connect(GET)
            for _ in range(300):
                await s.clock.advance(0)
            await s.clock.advance(30)
            assert s.server.connections
            await s.clock.advance(40)
            while not closed or s.server.connections:
                await s.clock.advance(0)

    run(work())


def test_refused_client_that_keeps_sending_is_cut(run, stage, echo):
    async def work():
        async with stage(echo, linger_seconds=2) as s:
            wire = await s.connect(b"BAD\r\n\r\n")
            assert (await wire.response())[0] == 400
            await wire.send(b"x" * 1000)
            await settle(s)
            assert s.server.connections
            await s.clock.advance(4)
            while s.server.connections:
                await s.clock.advance(0)

    run(work())
