"""What could be read in two ways is refused, and the connection ends: no request is smuggled.

The cases are those of https://www.rfc-editor.org/rfc/rfc9112#section-11
"""

from __future__ import annotations

import socket
import struct

import pytest

from cumulet.core.http import Response

OK = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"

MALFORMED = {
    "two framings": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two framings, other order": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal lengths": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "an empty length": POST + b"Content-Length: \r\n\r\n",
    "a hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a length with a space": POST + b"Content-Length: 1 0\r\n\r\n",
    "other digits": POST + "Content-Length: ٣\r\n\r\nabc".encode(),
    "a huge length": POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "a folded header": OK + b"X-A: b\r\n c\r\n\r\n",
    "a folded header with a tab": OK + b"X-A: b\r\n\tc\r\n\r\n",
    "a bare line feed": OK + b"X-A: b\nX-C: d\r\n\r\n",
    "a bare carriage return": OK + b"X-A: b\rX-C: d\r\n\r\n",
    "a line feed first": OK + b"X-A: b\n\rX-C: d\r\n\r\n",
    "a NUL in a value": OK + b"X-A: b\0c\r\n\r\n",
    "a control character": OK + b"X-A: b\x01c\r\n\r\n",
    "a DEL": OK + b"X-A: b\x7fc\r\n\r\n",
    "a space before the colon": OK + b"X-A : b\r\n\r\n",
    "a space in a name": OK + b"X A: b\r\n\r\n",
    "an empty name": OK + b": b\r\n\r\n",
    "a name of odd letters": OK + "Xé: b\r\n\r\n".encode(),
    "a length behind a space": POST + b" Content-Length: 3\r\n\r\nabc",
    "a line without a colon": OK + b"nonsense\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": OK + b"Host: b\r\n\r\n",
    "a host with a slash": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a space": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a host with an at": b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "another host in the target": b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target without a slash": b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "an asterisk": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab in the target": b"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a bad method": b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "an empty method": b" / HTTP/1.1\r\nHost: a\r\n\r\n",
    "an odd version": b"GET / HTTP/1.1x\r\nHost: a\r\n\r\n",
    "the first version": b"GET /\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "chunks in the old version": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding twice": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "a coding that only looks so": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "an empty coding": POST + b"Transfer-Encoding: \r\n\r\n",
    "the next version": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_head_is_refused(run, stage, name):
    asked = []

    async def answer(request):
        asked.append(request)
        return Response(200)

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(MALFORMED[name] + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            status, fields, _ = await wire.response()
            assert status in (400, 413, 501, 505)
            assert fields["connection"] == "close"
            assert await wire.ended() == b""

    run(work())
    assert asked == []


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"-1\r\nabc\r\n",
        b"+1\r\na\r\n",
        b"0x1\r\na\r\n",
        b"1_0\r\n",
        b" 1\r\na\r\n",
        b"1 \r\na\r\n",
        b"\r\n0\r\n\r\n",
        b"1\na\r\n0\r\n\r\n",
        b"1\r\na\n0\r\n\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"1\r\naXX0\r\n\r\n",
        b"1;a\rb\r\na\r\n",
        b"1;\0\r\na\r\n",
        b"F" * 16 + b"\r\n",
        b"F" * 15 + b"\r\n",
        b"1;" + b"x" * 5000 + b"\r\n",
        b"0\r\nbad trailer\r\n\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 5000,
    ],
)
def test_malformed_chunk_is_refused(run, stage, echo, body):
    outcomes = []

    async def answer(request):
        try:
            return await echo(request)
        except Exception as cause:
            outcomes.append(cause)
            raise

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(CHUNKED + body + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            await wire.response()
            assert await wire.ended() == b""

    run(work())
    assert [getattr(cause, "http_status", None) for cause in outcomes] in ([400], [413])


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (OK + b"X-A: b\r\n" * 200 + b"\r\n", 431),
        (OK + b"X-A: " + b"b" * 70_000, 431),
        (OK + b"X-A: " + b"b" * 70_000 + b"\r\n\r\n", 431),
        (POST + b"Content-Length: 99999999999\r\n\r\n", 413),
    ],
)
def test_oversized_head_is_refused(run, stage, echo, request_bytes, status):
    async def work():
        async with stage(echo) as s:
            wire = await s.connect(request_bytes)
            assert (await wire.response())[0] == status
            assert await wire.ended() == b""

    run(work())


def test_body_that_ends_early_is_an_incomplete_body(run, stage, echo):
    seen = []

    async def answer(request):
        try:
            return await echo(request)
        except Exception as cause:
            seen.append(cause)
            return Response(400, [], b"short")

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(POST + b"Content-Length: 10\r\n\r\nabc")
            wire.writer.write_eof()
            assert (await wire.response())[2] == b"short"
            assert await wire.ended() == b""

    run(work())
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    assert [cause.code for cause in seen] == ["IncompleteBody"]


def test_client_that_vanishes_wakes_the_reader(run, stage, echo):
    seen = []

    async def answer(request):
        try:
            return await echo(request)
        except ConnectionError as cause:
            seen.append(cause)
            raise

    async def work():
        async with stage(answer) as s:
            wire = await s.connect(POST + b"Content-Length: 10\r\n\r\nabc")
            while not s.server.connections:
                await s.clock.advance(0)
            # A reset in place of an orderly end: https://man7.org/linux/man-pages/man7/socket.7.html
            raw = wire.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.writer.transport.abort()
            while not seen:
                await s.clock.advance(0)

    run(work())


def test_too_many_connections_are_turned_away(run, stage, echo):
    async def work():
        async with stage(echo, connections_max=2) as s:
            kept = [await s.connect(OK + b"\r\n") for _ in range(2)]
            for wire in kept:
                assert (await wire.response())[0] == 200
            assert (await s.ask(OK + b"\r\n"))[0] == 503

    run(work())
