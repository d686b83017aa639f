"""Trust stores of mutual TLS: where they lie, what is in them, and what to warn of.

https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
"""

from __future__ import annotations

import re
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cumulet.core.context import Context
from cumulet.core.errors import AwsError, RequestTooLarge
from cumulet.core.http import BytesBody
from cumulet.services.apigateway.admission.domains.limits import (
    TRUSTSTORE_BYTES_MAX,
    TRUSTSTORE_CERTIFICATES_MAX,
    WARNINGS_MAX,
)
from cumulet.services.apigateway.errors import BadRequestException

_URI = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.{1,1024})\Z", re.DOTALL
)
_BLOCK = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----.*?-----END (?P=label)-----", re.DOTALL)
Trusted = tuple[tuple[bytes, ...], tuple[str, ...]]


async def read_truststore(ctx: Context, uri: str, version: str | None) -> Trusted:
    """The certificates of a trust store and the warnings; read with the caller's permissions.

    Raises BadRequestException.
    """
    found = _URI.match(uri)
    if found is None:
        raise BadRequestException(
            "Invalid truststore URI. It must have the form s3://bucket-name/key-name."
        )
    asked = {"VersionId": version} if version else {}
    try:
        answer = await ctx.call(
            "s3", "GetObject", Bucket=found["bucket"], Key=found["key"], **asked
        )
        content = await _whole(answer["Body"])
    except AwsError as cause:
        raise BadRequestException(f"Unable to access truststore {uri}: {cause.message}") from cause
    return parse_truststore(content, ctx.clock.now())


async def _whole(body: bytes | AsyncIterator[bytes]) -> bytes:
    if isinstance(body, bytes):
        return await BytesBody(body).read(TRUSTSTORE_BYTES_MAX)
    pieces, size = [], 0
    async for piece in body:
        size += len(piece)
        if size > TRUSTSTORE_BYTES_MAX:
            raise RequestTooLarge(f"it is larger than {TRUSTSTORE_BYTES_MAX} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def parse_truststore(content: bytes, now: float) -> Trusted:
    """The certificates in DER form, each once, and what is wrong with any of them.

    Raises BadRequestException when there are none, or too many.
    """
    moment = datetime.fromtimestamp(now, UTC)
    trusted: dict[bytes, x509.Certificate] = {}
    words: list[str] = []
    for number, block in enumerate(_certificates(content), 1):
        if number > TRUSTSTORE_CERTIFICATES_MAX:
            raise BadRequestException(
                f"A truststore can hold at most {TRUSTSTORE_CERTIFICATES_MAX} certificates."
            )
        try:
            one = _parsed(block)
        except ValueError:
            words.append(f"Certificate {number} in the truststore cannot be read.")
            continue
        trusted[one.public_bytes(serialization.Encoding.DER)] = one
    if not trusted:
        raise BadRequestException("The truststore has no valid certificate in PEM form.")
    words += _complaints(list(trusted.values()), moment)
    return tuple(trusted), tuple(words[:WARNINGS_MAX])


def _certificates(content: bytes) -> Iterator[bytes]:
    for found in _BLOCK.finditer(content):
        if found["label"] == b"CERTIFICATE":
            yield found[0]


def _parsed(block: bytes) -> x509.Certificate:
    # What is odd about somebody else's certificate is for TLS to judge, not a warning of ours.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.load_pem_x509_certificate(block)


def _complaints(trusted: list[x509.Certificate], moment: datetime) -> Iterator[str]:
    subjects = {one.subject for one in trusted}
    for one in trusted:
        name = one.subject.rfc4514_string()
        if one.not_valid_after_utc < moment:
            yield f"The certificate {name} has expired."
        elif one.not_valid_before_utc > moment:
            yield f"The certificate {name} is not valid yet."
        if one.issuer not in subjects:
            yield f"The issuer of the certificate {name} is not in the truststore."
