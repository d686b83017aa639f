"""How certificates are issued, the first time and anew, by the installation's authority."""

from __future__ import annotations

from typing import Any, Protocol, TypedDict, TypeVar

import msgspec
from cryptography import x509

from cumulet.kit.ports import Sealer
from cumulet.kit.tls.authority import Authority
from cumulet.services.acm.limits import VALID_DAYS
from cumulet.services.acm.model import KEY_PURPOSE, Certificate

T = TypeVar("T")


class _Size(TypedDict, total=False):
    rsa_bits: int
    curve_bits: int


KEYS: dict[str, _Size] = {
    "RSA_2048": {"rsa_bits": 2048},
    "EC_prime256v1": {"curve_bits": 256},
    "EC_secp384r1": {"curve_bits": 384},
}
"""The keys that requested certificates may have."""


class Need(Protocol):
    """`need` of a context or of the platform."""

    def __call__(self, kind: type[T]) -> T:
        """The part of the application of that type."""
        ...


def issue(need: Need, certificate: Certificate) -> Certificate:
    """The certificate with a new key, signed by the authority for the time from now on."""
    authority = need(Authority)
    size: Any = KEYS[certificate.key_algorithm]
    issued = authority.issue(certificate.names, VALID_DAYS, **size)
    own = x509.load_pem_x509_certificate(issued.certificate)
    return msgspec.structs.replace(
        certificate,
        body=issued.certificate.decode(),
        chain=authority.certificate().decode(),
        sealed_key=need(Sealer).seal(issued.key, KEY_PURPOSE),
        not_before=own.not_valid_before_utc.timestamp(),
        not_after=own.not_valid_after_utc.timestamp(),
    )
