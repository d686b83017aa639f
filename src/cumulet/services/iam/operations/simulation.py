"""What policies would decide, asked without doing anything.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Principal, Scope, parse_arn, root_principal
from cumulet.kit.policy import (
    Decision,
    IdentityPolicies,
    MalformedPolicy,
    Policy,
    Question,
    decide,
    parse_policy,
)
from cumulet.kit.ports import Policies
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.describe import page
from cumulet.services.iam.errors import InvalidInputException, NoSuchEntityException
from cumulet.services.iam.limits import SIMULATED_PAIRS_MAX
from cumulet.services.iam.model import Entity
from cumulet.services.iam.policies.aws import is_aws_arn

_WORDS = {"allow": "allowed", "deny": "explicitDeny", "implicit_deny": "implicitDeny"}


def _source(ctx: Context, request: Mapping[str, Any]) -> str:
    arn: str = request["PolicySourceArn"]
    return arn


@operation("SimulateCustomPolicy")
async def simulate_custom_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what the policies in the request would decide."""
    account = ctx.scope.account
    arn = request.get("CallerArn") or f"arn:aws:iam::{account}:user/simulated"
    caller = Principal("user", account, arn, "", arn)
    policies = IdentityPolicies(_parsed(request.get("PolicyInputList", ()), "PolicyInputList"))
    return _simulate(request, caller, policies)


@operation("SimulatePrincipalPolicy", resource=_source)
async def simulate_principal_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what the policies of a user, group or role would decide."""
    arn = request["PolicySourceArn"]
    entity, kind = await ctx.transact(_entity, arn)
    given = _parsed(request.get("PolicyInputList", ()), "PolicyInputList")
    if kind == "group":
        own = await ctx.transact(_group_policies, entity)
        return _simulate(request, _caller(request, arn, "user"), IdentityPolicies((*own, *given)))
    principal = Principal(kind, ctx.scope.account, arn, entity.id, arn)
    bound = await ctx.need(Policies).of(principal)
    policies = IdentityPolicies((*bound.identity, *given), bound.boundary)
    return _simulate(request, _caller(request, arn, kind), policies)


def _caller(request: Mapping[str, Any], arn: str, kind: str) -> Principal:
    arn = request.get("CallerArn", arn)
    parsed = parse_arn(arn)
    if parsed is None:
        raise InvalidInputException(f"ARN {arn} is not valid.")
    if parsed.resource == "root":
        return root_principal(parsed.account)
    return Principal(kind, parsed.account, arn, "", arn)


async def _entity(tx: Transaction, scope: Scope, arn: str) -> tuple[Entity, str]:
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "iam":
        raise InvalidInputException(
            f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )
    kind, _, rest = parsed.resource.partition("/")
    found: Entity | None = None
    if kind in ("user", "group", "role") and parsed.account == scope.account:
        name = rest.rsplit("/", 1)[-1]
        found = await store.load_entity(tx, scope, kind, name)  # type: ignore[arg-type] # As asked above.
    if found is None or found.arn(scope.account) != arn:
        raise NoSuchEntityException(f"The {kind} with name {rest} cannot be found.")
    return found, kind


async def _group_policies(tx: Transaction, scope: Scope, group: Entity) -> tuple[Policy, ...]:
    texts = dict(group.inline)
    for arn in group.attached:
        text = await store.load_any_document(tx, scope, arn)
        if text is not None:
            texts[arn] = text
    return tuple(parse_policy(name, text) for name, text in texts.items())


def _parsed(texts: Iterable[str], field: str) -> tuple[Policy, ...]:
    try:
        return tuple(
            parse_policy(f"{field}.{number}", text) for number, text in enumerate(texts, 1)
        )
    except MalformedPolicy as cause:
        raise InvalidInputException(f"Invalid input in {field}: {cause}") from cause


def _simulate(
    request: Mapping[str, Any], caller: Principal, policies: IdentityPolicies
) -> dict[str, Any]:
    actions = request["ActionNames"]
    resources = request.get("ResourceArns") or ["*"]
    if len(actions) * len(resources) > SIMULATED_PAIRS_MAX:
        raise InvalidInputException(
            f"At most {SIMULATED_PAIRS_MAX} pairs of action and resource can be simulated at once."
        )
    boundary = _parsed(
        request.get("PermissionsBoundaryPolicyInputList", ()),
        "PermissionsBoundaryPolicyInputList",
    )
    if boundary:
        policies = IdentityPolicies(policies.identity, boundary[0])
    text = request.get("ResourcePolicy")
    resource_policies = _parsed([text], "ResourcePolicy") if text else ()
    owner = _owner(request, caller)
    keys = {
        entry["ContextKeyName"]: entry.get("ContextKeyValues", [])
        for entry in request.get("ContextEntries", ())
    }
    results = []
    for action in actions:
        for resource in resources:
            question = Question(caller, action, resource, keys)
            decision = decide(question, policies, resource_policies, owner)
            results.append(_result(question, decision, policies))
    numbered = page("Numbered", enumerate(results), request, lambda one: one[0])
    return {"EvaluationResults": [result for _, result in numbered.pop("Numbered")], **numbered}


def _owner(request: Mapping[str, Any], caller: Principal) -> str:
    given: str = request.get("ResourceOwner", "")
    parsed = parse_arn(given)
    return parsed.account if parsed is not None else given or caller.account


def _result(question: Question, decision: Decision, policies: IdentityPolicies) -> dict[str, Any]:
    found: dict[str, Any] = {
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": _WORDS[decision.effect],
        "MatchedStatements": [
            {"SourcePolicyId": name.rsplit("/", 1)[-1], "SourcePolicyType": _kind_of(name)}
            for name in decision.policies
        ],
        "MissingContextValues": _missing(question, policies),
    }
    if policies.boundary is not None:
        alone = decide(
            question, IdentityPolicies((policies.boundary,)), (), question.caller.account
        )
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": alone.allowed}
    return found


def _kind_of(name: str) -> str:
    if is_aws_arn(name):
        return "aws-managed"
    if name.startswith("arn:"):
        return "user-managed"
    return "resource" if name.startswith("ResourcePolicy") else "none"


def _missing(question: Question, policies: IdentityPolicies) -> list[str]:
    given = {name.lower() for name in question.context}
    bound = (*policies.identity, *((policies.boundary,) if policies.boundary else ()))
    return [key for key in _keys(bound) if key.lower() not in given]


@operation("GetContextKeysForCustomPolicy")
async def get_context_keys_for_custom_policy(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Tell which condition keys the policies in the request look at."""
    return {"ContextKeyNames": _keys(_parsed(request["PolicyInputList"], "PolicyInputList"))}


@operation("GetContextKeysForPrincipalPolicy", resource=_source)
async def get_context_keys_for_principal_policy(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Tell which condition keys the policies of a user, group or role look at."""
    entity, kind = await ctx.transact(_entity, request["PolicySourceArn"])
    if kind == "group":
        own = await ctx.transact(_group_policies, entity)
    else:
        arn = request["PolicySourceArn"]
        principal = Principal(kind, ctx.scope.account, arn, entity.id, arn)
        own = (await ctx.need(Policies).of(principal)).identity
    given = _parsed(request.get("PolicyInputList", ()), "PolicyInputList")
    return {"ContextKeyNames": _keys((*own, *given))}


def _keys(policies: Iterable[Policy]) -> list[str]:
    return sorted({key for policy in policies for item in policy.statements for key in item.keys})
