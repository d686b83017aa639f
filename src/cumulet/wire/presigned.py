"""Headers that a pre-signed URL of S3 carries in its query, as SDKs put them there."""

from __future__ import annotations

from urllib.parse import unquote, unquote_plus

from cumulet.core.http import Headers, Request

_PREFIX = "x-amz-"
_OF_THE_SIGNATURE = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-content-sha256",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    }
)
_UNHEARD = ("x-amz-checksum-", "x-amz-sdk-checksum-algorithm")
"""S3 does not look at these in a query: SDKs put the checksum of an empty body there.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
"""


def with_hoisted_headers(request: Request) -> Request:
    """The request with the `x-amz-` parameters of its query among its headers.

    A header that was sent stays as it is. The query must be under the signature: call this for
    pre-signed URLs only, and read from the result only once the signature is verified.
    """
    if _PREFIX not in request.query.lower():
        return request
    hoisted: dict[str, str] = {}
    for part in request.query.split("&"):
        name, _, value = part.partition("=")
        header = unquote(name, "latin-1").lower()
        is_meant = header.startswith(_PREFIX) and not header.startswith(_UNHEARD)
        if is_meant and header not in _OF_THE_SIGNATURE and header not in request.headers:
            hoisted.setdefault(header, unquote_plus(value, "latin-1"))
    if not hoisted:
        return request
    return Request(
        request.method,
        request.path,
        request.query,
        Headers.lowered([*request.headers.pairs, *hoisted.items()]),
        request.body,
        scheme=request.scheme,
        peer=request.peer,
        client_certificate=request.client_certificate,
    )
