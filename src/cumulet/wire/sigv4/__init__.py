"""Signature Version 4: read, checked and verified; bodies that are signed in chunks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from cumulet.wire.sigv4.signature import (
    UNSIGNED_PAYLOAD,
    ParsedSignature,
    claimed_service,
    parse,
)
from cumulet.wire.sigv4.verify import (
    EMPTY_SHA256,
    Verifier,
    check_headers_signed,
    check_region,
    check_service,
    check_time,
)

__all__ = [
    "EMPTY_SHA256",
    "UNSIGNED_PAYLOAD",
    "ParsedSignature",
    "Verifier",
    "check_headers_signed",
    "check_region",
    "check_service",
    "check_time",
    "claimed_service",
    "parse",
]
