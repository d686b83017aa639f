"""Answers are framed as https://www.rfc-editor.org/rfc/rfc9112 says, streamed, and never split."""

from __future__ import annotations

import asyncio

import pytest

from cumulet.core.http import Response

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def answering(**fields):
    async def answer(request):
        return Response(**fields)

    return answer


async def pieces(*parts: bytes):
    for part in parts:
        yield part


def test_streamed_answer_is_chunked(run, stage):
    async def answer(request):
        return Response(200, [], pieces(b"ab", b"", b"cde"))

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(GET)
            status, fields, body = await wire.response()
            assert (status, body) == (200, b"abcde")
            assert fields["transfer-encoding"] == "chunked"
            assert "content-length" not in fields
            await wire.send(GET)
            assert (await wire.response())[2] == b"abcde"

    run(work())


def test_streamed_answer_of_a_known_size_is_not_chunked(run, stage):
    async def answer(request):
        return Response(200, [("Content-Length", "5")], pieces(b"ab", b"cde"))

    async def work():
        async with stage(answer) as s:
            _, fields, body = await s.ask(GET)
            assert (fields["content-length"], body) == ("5", b"abcde")
            assert "transfer-encoding" not in fields

    run(work())


def test_old_client_gets_a_stream_until_the_end(run, stage):
    async def answer(request):
        return Response(200, [], pieces(b"ab", b"cde"))

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            _, fields = await wire.head()
            assert "transfer-encoding" not in fields
            assert await wire.ended() == b"abcde"

    run(work())


@pytest.mark.parametrize("parts", [(b"ab",), (b"abcdef", b"gh")])
def test_stream_that_breaks_its_length_is_cut(run, stage, caplog, parts):
    async def answer(request):
        return Response(200, [("content-length", "5")], pieces(*parts))

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(GET)
            await wire.head()
            assert len(await wire.ended()) < 6

    run(work())
    assert "content-length" in caplog.text


def test_stream_that_fails_is_cut_and_closed(run, stage, caplog):
    closed = []

    async def failing():
        try:
            yield b"some"
            raise RuntimeError("broken")
        finally:
            closed.append(True)

    async def answer(request):
        return Response(200, [], failing())

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(GET)
            await wire.head()
            assert not (await wire.ended()).endswith(b"0\r\n\r\n")

    run(work())
    assert closed == [True]
    assert "broken" in caplog.text


@pytest.mark.parametrize(
    ("method", "status", "headers", "expected"),
    [
        (b"HEAD", 200, [], "4"),
        (b"HEAD", 200, [("content-length", "1234")], "1234"),
        (b"GET", 204, [], None),
        (b"GET", 304, [("etag", '"x"')], "4"),
    ],
)
def test_answers_without_a_body(run, stage, method, status, headers, expected):
    async def work():
        async with stage(answering(status=status, headers=headers, body=b"body")) as s:
            wire = await s.connect(GET.replace(b"GET", method))
            got, fields, _ = await wire.response(head_only=True)
            assert (got, fields.get("content-length")) == (status, expected)
            await wire.send(GET.replace(b"GET", method))
            assert (await wire.response(head_only=True))[0] == status

    run(work())


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": [("x-a", "b\r\nx-evil: 1")]},
        {"headers": [("x-a", "b\nx-evil: 1")]},
        {"headers": [("x-a", "b\rc")]},
        {"headers": [("x-a", "b\0")]},
        {"headers": [("x-a\r\nx-evil", "b")]},
        {"headers": [("x a", "b")]},
        {"headers": [("", "b")]},
        {"headers": [("x-a", "\u2603")]},
        {"headers": [("content-length", "3")], "body": b"four"},
        {"headers": [("content-length", "x")], "body": b"four"},
        {"status": 99},
        {"status": 101},
        {"status": 1000},
    ],
)
def test_answer_that_could_be_split_is_not_sent(run, stage, caplog, fields):
    async def work():
        async with stage(answering(**fields)) as s:
            wire = await s.connect(GET)
            status, headers, body = await wire.response()
            assert (status, body) == (500, b"Internal Server Error")
            assert "x-evil" not in headers

    run(work())
    assert "response refused" in caplog.text


def test_headers_of_the_connection_are_the_servers_own(run, stage):
    headers = [("Connection", "upgrade"), ("Transfer-Encoding", "gzip"), ("Keep-Alive", "9")]

    async def work():
        async with stage(answering(headers=[*headers, ("X-A", "1")], body=b"ab")) as s:
            _, fields, body = await s.ask(GET)
            assert body == b"ab"
            assert fields["X-A"] == "1"
            assert "connection" not in {name.lower() for name in fields}
            assert "transfer-encoding" not in {name.lower() for name in fields}

    run(work())


def test_failure_of_a_handler_is_a_500_and_one_line_in_the_log(run, stage, caplog):
    async def answer(request):
        raise RuntimeError("secret detail")

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(GET)
            status, _, body = await wire.response()
            assert (status, body) == (500, b"Internal Server Error")
            await wire.send(GET)
            assert (await wire.response())[0] == 500

    run(work())
    assert caplog.text.count("RuntimeError: secret detail") == 2


def test_client_that_leaves_closes_the_stream(run, stage):
    closed = asyncio.Event()

    async def endless():
        try:
            while True:
                yield b"x" * 1000
                await asyncio.get_running_loop().create_future()
        finally:
            closed.set()

    async def answer(request):
        return Response(200, [], endless())

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(GET)
            await wire.head()
            await wire.close()
            await closed.wait()

    run(work())


def test_stream_waits_for_a_slow_reader(run, stage):
    made = []

    async def endless():
        while True:
            made.append(1)
            yield b"x" * 65536

    async def answer(request):
        return Response(200, [], endless())

    async def work():
        async with stage(answer, write_buffer_bytes=65536) as s:
            await s.connect(GET)
            seen = -1
            while seen != len(made):
                seen = len(made)
                for _ in range(100):
                    await s.clock.advance(0)
            # The kernel's buffers are bounded too; without a bound this would never stop.
            assert len(made) < 500
            (connection,) = s.server.connections
            connection.abort()

    run(work())


def test_gigabyte_goes_up_and_down_in_little_memory(run, stage):
    size, held = 256 * 1024 * 1024, []

    async def answer(request):
        received = 0
        async for piece in request.body:
            received += len(piece)
            held.append(request.body.held)

        async def back():
            for _ in range(received // 65536):
                yield b"z" * 65536

        return Response(200, [("x-received", str(received))], back())

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(
                b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
            )

            async def upload():
                for _ in range(size // 65536):
                    await wire.send(b"u" * 65536)

            sending = asyncio.get_running_loop().create_task(upload())
            status, fields = await wire.head()
            await sending
            assert (status, fields["x-received"]) == (200, str(size))
            got = 0
            while line := await wire.reader.readline():
                length = int(line, 16)
                got += length
                await wire.reader.readexactly(length + 2)
                if not length:
                    break
            assert got == size
            assert max(held) <= 1024 * 1024

    run(work())
