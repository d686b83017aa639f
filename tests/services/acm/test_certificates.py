"""Certificate Manager: requested and imported certificates, tags, and what is refused.

https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@pytest.fixture(scope="module")
def acm(cloud):
    return cloud.client("acm")


def refused(call, code: str, words: str, **request) -> None:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert words in caught.value.response["Error"]["Message"]


def made_elsewhere(name: str, *, days: int = 30) -> dict[str, bytes]:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return {
        "Certificate": certificate.public_bytes(serialization.Encoding.PEM),
        "PrivateKey": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    }


def test_a_requested_certificate_is_issued_by_the_local_authority(acm):
    names = ["shop.example.com", "*.shop.example.com"]
    arn = acm.request_certificate(
        DomainName=names[0],
        SubjectAlternativeNames=names,
        ValidationMethod="DNS",
        KeyAlgorithm="EC_prime256v1",
        Tags=[{"Key": "team", "Value": "one"}],
    )["CertificateArn"]
    shown = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert shown["Status"] == "ISSUED"
    assert shown["Type"] == "AMAZON_ISSUED"
    assert shown["SubjectAlternativeNames"] == names
    assert shown["KeyAlgorithm"] == "EC_prime256v1"
    assert shown["InUseBy"] == []
    first = shown["DomainValidationOptions"][0]
    assert (first["ValidationStatus"], first["ResourceRecord"]["Type"]) == ("SUCCESS", "CNAME")
    given = acm.get_certificate(CertificateArn=arn)
    own = x509.load_pem_x509_certificate(given["Certificate"].encode())
    above = x509.load_pem_x509_certificate(given["CertificateChain"].encode())
    own.verify_directly_issued_by(above)
    listed = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]}, MaxItems=1000)
    assert arn in [one["CertificateArn"] for one in listed["CertificateSummaryList"]]
    usual = acm.list_certificates(CertificateStatuses=["ISSUED"], MaxItems=1000)
    assert arn not in [one["CertificateArn"] for one in usual["CertificateSummaryList"]]
    acm.delete_certificate(CertificateArn=arn)
    words = "Could not find certificate"
    refused(acm.describe_certificate, "ResourceNotFoundException", words, CertificateArn=arn)


def test_a_token_means_the_same_request(acm):
    request = {"DomainName": "again.example.com", "IdempotencyToken": "onlyonce"}
    first = acm.request_certificate(**request)["CertificateArn"]
    assert acm.request_certificate(**request)["CertificateArn"] == first
    other = {**request, "DomainName": "other.again.example.com"}
    assert acm.request_certificate(**other)["CertificateArn"] != first


def test_pages_hold_every_certificate_once(acm):
    for number in range(3):
        acm.request_certificate(DomainName=f"page{number}.example.com")
    found, token = [], None
    while True:
        more = {"NextToken": token} if token else {}
        page = acm.list_certificates(MaxItems=2, SortBy="CREATED_AT", SortOrder="ASCENDING", **more)
        found += [one["DomainName"] for one in page["CertificateSummaryList"]]
        token = page.get("NextToken")
        if not token:
            break
    assert [one for one in found if one.startswith("page")] == [
        *("page0.example.com", "page1.example.com", "page2.example.com")
    ]


def test_tags_are_added_and_taken_away(acm):
    arn = acm.request_certificate(DomainName="tags.example.com")["CertificateArn"]
    acm.add_tags_to_certificate(
        CertificateArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    )
    acm.remove_tags_from_certificate(
        CertificateArn=arn, Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}]
    )
    listed = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
    assert listed == [{"Key": "b", "Value": "2"}]
    refused(
        acm.add_tags_to_certificate,
        "InvalidTagException",
        "reserved",
        CertificateArn=arn,
        Tags=[{"Key": "aws:own", "Value": "1"}],
    )


def test_an_imported_certificate_is_kept_and_replaced_under_its_arn(acm):
    given = made_elsewhere("import.example.com")
    arn = acm.import_certificate(**given)["CertificateArn"]
    shown = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (shown["Type"], shown["DomainName"]) == ("IMPORTED", "import.example.com")
    anew = made_elsewhere("import.example.com")
    assert acm.import_certificate(CertificateArn=arn, **anew)["CertificateArn"] == arn
    assert acm.get_certificate(CertificateArn=arn)["Certificate"].encode() == anew["Certificate"]


def test_what_is_no_certificate_is_refused(acm):
    one, two = made_elsewhere("one.example.com"), made_elsewhere("two.example.com")
    code = "ValidationException"
    mixed = {**one, "PrivateKey": two["PrivateKey"]}
    refused(acm.import_certificate, code, "does not match", **mixed)
    refused(acm.import_certificate, code, "expired", **made_elsewhere("o.example.com", days=-1))
    refused(acm.import_certificate, code, "PEM", Certificate=b"no", PrivateKey=one["PrivateKey"])
    several = {**one, "Certificate": one["Certificate"] + two["Certificate"]}
    refused(acm.import_certificate, code, "more than one certificate", **several)
    chain = {"CertificateChain": two["Certificate"]}
    refused(acm.import_certificate, code, "in order", **one, **chain)


def test_keys_leave_the_cloud_for_services_only(acm):
    """https://docs.aws.amazon.com/acm/latest/APIReference/API_ExportCertificate.html"""
    arn = acm.request_certificate(DomainName="key.example.com")["CertificateArn"]
    refused(
        acm.export_certificate,
        "ValidationException",
        "is not a private certificate",
        CertificateArn=arn,
        Passphrase=b"secret",
    )


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"Options": {"Export": "ENABLED"}}, "export"),
        ({"KeyAlgorithm": "RSA_1024"}, "RSA_1024"),
        ({"ManagedBy": "CLOUDFRONT"}, "other services manage"),
        (
            {
                "CertificateAuthorityArn": "arn:aws:acm-pca:us-east-1:000000000000:"
                "certificate-authority/11111111-2222-3333-4444-555555555555"
            },
            "Private certificate authorities",
        ),
        ({"DomainName": "*.amazonaws.com"}, "reserved"),
    ],
)
def test_what_is_not_served_is_refused(acm, request_, words):
    request = {"DomainName": "unserved.example.com", **request_}
    refused(acm.request_certificate, "InvalidParameterException", words, **request)


def test_another_account_s_certificate_is_not_there(acm):
    arn = "arn:aws:acm:us-east-1:111111111111:certificate/11111111-2222-3333-4444-555555555555"
    code = "ResourceNotFoundException"
    with pytest.raises(ClientError) as caught:
        acm.describe_certificate(CertificateArn=arn)
    assert caught.value.response["Error"]["Code"] in (code, "AccessDeniedException")
