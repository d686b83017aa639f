"""Signature Version 2 of S3: read, checked and verified. Older clients and boto3's URLs use it.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hmac
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from cumulet.core.clock import iso_time
from cumulet.core.errors import AwsError, SignatureMismatch
from cumulet.core.http import Request
from cumulet.wire.sigv4 import refusals
from cumulet.wire.sigv4.signature import epoch_of, is_presigned
from cumulet.wire.sigv4.verify import S3_SKEW_SECONDS

_SCHEME = "AWS "
_QUERY_NAMES = ("AWSAccessKeyId", "Signature", "Expires")
_EXPIRES_DIGITS_MAX = 12
_MORE_THAN_ONE = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
    "string parameter or the Authorization header should be specified"
)
_NO_DATE = "AWS authentication requires a valid Date or x-amz-date header"

SIGNED_PARAMETERS = frozenset(
    {
        "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory",
        "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "partNumber",
        "policy", "replication", "requestPayment", "response-cache-control",
        "response-content-disposition", "response-content-encoding", "response-content-language",
        "response-content-type", "response-expires", "restore", "select", "select-type",
        "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
        "versions", "website",
    }
)  # fmt: skip
"""The query parameters that are under the signature."""

UNSIGNED_SELECTORS = frozenset(
    {
        "abac", "annotation", "attributes", "encryption", "intelligent-tiering",
        "legal-hold", "metadataAnnotationTable", "metadataConfiguration", "metadataInventoryTable",
        "metadataJournalTable", "metadataTable", "ownershipControls", "policyStatus",
        "publicAccessBlock", "renameObject", "retention", "session",
    }
)  # fmt: skip
"""Parameters that choose another operation and are younger than this signature.

