"""The server certificates of custom domains: imported ones, and those of Certificate Manager."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from cumulet.core.clock import new_hex
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import parse_arn, service_principal
from cumulet.services.apigateway.admission.domains.limits import CERTIFICATE_BYTES_MAX
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.names import PRINCIPAL

KEY_PURPOSE = "apigateway-certificate-key"
"""What private keys are sealed for."""

EDGE_REGION = "us-east-1"


class Pair(NamedTuple):
    """A certificate with those above it, its own first, and its key; both PEM."""

    chain: bytes
    key: bytes


def parse_pair(body: str, key: str, chain: str, name: str, now: float) -> Pair:
    """Imported certificate material, fit for the domain. Raises BadRequestException."""
    for text in (body, key, chain):
        if len(text) > CERTIFICATE_BYTES_MAX:
            raise BadRequestException("The certificate is too large.")
    try:
        certificates = x509.load_pem_x509_certificates(f"{body}\n{chain}".encode())
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise BadRequestException(
            "The certificate, its chain or its private key is not valid PEM."
        ) from cause
    own = certificates[0]
    encoding = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if own.public_key().public_bytes(*encoding) != private.public_key().public_bytes(*encoding):
        raise BadRequestException("The private key does not belong to the certificate.")
    check_fits(own, name, now)
    pem = b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)
    plain = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Pair(pem, plain)


def check_fits(certificate: x509.Certificate, name: str, now: float) -> None:
    """Raise BadRequestException unless the certificate may speak for the domain today."""
    moment = datetime.fromtimestamp(now, UTC)
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise BadRequestException("The certificate is not valid at this time.")
    if not any(covers(one, name) for one in names_of(certificate)):
        raise BadRequestException(f"The certificate does not cover the domain name {name}.")


def names_of(certificate: x509.Certificate) -> list[str]:
    """The host names of a certificate, in lower case."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate's name stands for a domain: `*` for exactly one label."""
    if pattern == name:
        return True
    return pattern.startswith("*.") and pattern[2:] == name.partition(".")[2]


async def check_arn(ctx: Context, arn: str, name: str, endpoint_type: str) -> None:
    """Raise BadRequestException unless the ARN is of a certificate that covers the domain."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "acm":
        raise BadRequestException(f"Invalid certificate ARN: {arn}.")
    region = EDGE_REGION if endpoint_type == "EDGE" else ctx.scope.region
    if parsed.region != region:
        raise BadRequestException(
            f"Invalid certificate ARN: {arn}. Certificate must be in '{region}'."
        )
    chain, _ = await export_certificate(ctx, arn)
    check_fits(x509.load_pem_x509_certificate(chain), name, ctx.clock.now())


async def export_certificate(ctx: Context, arn: str) -> Pair:
    """The certificate behind an ARN of this account, with its key. Raises BadRequestException."""
    parsed = parse_arn(arn)
    if parsed is None or parsed.account != ctx.scope.account:
        raise BadRequestException(f"Invalid certificate ARN: {arn}.")
    passphrase = new_hex(ctx.clock, 32)
    own = ctx.acting_as(service_principal(PRINCIPAL, ctx.scope.account), region=parsed.region)
    try:
        given = await own.call(
            "acm", "ExportCertificate", CertificateArn=arn, Passphrase=passphrase.encode()
        )
    except AwsError as cause:
        raise BadRequestException(f"Invalid certificate ARN: {arn}. {cause.message}") from cause
    key = serialization.load_pem_private_key(
        given["PrivateKey"].encode(), passphrase.encode(), unsafe_skip_rsa_key_validation=True
    )
    plain = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = given["Certificate"].rstrip() + "\n" + given.get("CertificateChain", "")
    return Pair(chain.encode(), plain)
