"""Custom domain names: made, listed, changed, deleted, by v1 and v2; what is refused."""

from __future__ import annotations

import contextlib
import socket

import pytest
from botocore.exceptions import ClientError

REGIONAL = {"types": ["REGIONAL"]}


def refused(call, code: str, words: str, **request) -> None:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]


def test_a_domain_of_v1_is_one_of_v2(secure):
    """https://docs.aws.amazon.com/apigateway/latest/api/API_DomainName.html"""
    first, second = secure.client("apigateway"), secure.client("apigatewayv2")
    arn = secure.certificate("both.example.com")
    made = first.create_domain_name(
        domainName="Both.Example.com",
        regionalCertificateArn=arn,
        endpointConfiguration=REGIONAL,
        tags={"team": "one"},
    )
    assert made["domainName"] == "both.example.com"
    assert made["domainNameStatus"] == "AVAILABLE"
    assert made["regionalCertificateArn"] == arn
    assert made["securityPolicy"] == "TLS_1_2"
    assert made["regionalDomainName"].startswith("d-")
    shown = second.get_domain_name(DomainName="both.example.com")
    configuration = shown["DomainNameConfigurations"][0]
    assert configuration["ApiGatewayDomainName"] == made["regionalDomainName"]
    assert configuration["CertificateArn"] == arn
    assert shown["Tags"] == {"team": "one"}
    listed = first.get_domain_names(limit=500)["items"]
    assert "both.example.com" in [one["domainName"] for one in listed]
    listed = second.get_domain_names()["Items"]
    assert "both.example.com" in [one["DomainName"] for one in listed]
    arn = made["domainNameArn"]
    second.tag_resource(ResourceArn=arn, Tags={"more": "2"})
    first.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert first.get_tags(resourceArn=arn)["tags"] == {"more": "2"}
    second.delete_domain_name(DomainName="both.example.com")
    refused(
        first.get_domain_name,
        "NotFoundException",
        "Invalid domain name identifier specified",
        domainName="both.example.com",
    )


def test_a_domain_of_v2_is_one_of_v1(secure):
    first, second = secure.client("apigateway"), secure.client("apigatewayv2")
    arn = secure.certificate("v2.example.com", "*.v2.example.com")
    second.create_domain_name(
        DomainName="v2.example.com", DomainNameConfigurations=[{"CertificateArn": arn}]
    )
    assert first.get_domain_name(domainName="v2.example.com")["regionalCertificateArn"] == arn
    other = secure.certificate("v2.example.com")
    changed = second.update_domain_name(
        DomainName="v2.example.com", DomainNameConfigurations=[{"CertificateArn": other}]
    )
    assert changed["DomainNameConfigurations"][0]["CertificateArn"] == other
    changed = first.update_domain_name(
        domainName="v2.example.com",
        patchOperations=[
            {"op": "replace", "path": "/regionalCertificateArn", "value": arn},
            {"op": "replace", "path": "/endpointConfiguration/ipAddressType", "value": "dualstack"},
        ],
    )
    assert changed["regionalCertificateArn"] == arn
    assert changed["endpointConfiguration"]["ipAddressType"] == "dualstack"
    first.delete_domain_name(domainName="v2.example.com")


def test_a_certificate_in_use_stays(secure):
    """https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html"""
    acm = secure.client("acm")
    made = secure.domain("used.example.com")
    arn = made["regionalCertificateArn"]
    users = acm.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"]
    assert users == [made["domainNameArn"]]
    refused(acm.delete_certificate, "ResourceInUseException", "is in use", CertificateArn=arn)
    secure.client("apigateway").delete_domain_name(domainName="used.example.com")
    acm.delete_certificate(CertificateArn=arn)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nodots", "Invalid domain name"),
        ("127.0.0.1", "Invalid domain name"),
        ("sp ace.example.com", "Invalid domain name"),
        ("abc.execute-api.us-east-1.amazonaws.com", "reserved"),
        ("x.s3.example.com", "reserved"),
        ("*.localhost", "Invalid domain name"),
        ("www.amazonaws.com", "reserved"),
    ],
)
def test_names_that_are_no_domains_or_belong_to_the_cloud_are_refused(secure, name, words):
    refused(
        secure.client("apigateway").create_domain_name,
        "BadRequestException",
        words,
        domainName=name,
        regionalCertificateArn="arn:aws:acm:us-east-1:000000000000:certificate/none",
        endpointConfiguration=REGIONAL,
    )


