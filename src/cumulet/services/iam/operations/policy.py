"""Managed policies and their versions; AWS's own can be read and attached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_base32
from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import permissions, store
from cumulet.services.iam.describe import (
    cut,
    describe_aws_policy,
    describe_policy,
    page,
    read_marker,
)
from cumulet.services.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    InvalidInputException,
    NoSuchEntityException,
)
from cumulet.services.iam.limits import ENTITIES_COUNTED_MAX, POLICY_VERSIONS_MAX
from cumulet.services.iam.model import ManagedPolicy, PolicyVersion
from cumulet.services.iam.policies.aws import aws_policies, is_aws_arn
from cumulet.services.iam.policies.documents import check_managed, read_tags

_EXISTING: dict[str, Any] = {
    "resource": permissions.policy_named,
    "conditions": permissions.policy_keys,
}


def no_policy(arn: str) -> NoSuchEntityException:
    """The error that says that there is no such managed policy."""
    return NoSuchEntityException(f"Policy {arn} was not found.")


def check_own(arn: str) -> None:
    """Raise when an ARN is not that of a policy which the account may change."""
    if parse_arn(arn) is None:
        raise InvalidInputException(f"ARN {arn} is not valid.")
    if is_aws_arn(arn):
        raise InvalidInputException(f"Policy {arn} belongs to AWS and cannot be changed.")


@operation("CreatePolicy", resource=permissions.new("policy"), conditions=permissions.request_keys)
async def create_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a managed policy with its first version."""
    text = request["PolicyDocument"]
    check_managed(text)
    now = float(int(ctx.clock.now()))
    policy = ManagedPolicy(
        name=request["PolicyName"],
        path=request.get("Path") or "/",
        id="ANPA" + new_base32(ctx.clock, 17),
        created=now,
        updated=now,
        description=request.get("Description", ""),
        tags=read_tags(request.get("Tags", [])),
    )
    if not await ctx.transact(_insert, policy, text):
        raise EntityAlreadyExistsException(
            f"A policy called {policy.name} already exists. Duplicate names are not allowed."
        )
    return {"Policy": describe_policy(ctx.scope.account, policy, 0, 0)}


async def _insert(tx: Transaction, scope: Scope, policy: ManagedPolicy, text: str) -> bool:
    if not await store.POLICIES.insert(tx, scope, policy):
        return False
    first = PolicyVersion(policy.key, 1, text, policy.created)
    await store.VERSIONS.save(tx, scope, first)
    return True


@operation("GetPolicy", **_EXISTING)
async def get_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell about a managed policy."""
    return {"Policy": await ctx.transact(_described, request["PolicyArn"])}


async def _described(tx: Transaction, scope: Scope, arn: str) -> dict[str, Any]:
    if parse_arn(arn) is None:
        raise InvalidInputException(f"ARN {arn} is not valid.")
    uses, boundaries = await _counted(tx, scope, arn)
    if is_aws_arn(arn):
        aws = aws_policies().get(arn)
        if aws is None:
            raise no_policy(arn)
        return describe_aws_policy(aws, uses, boundaries)
    policy = await store.load_policy(tx, scope, arn)
    if policy is None:
        raise no_policy(arn)
    return describe_policy(scope.account, policy, uses, boundaries)


async def _counted(tx: Transaction, scope: Scope, arn: str) -> tuple[int, int]:
    uses = await store.attached_to(tx, scope, arn, "policy")
    boundaries = await store.attached_to(tx, scope, arn, "boundary")
    return sum(map(len, uses.values())), sum(map(len, boundaries.values()))


@operation("ListPolicies", resource=permissions.listed("policy"))
async def list_policies(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the account's managed policies, AWS's, or both."""
    found = await ctx.transact(_listed, request)
    return cut("Policies", found, request, _position)


def _position(described: Mapping[str, Any]) -> list[Any]:
    return [described["PolicyName"].lower(), int(described["Arn"].startswith("arn:aws:iam::aws:"))]


async def _listed(
    tx: Transaction, scope: Scope, request: Mapping[str, Any]
) -> list[dict[str, Any]]:
    which, under = request.get("Scope", "All"), request.get("PathPrefix") or "/"
    after = read_marker(request) or ["", -1]
    usage = request.get("PolicyUsageFilter")
    own: list[ManagedPolicy] = []
    if which != "AWS":
        own = await store.POLICIES.scan(tx, scope, limit=ENTITIES_COUNTED_MAX)
    candidates: list[Any] = [policy for policy in own if policy.path.startswith(under)]
    if which != "Local":
        candidates += [aws for aws in aws_policies().values() if aws.path.startswith(under)]
    found = []
    for policy in sorted(candidates, key=lambda policy: policy.name.lower()):
        is_own = isinstance(policy, ManagedPolicy)
        if [policy.name.lower(), int(not is_own)] <= after:
            continue
        arn = policy.arn(scope.account) if is_own else policy.arn
        uses, boundaries = await _counted(tx, scope, arn)
        counted = {"PermissionsPolicy": uses, "PermissionsBoundary": boundaries}
        if usage is not None and not counted[usage]:
            continue
        if request.get("OnlyAttached") and not uses and not boundaries:
            continue
        found.append(
            describe_policy(scope.account, policy, uses, boundaries, whole=False)
            if is_own
            else describe_aws_policy(policy, uses, boundaries)
        )
    return found


@operation("DeletePolicy", **_EXISTING)
async def delete_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a managed policy that is attached nowhere and has one version left."""
    check_own(request["PolicyArn"])
    await ctx.transact(_remove, request["PolicyArn"])
    return {}


async def _remove(tx: Transaction, scope: Scope, arn: str) -> None:
    policy = await store.load_policy(tx, scope, arn)
    if policy is None:
        raise no_policy(arn)
    if any(await _counted(tx, scope, arn)):
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    versions = await store.VERSIONS.scan(tx, scope, policy.key, limit=POLICY_VERSIONS_MAX)
    if len(versions) > 1:
        raise DeleteConflictException(
            "This policy has more than one version. Before you delete a policy, you must delete "
            "the policy's versions. The default version is deleted with the policy."
        )
    for version in versions:
        await store.VERSIONS.drop(tx, scope, policy.key, version.number)
    await store.POLICIES.drop(tx, scope, policy.key)


@operation("ListEntitiesForPolicy", resource=permissions.policy_named)
async def list_entities_for_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List to whom a managed policy is attached, or whose boundary it is."""
    found = await ctx.transact(_entities, request)
    shown = page("Entities", found, request, lambda one: list(one[:2]))
    lists: dict[str, Any] = {"PolicyUsers": [], "PolicyGroups": [], "PolicyRoles": []}
    for kind, name, identifier in shown.pop("Entities"):
        label = kind.capitalize()
        lists[f"Policy{label}s"].append({f"{label}Name": name, f"{label}Id": identifier})
    return {**shown, **lists}


async def _entities(
    tx: Transaction, scope: Scope, request: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    arn, under = request["PolicyArn"], request.get("PathPrefix") or "/"
    await _described(tx, scope, arn)
    usage, wanted = request.get("PolicyUsageFilter"), request.get("EntityFilter")
    found: set[tuple[str, str, str]] = set()
    for index, name in (("policy", "PermissionsPolicy"), ("boundary", "PermissionsBoundary")):
        if usage in (None, name):
            held = await store.attached_to(tx, scope, arn, index)  # type: ignore[arg-type] # Of the two above.
            for kind, entities in held.items():
                if wanted in (None, kind.capitalize()):
                    found |= {
                        (kind, one.name, one.id) for one in entities if one.path.startswith(under)
                    }
    return list(found)
