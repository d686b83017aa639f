"""The certificate authority of the installation: it signs for the server and for users' domains.

Its certificate, `ca.pem`, is what clients are told to trust (`AWS_CA_BUNDLE`).
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import ssl
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cumulet.core.clock import Clock, SystemClock

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

AUTHORITY_DAYS = 3_650
_PASSWORD_BYTES = 24
_CA, _CA_KEY = "ca.pem", "ca-key.pem"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that the authority signed, and its private key; both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Keeps its certificate and key in a folder, made when first needed.

    Making keys takes up to a second: call `issue` in a thread, which it is made for.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.folder = folder
        self._clock = clock or SystemClock()
        self._making = threading.Lock()

    @property
    def file(self) -> Path:
        """Where the authority's certificate is, for clients to trust."""
        return self.folder / _CA

    def certificate(self) -> bytes:
        """The authority's certificate in PEM."""
        with self._making:
            if not (self.folder / _CA).exists() or not (self.folder / _CA_KEY).exists():
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._make()
        return (self.folder / _CA).read_bytes()

    def issue(
        self, names: Iterable[str], days: int, *, rsa_bits: int = 0, curve_bits: int = 256
    ) -> Issued:
        """A server certificate for host names and addresses, with a new key.

        The key is on a NIST curve, or RSA when `rsa_bits` is given. The first name is its subject.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
        from cryptography.x509.oid import ExtendedKeyUsageOID

        authority = x509.load_pem_x509_certificate(self.certificate())
        own = serialization.load_pem_private_key((self.folder / _CA_KEY).read_bytes(), None)
        assert isinstance(own, ec.EllipticCurvePrivateKey)
        wanted = alternatives(names)
        key: CertificateIssuerPrivateKeyTypes
        if rsa_bits:
            key = rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
        else:
            key = ec.generate_private_key(ec.SECP384R1() if curve_bits == 384 else ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = (
            self._builder(days)
            .subject_name(common_name(str(wanted[0].value)[:64]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(issuer, critical=False)
            .sign(own, hashes.SHA256())
        )
        return Issued(certificate.public_bytes(serialization.Encoding.PEM), key_bytes(key))

    def _make(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = common_name("Cumulet local authority")
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            self._builder(AUTHORITY_DAYS)
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_signing(), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        # The certificate goes first and comes last: one that is there has its key.
        (self.folder / _CA).unlink(missing_ok=True)
        write_private(self.folder / _CA_KEY, key_bytes(key))
        write_private(self.folder / _CA, certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, days: int) -> x509.CertificateBuilder:
        from cryptography import x509

        now = datetime.fromtimestamp(int(self._clock.now()), UTC)
        return (
            x509.CertificateBuilder()
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
        )


def _signing() -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
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


def alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    """Names and addresses as a certificate lists them, each once."""
    from cryptography import x509

    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def common_name(text: str) -> x509.Name:
    """A subject or issuer that has a common name only."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def key_bytes(key: CertificateIssuerPrivateKeyTypes | EllipticCurvePrivateKey) -> bytes:
    """A private key in PEM, in the clear."""
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_pair(context: ssl.SSLContext, chain: bytes, key: bytes) -> None:
    """Load a certificate with its chain and its key, both PEM, which `ssl` takes from files alone.

    The key is on disk for that moment only, under a password that never is. Raises ssl.SSLError or
    ValueError.
    """
    from cryptography.hazmat.primitives import serialization

    password = secrets.token_hex(_PASSWORD_BYTES).encode()
    # The key was held against the certificate when it came; its mathematics take a tenth second.
    loaded = serialization.load_pem_private_key(key, None, unsafe_skip_rsa_key_validation=True)
    locked = loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(locked + b"\n" + chain)
        file.flush()
        context.load_cert_chain(file.name, password=password)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
