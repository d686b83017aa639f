"""ACLs: canned ones, grants in headers and documents, and what they permit. Pure.

Follows https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    MethodNotAllowed,
    malformed_xml,
)
from cumulet.services.s3.limits import GRANTS_MAX
from cumulet.services.s3.model import Grant

Request = dict[str, Any]

EVERYONE = "AllUsers"
SIGNED = "AuthenticatedUsers"
LOGS = "LogDelivery"
PUBLIC = (EVERYONE, SIGNED)

_GROUPS = {
    EVERYONE: "http://acs.amazonaws.com/groups/global/AllUsers",
    SIGNED: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    LOGS: "http://acs.amazonaws.com/groups/s3/LogDelivery",
}
_BY_URI = {uri: name for name, uri in _GROUPS.items()}
PERMISSIONS = ("FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP")

GRANTS = {
    "GrantRead": "READ",
    "GrantWrite": "WRITE",
    "GrantReadACP": "READ_ACP",
    "GrantWriteACP": "WRITE_ACP",
    "GrantFullControl": "FULL_CONTROL",
}
"""The members that carry grants, and the permission of each."""

_CANNED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((EVERYONE, "READ"),),
    "public-read-write": ((EVERYONE, "READ"), (EVERYONE, "WRITE")),
    "authenticated-read": ((SIGNED, "READ"),),
    "log-delivery-write": ((LOGS, "WRITE"), (LOGS, "READ_ACP")),
    "bucket-owner-read": (("bucket", "READ"),),
    "bucket-owner-full-control": (("bucket", "FULL_CONTROL"),),
}
_OF_OBJECTS = ("bucket-owner-read", "bucket-owner-full-control")

_ACTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "bucket": {
        "READ": ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
        "READ_ACP": ("s3:GetBucketAcl",),
        "WRITE_ACP": ("s3:PutBucketAcl",),
    },
    "object": {
        "READ": ("s3:GetObject", "s3:GetObjectVersion"),
        "READ_ACP": ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
        "WRITE_ACP": ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
    },
    "new object": {"WRITE": ("s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging")},
}
_CANONICAL = re.compile(r"0{52}(\d{12})\Z")
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]*)"?\s*\Z')


def canonical_id(account: str) -> str:
    """The canonical user of an account: 64 hexadecimal digits made of its id."""
    return account.rjust(64, "0")


def account_of(canonical: str) -> str:
    """The account of a canonical user. Raises InvalidArgument."""
    found = _CANONICAL.match(canonical)
    if found is None:
        raise InvalidArgument(
            "Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=canonical
        )
    return found[1]


def asks_for_acl(request: Mapping[str, Any]) -> bool:
    """Whether headers of the request say anything of an ACL."""
    return bool(request.get("ACL")) or any(request.get(name) for name in GRANTS)


def read_acl(request: Request, owner: str, bucket_owner: str, *, of_object: bool) -> list[Grant]:
    """The ACL that a request gives, in headers or in its document; private when it gives none.

    Raises InvalidArgument, InvalidRequest, MalformedACLError.
    """
    canned = request.get("ACL")
    named = [name for name in GRANTS if request.get(name)]
    document = request.get("AccessControlPolicy")
    if canned and named:
        raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
    if (canned or named) and document:
        raise InvalidRequest("This request does not support content", code="UnexpectedContent")
    if named:
        return [
            Grant(grantee, GRANTS[name]) for name in named for grantee in _grantees(request[name])
        ]
    if document:
        return _from_document(document, owner)
    return canned_acl(canned or "private", owner, bucket_owner, of_object=of_object)


def canned_acl(name: str, owner: str, bucket_owner: str, *, of_object: bool) -> list[Grant]:
    """The grants of a canned ACL. Raises InvalidArgument."""
    if name not in _CANNED or (name in _OF_OBJECTS and not of_object):
        raise InvalidArgument("", ArgumentName="x-amz-acl", ArgumentValue=name)
    named = [
        Grant(bucket_owner if grantee == "bucket" else grantee, permission)
        for grantee, permission in _CANNED[name]
    ]
    return [*(one for one in named if one.grantee != owner), Grant(owner, "FULL_CONTROL")]


def _grantees(header: str) -> list[str]:
    found = []
    for entry in header.split(","):
        match = _GRANTEE.match(entry)
        if match is None:
            raise InvalidArgument(
                "Argument format not recognized", ArgumentName="x-amz-grant", ArgumentValue=header
            )
        found.append(_grantee(match[1], match[2]))
    return found


def _grantee(kind: str, value: str) -> str:
    if kind == "id":
        return account_of(value)
    if kind == "uri":
        if value not in _BY_URI:
            raise InvalidArgument("Invalid group uri", ArgumentName="uri", ArgumentValue=value)
        return _BY_URI[value]
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html: ended in 2025.
    raise MethodNotAllowed("Email grantees are not supported.", Method="PUT", ResourceType="ACL")


def _from_document(document: Request, owner: str) -> list[Grant]:
    given = document.get("Owner") or {}
    if not given.get("ID"):
        raise malformed_acl()
    if account_of(given["ID"]) != owner:
        raise InvalidArgument(
            "Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=given["ID"]
        )
    entries = document.get("Grants") or []
    if len(entries) > GRANTS_MAX:
        raise InvalidRequest(f"Cannot have more than {GRANTS_MAX} grants in an ACL")
    grants = []
    for entry in entries:
        grantee, permission = entry.get("Grantee") or {}, entry.get("Permission")
        kind = {
            "CanonicalUser": ("id", "ID"),
            "Group": ("uri", "URI"),
            "AmazonCustomerByEmail": ("emailAddress", "EmailAddress"),
        }.get(grantee.get("Type", ""))
        if kind is None or permission not in PERMISSIONS or not grantee.get(kind[1]):
            raise malformed_acl()
        grants.append(Grant(_grantee(kind[0], grantee[kind[1]]), permission))
    return grants


def malformed_acl() -> Exception:
    """In AWS's words."""
    error = malformed_xml()
    return InvalidRequest(error.message, code="MalformedACLError")


