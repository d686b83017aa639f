"""WebSockets, spoken with by the `websockets` client and by raw frames."""

from __future__ import annotations

import asyncio

import pytest
import websockets
from websockets.frames import CloseCode

from cumulet.core.http import Response

HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def talking(converse, headers=()):
    async def upgrade(request):
        return Response(101, list(headers)), converse

    return upgrade


async def no_answer(request):
    return Response(404)


async def echoing(socket):
    while (message := await socket.receive()) is not None:
        await socket.send(message)


def test_messages_go_both_ways(run, stage):
    async def work():
        async with (
            stage(no_answer, talking(echoing)) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/chat") as client,
        ):
            for message in ("hello", "é☃", "", b"\x00\xff", b"", "x" * 32_768):
                await client.send(message)
                assert await client.recv() == message
            await client.send(["par", "", "ted"])
            assert await client.recv() == "parted"
            await client.send(["x" * 32_768] * 4)
            assert await client.recv() == "x" * 131_072
            assert await (await client.ping()) >= 0

    run(work())


def test_handshake_answers_the_sample_of_the_rfc(run, stage):
    # https://www.rfc-editor.org/rfc/rfc6455#section-1.3
    async def work():
        async with stage(no_answer, talking(echoing)) as s:
            wire = await s.connect(HANDSHAKE)
            status, fields = await wire.head()
            assert status == 101
            assert fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
            assert "sec-websocket-extensions" not in fields

    run(work())


def test_frames_right_behind_the_handshake_are_heard(run, stage):
    heard = asyncio.Queue()

    async def hear(socket):
        await heard.put(await socket.receive())

    async def work():
        async with stage(no_answer, talking(hear)) as s:
            await s.connect(HANDSHAKE + b"\x81\x82\0\0\0\0hi")
            assert await heard.get() == "hi"

    run(work())


def test_surface_chooses_a_subprotocol(run, stage):
    upgrade = talking(echoing, [("sec-websocket-protocol", "two")])

    async def work():
        async with (
            stage(no_answer, upgrade) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/", subprotocols=["one", "two"]) as client,
        ):
            assert client.subprotocol == "two"

    run(work())


def test_surface_may_refuse(run, stage):
    async def upgrade(request):
        return Response(403, [], b"no")

    async def work():
        async with stage(no_answer, upgrade) as s:
            with pytest.raises(websockets.InvalidStatus) as refused:
                async with websockets.connect(f"ws://127.0.0.1:{s.port}/"):
                    pass
            assert refused.value.response.status_code == 403

    run(work())


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"short", 400),
        (b"Version: 13", b"Version: 8", 426),
        (b"GET", b"POST", 400),
        (b"Connection: Upgrade", b"Connection: close", 404),
        (b"websocket", b"h2c", 404),
    ],
)
def test_odd_handshake_is_not_accepted(run, stage, old, new, status):
    async def work():
        async with stage(no_answer, talking(echoing)) as s:
            wire = await s.connect(HANDSHAKE.replace(old, new))
            assert (await wire.response())[0] == status

    run(work())


def test_clients_close_is_told_to_the_surface(run, stage):
    told = asyncio.Queue()

    async def converse(socket):
        assert await socket.receive() is None
        await told.put((socket.close_code, socket.close_reason))

    async def work():
        async with stage(no_answer, talking(converse)) as s:
            async with websockets.connect(f"ws://127.0.0.1:{s.port}/") as client:
                await client.close(4001, "bye")
            assert await told.get() == (4001, "bye")
            wire = await s.connect(HANDSHAKE)
            await wire.head()
            await wire.close()
            assert await told.get() == (1006, "")

    run(work())


def test_surface_closes_with_its_code(run, stage):
    async def converse(socket):
        await socket.send("last words")
        await socket.close(4321, "enough")
        with pytest.raises(ConnectionError):
            await socket.send("more")

    async def work():
        async with (
            stage(no_answer, talking(converse)) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/") as client,
        ):
            assert await client.recv() == "last words"
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert (client.close_code, client.close_reason) == (4321, "enough")

    run(work())


def test_failure_of_a_surface_closes_with_1011(run, stage, caplog):
    async def converse(socket):
        raise RuntimeError("broken surface")

    async def work():
        async with (
            stage(no_answer, talking(converse)) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/") as client,
        ):
            await client.wait_closed()
            assert client.close_code == CloseCode.INTERNAL_ERROR

    run(work())
    assert "broken surface" in caplog.text


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\xfe\x10\x00\0\0\0\0", CloseCode.MESSAGE_TOO_BIG),
        (
            b"\x01\xfe\x01\xf4\0\0\0\0" + b"a" * 500 + b"\x80\xfe\x03\x00\0\0\0\0",
            CloseCode.MESSAGE_TOO_BIG,
        ),
        (b"\x81\x82\0\0\0\0\xc3\x28", CloseCode.INVALID_DATA),
        (b"\x81\x02hi", CloseCode.PROTOCOL_ERROR),
        (b"\x83\x80\0\0\0\0", CloseCode.PROTOCOL_ERROR),
        (b"\xc1\x82\0\0\0\0hi", CloseCode.PROTOCOL_ERROR),
        (b"\x80\x82\0\0\0\0hi", CloseCode.PROTOCOL_ERROR),
    ],
)
def test_frame_that_breaks_the_rules_closes_with_its_code(run, stage, frames, code):
    async def work():
        async with stage(no_answer, talking(echoing), message_bytes_max=1000) as s:
            wire = await s.connect(HANDSHAKE + frames)
            await wire.head()
            end = await wire.ended()
            assert end[0] == 0x88
            assert int.from_bytes(end[2:4], "big") == code

    run(work())


def test_quiet_client_is_pinged_and_a_dead_one_is_let_go(run, stage):
    async def work():
        async with stage(no_answer, talking(echoing), ping_seconds=30) as s:
            wire = await s.connect(HANDSHAKE)
            await wire.head()
            await s.clock.advance(32)
            assert await wire.reader.readexactly(2) == b"\x89\x00"
            await wire.send(b"\x8a\x80\0\0\0\0")
            for _ in range(20):
                await s.clock.advance(0)
            await s.clock.advance(32)
            assert await wire.reader.readexactly(2) == b"\x89\x00"
            await s.clock.advance(32)
            assert await wire.ended() == b""

    run(work())


def test_messages_that_nobody_receives_are_left_on_the_socket(run, stage):
    gates = []

    async def converse(socket):
        gates.append((socket, asyncio.get_running_loop().create_future()))
        await gates[0][1]
        await echoing(socket)

    async def work():
        async with (
            stage(no_answer, talking(converse), socket_queue_messages_max=10) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/") as client,
        ):
            for number in range(100):
                await client.send(f"{number} " + "x" * 30_000)
                await s.clock.advance(0)
                if gates and gates[0][0]._reading_paused:
                    break
            else:
                raise AssertionError("reading never stopped")
            gates[0][1].set_result(None)
            for each in range(number + 1):
                assert (await client.recv()).startswith(f"{each} ")

    run(work())


def test_draining_server_goes_away(run, stage):
    async def work():
        async with (
            stage(no_answer, talking(echoing)) as s,
            websockets.connect(f"ws://127.0.0.1:{s.port}/") as client,
        ):
            await client.send("a")
            await client.recv()
            assert await s.server.drain(5)
            await client.wait_closed()
            assert client.close_code == CloseCode.GOING_AWAY

    run(work())
