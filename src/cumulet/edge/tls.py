"""TLS with a locally made authority: its certificate and the server's are kept in the data folder.

The authority's certificate, `ca.pem`, is what clients are told to trust (`AWS_CA_BUNDLE`).
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cumulet.core.clock import Clock, SystemClock

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

LOCAL_NAMES = (
    "localhost",
    "*.localhost",
    "*.s3.localhost",
    "*.execute-api.localhost",
    "127.0.0.1",
    "::1",
)
"""What the server may be called. OpenSSL's clients take no wildcard right under `localhost`: for
them a name there has to be given in full."""

AUTHORITY_DAYS = 3_650
SERVER_DAYS = 365
RENEW_DAYS = 30
"""A server certificate that ends sooner than this is made anew at start."""

_CA, _CA_KEY, _SERVER, _SERVER_KEY = "ca.pem", "ca-key.pem", "server.pem", "server-key.pem"


def server_context(
    folder: Path,
    names: Iterable[str] = (),
    *,
    client_authority: Path | None = None,
    clock: Clock | None = None,
) -> ssl.SSLContext:
    """A context for `Server.listen`; certificates are made in `folder` when they are missing.

    `names` are further host names and addresses of the server. With `client_authority`, a PEM file,
    clients may show a certificate, which must come from it; `Request.client_certificate` then
    holds it.
    """
    wanted = (*LOCAL_NAMES, *names)
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.fromtimestamp((clock or SystemClock()).now(), UTC)
    if not (folder / _CA).exists() or not (folder / _CA_KEY).exists():
        _make_authority(folder, now)
    if not _server_is_good(folder, wanted, now):
        _make_server(folder, wanted, now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / _SERVER, folder / _SERVER_KEY)
    context.set_alpn_protocols(["http/1.1"])
    if client_authority is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(client_authority)
    return context


def authority_file(folder: Path) -> Path:
    """Where the authority's certificate is, for clients to trust."""
    return folder / _CA


def _make_authority(folder: Path, now: datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Cumulet local authority")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(now, AUTHORITY_DAYS)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    # The certificate goes first and comes last: one that is there has its key.
    (folder / _CA).unlink(missing_ok=True)
    _write(folder, _CA_KEY, _key_bytes(key))
    _write(folder, _CA, _signed(builder, key))


def _make_server(folder: Path, names: tuple[str, ...], now: datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    authority = x509.load_pem_x509_certificate((folder / _CA).read_bytes())
    loaded = serialization.load_pem_private_key((folder / _CA_KEY).read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(loaded.public_key())
    builder = (
        _builder(now, SERVER_DAYS)
        .subject_name(_name("localhost"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer, critical=False)
    )
    (folder / _SERVER).unlink(missing_ok=True)
    _write(folder, _SERVER_KEY, _key_bytes(key))
    _write(folder, _SERVER, _signed(builder, loaded))


def _server_is_good(folder: Path, names: tuple[str, ...], now: datetime) -> bool:
    """Whether the kept certificate is of this authority, has every name, and lasts a while."""
    from cryptography import x509

    path = folder / _SERVER
    if not path.exists() or not (folder / _SERVER_KEY).exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    authority = x509.load_pem_x509_certificate((folder / _CA).read_bytes())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception:
        return False
    return (
        certificate.not_valid_before_utc <= now
        and certificate.not_valid_after_utc - now > timedelta(days=RENEW_DAYS)
        and set(_alternatives(names)) <= set(extension.value)
    )


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    from cryptography import x509

    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _name(common: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(now: datetime, days: int) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _key_bytes(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(folder: Path, name: str, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = folder / f".{name}.partial"
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / name)
