"""Whether a caller may take on a role, and what the session carries from its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, ConstraintViolation
from cumulet.core.identity import Principal, Scope
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import IdentityPolicies, Question, decide, parse_policy
from cumulet.kit.ports import Policies
from cumulet.services.iam.limits import SESSION_TAGS_MAX
from cumulet.services.iam.model import Role

SOURCE_IDENTITY: Final = "aws:SourceIdentity"
TRANSITIVE_KEYS: Final = "cumulet:TransitiveTagKeys"
ISSUER_ID: Final = "cumulet:IssuerId"
"""Condition keys by which a session tells the next one what must be kept."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request wants of a session."""

    name: str
    tags: dict[str, str] = {}
    transitive: tuple[str, ...] = ()
    source_identity: str = ""
    external_id: str | None = None

    def actions(self, action: str) -> list[str]:
        """The actions that the trust policy must allow."""
        asked = [action]
        if self.tags or self.transitive:
            asked.append("sts:TagSession")
        if self.source_identity:
            asked.append("sts:SetSourceIdentity")
        return asked

    def keys(self) -> dict[str, Any]:
        """The condition keys that the request tells."""
        keys: dict[str, Any] = {"sts:RoleSessionName": self.name}
        if self.external_id is not None:
            keys["sts:ExternalId"] = self.external_id
        if self.source_identity:
            keys["sts:SourceIdentity"] = self.source_identity
        if self.transitive:
            keys["sts:TransitiveTagKeys"] = list(self.transitive)
        for name, value in self.tags.items():
            keys[f"aws:RequestTag/{name}"] = value
        if self.tags:
            keys["aws:TagKeys"] = list(self.tags)
        return keys


def read_session_tags(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Session tags. Raises ConstraintViolation when two have the same key."""
    tags = {tag["Key"]: tag["Value"] for tag in given}
    if len({name.lower() for name in tags}) != len(given):
        raise ConstraintViolation(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if len(tags) > SESSION_TAGS_MAX:
        raise ConstraintViolation(f"A session can have at most {SESSION_TAGS_MAX} tags.")
    return tags


async def check_trust_of(
    ctx: Context, scope: Scope, role: Role, asked: Asked, action: str, caller: Principal
) -> None:
    """Raise AccessDenied unless the role's trust, and the caller's policies, allow it.

    A service acts for one account, and takes on roles of that account only.
    """
    arn = role.arn(scope.account)
    own = IdentityPolicies()
    if caller.kind in ("user", "role") or (caller.kind == "federated" and caller.policy_arn):
        own = await ctx.need(Policies).of(caller)
    trust = (parse_policy("trust", role.trust),)
    as_caller = ctx if caller is ctx.caller else ctx.acting_as(caller)
    keys = {**condition_keys(as_caller), **asked.keys(), "aws:ResourceAccount": scope.account}
    for name, value in role.tags.items():
        keys[f"aws:ResourceTag/{name}"] = value
        keys[f"iam:ResourceTag/{name}"] = value
    foreign = caller.kind == "service" and caller.account not in ("", scope.account)
    for each in asked.actions(action):
        question = Question(caller, each, arn, keys)
        decision = decide(question, own, trust, scope.account, resource_must_allow=True)
        ctx.trace.note(
            iam_action=each,
            iam_resource=arn,
            iam_effect=decision.effect,
            iam_reason=decision.reason,
            iam_policies=decision.policies,
        )
        if foreign or not decision.allowed:
            raise refused(caller, each, arn)


def refused(caller: Principal, action: str, role_arn: str) -> AccessDenied:
    """AWS's answer for a role that is not there and for one that may not be assumed alike."""
    return AccessDenied(
        f"User: {caller.arn} is not authorized to perform: {action} on resource: {role_arn}"
    )


def role_session(
    scope: Scope, role: Role, asked: Asked, caller: Principal, issued: str
) -> Principal:
    """Who the session is: the role, with what the request and the caller's session add."""
    kept = {
        name: caller.tags[name]
        for name in caller.context.get(TRANSITIVE_KEYS, ())
        if name in caller.tags
    }
    if {name.lower() for name in kept} & {name.lower() for name in asked.tags}:
        raise ConstraintViolation(
            "One of the specified tag keys can't be set because it conflicts with a transitive tag "
            "key from the calling session."
        )
    context: dict[str, Any] = {"aws:TokenIssueTime": issued}
    transitive = [*kept, *asked.transitive]
    if transitive:
        context[TRANSITIVE_KEYS] = transitive
    source = asked.source_identity or caller.context.get(SOURCE_IDENTITY)
    if source:
        context[SOURCE_IDENTITY] = source
    return Principal(
        kind="role",
        account=scope.account,
        arn=f"arn:aws:sts::{scope.account}:assumed-role/{role.name}/{asked.name}",
        user_id=f"{role.id}:{asked.name}",
        policy_arn=role.arn(scope.account),
        tags={**role.tags, **kept, **asked.tags},
        context=context,
    )
