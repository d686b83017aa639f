"""The account as a whole: its alias, its numbers, and everything about its identities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import limits, store
from cumulet.services.iam.describe import (
    attached_list,
    boundary_of,
    describe_aws_policy,
    describe_aws_version,
    describe_group,
    describe_policy,
    describe_role,
    describe_user,
    describe_version,
    encoded,
    page,
    tag_list,
)
from cumulet.services.iam.errors import EntityAlreadyExistsException, NoSuchEntityException
from cumulet.services.iam.model import ROOT, Account, Entity, Group, Role, User
from cumulet.services.iam.policies.aws import aws_policies


@operation("CreateAccountAlias")
async def create_account_alias(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give the account a name instead of the one it has."""
    if not await ctx.transact(_name, request["AccountAlias"]):
        raise EntityAlreadyExistsException(
            f"The account alias {request['AccountAlias']} already exists."
        )
    return {}


async def _name(tx: Transaction, scope: Scope, alias: str) -> bool:
    holders = await store.ACCOUNTS.lookup(tx, store.EVERYWHERE, "alias", alias, limit=1)
    if holders:
        return holders[0].id == scope.account
    account = await _account(tx, scope)
    await store.ACCOUNTS.save(tx, store.EVERYWHERE, msgspec.structs.replace(account, alias=alias))
    return True


async def _account(tx: Transaction, scope: Scope) -> Account:
    found = await store.ACCOUNTS.load(tx, store.EVERYWHERE, scope.account)
    return found or Account(scope.account, 0.0)


