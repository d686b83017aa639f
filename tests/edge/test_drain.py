"""A server that stops finishes what is in hand, refuses what is new, and keeps to its deadline."""

from __future__ import annotations

import asyncio

import pytest

from cumulet.core.http import Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_request_in_hand_is_answered_and_idle_connections_end(run, stage):
    gate = []

    async def answer(request):
        if request.path == "/slow":
            gate.append(asyncio.get_running_loop().create_future())
            await gate[0]
        return Response(200, [], b"done")

    async def work():
        async with stage(answer) as s:
            idle = await s.connect(GET)
            await idle.response()
            busy = await s.connect(GET.replace(b"/ ", b"/slow "))
            while not gate:
                await s.clock.advance(0)
            draining = asyncio.get_running_loop().create_task(s.server.drain(20))
            assert await idle.ended() == b""
            with pytest.raises(ConnectionRefusedError):
                await s.connect(GET)
            gate[0].set_result(None)
            _, fields, body = await busy.response()
            assert (body, fields["connection"]) == (b"done", "close")
            assert await draining is True

    run(work())


def test_what_is_not_done_by_the_deadline_is_cut(run, stage):
    begun, ended = [], []

    async def answer(request):
        begun.append(True)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(True)

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(GET)
            while not begun:
                await s.clock.advance(0)
            assert await s.server.drain(0.05) is False
            assert await wire.ended() == b""
            assert ended == [True]

    run(work())
