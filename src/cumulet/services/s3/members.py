"""Members of requests that would be ignored if nobody refused them: none is.

A member that is in neither table below is honoured by its operation, or has no effect in S3 itself
on buckets such as there are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import Operation
from cumulet.services.s3.errors import InvalidArgument, InvalidRequest, NotImplementedHere

Request = dict[str, Any]

_KMS = "Encryption with KMS keys"
_LOCK = "An event hold of object lock"
_DIRECTORY = "A condition of directory buckets"
_CHECKSUM = "A checksum other than CRC32, CRC32C, CRC64NVME, SHA1 and SHA256"

UNSUPPORTED: Mapping[str, str] = {
    "SSEKMSKeyId": _KMS,
    "SSEKMSEncryptionContext": _KMS,
    "BucketKeyEnabled": _KMS,
    "ObjectLockEventHold": _LOCK,
    "ObjectLockEventHoldDurationDays": _LOCK,
    "ObjectLockEventHoldDurationYears": _LOCK,
    "WriteOffsetBytes": "Appending to objects",
    "IfMatchInitiatedTime": _DIRECTORY,
    "IfMatchLastModifiedTime": _DIRECTORY,
    "IfMatchSize": _DIRECTORY,
    "AnnotationDirective": "Annotations",
    "ChecksumSHA512": _CHECKSUM,
    "ChecksumMD5": _CHECKSUM,
    "ChecksumXXHASH64": _CHECKSUM,
    "ChecksumXXHASH3": _CHECKSUM,
    "ChecksumXXHASH128": _CHECKSUM,
}
"""Members that S3 has and Cumulet does not, and what they are about."""

_STORAGE_CLASSES = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
)


def refusing(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """The same operations, each refusing first what it would have to ignore."""
    return {name: _refusing(operation) for name, operation in operations.items()}


def _refusing(operation: Operation) -> Operation:
    async def run(ctx: Context, request: Request) -> Any:
        refuse_ignored(request)
        return await operation.run(ctx, request)

    return replace(operation, run=run)


def refuse_ignored(request: Request) -> None:
    """Raise S3's error for the first member that would be ignored."""
    for name in UNSUPPORTED.keys() & request.keys():
        if request[name]:
            raise NotImplementedHere(UNSUPPORTED[name])
    encryption = request.get("ServerSideEncryption")
    if encryption in ("aws:kms", "aws:kms:dsse", "aws:fsx"):
        raise NotImplementedHere("Encryption other than AES256")
    if encryption not in (None, "AES256"):
        raise InvalidArgument(
            "The encryption method specified is not supported",
            code="InvalidEncryptionAlgorithmError",
            ArgumentName="x-amz-server-side-encryption",
            ArgumentValue=encryption,
        )
    if encryption and request.get("SSECustomerAlgorithm"):
        raise InvalidArgument(
            "Server Side Encryption with Customer provided key is incompatible with the encryption "
            "method specified",
            ArgumentName="x-amz-server-side-encryption",
            ArgumentValue=encryption,
        )
    storage_class = request.get("StorageClass")
    if storage_class in ("GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE"):
        raise NotImplementedHere(f"The storage class {storage_class}")
    if storage_class and storage_class not in _STORAGE_CLASSES:
        raise InvalidRequest(
            "The storage class you specified is not valid", code="InvalidStorageClass"
        )
    if request.get("BucketNamespace") not in (None, "global"):
        raise NotImplementedHere("A bucket namespace other than the global one")
