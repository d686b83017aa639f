"""Buckets, objects and uploads as records, and the rules that need no storage."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from cumulet.blobs.segments import Segment

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+\Z")
_RESERVED = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ORDER_DIGITS = 11

NULL_VERSION = "null"
"""The id of versions that were made while versioning was not on."""


class Grant(NamedTuple):
    """One line of an ACL. The grantee is an account's id, or the name of a group."""

    grantee: str
    permission: str


class Bucket(msgspec.Struct, frozen=True):
    """A bucket. `settings` holds configurations by their operation's name, as they were put.

    `grants` is its ACL; None is that of a new bucket, where the owner may do everything.
    """

    name: str
    account: str
    region: str
    created_ms: int
    versioning: str = ""
    policy: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    grants: list[Grant] | None = None

    @property
    def ownership(self) -> str:
        """Who owns objects; `BucketOwnerEnforced`, without ACLs, is S3's default."""
        return str(self.settings.get("OwnershipControls", "BucketOwnerEnforced"))

    @property
    def has_acls(self) -> bool:
        """Whether ACLs have a say."""
        return self.ownership != "BucketOwnerEnforced"


class AccountBlock(msgspec.Struct, frozen=True):
    """Which ways to public access are shut for all buckets of an account."""

    account: str
    blocks: dict[str, bool]


class Part(msgspec.Struct, frozen=True):
    """One part of a multipart upload, or of the object that was made of it."""

    number: int
    size: int
    etag: str
    modified_ms: int
    segment: Segment | None = None
    checksums: dict[str, str] = msgspec.field(default_factory=dict)
    salt: bytes = b""


class Sealing(msgspec.Struct, frozen=True):
    """How the bytes of an object are encrypted with a key that its writer keeps (SSE-C).

    `check` tells whether a key is the one: its HMAC under `salt`. Each segment has its own salt.
    """

    salt: bytes
    check: bytes
    key_md5: str


class Lock(msgspec.Struct, frozen=True):
    """What keeps a version from being deleted. `until` is in epoch seconds."""

    mode: str = ""
    until: float = 0.0
    is_held: bool = False


class Stored(msgspec.Struct, frozen=True):
    """One version of an object, or a delete marker.

    `order` grows with time within a key; `noncurrent_ms` is when something newer took its place.
    `owner` is the account that owns it, the bucket's when empty. `content` is the key of the bytes
    in the store when they are few, else `segments` name the blobs; `salts` are those under which
    these are encrypted, one for each. `sealed_key` is the object's key, itself encrypted; without
    it and without a caller's key (`sealing`) the bytes lie plain, as all did in early releases.
    `chunk_bytes` is what is encrypted at once. `headers` are those sent back as they were put.
    """

    bucket: str
    key: str
    version_id: str
    order: int
    modified_ms: int
    size: int = 0
    etag: str = ""
    is_marker: bool = False
    content: str = ""
    segments: list[Segment] = []
    parts: list[Part] = []
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    checksums: dict[str, str] = msgspec.field(default_factory=dict)
    checksum_type: str = ""
    storage_class: str = "STANDARD"
    owner: str = ""
    grants: list[Grant] | None = None
    lock: Lock | None = None
    sealing: Sealing | None = None
    sealed_key: bytes = b""
    salts: list[bytes] = []
    chunk_bytes: int = 65_536
    noncurrent_ms: int = 0
    upload_id: str = ""


class Upload(msgspec.Struct, frozen=True):
    """A multipart upload that has begun; the object's properties wait in `draft`."""

    bucket: str
    key: str
    upload_id: str
    started_ms: int
    draft: Stored
    algorithm: str = ""
    checksum_type: str = ""
    initiator: str = ""


class UploadPart(msgspec.Struct, frozen=True):
    """A part that has arrived."""

    upload_id: str
    part: Part


class Measured(msgspec.Struct, frozen=True):
    """The day, in days since the epoch, on which the size of a bucket was measured last."""

    bucket: str
    day: int


class Content(msgspec.Struct, frozen=True):
    """The bytes of a small object, encrypted as its record tells."""

    content_id: str
    data: bytes


class Freed(msgspec.Struct, frozen=True):
    """A blob that an object was made of; it may be removed at `due_ms` if nothing needs it."""

    due_ms: int
    blob: str


class Event(msgspec.Struct, frozen=True):
    """Something that happened to an object, on its way to one target.

    `due_ms` is when it is tried (next); `body` is what the target gets, in JSON. `trace_header` is
    X-Ray's, of the request that it came from.
    """

    due_ms: int
    event_id: str
    account: str
    region: str
    bucket: str
    target: str
    body: str
    since_ms: int
    attempts: int = 0
    trace_header: str = ""


def is_bucket_name(name: str) -> bool:
    """Whether the name follows S3's rules for general purpose buckets.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    return (
        _NAME.match(name) is not None
        and ".." not in name
        and not _ADDRESS.match(name)
        and not name.startswith(_RESERVED)
        and not name.endswith(_RESERVED_ENDS)
    )


def version_name(order: int, fresh: str) -> str:
    """The id of a version: its place among those of its key, and letters that nobody can guess."""
    digits = ""
    for _ in range(_ORDER_DIGITS):
        order, digit = divmod(order, 36)
        digits = _DIGITS[digit] + digits
    return digits + fresh


def order_in(version_id: str) -> int | None:
    """The order that a version's id tells; None for the null version and what is no id of ours."""
    digits = version_id[:_ORDER_DIGITS]
    if len(version_id) <= _ORDER_DIGITS or not set(digits) <= set(_DIGITS):
        return None
    return int(digits, 36)


def is_same_bucket(now: Bucket, before: Bucket) -> bool:
    """Whether a name stands for the bucket that it stood for before."""
    return (now.account, now.created_ms) == (before.account, before.created_ms)


def bucket_arn(name: str) -> str:
    """The ARN of a bucket."""
    return f"arn:aws:s3:::{name}"


def object_arn(bucket: str, key: str) -> str:
    """The ARN of an object."""
    return f"arn:aws:s3:::{bucket}/{key}"