def test_a_domain_needs_a_certificate_that_covers_it(secure):
    create = secure.client("apigateway").create_domain_name
    name = {"domainName": "cover.example.com", "endpointConfiguration": REGIONAL}
    refused(create, "BadRequestException", "certificate was not provided", **name)
    other = secure.certificate("other.example.com")
    refused(create, "BadRequestException", "does not cover", **name, regionalCertificateArn=other)
    gone = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
    refused(create, "BadRequestException", "Could not find", **name, regionalCertificateArn=gone)
    foreign = gone.replace("us-east-1", "eu-west-1")
    refused(
        create,
        "BadRequestException",
        "must be in 'us-east-1'",
        **name,
        regionalCertificateArn=foreign,
    )
    strange = gone.replace("000000000000:cert", "111111111111:cert")
    refused(
        create,
        "BadRequestException",
        "Invalid certificate ARN",
        **name,
        regionalCertificateArn=strange,
    )


@pytest.mark.parametrize(
    "member",
    [
        {"securityPolicy": "TLS_1_0"},
        {"endpointConfiguration": {"types": ["PRIVATE"]}},
        {"routingMode": "ROUTING_RULE_ONLY"},
        {"endpointAccessMode": "STRICT"},
    ],
)
def test_what_is_not_served_is_refused(secure, member):
    request = {
        "domainName": "unserved.example.com",
        "regionalCertificateArn": secure.certificate("unserved.example.com"),
        "endpointConfiguration": REGIONAL,
        **member,
    }
    if member.get("endpointConfiguration"):
        request["certificateArn"] = request.pop("regionalCertificateArn")
    refused(
        secure.client("apigateway").create_domain_name,
        "BadRequestException",
        "not supported by Cumulet yet",
        **request,
    )


def test_a_name_is_given_once(secure):
    arn = secure.certificate("once.example.com")
    create = secure.client("apigateway").create_domain_name
    request = {
        "domainName": "once.example.com",
        "regionalCertificateArn": arn,
        "endpointConfiguration": REGIONAL,
    }
    create(**request)
    refused(create, "BadRequestException", "already exists", **request)


def test_an_imported_certificate_is_served(secure, client_authority, tmp_path):
    """https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDomainName.html"""
    name = "imported.example.com"
    authority = client_authority("importing")
    certificate, key = authority.server(name)
    client = secure.client("apigateway")
    material = {
        "certificateBody": certificate.read_text(),
        "certificatePrivateKey": key.read_text(),
        "certificateChain": authority.pem.decode(),
    }
    create = client.create_domain_name
    refused(create, "BadRequestException", "not cover", domainName="x.example.com", **material)
    _, other = authority.server("other.example.com")
    wrong = {**material, "certificatePrivateKey": other.read_text()}
    refused(create, "BadRequestException", "does not belong", domainName=name, **wrong)
    made = create(domainName=name, certificateName="mine", **material)
    assert made["endpointConfiguration"]["types"] == ["EDGE"]
    assert made["distributionDomainName"]
    assert made["certificateName"] == "mine"
    api = secure.rest_api("imported")
    client.create_base_path_mapping(domainName=name, restApiId=api, stage="prod")
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(authority.pem)
    assert secure.get(name, trusts=str(trusted)).status == 200


def test_a_tls_client_without_a_name_gets_the_server_s_own_certificate(secure):
    context = secure.trusting()
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", secure.port), timeout=10) as plain,
        context.wrap_socket(plain) as connected,
    ):
        names = {value for _, value in connected.getpeercert()["subjectAltName"]}
    assert "localhost" in names


def test_hellos_that_are_slow_or_no_hellos_do_not_stop_others(secure):
    secure.domain("slow.example.com")
    with socket.create_connection(("127.0.0.1", secure.port), timeout=10) as slow:
        slow.sendall(b"\x16\x03\x01\x02\x00\x01")
        with socket.create_connection(("127.0.0.1", secure.port), timeout=10) as none:
            none.sendall(b"GET / HTTP/1.1\r\nHost: slow.example.com\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert b"HTTP/1.1" not in none.recv(1_024)
        assert secure.get("slow.example.com").status == 403
