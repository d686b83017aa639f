"""Client certificates: kept, given to stages, and shown to HTTPS backends.

https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-client-side-ssl-authentication.html
"""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from tests.services.apigateway.domains.test_domain_names import refused


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        shown = self.connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        name = x509.load_der_x509_certificate(shown).subject.rfc4514_string() if shown else ""
        content = name.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def tls_backend(client_authority) -> Iterator[Any]:
    """Makes an HTTPS backend that asks for a certificate which the given PEM text vouches for."""
    servers = []

    def make(trusted: str) -> str:
        files = client_authority(f"backend{len(servers)}").server("localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=trusted)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"https://localhost:{server.server_address[1]}/"

    yield make
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_client_certificates_are_kept(secure):
    client = secure.client("apigateway")
    made = client.generate_client_certificate(description="for the shop", tags={"a": "1"})
    place = {"clientCertificateId": made["clientCertificateId"]}
    parsed = x509.load_pem_x509_certificate(made["pemEncodedCertificate"].encode())
    assert parsed.not_valid_after_utc == made["expirationDate"]
    changed = client.update_client_certificate(
        **place, patchOperations=[{"op": "replace", "path": "/description", "value": "more"}]
    )
    assert changed["description"] == "more"
    shown = client.get_client_certificate(**place)
    assert shown["pemEncodedCertificate"] == made["pemEncodedCertificate"]
    assert shown["tags"] == {"a": "1"}
    listed = client.get_client_certificates(limit=500)["items"]
    assert made["clientCertificateId"] in [one["clientCertificateId"] for one in listed]
    client.delete_client_certificate(**place)
    words = "Invalid Client Certificate identifier specified"
    refused(client.get_client_certificate, "NotFoundException", words, **place)


def test_a_backend_sees_the_certificate_of_the_stage(secure, tls_backend):
    client = secure.client("apigateway")
    made = client.generate_client_certificate()
    backend = tls_backend(made["pemEncodedCertificate"])
    api = client.create_rest_api(name="shows-certificate")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(
        **place,
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri=backend,
        tlsConfig={"insecureSkipVerification": True},
    )
    client.create_deployment(restApiId=api["id"], stageName="prod")
    name = f"{api['id']}.execute-api.localhost"
    assert secure.get("localhost", "/prod/", host=name).body == b""
    stage = {"restApiId": api["id"], "stageName": "prod"}
    path = "/clientCertificateId"
    wrong = [{"op": "replace", "path": path, "value": "nothing"}]
    words = "Invalid Client Certificate identifier specified"
    refused(client.update_stage, "BadRequestException", words, **stage, patchOperations=wrong)
    certificate = made["clientCertificateId"]
    shown = client.update_stage(
        **stage, patchOperations=[{"op": "replace", "path": path, "value": certificate}]
    )
    assert shown["clientCertificateId"] == certificate
    subject = f"CN=ApiGateway {certificate}".encode()
    assert secure.get("localhost", "/prod/", host=name).body == subject
    refused(
        client.delete_client_certificate,
        "BadRequestException",
        "is used by stage",
        clientCertificateId=certificate,
    )
