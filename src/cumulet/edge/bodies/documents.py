"""Digests that come with S3's documents, such as a list of keys to delete; checked before use.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from cumulet.blobs.digests import DIGESTS
from cumulet.core.errors import AwsError
from cumulet.core.http import Headers

_CHECKSUMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
_PREFIX = "x-amz-checksum-"
_NO_CHECKSUM = ("x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type")


def check_document(headers: Headers, trailers: Mapping[str, str], content: bytes) -> None:
    """Raise S3's error unless the content has every digest that was sent with it or behind it."""
    if given := headers.get("content-md5"):
        found = hashlib.md5(content, usedforsecurity=False).digest()
        if len(_decoded(given)) != len(found):
            raise _refused("InvalidDigest", "The Content-MD5 you specified is not valid.")
        if not hmac.compare_digest(_decoded(given), found):
            raise _refused(
                "BadDigest", "The Content-MD5 you specified did not match what we received."
            )
    named = [*headers, *trailers.items()]
    for header, value in named:
        if header.startswith(_PREFIX) and header not in _NO_CHECKSUM:
            _check(header.removeprefix(_PREFIX), value, content)


def _check(name: str, value: str, content: bytes) -> None:
    if name not in _CHECKSUMS:
        raise _refused("InvalidRequest", f"The checksum {name} is not supported by Cumulet yet.")
    digest = DIGESTS[name]()
    digest.update(content)
    found = digest.digest()
    if len(_decoded(value)) != len(found):
        raise _refused("InvalidRequest", f"Value for {_PREFIX}{name} header is invalid.")
    if not hmac.compare_digest(_decoded(value), found):
        raise _refused(
            "BadDigest",
            f"The {name.upper()} you specified did not match the calculated checksum.",
        )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refused(code: str, message: str) -> AwsError:
    return AwsError(message, code=code, http_status=400)
