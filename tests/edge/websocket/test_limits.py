"""The limits of WebSockets: frames, idleness, life, slow readers, and ends before the beginning."""

from __future__ import annotations

import asyncio

import pytest
import websockets
from tests.edge.websocket.test_messages import HANDSHAKE, echoing, no_answer, talking
from websockets.frames import CloseCode

from cumulet.core.http import Response


def test_long_message_goes_out_in_frames_of_32_kb(run, stage):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    async def converse(socket):
        await socket.send("x" * 70_000)
        await socket.receive()

    async def work():
        async with stage(no_answer, talking(converse)) as s:
            wire = await s.connect(HANDSHAKE)
            await wire.head()
            for first, size in ((0x01, 32_768), (0x00, 32_768), (0x80, 4_464)):
                head = await wire.reader.readexactly(4)
                assert (head[0], head[1], int.from_bytes(head[2:], "big")) == (first, 126, size)
                await wire.reader.readexactly(size)

    run(work())


@pytest.mark.parametrize("keep", ["pongs", "pings", "messages"])
def test_idle_socket_is_closed_unless_its_client_stirs(run, stage, keep):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    frame = {"pongs": b"\x8a\x80\0\0\0\0", "pings": b"\x89\x80\0\0\0\0"}.get(
        keep, b"\x81\x81\0\0\0\0a"
    )
    told = asyncio.Queue()

    async def converse(socket):
        while (message := await socket.receive()) is not None:
            await told.put(message)
        await told.put(socket.close_code)

    async def work():
        async with stage(
            no_answer, talking(converse), socket_idle_seconds=20, ping_seconds=15
        ) as s:
            wire = await s.connect(HANDSHAKE)
            await wire.head()
            for _ in range(2):
                await s.clock.advance(12)
                await wire.send(frame)
                await wire.send(b"\x81\x81\0\0\0\0b" if keep == "messages" else b"")
                if keep == "pings":
                    assert await wire.reader.readexactly(2) == b"\x8a\x00"
                elif keep == "messages":
                    assert [await told.get(), await told.get()] == ["a", "b"]
            if keep == "pongs":
                assert await told.get() == CloseCode.GOING_AWAY
                assert (await wire.ended())[-14:] == b"\x88\x0c\x03\xe9Going away"
            else:
                await s.clock.advance(12)
                await wire.send(b"\x88\x82\0\0\0\0\x03\xe8")
                assert await told.get() == CloseCode.NORMAL_CLOSURE

    run(work())


def test_socket_is_closed_at_the_end_of_its_life(run, stage):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    async def work():
        async with (
            stage(no_answer, talking(echoing), socket_life_seconds=30) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/") as client,
        ):
            for _ in range(2):
                await s.clock.advance(14)
                await client.send("still here")
                assert await client.recv() == "still here"
            await s.clock.advance(4)
            await client.wait_closed()
            assert (client.close_code, client.close_reason) == (CloseCode.GOING_AWAY, "Going away")

    run(work())


def test_slow_client_is_offered_no_more_than_its_bound(run, stage):
    offered = asyncio.Queue()

    async def converse(socket):
        count = 0
        while socket.offer("x" * 30_000):
            count += 1
        await offered.put(count)
        await socket.receive()

    async def work():
        async with stage(
            no_answer, talking(converse), socket_send_bytes_max=300_000, write_gap_seconds=5
        ) as s:
            wire = await s.connect(HANDSHAKE)
            wire.writer.transport.pause_reading()
            assert await offered.get() >= 10
            # It takes nothing at all: in the end it is let go.
            await s.clock.advance(7)
            assert not s.server.connections

    run(work())


def test_client_that_left_during_the_handshake_is_told_to_the_surface(run, stage):
    arrived, told = asyncio.Event(), asyncio.Queue()
    gate = asyncio.Event()

    async def converse(socket):
        await told.put((await socket.receive(), socket.close_code))

    async def upgrade(request):
        arrived.set()
        await gate.wait()
        return Response(101), converse

    async def work():
        async with stage(no_answer, upgrade) as s:
            wire = await s.connect(HANDSHAKE)
            await arrived.wait()
            wire.writer.transport.abort()
            gate.set()
            assert await told.get() == (None, CloseCode.ABNORMAL_CLOSURE)

    run(work())


def test_header_that_cannot_be_written_ends_the_handshake_and_the_conversation(run, stage, caplog):
    told = asyncio.Queue()

    async def converse(socket):
        await told.put(await socket.receive())

    async def work():
        upgrade = talking(converse, [("sec-websocket-protocol", "a\r\nx: y")])
        async with stage(no_answer, upgrade) as s:
            assert (await s.ask(HANDSHAKE))[0] == 500
            assert await told.get() is None

    run(work())
    assert "upgrade refused" in caplog.text


def test_long_messages_that_nobody_receives_stop_the_reading_too(run, stage):
    held = []

    async def converse(socket):
        held.append((socket, asyncio.get_running_loop().create_future()))
        await held[0][1]
        await echoing(socket)

    async def work():
        async with (
            stage(no_answer, talking(converse), socket_queue_bytes_max=100_000) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/") as client,
        ):
            for number in range(100):
                await client.send(f"{number} " + "x" * 30_000)
                await s.clock.advance(0)
                if held and held[0][0]._reading_paused:
                    break
            else:
                raise AssertionError("reading never stopped")
            assert len(held[0][0]._messages) < 20
            held[0][1].set_result(None)
            for each in range(number + 1):
                assert (await client.recv()).startswith(f"{each} ")

    run(work())
