"""Why a signature is refused, in AWS's words: most services speak alike, S3 has its own codes.

https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

from cumulet.core.clock import iso_time
from cumulet.core.errors import (
    AccessDenied,
    AwsError,
    IncompleteSignature,
    RequestExpired,
    SignatureMismatch,
)

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. "
    "Consult the service documentation for details."
)
S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
EXPECTED_CREDENTIAL = '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"'


def s3_header_malformed(detail: str, **fields: Any) -> AwsError:
    """S3: the Authorization header cannot be used."""
    return AwsError(
        f"The authorization header is malformed; {detail}",
        code="AuthorizationHeaderMalformed",
        http_status=400,
        **fields,
    )


def s3_query_malformed(message: str) -> AwsError:
    """S3: the query parameters of a pre-signed URL cannot be used."""
    return AwsError(message, code="AuthorizationQueryParametersError", http_status=400)


def s3_argument(message: str, name: str, value: str) -> AwsError:
    """S3: a header has a value that it cannot have."""
    return AwsError(
        message,
        code="InvalidArgument",
        http_status=400,
        ArgumentName=name,
        ArgumentValue=value,
    )


def s3_denied(message: str, **fields: Any) -> AwsError:
    """S3 says `AccessDenied` for what other services say in other ways."""
    return AwsError(message, code="AccessDenied", http_status=403, **fields)


def incomplete(problems: list[str], authorization: str) -> IncompleteSignature:
    """Parts of the Authorization header are missing; it is shown as a hash only."""
    return IncompleteSignature(
        f"{' '.join(problems)} (Hashed with SHA-256 and encoded with Base64) "
        f"Authorization={_hashed(authorization)}"
    )


def not_a_pair(authorization: str) -> IncompleteSignature:
    """A part of the Authorization header is not `key=value`."""
    return IncompleteSignature(
        "Invalid key=value pair (missing equal-sign) in Authorization header "
        f"(hashed with SHA-256 and encoded with Base64): '{_hashed(authorization)}'."
    )


def _hashed(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("latin-1")).digest()).decode()


def basic_time(seconds: float) -> str:
    """The signature's form of a time: `20260131T120000Z`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def expired(timestamp: str, now: float, minutes: int) -> RequestExpired:
    """The signature is too old."""
    limit = basic_time(now - minutes * 60)
    return RequestExpired(
        f"Signature expired: {timestamp} is now earlier than {limit} "
        f"({basic_time(now)} - {minutes} min.)"
    )


def not_yet_current(timestamp: str, now: float, minutes: int) -> RequestExpired:
    """The signature is from the future."""
    limit = basic_time(now + minutes * 60)
    return RequestExpired(
        f"Signature not yet current: {timestamp} is still later than {limit} "
        f"({basic_time(now)} + {minutes} min.)"
    )


def s3_skewed(timestamp: str, now: float, skew_seconds: int) -> AwsError:
    """S3: the clocks differ too much."""
    return AwsError(
        "The difference between the request time and the current time is too large.",
        code="RequestTimeTooSkewed",
        http_status=403,
        RequestTime=timestamp,
        ServerTime=iso_time(now).split(".")[0] + "Z",
        MaxAllowedSkewMilliseconds=str(skew_seconds * 1000),
    )


def s3_url_expired(expires_seconds: int, expired_at: float, now: float) -> AwsError:
    """S3: the life of a pre-signed URL is over."""
    return s3_denied(
        "Request has expired",
        **{"X-Amz-Expires": str(expires_seconds)},
        Expires=iso_time(expired_at).split(".")[0] + "Z",
        ServerTime=iso_time(now).split(".")[0] + "Z",
    )


def mismatch() -> SignatureMismatch:
    """The signature is not the one that the secret gives."""
    return SignatureMismatch(MISMATCH)


def s3_mismatch(
    access_key_id: str, signature: str, string_to_sign: str, canonical: str
) -> SignatureMismatch:
    """S3 shows what it signed, so that a client's author can compare."""
    return SignatureMismatch(
        S3_MISMATCH,
        AWSAccessKeyId=access_key_id,
        StringToSign=string_to_sign,
        SignatureProvided=signature,
        StringToSignBytes=_spaced(string_to_sign),
        CanonicalRequest=canonical,
        CanonicalRequestBytes=_spaced(canonical),
    )


def _spaced(text: str) -> str:
    return text.encode("latin-1").hex(" ")


def s3_content_differs(claimed: str, computed: str) -> AwsError:
    """S3: the body is not the one that was signed."""
    return AwsError(
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        code="XAmzContentSHA256Mismatch",
        http_status=400,
        ClientComputedContentSHA256=claimed,
        S3ComputedContentSHA256=computed,
    )


def token_with_long_term_key() -> AccessDenied:
    """A session token came with a key that has none."""
    return AccessDenied("The security token included in the request is invalid.")
