"""The keys that objects are encrypted with: one made for each object, or one its caller keeps.

The key of an object lies in its record, itself encrypted with the installation's own key (SSE-S3).
Of a caller's key (SSE-C) nothing is kept but what tells whether another is the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from cumulet.core.clock import Clock
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.kit.ports import Sealer
from cumulet.services.s3.content.sealed import SALT_BYTES, Damaged
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest
from cumulet.services.s3.model import Sealing, Stored

_KEY_BYTES = 32
_PURPOSE = "s3 object keys"


class ObjectKey(NamedTuple):
    """What an object is encrypted with; `b""` where it lies plain, as all did once.

    It is encrypted in chunks of `chunk_bytes`. `tag_salt` goes into its entity tags, which must not
    tell the MD5 of what a caller's key hides.
    """

    key: bytes
    chunk_bytes: int = 0
    tag_salt: bytes = b""


class CustomerKey(NamedTuple):
    """A key that the caller keeps, and the MD5 that came with it."""

    key: bytes
    md5: str


def new_sealed_key(ctx: Context) -> bytes:
    """A new object's key as it lies in its record."""
    sealer = ctx.need(Sealer)
    return sealer.seal(ctx.clock.random_bytes(_KEY_BYTES), _PURPOSE)


def key_of(ctx: Context, stored: Stored, given: CustomerKey | None) -> ObjectKey:
    """The key that opens an object. Raises InvalidRequest, AccessDenied; Damaged."""
    if stored.sealing is not None:
        key = check_key(given, stored.sealing)
        return ObjectKey(key, stored.chunk_bytes, stored.sealing.salt)
    check_key(given, None)
    if not stored.sealed_key:
        return ObjectKey(b"")
    sealer = ctx.need(Sealer)
    try:
        return ObjectKey(sealer.unseal(stored.sealed_key, _PURPOSE), stored.chunk_bytes)
    except ValueError as cause:
        raise Damaged("the key of a stored object is not one of this installation's") from cause


def customer_key(request: Mapping[str, Any], prefix: str = "") -> CustomerKey | None:
    """The key of the request's headers, or None. Raises InvalidArgument.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
    """
    algorithm, key, digest = (
        request.get(f"{prefix}SSECustomer{part}") or "" for part in ("Algorithm", "Key", "KeyMD5")
    )
    if not (algorithm or key or digest):
        return None
    must = "Requests specifying Server Side Encryption with Customer provided keys must provide "
    header = "x-amz-server-side-encryption-customer-"
    if not algorithm:
        raise _invalid(f"{must}a valid encryption algorithm.", f"{header}algorithm")
    if algorithm != "AES256":
        raise InvalidArgument(
            "The Encryption request you specified is not valid. Supported value: AES256.",
            code="InvalidEncryptionAlgorithmError",
            ArgumentName=f"{header}algorithm",
            ArgumentValue=algorithm,
        )
    if not key:
        raise _invalid(f"{must}an appropriate secret key.", f"{header}key")
    if not digest:
        raise _invalid(f"{must}the client calculated MD5 of the secret key.", f"{header}key-MD5")
    try:
        raw = base64.b64decode(key, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise _invalid("The secret key was invalid for the specified algorithm.", f"{header}key")
    found = base64.b64encode(hashlib.md5(raw, usedforsecurity=False).digest()).decode()
    if not hmac.compare_digest(found, digest):
        raise _invalid(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
            f"{header}key-MD5",
        )
    return CustomerKey(raw, digest)


def _invalid(message: str, argument: str) -> InvalidArgument:
    return InvalidArgument(message, ArgumentName=argument, ArgumentValue="null")


def seal_with(clock: Clock, key: CustomerKey) -> Sealing:
    """What is remembered of a key: not the key, but what tells whether another is the same."""
    salt = clock.random_bytes(SALT_BYTES)
    return Sealing(salt, hmac.digest(key.key, b"check" + salt, "sha256"), key.md5)


def check_key(key: CustomerKey | None, sealing: Sealing | None) -> bytes:
    """The key that a caller must bring, b"" when none. Raises InvalidRequest, AccessDenied."""
    if sealing is None:
        if key is not None:
            raise InvalidRequest("The encryption parameters are not applicable to this object.")
        return b""
    if key is None:
        raise InvalidRequest(
            "The object was stored using a form of Server Side Encryption. The correct parameters "
            "must be provided to retrieve the object."
        )
    said = hmac.digest(key.key, b"check" + sealing.salt, "sha256")
    if not hmac.compare_digest(said, sealing.check):
        raise AccessDenied(
            "Requests specifying Server Side Encryption with Customer provided keys must provide "
            "the correct secret key."
        )
    return key.key


def told(stored: Stored) -> dict[str, str]:
    """The members by which an answer tells how an object is encrypted; none when it is not."""
    if stored.sealing is not None:
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": stored.sealing.key_md5}
    return {"ServerSideEncryption": "AES256"} if stored.sealed_key else {}
