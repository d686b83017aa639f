"""Names, base paths and certificates of domains: what they may be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cumulet.core.clock import ManualClock
from cumulet.kit.tls.authority import Authority
from cumulet.kit.tls.hosts import OwnNames
from cumulet.services.apigateway.admission.domains.certificates import covers
from cumulet.services.apigateway.admission.domains.peer import client_cert
from cumulet.services.apigateway.admission.domains.rules import (
    check_name,
    parse_base_path,
    parse_mapping_key,
    shown_base_path,
)
from cumulet.services.apigateway.admission.domains.truststore import parse_truststore
from cumulet.services.apigateway.errors import BadRequestException

OWN = OwnNames(frozenset({"0.0.0.0", "cloud.example.com"}))


@pytest.mark.parametrize(
    "name", ["example.com", "a.b.example.com", "*.example.org", "_x.example.com", "api.localhost"]
)
def test_names_of_users_are_free(name):
    check_name(name, OWN)


@pytest.mark.parametrize(
    "name",
    [
        *("cloud.example.com", "*.example.com", "localhost", "10.0.0.1", "0.0.0.0", ""),
        *("a..example.com", "-a.example.com", "a.*.example.com", "*.", "a" * 64 + ".example.com"),
        *("s3.example.com", "b.s3-eu-west-1.example.com", "x.execute-api.example.com"),
        *("amazonaws.com", "x.on.aws", "d1.cloudfront.net", "f.lambda-url.example.com"),
    ],
)
def test_names_that_would_take_others_requests_are_refused(name):
    with pytest.raises(BadRequestException):
        check_name(name, OWN)


def test_base_paths_have_one_level_in_v1_and_many_in_v2():
    assert parse_base_path(None) == parse_base_path("(none)") == parse_base_path("") == ""
    assert parse_base_path("v1") == "v1"
    assert shown_base_path("") == "(none)"
    assert parse_mapping_key("a/b/c") == "a/b/c"
    assert parse_mapping_key(None) == ""
    for given in ("a/b", "ä", "a?"):
        with pytest.raises(BadRequestException):
            parse_base_path(given)
    for given in ("/a", "a/", "a//b", "a b", "x" * 301):
        with pytest.raises(BadRequestException):
            parse_mapping_key(given)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("a.example.com", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("a.example.com", "*.example.com", False),
    ],
)
def test_a_wildcard_of_a_certificate_covers_one_label(pattern, name, fits):
    assert covers(pattern, name) is fits


def test_a_trust_store_is_read_once_per_certificate(tmp_path):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    authority = Authority(tmp_path, clock)
    pem = authority.certificate()
    leaf = authority.issue(["a.example.com"], 30).certificate
    trusted, words = parse_truststore(b"words\n" + pem + pem + leaf, clock.now())
    assert len(trusted) == 2
    assert words == ()
    late = clock.now() + 60 * 86_400
    _, words = parse_truststore(pem + leaf, late)
    assert words == ("The certificate CN=a.example.com has expired.",)
    _, words = parse_truststore(leaf, clock.now())
    assert words == ("The issuer of the certificate CN=a.example.com is not in the truststore.",)
    for content in (b"", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", leaf[:40]):
        with pytest.raises(BadRequestException):
            parse_truststore(content, clock.now())


def test_the_facts_of_a_client_s_certificate(tmp_path):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html"""
    clock = ManualClock(datetime(2026, 8, 5, 9, 36, 4, tzinfo=UTC).timestamp())
    pem = Authority(tmp_path, clock).issue(["alice.example.com"], 1).certificate
    own = x509.load_pem_x509_certificate(pem)
    facts = client_cert(own.public_bytes(Encoding.DER))
    assert facts is not None
    assert facts["clientCertPem"] == pem.decode()
    assert facts["subjectDN"] == "CN=alice.example.com"
    assert facts["issuerDN"] == "CN=Cumulet local authority"
    assert int(facts["serialNumber"].replace(":", ""), 16) == own.serial_number
    assert facts["validity"]["notBefore"] == "Aug  4 09:36:04 2026 GMT"
    assert facts["validity"]["notAfter"] == "Aug  6 09:36:04 2026 GMT"
    assert client_cert(None) is None
