"""Records in AWS's spelling, and lists cut into pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from cumulet.core.errors import ConstraintViolation
from cumulet.kit.pages import make_token, read_token
from cumulet.services.iam.limits import PAGE_ITEMS
from cumulet.services.iam.model import AccessKey, Group, ManagedPolicy, PolicyVersion, Role, User
from cumulet.services.iam.policies.aws import AwsPolicy

T = TypeVar("T")
Found = dict[str, Any]


def encoded(document: str) -> str:
    """A policy document as IAM answers it: percent-encoded."""
    return quote(document, safe="")


def tag_list(tags: Mapping[str, str]) -> list[Found]:
    """Tags as a list."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def describe_user(account: str, user: User, *, whole: bool = True) -> Found:
    """A user; lists leave out what is not `whole`."""
    found: Found = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn(account),
        "CreateDate": user.created,
    }
    return _with_rest(found, user) if whole else found


def describe_group(account: str, group: Group) -> Found:
    """A group."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn(account),
        "CreateDate": group.created,
    }


def describe_role(account: str, role: Role, *, whole: bool = True) -> Found:
    """A role; lists leave out what is not `whole`."""
    found: Found = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn(account),
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": encoded(role.trust),
        "MaxSessionDuration": role.session_seconds_max,
    }
    if role.description is not None:
        found["Description"] = role.description
    return _with_rest(found, role) if whole else found


def _with_rest(found: Found, entity: User | Role) -> Found:
    if entity.boundary:
        found["PermissionsBoundary"] = boundary_of(entity)
    if entity.tags:
        found["Tags"] = tag_list(entity.tags)
    return found


def boundary_of(entity: User | Role) -> Found:
    """The permissions boundary of an entity that has one."""
    return {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": entity.boundary,
    }


def describe_key(user: str, key: AccessKey) -> Found:
    """An access key without its secret; the root's keys have no user."""
    found: Found = {
        "AccessKeyId": key.id,
        "Status": key.status,
        "CreateDate": key.created,
    }
    return {"UserName": user, **found} if user else found


def describe_policy(
    account: str, policy: ManagedPolicy, uses: int, boundaries: int, *, whole: bool = True
) -> Found:
    """A managed policy; lists leave out what is not `whole`."""
    found: Found = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn(account),
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.version}",
        "AttachmentCount": uses,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
    }
    if whole:
        if policy.description:
            found["Description"] = policy.description
        found["Tags"] = tag_list(policy.tags)
    return found


def describe_aws_policy(policy: AwsPolicy, uses: int, boundaries: int) -> Found:
    """One of AWS's own policies."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.version,
        "AttachmentCount": uses,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created.timestamp(),
        "UpdateDate": policy.updated.timestamp(),
    }


def describe_version(version: PolicyVersion, policy: ManagedPolicy, *, text: bool) -> Found:
    """A version of a managed policy, with its `text` or without."""
    found: Found = {
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.number == policy.version,
        "CreateDate": version.created,
    }
    return {"Document": encoded(version.document), **found} if text else found


def describe_aws_version(policy: AwsPolicy, *, text: bool) -> Found:
    """The one version that is known of a policy of AWS's."""
    found: Found = {
        "VersionId": policy.version,
        "IsDefaultVersion": True,
        "CreateDate": policy.updated.timestamp(),
    }
    return {"Document": encoded(policy.text), **found} if text else found


def attached_list(arns: Iterable[str], request: Mapping[str, Any]) -> Found:
    """A page of attached policies, those under `PathPrefix`."""
    under = request.get("PathPrefix") or "/"
    found = [
        {"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn}
        for arn in arns
        if arn.split(":policy", 1)[-1].startswith(under)
    ]
    # An ARN may be longer than a marker: a name and whose policy it is are enough.
    return page(
        "AttachedPolicies",
        found,
        request,
        lambda one: [one["PolicyName"], int(one["PolicyArn"].startswith("arn:aws:iam::aws:"))],
    )


def page(
    field: str,
    items: Iterable[T],
    request: Mapping[str, Any],
    position: Callable[[T], Any] = lambda item: item,
) -> Found:
    """One page of a short list, in the order of `position`."""
    ordered = sorted(items, key=position)
    after = read_marker(request)
    if after is not None:
        try:
            ordered = [item for item in ordered if position(item) > after]
        except TypeError as cause:
            raise ConstraintViolation("Invalid Marker.") from cause
    return cut(field, ordered, request, position)


def cut(
    field: str,
    items: Sequence[T],
    request: Mapping[str, Any],
    position: Callable[[T], Any],
    describe: Callable[[T], Any] = lambda item: item,
) -> Found:
    """The first page of what remains of a list."""
    limit = request.get("MaxItems") or PAGE_ITEMS
    shown = items[:limit]
    found: Found = {field: [describe(item) for item in shown], "IsTruncated": len(items) > limit}
    if len(items) > limit:
        found["Marker"] = make_token(position(shown[-1]))
    return found


async def gather_page(
    request: Mapping[str, Any],
    fetch: Callable[[tuple[str] | None, int], Awaitable[list[T]]],
    key: Callable[[T], str],
    keep: Callable[[T], bool],
) -> list[T]:
    """As many kept records as a page needs and one more, behind the request's marker."""
    limit = (request.get("MaxItems") or PAGE_ITEMS) + 1
    marker = read_marker(request)
    if marker is not None and not isinstance(marker, str):
        raise ConstraintViolation("Invalid Marker.")
    after = None if marker is None else (marker,)
    found: list[T] = []
    while len(found) < limit:
        records = await fetch(after, limit)
        found.extend(record for record in records if keep(record))
        if len(records) < limit:
            break
        after = (key(records[-1]),)
    return found[:limit]


def read_marker(request: Mapping[str, Any]) -> Any:
    """Where the request wants to go on, or None at the beginning."""
    marker = request.get("Marker")
    if not marker:
        return None
    try:
        return read_token(marker)
    except ValueError as cause:
        raise ConstraintViolation("Invalid Marker.") from cause
