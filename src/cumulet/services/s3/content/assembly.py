"""Making one object of the parts of an upload: order, sizes, entity tag, checksums. Pure."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec

from cumulet.services.s3.content.crc import combine
from cumulet.services.s3.content.intake import ALGORITHMS, algorithm_of, digest_all
from cumulet.services.s3.errors import (
    BadDigest,
    EntityTooLarge,
    EntityTooSmall,
    InvalidPart,
    InvalidRequest,
)
from cumulet.services.s3.limits import OBJECT_BYTES_MAX, PART_BYTES_MIN
from cumulet.services.s3.model import Part, Stored, Upload

Request = dict[str, Any]

_EITHER = ("COMPOSITE", "FULL_OBJECT")
_KINDS = {
    "CRC32": _EITHER,
    "CRC32C": _EITHER,
    "CRC64NVME": ("FULL_OBJECT",),
    "SHA1": ("COMPOSITE",),
    "SHA256": ("COMPOSITE",),
}
"""The types that a checksum of parts may have; the first is what it is unless said."""


def assemble(upload: Upload, listed: list[Request], uploaded: dict[int, Part]) -> Stored:
    """The object of the listed parts. Raises InvalidPart, EntityTooSmall, EntityTooLarge."""
    parts: list[Part] = []
    for entry in listed:
        part = uploaded.get(entry["PartNumber"])
        etag = (entry.get("ETag") or "").strip('"')
        wrong = (
            part is None
            or part.etag != etag
            or any(
                entry.get(name) and entry[name] != part.checksums.get(name) for name in ALGORITHMS
            )
        )
        if part is None or wrong:
            raise InvalidPart(
                "One or more of the specified parts could not be found.  The part may not have "
                "been uploaded, or the specified entity tag may not match the part's entity tag.",
                UploadId=upload.upload_id,
                PartNumber=entry["PartNumber"],
                ETag=etag,
            )
        parts.append(part)
    for part in parts[:-1]:
        if part.size < PART_BYTES_MIN:
            raise EntityTooSmall(
                "Your proposed upload is smaller than the minimum allowed size",
                ETag=part.etag,
                MinSizeAllowed=PART_BYTES_MIN,
                PartNumber=part.number,
                ProposedSize=part.size,
            )
    size = sum(part.size for part in parts)
    if size > OBJECT_BYTES_MAX:
        raise EntityTooLarge("Your proposed upload exceeds the maximum allowed object size.")
    whole = hashlib.md5(b"".join(bytes.fromhex(p.etag) for p in parts), usedforsecurity=False)
    checksums = _composite(upload, parts)
    return msgspec.structs.replace(
        upload.draft,
        size=size,
        etag=f"{whole.hexdigest()}-{len(parts)}",
        segments=[part.segment for part in parts if part.segment is not None],
        salts=[part.salt for part in parts if part.salt],
        parts=[msgspec.structs.replace(part, segment=None, salt=b"") for part in parts],
        checksums=checksums,
        checksum_type=upload.checksum_type if checksums else "",
        upload_id=upload.upload_id,
    )


def _composite(upload: Upload, parts: list[Part]) -> dict[str, str]:
    """The checksum of the parts' checksums. A full-object one is joined by `blobs`' algebra."""
    name = f"Checksum{upload.algorithm}"
    if not upload.algorithm or any(name not in part.checksums for part in parts):
        return {}
    if upload.checksum_type == "FULL_OBJECT":
        return {name: _joined(upload.algorithm, name, parts)}
    joined = b"".join(base64.b64decode(part.checksums[name]) for part in parts)
    digest = upload.algorithm.lower()
    value = base64.b64encode(digest_all(joined, (digest,))[digest]).decode()
    return {name: f"{value}-{len(parts)}"}


def _joined(algorithm: str, name: str, parts: list[Part]) -> str:
    value, size = 0, 0
    for part in parts:
        following = int.from_bytes(base64.b64decode(part.checksums[name]), "big")
        value = combine(algorithm, value, following, part.size) if size else following
        size += part.size
    return base64.b64encode(value.to_bytes(8 if algorithm == "CRC64NVME" else 4, "big")).decode()


def checksum_of_upload(request: Request) -> tuple[str, str]:
    """Algorithm and type of the checksum that an upload is begun with. Raises InvalidRequest.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    algorithm = algorithm_of(request).removeprefix("Checksum")
    kind = request.get("ChecksumType") or ""
    if kind and not algorithm:
        raise InvalidRequest(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
            "header."
        )
    possible = _KINDS[algorithm] if algorithm else ("",)
    if kind and kind not in possible:
        raise InvalidRequest(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum "
            "algorithm."
        )
    return algorithm, kind or possible[0]


def check_part_checksum(request: Request, upload: Upload) -> None:
    """A part must have the checksum its upload was begun with, if any. Raises InvalidRequest."""
    given = {name.removeprefix("Checksum") for name in ALGORITHMS if request.get(name)}
    given |= {algorithm_of(request).removeprefix("Checksum")} - {""}
    if upload.algorithm and given - {upload.algorithm}:
        raise InvalidRequest(
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {min(given - {upload.algorithm}).lower()}"
        )


def check_whole(request: Request, upload: Upload, stored: Stored) -> None:
    """What the client says of the whole. Raises InvalidRequest, BadDigest."""
    kind = request.get("ChecksumType")
    if kind and upload.checksum_type and kind != upload.checksum_type:
        raise InvalidRequest(
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete "
            "request must use the same checksum mode."
        )
    size = request.get("MpuObjectSize")
    if size is not None and size != stored.size:
        raise InvalidRequest(
            "The provided 'x-amz-mp-object-size' header value does not match what was computed"
        )
    for name in ALGORITHMS:
        given = request.get(name)
        # Of a composite checksum clients may send the number of parts or leave it.
        if given and given.split("-")[0] != stored.checksums.get(name, "").split("-")[0]:
            raise BadDigest(
                f"The {name.removeprefix('Checksum').lower()} you specified did not match the "
                "calculated checksum."
            )
