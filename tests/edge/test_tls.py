"""TLS by the locally made authority, and clients that show a certificate of their own."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cumulet.core.clock import ManualClock
from cumulet.core.http import Response
from cumulet.edge.tls.contexts import authority_file, server_context

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def tell(request):
    certificate = request.client_certificate
    shown = (
        x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
        if certificate
        else "nobody"
    )
    return Response(200, [("x-scheme", request.scheme)], shown.encode())


def trusting(folder) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority_file(folder)))


async def ask(port: int, context: ssl.SSLContext, name: str) -> bytes:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name
    )
    writer.write(GET)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "console.localhost",
        "127.0.0.1",
        "bucket.s3.localhost",
        "api.execute-api.localhost",
        "cloud.example",
    ],
)
def test_names_of_the_server_are_trusted(run, stage, tmp_path, name):
    async def work():
        tls = server_context(tmp_path, ["cloud.example"])
        async with stage(tell, tls=tls) as s:
            answer = await ask(s.port, trusting(tmp_path), name)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\nx-scheme: https\r\n")
            assert answer.endswith(b"nobody")

    run(work())


def test_other_names_and_other_authorities_are_not(run, stage, tmp_path):
    async def work():
        tls = server_context(tmp_path / "one")
        server_context(tmp_path / "two")
        async with stage(tell, tls=tls) as s:
            for folder, name in (("one", "elsewhere.example"), ("two", "localhost")):
                with pytest.raises(ssl.SSLCertVerificationError):
                    await ask(s.port, trusting(tmp_path / folder), name)

    run(work())


def test_large_answers_and_bodies_pass_tls(run, stage, tmp_path):
    async def answer(request):
        size = len(await request.body.read(1 << 24))

        async def body():
            for _ in range(100):
                yield b"y" * 65536

        return Response(200, [("x-size", str(size))], body())

    async def work():
        async with stage(answer, tls=server_context(tmp_path)) as s:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", s.port, ssl=trusting(tmp_path), server_hostname="localhost"
            )
            head = (
                b"PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5000000\r\n\r\n"
            )
            writer.write(head + b"x" * 5_000_000)
            got = await reader.read()
            assert b"x-size: 5000000\r\n" in got
            assert got.count(b"y") == 6_553_600
            writer.close()
            await writer.wait_closed()

    run(work())


def test_certificates_are_kept_renewed_in_time_and_private(tmp_path):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC).timestamp())

    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    server_context(tmp_path, clock=clock)
    first = files()
    assert set(first) == {"ca.pem", "ca-key.pem", "server.pem", "server-key.pem"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    server_context(tmp_path, clock=clock)
    assert files() == first
    server_context(tmp_path, ["new.example"], clock=clock)
    renamed = files()
    assert renamed["ca.pem"] == first["ca.pem"]
    assert renamed["server.pem"] != first["server.pem"]
    late = ManualClock(clock.now() + 340 * 86_400)
    server_context(tmp_path, ["new.example"], clock=late)
    renewed = files()
    assert renewed["server.pem"] != renamed["server.pem"]
    (tmp_path / "ca-key.pem").unlink()
    server_context(tmp_path, ["new.example"], clock=late)
    assert files()["ca.pem"] != first["ca.pem"]
    assert files()["server.pem"] != renewed["server.pem"]


def made_client(folder, name: str):
    """A client's certificate from an authority of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def test_client_certificate_is_verified_and_passed_on(run, stage, tmp_path):
    known, stranger = made_client(tmp_path, "known"), made_client(tmp_path, "stranger")

    async def work():
        tls = server_context(tmp_path / "tls", client_authority=known)
        async with stage(tell, tls=tls) as s:
            with_known = trusting(tmp_path / "tls")
            with_known.load_cert_chain(known)
            assert (await ask(s.port, with_known, "localhost")).endswith(b"CN=known")
            without = trusting(tmp_path / "tls")
            assert (await ask(s.port, without, "localhost")).endswith(b"nobody")
            with_stranger = trusting(tmp_path / "tls")
            with_stranger.load_cert_chain(stranger)
            # TLS 1.3 clients learn of the refusal with the first bytes they read.
            (refused,) = await asyncio.gather(
                ask(s.port, with_stranger, "localhost"), return_exceptions=True
            )
            assert refused == b"" or isinstance(refused, (ssl.SSLError, ConnectionError))

    run(work())
