"""Mutual TLS: who gets in by which certificate, and what is said of it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
"""

from __future__ import annotations

import socket
import ssl

import pytest
from tests.services.apigateway.domains.test_domain_names import refused

BUCKET = "mutual-tls-trust"


@pytest.fixture(scope="module")
def bucket(secure):
    """A versioned bucket; puts a trust store and answers its version."""
    s3 = secure.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def put(key: str, content: bytes) -> str:
        return str(s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"])

    return put


@pytest.fixture(scope="module")
def api(secure):
    return secure.rest_api("mutual")


def mutual_domain(secure, api: str, name: str, key: str, **more) -> dict:
    mutual = {"truststoreUri": f"s3://{BUCKET}/{key}", **more}
    made = secure.domain(name, mutualTlsAuthentication=mutual)
    secure.client("apigateway").create_base_path_mapping(
        domainName=name, restApiId=api, stage="prod"
    )
    return made


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_only_clients_that_the_trust_store_vouches_for_get_in(
    secure, api, bucket, client_authority, newest
):
    name = f"mutual{newest.value}.example.com"
    known, foreign = client_authority("known"), client_authority("foreign")
    bucket(name, known.pem)
    mutual_domain(secure, api, name, name)
    answer = secure.get(name, shows=known.client("alice"), newest=newest)
    assert (answer.status, answer.json["subject"]) == (200, "CN=alice")
    for shows in (None, foreign.client("mallory"), known.client("late", days=-1)):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            secure.get(name, shows=shows, newest=newest)


def test_no_other_way_leads_to_a_domain_with_mutual_tls(secure, api, bucket, client_authority):
    """A connection under another name, or without TLS, is refused with 403."""
    name = "roundabout.example.com"
    known = client_authority("known")
    bucket(name, known.pem)
    mutual_domain(secure, api, name, name)
    secure.domain("open.example.com")
    for under in ("localhost", "open.example.com"):
        answer = secure.get(under, host=name, shows=known.client("alice"))
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    assert secure.get(name, shows=known.client("bob")).status == 200


def test_two_domains_with_different_trust_stores_do_not_mix(secure, api, bucket, client_authority):
    one, two = client_authority("one"), client_authority("two")
    for name, authority in (("one.example.com", one), ("two.example.com", two)):
        bucket(name, authority.pem)
        mutual_domain(secure, api, name, name)
    assert secure.get("one.example.com", shows=one.client("a")).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secure.get("two.example.com", shows=one.client("b"))
    crossed = secure.get("one.example.com", host="two.example.com", shows=one.client("c"))
    assert crossed.status == 403


def test_a_trust_store_is_read_when_it_is_named_and_then_again_only_when_told(
    secure, api, bucket, client_authority
):
    client = secure.client("apigateway")
    name = "versions.example.com"
    old, new = client_authority("old"), client_authority("new")
    first = bucket(name, old.pem)
    made = mutual_domain(secure, api, name, name, truststoreVersion=first)
    assert made["mutualTlsAuthentication"]["truststoreVersion"] == first
    second = bucket(name, new.pem)
    assert secure.get(name, shows=old.client("a")).status == 200
    changed = client.update_domain_name(
        domainName=name,
        patchOperations=[
            {
                "op": "replace",
                "path": "/mutualTlsAuthentication/truststoreVersion",
                "value": second,
            }
        ],
    )
    assert changed["mutualTlsAuthentication"]["truststoreVersion"] == second
    assert secure.get(name, shows=new.client("b")).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secure.get(name, shows=old.client("c"))
    without = client.update_domain_name(
        domainName=name,
        patchOperations=[
            {"op": "replace", "path": "/mutualTlsAuthentication/truststoreUri", "value": ""}
        ],
    )
    assert "mutualTlsAuthentication" not in without
    assert secure.get(name).json["subject"] == ""


def test_what_is_wrong_with_a_trust_store_is_told(secure, api, bucket, client_authority):
    known = client_authority("warned")
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    leaf = known.client("leaf", days=-1)[0].read_bytes()
    bucket("warned", known.pem + broken + leaf)
    made = mutual_domain(secure, api, "warned.example.com", "warned")
    words = made["mutualTlsAuthentication"]["truststoreWarnings"]
    assert any("cannot be read" in one for one in words)
    assert any("has expired" in one for one in words)
    shown = secure.client("apigatewayv2").get_domain_name(DomainName="warned.example.com")
    assert shown["MutualTlsAuthentication"]["TruststoreWarnings"] == words


def test_trust_stores_that_cannot_be_had_are_refused(secure, bucket):
    bucket("empty", b"nothing here")
    client = secure.client("apigateway")
    request = {
        "domainName": "untrusted.example.com",
        "regionalCertificateArn": secure.certificate("untrusted.example.com"),
        "endpointConfiguration": {"types": ["REGIONAL"]},
    }
    for uri, words in (
        (f"s3://{BUCKET}/none", "Unable to access truststore"),
        (f"s3://{BUCKET}/empty", "no valid certificate"),
        ("https://example.com/x", "Invalid truststore URI"),
    ):
        refused(
            client.create_domain_name,
            "BadRequestException",
            words,
            **request,
            mutualTlsAuthentication={"truststoreUri": uri},
        )


def test_a_session_of_another_domain_opens_no_door(secure, api, bucket, client_authority):
    """A TLS 1.2 session that was made without a certificate is not taken up by the domain."""
    name = "resumed.example.com"
    bucket(name, client_authority("known").pem)
    mutual_domain(secure, api, name, name)
    secure.domain("resumable.example.com")
    context = secure.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    place = ("127.0.0.1", secure.port)
    with (
        socket.create_connection(place, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="resumable.example.com") as opened,
    ):
        session = opened.session
    assert session is not None
    with pytest.raises((ssl.SSLError, ConnectionError)):
        take_up(context, place, name, session)


def take_up(
    context: ssl.SSLContext, place: tuple[str, int], name: str, session: ssl.SSLSession
) -> None:
    """A request on a connection that takes up a session."""
    with (
        socket.create_connection(place, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name, session=session) as taken_up,
    ):
        taken_up.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        if not taken_up.recv(1):
            raise ConnectionResetError("the cloud ended the connection")