They are not under it: whoever has a URL could add them, so that requests with them are refused.
"""


class ParsedSignature(NamedTuple):
    """What a request claims: who signed it, and until when or at what time.

    `expires_at` is in epoch seconds, None for the header form; `date` is the line that was signed.
    """

    access_key_id: str
    signature: str
    session_token: str
    date: str
    expires_at: int | None


def claimed_service(request: Request) -> str:
    """`s3` when the request carries a version 2 signature, which no other service takes."""
    if request.headers.get("authorization").startswith(_SCHEME):
        return "s3"
    return "s3" if _is_in_query(request) else ""


def _is_in_query(request: Request) -> bool:
    return "AWSAccessKeyId=" in request.query and "AWSAccessKeyId" in _parameters(request.query)


def parse(request: Request) -> ParsedSignature | None:
    """The signature of a request to S3, or None when it carries none of version 2.

    Raises AwsError.
    """
    authorization = request.headers.get("authorization")
    in_query = _is_in_query(request)
    if authorization.startswith(_SCHEME):
        if in_query or is_presigned(request):
            raise refusals.s3_argument(_MORE_THAN_ONE, "Authorization", authorization)
        return _from_header(request, authorization)
    if not in_query:
        return None
    if authorization or is_presigned(request):
        raise refusals.s3_argument(_MORE_THAN_ONE, "Authorization", authorization)
    return _from_query(request)


def _from_header(request: Request, authorization: str) -> ParsedSignature:
    key, colon, signature = authorization.removeprefix(_SCHEME).strip().partition(":")
    if not colon or not key or not signature:
        raise refusals.s3_argument(
            "AWS authorization header is invalid. Expected AwsAccessKeyId:signature",
            "Authorization",
            authorization,
        )
    # Where there is an x-amz-date it is signed among the x-amz- headers, and the Date is not.
    date = "" if "x-amz-date" in request.headers else request.headers.get("date")
    token = request.headers.get("x-amz-security-token")
    return ParsedSignature(key, signature, token, date, None)


def _from_query(request: Request) -> ParsedSignature:
    given = _parameters(request.query)
    if any(not given.get(name) for name in _QUERY_NAMES):
        raise refusals.s3_denied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
            "parameters"
        )
    expires = given["Expires"]
    if not (expires.isascii() and expires.isdigit()) or len(expires) > _EXPIRES_DIGITS_MAX:
        raise refusals.s3_denied(f"Invalid date (should be seconds since epoch): {expires}")
    token = given.get("x-amz-security-token") or request.headers.get("x-amz-security-token")
    return ParsedSignature(
        given["AWSAccessKeyId"], given["Signature"], token, expires, int(expires)
    )


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        found.setdefault(unquote(name, "latin-1"), unquote_plus(value, "latin-1"))
    return found


def check_time(request: Request, parsed: ParsedSignature, now: float) -> None:
    """The URL must be alive, or the date of the header form within the skew. Raises AwsError."""
    if parsed.expires_at is not None:
        if now > parsed.expires_at:
            raise refusals.s3_denied(
                "Request has expired",
                Expires=iso_time(parsed.expires_at).split(".")[0] + "Z",
                ServerTime=iso_time(now).split(".")[0] + "Z",
            )
        return
    text = request.headers.get("x-amz-date") or request.headers.get("date")
    try:
        signed_at = _seconds(text)
    except (TypeError, ValueError, OverflowError):
        raise refusals.s3_denied(_NO_DATE) from None
    if abs(now - signed_at) > S3_SKEW_SECONDS:
        raise refusals.s3_skewed(text, now, S3_SKEW_SECONDS)


def _seconds(text: str) -> float:
    if text.endswith("Z") and "," not in text:
        return epoch_of(text)
    return parsedate_to_datetime(text).timestamp()


def verify(request: Request, parsed: ParsedSignature, secret: str, path: str) -> None:
    """Whether `secret` signed this request. Raises AwsError, SignatureMismatch.

    `path` is the request's with the bucket in it, which virtual-hosted requests name in the host.
    """
    if unsigned := _parameters(request.query).keys() & UNSIGNED_SELECTORS:
        raise AwsError(
            f"Signature Version 2 does not cover the parameter {min(unsigned)}. Please use "
            "AWS4-HMAC-SHA256.",
            code="InvalidRequest",
            http_status=400,
        )
    text = string_to_sign(request, parsed, path)
    expected = base64.b64encode(hmac.digest(secret.encode(), text.encode("latin-1"), "sha1"))
    if not hmac.compare_digest(expected, parsed.signature.encode("latin-1")):
        raise SignatureMismatch(
            refusals.S3_MISMATCH,
            AWSAccessKeyId=parsed.access_key_id,
            StringToSign=text,
            SignatureProvided=parsed.signature,
            StringToSignBytes=text.encode("latin-1").hex(" "),
        )


def string_to_sign(request: Request, parsed: ParsedSignature, path: str) -> str:
    """Method, three headers, the `x-amz-` headers, and the resource with its sub-resources."""
    headers = request.headers
    lines = [request.method, headers.get("content-md5"), headers.get("content-type"), parsed.date]
    return "\n".join([*lines, *_amz_lines(request, parsed), _resource(path, request.query)])


def _amz_lines(request: Request, parsed: ParsedSignature) -> list[str]:
    values: dict[str, list[str]] = {}
    for name, value in request.headers.pairs:
        if name.startswith("x-amz-"):
            values.setdefault(name, []).append(value.strip())
    if parsed.expires_at is not None:
        # boto3 signs such headers and then puts them into the URL.
        for name, value in _parameters(request.query).items():
            if name.lower().startswith("x-amz-"):
                values.setdefault(name.lower(), [value])
    return [f"{name}:{','.join(values[name])}" for name in sorted(values)]


def _resource(path: str, query: str) -> str:
    signed: list[tuple[str, str | None]] = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        name = unquote(name, "latin-1")
        if name in SIGNED_PARAMETERS:
            signed.append((name, unquote(value, "latin-1") if equals else None))
    if not signed:
        return path
    signed.sort(key=lambda pair: pair[0])
    return f"{path}?{'&'.join(n if v is None else f'{n}={v}' for n, v in signed)}"