@operation("ListAccountAliases")
async def list_account_aliases(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the name of the account, if it has one."""
    account = await ctx.transact(_account)
    aliases = [account.alias] if account.alias else []
    return {"AccountAliases": aliases, "IsTruncated": False}


@operation("DeleteAccountAlias")
async def delete_account_alias(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take the name from the account."""
    alias = request["AccountAlias"]

    async def work(tx: Transaction, scope: Scope) -> None:
        account = await _account(tx, scope)
        if account.alias != alias:
            raise NoSuchEntityException(f"The account alias {alias} cannot be found.")
        await store.ACCOUNTS.save(tx, store.EVERYWHERE, msgspec.structs.replace(account, alias=""))

    await ctx.transact(work)
    return {}


@operation("GetAccountSummary")
async def get_account_summary(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell how many identities and policies there are, and how many there may be."""
    return {"SummaryMap": await ctx.transact(_summary)}


async def _summary(tx: Transaction, scope: Scope) -> dict[str, int]:
    return {
        "Users": await store.count_of(tx, scope, "user"),
        "Groups": await store.count_of(tx, scope, "group"),
        "Roles": await store.count_of(tx, scope, "role"),
        "Policies": await store.count_of(tx, scope, "policy"),
        "PolicyVersionsInUse": await store.count_of(tx, scope, "policy-version"),
        "Providers": await store.count_of(tx, scope, "provider"),
        "AccountAccessKeysPresent": int(bool(await store.keys_of(tx, scope, ROOT))),
        "AccountMFAEnabled": 0,
        "AccountPasswordPresent": 0,
        "AccountSigningCertificatesPresent": 0,
        "InstanceProfiles": 0,
        "MFADevices": 0,
        "MFADevicesInUse": 0,
        "ServerCertificates": 0,
        "AccessKeysPerUserQuota": limits.ACCESS_KEYS_PER_USER_MAX,
        "GroupsPerUserQuota": limits.GROUPS_PER_USER_MAX,
        "AttachedPoliciesPerUserQuota": limits.ATTACHED_POLICIES_MAX,
        "AttachedPoliciesPerGroupQuota": limits.ATTACHED_POLICIES_MAX,
        "AttachedPoliciesPerRoleQuota": limits.ATTACHED_POLICIES_MAX,
        "VersionsPerPolicyQuota": limits.POLICY_VERSIONS_MAX,
        "UserPolicySizeQuota": limits.USER_POLICIES_SIZE_MAX,
        "GroupPolicySizeQuota": limits.GROUP_POLICIES_SIZE_MAX,
        "RolePolicySizeQuota": limits.ROLE_POLICIES_SIZE_MAX,
        "PolicySizeQuota": limits.MANAGED_POLICY_SIZE_MAX,
        "AssumeRolePolicySizeQuota": limits.TRUST_POLICY_SIZE_MAX,
        "GlobalEndpointTokenVersion": 2,
        **limits.SUMMARY_QUOTAS,
    }


@operation("GetAccountAuthorizationDetails")
async def get_account_authorization_details(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Tell everything about the account's users, groups, roles and policies, page by page."""
    items = await ctx.transact(_everything, request.get("Filter"))
    shown = page("Items", items, request, lambda item: list(item[:2]))
    lists: dict[str, Any] = {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [],
        "Policies": [],
    }
    for field, _, described in shown.pop("Items"):
        lists[field].append(described)
    return {**lists, **shown}


Item: TypeAlias = tuple[str, str, dict[str, Any]]


async def _everything(tx: Transaction, scope: Scope, wanted: list[str] | None) -> list[Item]:
    most = limits.ENTITIES_COUNTED_MAX
    items: list[Item] = []
    if wanted is None or "User" in wanted:
        for user in await store.USERS.scan(tx, scope, limit=most):
            items.append(("UserDetailList", user.key, await _user(tx, scope, user)))
    if wanted is None or "Group" in wanted:
        for group in await store.GROUPS.scan(tx, scope, limit=most):
            items.append(("GroupDetailList", group.key, _group(scope, group)))
    if wanted is None or "Role" in wanted:
        for role in await store.ROLES.scan(tx, scope, limit=most):
            items.append(("RoleDetailList", role.key, _role(scope, role)))
    if wanted is None or "LocalManagedPolicy" in wanted:
        items.extend(await _own_policies(tx, scope))
    if wanted is None or "AWSManagedPolicy" in wanted:
        items.extend(await _aws_policies(tx, scope))
    return items


def _held(entity: Entity, field: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "AttachedManagedPolicies": attached_list(entity.attached, {})["AttachedPolicies"],
        field: [
            {"PolicyName": name, "PolicyDocument": encoded(text)}
            for name, text in sorted(entity.inline.items())
        ],
    }
    if not isinstance(entity, Group):
        found["Tags"] = tag_list(entity.tags)
        if entity.boundary:
            found["PermissionsBoundary"] = boundary_of(entity)
    return found


async def _user(tx: Transaction, scope: Scope, user: User) -> dict[str, Any]:
    groups = [await store.GROUPS.load(tx, scope, key) for key in user.groups]
    return {
        **describe_user(scope.account, user, whole=False),
        **_held(user, "UserPolicyList"),
        "GroupList": [group.name for group in groups if group is not None],
    }


def _group(scope: Scope, group: Group) -> dict[str, Any]:
    return {**describe_group(scope.account, group), **_held(group, "GroupPolicyList")}


def _role(scope: Scope, role: Role) -> dict[str, Any]:
    found = {
        **describe_role(scope.account, role, whole=False),
        **_held(role, "RolePolicyList"),
        "InstanceProfileList": [],
    }
    for name in ("MaxSessionDuration", "Description"):
        found.pop(name, None)
    return found


async def _own_policies(tx: Transaction, scope: Scope) -> list[Item]:
    items: list[Item] = []
    for policy in await store.POLICIES.scan(tx, scope, limit=limits.ENTITIES_COUNTED_MAX):
        arn = policy.arn(scope.account)
        uses = await store.attached_to(tx, scope, arn, "policy")
        boundaries = await store.attached_to(tx, scope, arn, "boundary")
        versions = await store.VERSIONS.scan(
            tx, scope, policy.key, limit=limits.POLICY_VERSIONS_MAX
        )
        described = describe_policy(
            scope.account,
            policy,
            sum(map(len, uses.values())),
            sum(map(len, boundaries.values())),
        )
        described.pop("Tags")
        described["PolicyVersionList"] = [
            describe_version(version, policy, text=True) for version in reversed(versions)
        ]
        items.append(("Policies", arn, described))
    return items


async def _aws_policies(tx: Transaction, scope: Scope) -> list[Item]:
    """AWS's policies as far as they are attached to something."""
    items: list[Item] = []
    for arn, policy in aws_policies().items():
        uses = await store.attached_to(tx, scope, arn, "policy")
        count = sum(map(len, uses.values()))
        if count:
            described = describe_aws_policy(policy, count, 0)
            described["PolicyVersionList"] = [describe_aws_version(policy, text=True)]
            items.append(("Policies", arn, described))
    return items