def shown_acl(grants: Sequence[Grant] | None, owner: str) -> Request:
    """An ACL as S3 tells it."""
    listed = grants if grants is not None else [Grant(owner, "FULL_CONTROL")]
    return {
        "Owner": shown_user(owner),
        "Grants": [
            {"Grantee": _shown_grantee(one.grantee), "Permission": one.permission} for one in listed
        ],
    }


def shown_user(account: str) -> Request:
    """An account as the owner of something."""
    return {"ID": canonical_id(account), "DisplayName": account}


def _shown_grantee(grantee: str) -> Request:
    if grantee in _GROUPS:
        return {"Type": "Group", "URI": _GROUPS[grantee]}
    return {"Type": "CanonicalUser", **shown_user(grantee)}


def is_public_acl(grants: Sequence[Grant]) -> bool:
    """Whether anything is granted to everyone, or to everyone with an account."""
    return any(grant.grantee in PUBLIC for grant in grants)


def without_public(grants: Sequence[Grant]) -> list[Grant]:
    """What is left of an ACL where public grants are ignored."""
    return [grant for grant in grants if grant.grantee not in PUBLIC]


def acl_statements(grants: Sequence[Grant], arn: str, kind: str) -> list[Request]:
    """The statements of a policy that allow the same as an ACL.

    It is that of a `bucket` or of an `object`; or what a bucket's says of a `new object`.
    """
    statements = []
    for grantee, permission in grants:
        all_of = _ACTIONS[kind]
        wanted = all_of if permission == "FULL_CONTROL" else {permission} & all_of.keys()
        actions = [action for name in all_of if name in wanted for action in all_of[name]]
        if actions:
            statements.append(_statement(grantee, actions, arn))
        if kind == "bucket" and permission in ("WRITE", "FULL_CONTROL"):
            statements.append(_statement(grantee, ["s3:PutObject"], f"{arn}/*"))
    return statements


def _statement(grantee: str, actions: list[str], arn: str) -> Request:
    statement: Request = {"Effect": "Allow", "Action": actions, "Resource": arn}
    if grantee == LOGS:
        return statement | {"Principal": {"Service": "logging.s3.amazonaws.com"}}
    if grantee == SIGNED:
        # Who has no account has not signed.
        signed = {"Null": {"aws:PrincipalAccount": "false"}}
        return statement | {"Principal": "*", "Condition": signed}
    return statement | {"Principal": "*" if grantee == EVERYONE else {"AWS": grantee}}
