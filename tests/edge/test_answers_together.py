"""Answers made in one turn are sent together: each whole, in order, to whoever is still there."""

from __future__ import annotations

import asyncio

from cumulet.core.http import Response

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


class Gate:
    """Answers nobody before `open_at` have asked, and then all in one turn."""

    def __init__(self, open_at: int) -> None:
        self.left = open_at
        self.opened = asyncio.Event()

    async def answer(self, request):
        self.left -= 1
        if not self.left:
            self.opened.set()
        await self.opened.wait()
        return Response(200, [], request.path.encode())


def test_every_client_gets_its_own_answer(run, stage):
    async def work():
        gate = Gate(200)
        async with stage(gate.answer) as s:
            wires = [await s.connect(GET % number) for number in range(200)]
            for number, wire in enumerate(wires):
                assert (await wire.response())[2] == b"/%d" % number
            assert s.server.outbox.in_hand == 0

    run(work())


def test_client_that_leaves_before_its_answer_takes_nobody_with_it(run, stage):
    async def work():
        gate = Gate(3)
        async with stage(gate.answer) as s:
            first = await s.connect(GET % 1)
            leaving = await s.connect(GET % 2)
            leaving.writer.transport.abort()
            last = await s.connect(GET % 3)
            assert (await first.response())[2] == b"/1"
            assert (await last.response())[2] == b"/3"

    run(work())


def test_pipelined_answers_keep_their_order_among_others(run, stage):
    async def work():
        gate = Gate(3)
        async with stage(gate.answer) as s:
            many = await s.connect(b"".join(GET % number for number in range(5)))
            one, two = await s.connect(GET % 7), await s.connect(GET % 8)
            assert [(await many.response())[2] for _ in range(5)] == [b"/%d" % n for n in range(5)]
            assert (await one.response())[2] == b"/7"
            assert (await two.response())[2] == b"/8"

    run(work())


def test_refusal_comes_after_the_answer_before_it(run, stage):
    async def work():
        gate = Gate(2)
        async with stage(gate.answer) as s:
            wire = await s.connect(GET % 1 + b"nonsense\r\n\r\n")
            other = await s.connect(GET % 2)
            assert (await wire.response())[2] == b"/1"
            assert (await wire.response())[0] == 400
            assert await wire.ended() == b""
            assert (await other.response())[2] == b"/2"

    run(work())


def test_client_that_reads_nothing_stops_being_answered(run, stage):
    """What waits for it is bounded, though its requests come in a row."""
    many = 3_000
    answered: set[str] = set()

    async def answer(request):
        answered.add(request.path)
        return Response(200, [], b"x" * 10_000)

    async def work():
        async with stage(answer, write_buffer_bytes=20_000) as s:
            slow, other = await s.connect(), await s.connect()
            slow.writer.transport.pause_reading()
            sending = asyncio.gather(slow.send(b"".join(GET % number for number in range(many))))
            seen = -1
            while seen != len(answered):
                seen = len(answered)
                for _ in range(50):
                    await other.send(GET % 0)
                    assert (await other.response())[0] == 200
            assert seen < many
            slow.writer.transport.resume_reading()
            for _ in range(many):
                assert len((await slow.response())[2]) == 10_000
            await sending

    run(work())
