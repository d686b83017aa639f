"""Requests of every honest form are understood; https://www.rfc-editor.org/rfc/rfc9112"""

from __future__ import annotations

import asyncio
import http.client

import pytest

from cumulet.core.http import Response

GET = b"GET /a%20b/c?x=1&y=%2F HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_path_and_query_come_as_sent(run, stage, echo):
    async def work():
        async with stage(echo) as s:
            status, fields, body = await s.ask(GET)
            assert (status, body) == (200, b"")
            assert fields["x-path"] == "/a%20b/c"
            assert fields["x-query"] == "x=1&y=%2F"
            assert "date" in fields

    run(work())


def test_raw_bytes_in_a_path_are_encoded(run, stage, echo):
    async def work():
        async with stage(echo) as s:
            _, fields, _ = await s.ask("GET /é HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert fields["x-path"] == "/%C3%A9"

    run(work())


def test_absolute_target_is_taken(run, stage, echo):
    async def work():
        async with stage(echo) as s:
            wire = await s.connect(b"GET http://a:80/p?q HTTP/1.1\r\nHost: a:80\r\n\r\n")
            assert (await wire.response())[1]["x-path"] == "/p"
            await wire.send(b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await wire.response())[1]["x-path"] == "/"
            await wire.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await wire.response())[1]["x-path"] == "/*"

    run(work())


def test_request_in_any_number_of_pieces(run, stage, echo):
    whole = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"

    async def work():
        async with stage(echo) as s:
            wire = await s.connect()
            for size in (1, 2, 3, 7, 50):
                for at in range(0, len(whole), size):
                    await wire.send(whole[at : at + size])
                    await asyncio.get_running_loop().run_in_executor(None, lambda: None)
                assert (await wire.response())[2] == b"hello"

    run(work())


def test_pipelined_requests_are_answered_in_order(run, stage):
    started, let_go = [], []

    async def answer(request):
        started.append(request.path)
        if request.path == "/0":
            gate = asyncio.get_running_loop().create_future()
            let_go.append(gate)
            await gate
        return Response(200, [], request.path.encode())

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(
                b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(20))
            )
            while not let_go:
                await s.clock.advance(0)
            assert started == ["/0"]
            let_go[0].set_result(None)
            for number in range(20):
                assert (await wire.response())[2] == b"/%d" % number

    run(work())


def test_flood_of_pipelined_requests_is_not_read_ahead(run, stage):
    gates = []

    async def answer(request):
        gates.append(asyncio.get_running_loop().create_future())
        await gates[-1]
        return Response(200, [], b"ok")

    async def work():
        async with stage(answer, pipeline_bytes_max=1000) as s:
            wire = await s.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 400)
            while not gates:
                await s.clock.advance(0)
            (connection,) = s.server.connections
            assert connection._reading_paused
            for number in range(400):
                while len(gates) <= number:
                    await s.clock.advance(0)
                gates[number].set_result(None)
                assert (await wire.response())[2] == b"ok"

    run(work())


def test_chunked_body_comes_whole(run, stage, echo):
    async def work():
        async with stage(echo) as s:
            wire = await s.connect(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\nabc\r\n5;name=value\r\ndefgh\r\n0\r\nTrailer: x\r\n\r\n"
                b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            assert (await wire.response())[2] == b"abcdefgh"
            assert (await wire.response())[1]["x-path"] == "/next"

    run(work())


def test_continue_is_sent_only_when_the_body_is_wanted(run, stage):
    async def answer(request):
        if request.path == "/no":
            return Response(403, [], b"no")
        return Response(200, [], await request.body.read(100))

    head = b"PUT %b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(head % b"/yes")
            assert await wire.head() == (100, {})
            await wire.send(b"hello")
            assert (await wire.response())[2] == b"hello"
            await wire.send(head % b"/no")
            status, fields, _ = await wire.response()
            assert (status, fields["connection"]) == (403, "close")
            assert await wire.ended() == b""

    run(work())


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: foo, Close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: Keep-Alive\r\n", True),
    ],
)
def test_connection_is_kept_as_the_client_wishes(run, stage, echo, version, connection, kept):
    async def work():
        async with stage(echo) as s:
            request = b"GET / HTTP/%b\r\nHost: a\r\n%b\r\n" % (version, connection)
            wire = await s.connect(request)
            await wire.response()
            if kept:
                await wire.send(request)
                assert (await wire.response())[0] == 200
            else:
                assert await wire.ended() == b""

    run(work())


def test_unread_body_is_skipped_when_short_and_ends_the_connection_when_long(run, stage):
    async def answer(request):
        return Response(200, [], b"not read")

    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"

    async def work():
        async with stage(answer, unread_body_bytes_max=1000) as s:
            wire = await s.connect(head % 900)
            assert "connection" not in (await wire.response())[1]
            await wire.send(b"x" * 900 + head % 2000)
            assert (await wire.response())[1]["connection"] == "close"
            assert await wire.ended() == b""

    run(work())


def test_endless_unread_chunks_end_the_connection(run, stage):
    async def answer(request):
        return Response(200, [], b"not read")

    async def work():
        async with stage(answer, unread_body_bytes_max=1000) as s:
            wire = await s.connect(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            assert (await wire.response())[0] == 200
            await wire.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
            assert await wire.ended() == b""

    run(work())


def test_header_values_keep_their_bytes(run, stage):
    async def answer(request):
        return Response(200, [("x-back", request.headers.get("x-name"))])

    async def work():
        async with stage(answer) as s:
            raw = "X-Name: \t d\u00e9j\u00e0  vu \t".encode()
            status, fields, _ = await s.ask(b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % raw)
            assert status == 200
            assert fields["x-back"].encode("latin-1").decode() == "déjà  vu"

    run(work())


def test_python_client_gets_on_with_it(run, stage, echo):
    def client(port):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for method, body, expected in [
            ("GET", None, b""),
            ("POST", b"x" * 300_000, b"x" * 300_000),
            ("PUT", iter([b"ab", b"cd"]), b"abcd"),
            ("HEAD", None, b""),
        ]:
            connection.request(method, "/", body)
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, expected)
        connection.close()

    async def work():
        async with stage(echo) as s:
            await asyncio.to_thread(client, s.port)

    run(work())
