"""Whatever bytes come, the server answers or closes; it never stalls and never fails inside."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulet.core.http import Response

PARTS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"PUT /e HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    b"HEAD /h HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET /s HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /w HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    b"\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0",
    b"\r\n",
    b"\0\xff\x16\x03",
]

streams = st.lists(
    st.tuples(
        st.sampled_from(PARTS),
        st.integers(0, 200),
        st.binary(max_size=3),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


async def answer(request):
    if request.path == "/unread":
        return Response(200)

    async def body():
        yield b"streamed"

    try:
        content = await request.body.read(1000)
    except Exception:
        return Response(400, [], b"unreadable")
    return Response(200, [], body() if request.path == "/s" else content)


async def converse(socket):
    while (message := await socket.receive()) is not None:
        await socket.send(message)


async def upgrade(request):
    return Response(101), converse


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=streams, size=st.integers(1, 400))
def test_any_bytes_are_answered_or_the_connection_closes(run, stage, caplog, parts, size):
    wire_bytes = b""
    for part, at, put, cut in parts:
        at = min(at, len(part))
        wire_bytes += part[:at] + put + part[at + cut :]

    async def work():
        async with stage(answer, upgrade) as s:
            wire = await s.connect()
            try:
                for at in range(0, len(wire_bytes), size):
                    await wire.send(wire_bytes[at : at + size])
                wire.writer.write_eof()
            except (ConnectionError, RuntimeError):
                pass
            end = asyncio.get_running_loop().create_task(wire.ended())
            while not end.done():
                await s.clock.advance(1)
            for line in (await end).split(b"\r\n"):
                if line.startswith(b"HTTP/"):
                    assert line.startswith(b"HTTP/1.1 ")

    run(work())
    assert "Traceback" not in caplog.text
