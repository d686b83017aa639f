"""A cloud that speaks TLS, authorities and certificates of clients, and raw TLS requests."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.conftest import Cloud

MOCK = {"application/json": '{"statusCode": 200}'}
IDENTITY = (
    '{"subject": "$context.identity.clientCert.subjectDN", "stage": "$context.stage",'
    ' "path": "$context.path", "domain": "$context.domainName"}'
)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Secure:
    """The TLS cloud as these tests use it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.authority = str(cloud.data / "tls" / "ca.pem")
        self.port = int(cloud.endpoint.rsplit(":", 1)[1])

    def client(self, service: str, *, key: tuple[str, str] | None = None, **more: Any) -> Any:
        return self.cloud.session(key).client(
            service,
            endpoint_url=self.cloud.endpoint,
            verify=self.authority,
            config=Config(retries={"total_max_attempts": 1}, **more),
        )

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    def get(
        self,
        name: str,
        path: str = "/",
        *,
        host: str = "",
        shows: tuple[Path, Path] | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        trusts: str = "",
    ) -> Answer:
        """One GET by TLS to a name, with a client's certificate and key or without."""
        context = ssl.create_default_context(cafile=trusts or self.authority)
        context.maximum_version = newest
        if shows is not None:
            context.load_cert_chain(*shows)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            lines = f"GET {path} HTTP/1.1\r\nHost: {host or name}\r\nConnection: close\r\n\r\n"
            secure.sendall(lines.encode())
            content = b""
            while piece := secure.recv(65_536):
                content += piece
        if not content:
            raise ConnectionResetError("the cloud ended the connection without an answer")
        head, _, body = content.partition(b"\r\n\r\n")
        first, *others = head.decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in others)
        headers = {name.lower(): value for name, value in pairs}
        return Answer(int(first.split()[1]), headers, body)

    def serial_of(self, name: str, shows: tuple[Path, Path]) -> str:
        """The serial number of the certificate by which the cloud answers to a name."""
        context = self.trusting()
        context.load_cert_chain(*shows)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            return str(secure.getpeercert()["serialNumber"])

    def certificate(self, *names: str) -> str:
        acm = self.client("acm")
        made = acm.request_certificate(
            DomainName=names[0], SubjectAlternativeNames=list(names), ValidationMethod="DNS"
        )
        return str(made["CertificateArn"])

    def rest_api(self, name: str, template: str = IDENTITY) -> str:
        """An API whose stage `prod` answers every GET by the template."""
        client = self.client("apigateway")
        api = client.create_rest_api(name=name)["id"]
        root = client.get_resources(restApiId=api)["items"][0]["id"]
        child = client.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
        for at in (root, child):
            place = {"restApiId": api, "resourceId": at, "httpMethod": "GET"}
            client.put_method(**place, authorizationType="NONE")
            client.put_method_response(**place, statusCode="200")
            client.put_integration(**place, type="MOCK", requestTemplates=MOCK)
            client.put_integration_response(
                **place, statusCode="200", responseTemplates={"application/json": template}
            )
        client.create_deployment(restApiId=api, stageName="prod")
        return str(api)

    def domain(self, name: str, **more: Any) -> dict[str, Any]:
        """A regional domain with a certificate of its own."""
        client = self.client("apigateway")
        return dict(
            client.create_domain_name(
                domainName=name,
                regionalCertificateArn=self.certificate(name),
                endpointConfiguration={"types": ["REGIONAL"]},
                **more,
            )
        )


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """One TLS cloud for all tests of a worker process: name what you make after your test."""
    running = Cloud(tmp_path_factory.mktemp("secure") / "data", "--bare", "--tls").start()
    yield Secure(running)
    running.stop()


class ClientAuthority:
    """An authority that vouches for clients; certificates are written to a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(name, name, self.key, authority=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def client(self, name: str, *, days: int = 30) -> tuple[Path, Path]:
        """A client's certificate and key; with negative days it has expired."""
        return self._files(name, days, ())

    def server(self, name: str) -> tuple[Path, Path]:
        """A server's certificate and key."""
        return self._files(name, 30, (name,))

    def _files(self, name: str, days: int, names: tuple[str, ...]) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(name, self.name, key, days=days, names=names)
        files = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files

    def _sign(
        self,
        subject: str,
        issuer: str,
        key: Any,
        *,
        days: int = 30,
        authority: bool = False,
        names: tuple[str, ...] = (),
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            listed = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
            builder = builder.add_extension(listed, critical=False)
        return builder.sign(self.key, hashes.SHA256())


@pytest.fixture
def client_authority(tmp_path: Path) -> Callable[[str], ClientAuthority]:
    """Makes authorities by name."""

    def make(name: str) -> ClientAuthority:
        folder = tmp_path / name
        folder.mkdir()
        return ClientAuthority(folder, name)

    return make
