"""Certificates and keys as they are given to us, and what is in them. Pure."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cumulet.services.acm.errors import ValidationException

_CURVES = {"secp256r1": "EC_prime256v1", "secp384r1": "EC_secp384r1", "secp521r1": "EC_secp521r1"}
_RSA_BITS = (1024, 2048, 3072, 4096)
_USAGES = {
    "digital_signature": "DIGITAL_SIGNATURE",
    "content_commitment": "NON_REPUDIATION",
    "key_encipherment": "KEY_ENCIPHERMENT",
    "data_encipherment": "DATA_ENCIPHERMENT",
    "key_agreement": "KEY_AGREEMENT",
    "key_cert_sign": "CERTIFICATE_SIGNING",
    "crl_sign": "CRL_SIGNING",
}
_EXTENDED = {
    "1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.3": "CODE_SIGNING",
    "1.3.6.1.5.5.7.3.4": "EMAIL_PROTECTION",
    "1.3.6.1.5.5.7.3.8": "TIME_STAMPING",
    "1.3.6.1.5.5.7.3.9": "OCSP_SIGNING",
}


def read_certificate(pem: bytes | str) -> x509.Certificate:
    """One certificate. Raises ValidationException."""
    text = pem.encode() if isinstance(pem, str) else pem
    try:
        found = x509.load_pem_x509_certificates(text)
    except ValueError as cause:
        raise ValidationException(
            "The certificate field contains more than one certificate or is not valid PEM."
        ) from cause
    if len(found) != 1:
        raise ValidationException(
            "The certificate field contains more than one certificate. You can specify only one "
            "certificate in this field."
        )
    return found[0]


def read_chain(pem: bytes | None, own: x509.Certificate) -> str:
    """The chain above a certificate, in PEM; empty for none. Raises ValidationException."""
    if not pem:
        return ""
    try:
        chain = x509.load_pem_x509_certificates(pem)
    except ValueError as cause:
        raise ValidationException("The certificate chain is not valid PEM.") from cause
    below = own
    for above in chain:
        if below.issuer != above.subject:
            raise ValidationException(
                "Provided certificate is not a valid self signed. Please provide either a valid "
                "self-signed certificate or certificate chain in order."
            )
        below = above
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain).decode()


def read_key(pem: bytes, own: x509.Certificate) -> bytes:
    """The certificate's private key in PEM. Raises ValidationException."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise ValidationException("The private key is not supported.") from cause
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != own.public_key().public_bytes(*form):
        raise ValidationException(
            "The private key does not match the public key of the certificate."
        )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_algorithm(own: x509.Certificate) -> str:
    """The kind of a certificate's key in AWS's words. Raises ValidationException."""
    key = own.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS:
        return f"RSA_{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    raise ValidationException("The certificate's key algorithm is not supported.")


def names_of(own: x509.Certificate) -> tuple[str, ...]:
    """The certificate's names: its subject's common name first, then the alternative ones."""
    common = [
        str(one.value) for one in own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    ]
    try:
        extension = own.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        others = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        others = []
    return tuple(dict.fromkeys((*common[:1], *others)))


def facts(body: str) -> dict[str, Any]:
    """What a certificate says of itself, as DescribeCertificate shows it."""
    own = x509.load_pem_x509_certificate(body.encode())
    digits = f"{own.serial_number:032x}"
    hashing = own.signature_hash_algorithm
    name = hashing.name.upper() if hashing is not None else ""
    return {
        "Serial": ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)),
        "Subject": own.subject.rfc4514_string(),
        "Issuer": _issuer(own),
        "SignatureAlgorithm": f"{name}WITH{_signer(own)}",
        "KeyUsages": [{"Name": one} for one in usages(own)],
        "ExtendedKeyUsages": [
            {"Name": _EXTENDED.get(oid, "CUSTOM"), "OID": oid} for oid in extended_usages(own)
        ],
    }


def _issuer(own: x509.Certificate) -> str:
    for kind in (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME):
        if found := own.issuer.get_attributes_for_oid(kind):
            return str(found[0].value)
    return own.issuer.rfc4514_string()


def _signer(own: x509.Certificate) -> str:
    return (
        "ECDSA" if own.signature_algorithm_oid.dotted_string.startswith("1.2.840.10045") else "RSA"
    )


def usages(own: x509.Certificate) -> list[str]:
    """What the key may be used for, in AWS's words."""
    try:
        value = own.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ["ANY"]
    return [word for name, word in _USAGES.items() if getattr(value, name)]


def extended_usages(own: x509.Certificate) -> list[str]:
    """The extended usages' object identifiers."""
    try:
        value = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [one.dotted_string for one in value]
