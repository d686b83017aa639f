"""Versions of managed policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import permissions, store
from cumulet.services.iam.describe import describe_aws_version, describe_version, page
from cumulet.services.iam.errors import (
    DeleteConflictException,
    LimitExceededException,
    NoSuchEntityException,
)
from cumulet.services.iam.limits import POLICY_VERSIONS_MAX
from cumulet.services.iam.model import ManagedPolicy, PolicyVersion
from cumulet.services.iam.operations.policy import check_own, no_policy
from cumulet.services.iam.policies.aws import aws_policies
from cumulet.services.iam.policies.documents import check_managed

_EXISTING: dict[str, Any] = {
    "resource": permissions.policy_named,
    "conditions": permissions.policy_keys,
}


@operation("CreatePolicyVersion", **_EXISTING)
async def create_policy_version(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Add a version to a managed policy."""
    arn, text = request["PolicyArn"], request["PolicyDocument"]
    check_own(arn)
    check_managed(text)
    now = float(int(ctx.clock.now()))
    version, policy = await ctx.transact(_add, arn, text, now, bool(request.get("SetAsDefault")))
    return {"PolicyVersion": describe_version(version, policy, text=False)}


async def _add(
    tx: Transaction, scope: Scope, arn: str, text: str, now: float, is_default: bool
) -> tuple[PolicyVersion, ManagedPolicy]:
    policy = await _load(tx, scope, arn)
    present = await store.VERSIONS.scan(tx, scope, policy.key, limit=POLICY_VERSIONS_MAX)
    if len(present) >= POLICY_VERSIONS_MAX:
        raise LimitExceededException(
            f"A managed policy can have up to {POLICY_VERSIONS_MAX} versions. Before you create a "
            "new version, you must delete an existing version."
        )
    number = policy.version_last + 1
    version = PolicyVersion(policy.key, number, text, now)
    policy = msgspec.structs.replace(
        policy,
        version_last=number,
        version=number if is_default else policy.version,
        updated=now,
    )
    await store.VERSIONS.save(tx, scope, version)
    await store.POLICIES.save(tx, scope, policy)
    return version, policy


async def _load(tx: Transaction, scope: Scope, arn: str) -> ManagedPolicy:
    policy = await store.load_policy(tx, scope, arn)
    if policy is None:
        raise no_policy(arn)
    return policy


@operation("GetPolicyVersion", **_EXISTING)
async def get_policy_version(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell one version of a managed policy, with its document."""
    arn, version_id = request["PolicyArn"], request["VersionId"]
    aws = aws_policies().get(arn)
    if aws is not None:
        if version_id != aws.version:
            raise _no_version(arn, version_id)
        return {"PolicyVersion": describe_aws_version(aws, text=True)}
    version, policy = await ctx.transact(_load_version, arn, version_id)
    return {"PolicyVersion": describe_version(version, policy, text=True)}


async def _load_version(
    tx: Transaction, scope: Scope, arn: str, version_id: str
) -> tuple[PolicyVersion, ManagedPolicy]:
    policy = await _load(tx, scope, arn)
    number = version_id[1:]
    version = None
    if number.isdigit() and len(number) <= 9:
        version = await store.VERSIONS.load(tx, scope, policy.key, int(number))
    if version is None:
        raise _no_version(arn, version_id)
    return version, policy


def _no_version(arn: str, version_id: str) -> NoSuchEntityException:
    return NoSuchEntityException(
        f"Policy {arn} version {version_id} does not exist or is not attachable."
    )


@operation("ListPolicyVersions", resource=permissions.policy_named)
async def list_policy_versions(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the versions of a managed policy, without their documents."""
    aws = aws_policies().get(request["PolicyArn"])
    if aws is not None:
        return {"Versions": [describe_aws_version(aws, text=False)], "IsTruncated": False}
    versions, policy = await ctx.transact(_all, request["PolicyArn"])
    return page(
        "Versions",
        [describe_version(version, policy, text=False) for version in versions],
        request,
        lambda version: -int(version["VersionId"][1:]),
    )


async def _all(
    tx: Transaction, scope: Scope, arn: str
) -> tuple[list[PolicyVersion], ManagedPolicy]:
    policy = await _load(tx, scope, arn)
    return await store.VERSIONS.scan(tx, scope, policy.key, limit=POLICY_VERSIONS_MAX), policy


@operation("SetDefaultPolicyVersion", **_EXISTING)
async def set_default_policy_version(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the version that counts."""
    check_own(request["PolicyArn"])
    await ctx.transact(_set_default, request["PolicyArn"], request["VersionId"])
    return {}


async def _set_default(tx: Transaction, scope: Scope, arn: str, version_id: str) -> None:
    version, policy = await _load_version(tx, scope, arn, version_id)
    changed = msgspec.structs.replace(policy, version=version.number)
    await store.POLICIES.save(tx, scope, changed)


@operation("DeletePolicyVersion", **_EXISTING)
async def delete_policy_version(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a version that is not the default."""
    check_own(request["PolicyArn"])
    await ctx.transact(_remove, request["PolicyArn"], request["VersionId"])
    return {}


async def _remove(tx: Transaction, scope: Scope, arn: str, version_id: str) -> None:
    version, policy = await _load_version(tx, scope, arn, version_id)
    if version.number == policy.version:
        raise DeleteConflictException("Cannot delete the default version of a policy.")
    await store.VERSIONS.drop(tx, scope, policy.key, version.number)
