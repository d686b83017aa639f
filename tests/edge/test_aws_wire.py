"""The AWS API byte by byte: raw requests against small services declared through the kit."""

from __future__ import annotations

import asyncio

import pytest
import websockets
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from tests.edge.small_cloud import KEY, SECRET


def signed_raw(method, url, service="s3", headers=(), body=b"", signer=S3SigV4Auth, host=None):
    request = AWSRequest(method, url, headers=dict(headers), data=body)
    if host:
        request.headers["Host"] = host
    signer(BotoCredentials(KEY, SECRET), service, "us-east-1").add_auth(request)
    return request


async def exchange(port: int, method: str, target: str, headers, body: bytes = b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head.decode("latin-1").lower(), content


@pytest.mark.parametrize(
    "host",
    ["my.bucket.s3.localhost:4566", "my.bucket.s3.eu-west-3.localhost", "MY.bucket.s3.localhost"],
)
def test_virtual_host_is_read_as_a_bucket_and_verified_as_sent(cloud, host):
    async def work(c):
        request = signed_raw("GET", f"http://{host}/some/key", host=host)
        headers = list(request.headers.items())
        status, _, body = await exchange(c.port, "GET", "/some/key", headers)
        assert status == 200
        assert body.lower().startswith(b"my.bucket/some/key;")
        status, _, body = await exchange(c.port, "GET", "/my.bucket/some/key", headers)
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)

    cloud(work)


def test_body_that_was_not_signed_is_refused(cloud):
    async def work(c):
        request = signed_raw("PUT", f"http://localhost:{c.port}/bucket/key", body=b"good")
        headers = [("Host", f"localhost:{c.port}"), *request.headers.items()]
        assert (await exchange(c.port, "PUT", "/bucket/key", headers, b"good"))[0] == 200
        status, _, body = await exchange(c.port, "PUT", "/bucket/key", headers, b"evil")
        assert status == 400
        assert b"<Code>XAmzContentSHA256Mismatch</Code>" in body

    cloud(work)


def test_json_body_that_was_not_signed_is_refused(cloud):
    async def work(c):
        extra = {
            "X-Amz-Target": "DynamoDB_20120810.ListTables",
            "Content-Type": "application/x-amz-json-1.0",
        }
        request = signed_raw(
            "POST", f"http://localhost:{c.port}/", "dynamodb", extra, b"{}", SigV4Auth
        )
        headers = [("Host", f"localhost:{c.port}"), *request.headers.items()]
        assert (await exchange(c.port, "POST", "/", headers, b"{}"))[0] == 200
        status, _, body = await exchange(c.port, "POST", "/", headers, b"[]")
        assert status == 400
        assert b"InvalidSignatureException" in body
        status, _, body = await exchange(
            c.port,
            "POST",
            "/",
            [(name, value.replace("ListTables", "DescribeTable")) for name, value in headers],
            b"{}",
        )
        assert (status, b"InvalidSignatureException" in body) == (400, True)

    cloud(work)


def test_malformed_body_is_refused_after_its_signature(cloud):
    async def work(c):
        extra = {
            "X-Amz-Target": "DynamoDB_20120810.ListTables",
            "Content-Type": "application/x-amz-json-1.0",
        }
        for body, expected in (
            (b"{", b"SerializationException"),
            (b'{"Limit": "x"}', b"Serial"),
            (b'{"Limit": 0}', b"ValidationException"),
        ):
            request = signed_raw(
                "POST", f"http://localhost:{c.port}/", "dynamodb", extra, body, SigV4Auth
            )
            headers = [("Host", f"localhost:{c.port}"), *request.headers.items()]
            status, _, answer = await exchange(c.port, "POST", "/", headers, body)
            assert (status, expected in answer) == (400, True), answer

    cloud(work)


def test_oversized_body_is_refused_unread(cloud):
    async def work(c):
        headers = [
            ("Host", "localhost"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Expect", "100-continue"),
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", c.port)
        lines = ["POST / HTTP/1.1", *(f"{n}: {v}" for n, v in headers), "Content-Length: 99999999"]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"RequestEntityTooLarge" in answer

    cloud(work)


def test_truncated_chunk_is_an_incomplete_body(cloud):
    async def work(c):
        wire = b"5\r\nhello\r\n"
        extra = {
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": "10",
            "x-amz-trailer": "x-amz-checksum-crc32",
        }

        class Signer(S3SigV4Auth):
            def payload(self, request):
                return extra["x-amz-content-sha256"]

        request = signed_raw(
            "PUT", f"http://localhost:{c.port}/b/key", headers=extra, signer=Signer
        )
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["x-amz-content-sha256"] = extra["x-amz-content-sha256"]
        pairs = [("Host", f"localhost:{c.port}"), *headers.items()]
        status, _, body = await exchange(c.port, "PUT", "/b/key", pairs, wire)
        assert (status, b"<Code>IncompleteBody</Code>" in body) == (400, True), body

    cloud(work)


def test_caller_may_continue_a_trace(cloud):
    async def work(c):
        root = "1-5759e988-bd862e3fe1be46a994272793"
        headers = [
            ("Host", "localhost"),
            ("X-Amzn-Trace-Id", f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1"),
        ]
        await exchange(c.port, "GET", "/", headers)
        assert (c.events[0]["trace_id"], c.events[0]["parent_id"]) == (root, "53995c3f42cd8ad8")
        await exchange(
            c.port, "GET", "/", [("Host", "localhost"), ("X-Amzn-Trace-Id", "Root=<script>;Self=1")]
        )
        assert c.events[1]["trace_id"].startswith("1-")

    cloud(work)


def test_browser_may_ask_first(cloud):
    async def work(c):
        asked = [
            ("Host", "localhost"),
            ("Origin", "http://page"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,x-amz-target"),
        ]
        status, head, _ = await exchange(c.port, "OPTIONS", "/", asked)
        assert status == 200
        assert "access-control-allow-origin: *" in head
        assert "access-control-allow-headers: authorization,x-amz-target" in head
        _, head, _ = await exchange(c.port, "POST", "/", asked[:2])
        assert "access-control-allow-origin: *" in head

    cloud(work)


def test_surface_has_the_first_refusal(cloud, caplog):
    async def work(c):
        host = [("Host", "hello.localhost")]
        assert (await exchange(c.port, "GET", "/", host))[2] == b"hello"
        assert c.events[0]["surface"] == "hello"
        status, _, body = await exchange(c.port, "GET", "/broken", host)
        assert (status, body) == (500, b'{"message":"Internal Server Error"}')
        status, _, body = await exchange(c.port, "GET", "/refused", host)
        assert (status, body) == (429, b'{"message":"Too Many Requests"}')

    cloud(work)
    assert "secret detail" in caplog.text


def test_surface_takes_web_sockets(cloud):
    async def work(c):
        address = {"host": "127.0.0.1", "port": c.port}
        async with websockets.connect("ws://hello.localhost/open", **address) as socket:
            assert await socket.recv() == "hello"
        for url, status in (("ws://hello.localhost/no", 403), ("ws://localhost/open", 404)):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(url, **address)
            assert refused.value.response.status_code == status

    cloud(work)


def test_request_for_nothing_known_is_answered_in_words(cloud):
    async def work(c):
        status, head, body = await exchange(
            c.port, "GET", "/Nothing/known", [("Host", "localhost")]
        )
        assert status in (400, 404)
        assert "x-amzn-requestid" in head
        assert b"Error" in body or b"Exception" in body

    cloud(work)
