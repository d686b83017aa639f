"""The facts of a client's certificate, as events and `$context.identity.clientCert` tell them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

_REMEMBERED_MAX = 1_000


@lru_cache(maxsize=_REMEMBERED_MAX)
def _facts(der: bytes) -> tuple[str, str, str, str, str, str]:
    one = x509.load_der_x509_certificate(der)
    digits = f"{one.serial_number:x}"
    digits = digits.rjust(len(digits) + len(digits) % 2, "0")
    return (
        one.public_bytes(serialization.Encoding.PEM).decode(),
        one.subject.rfc4514_string(),
        one.issuer.rfc4514_string(),
        ":".join(digits[at : at + 2] for at in range(0, len(digits), 2)),
        _moment(one.not_valid_before_utc),
        _moment(one.not_valid_after_utc),
    )


def client_cert(der: bytes | None) -> dict[str, Any] | None:
    """`requestContext.identity.clientCert` of REST events, `authentication.clientCert` of HTTP
    ones; None when the client showed no certificate."""
    if der is None:
        return None
    pem, subject, issuer, serial, begin, end = _facts(der)
    return {
        "clientCertPem": pem,
        "subjectDN": subject,
        "issuerDN": issuer,
        "serialNumber": serial,
        "validity": {"notBefore": begin, "notAfter": end},
    }


def _moment(when: datetime) -> str:
    """`Aug  5 09:36:04 2021 GMT`, as OpenSSL writes it."""
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S %Y} GMT"
