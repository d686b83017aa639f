"""The decision over all the policies that a request meets."""

from __future__ import annotations

from collections.abc import Iterable

from cumulet.kit.policy.model import Decision, IdentityPolicies, Policy, Question
from cumulet.kit.policy.patterns import Facts
from cumulet.kit.policy.principals import Named
from cumulet.kit.policy.statements import Statement, statements_on

_SOURCE_KEYS = frozenset({"aws:sourcearn", "aws:sourceaccount"})
_LIMITED_TO_RESOURCE = ("service", "anonymous")
"""Callers without policies of their own."""


def decide(
    question: Question,
    identity: IdentityPolicies,
    resource: tuple[Policy, ...],
    owner: str,
    *,
    resource_must_allow: bool = False,
) -> Decision:
    """Evaluate; `owner` is the account of the resource.

    `resource_must_allow` is for resources whose own policy always has a say, such as roles: there
    an identity policy alone never suffices.

    Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    facts = Facts(question.context)
    denied, named, granting = _ask_resource(resource, question, facts) if resource else _UNSPOKEN
    if denied:
        return _denied("a resource-based policy", denied)
    own = _ask(identity.identity, question, facts)
    if own.denied:
        return _denied("an identity-based policy", own.denied)
    bound = _ask((identity.boundary,), question, facts) if identity.boundary else _UNBOUND
    if bound.denied:
        return _denied("a permissions boundary", bound.denied)
    session = _ask(identity.session, question, facts) if identity.session else _UNBOUND
    if session.denied:
        return _denied("a session policy", session.denied)
    caller = question.caller
    if named is Named.no and (resource_must_allow or caller.kind in _LIMITED_TO_RESOURCE):
        return _refused("resource-based policy", question)
    if caller.kind in _LIMITED_TO_RESOURCE:
        return Decision("allow", "resource-based policy", granting)
    local = caller.account == owner
    if local and named is Named.direct:
        return Decision("allow", "resource-based policy", granting)
    if not caller.is_root:
        granted = bool(own.allowed) or (local and named is Named.role)
        for allows, kind in (
            (granted, "identity-based policy"),
            (bound.allowed, "permissions boundary"),
            (session.allowed, "session policy"),
        ):
            if not allows:
                return _refused(kind, question)
    if not local and named is Named.no:
        return _refused("resource-based policy", question)
    if caller.is_root and not own.allowed:
        return Decision("allow", "account root", granting)
    return Decision("allow", "identity-based policy", own.allowed or granting)


def looks_at_context(action: str, identity: IdentityPolicies, resource: tuple[Policy, ...]) -> bool:
    """Whether a condition or a variable has a part in decisions on this action.

    Where none has, `decide` comes to the same for every context.
    """
    for policies in (identity.identity, identity.session, resource):
        for policy in policies:
            for statement in statements_on(policy, action):
                if statement.keys:
                    return True
    boundary = identity.boundary
    return boundary is not None and any(item.keys for item in statements_on(boundary, action))


def looks_at_source_alone(action: str, policies: tuple[Policy, ...]) -> bool:
    """Whether a resource's policies ask nothing of a service's request but on whose behalf it is.

    That comes with the service's principal, so that `decide` comes to the same for the same one.
    """
    for policy in policies:
        for statement in statements_on(policy, action):
            if not {key.lower() for key in statement.keys} <= _SOURCE_KEYS:
                return False
    return True


class _Voices:
    """Which policies of one kind deny and which allow."""

    __slots__ = ("allowed", "denied")

    def __init__(self, denied: tuple[str, ...], allowed: tuple[str, ...]) -> None:
        self.denied = denied
        self.allowed = allowed


_UNBOUND = _Voices((), ("",))
_SILENT = _Voices((), ())
_UNSPOKEN: tuple[tuple[str, ...], Named, tuple[str, ...]] = ((), Named.no, ())


def _ask(policies: Iterable[Policy], question: Question, facts: Facts) -> _Voices:
    denied: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    action, resource = question.action, question.resource
    for policy in policies:
        for statement in statements_on(policy, action):
            if statement.applies(resource, facts):
                if statement.denies:
                    denied = (*denied, policy.name)
                else:
                    allowed = (*allowed, policy.name)
    return _Voices(denied, allowed) if denied or allowed else _SILENT


def _ask_resource(
    policies: tuple[Policy, ...], question: Question, facts: Facts
) -> tuple[tuple[str, ...], Named, tuple[str, ...]]:
    denied: tuple[str, ...] = ()
    granting: tuple[str, ...] = ()
    best = Named.no
    for policy in policies:
        for statement in statements_on(policy, question.action):
            named = _named(statement, question)
            if named is Named.no or not statement.applies(question.resource, facts):
                continue
            if statement.denies:
                denied = (*denied, policy.name)
            else:
                granting = (*granting, policy.name)
                best = max(best, named)
    return denied, best, granting


def _named(statement: Statement, question: Question) -> Named:
    principals = statement.principals
    if principals is None:
        return Named.no
    if not statement.not_principal:
        return principals.name(question.caller)
    if statement.denies:
        return Named.no if principals.name_whole(question.caller) else Named.direct
    # An exception from a permission spares everyone who is named in any way.
    return Named.role if principals.name(question.caller) is Named.no else Named.no


def _denied(kind: str, policies: tuple[str, ...]) -> Decision:
    return Decision("deny", f"with an explicit deny in {kind}", policies)


def _refused(kind: str, question: Question) -> Decision:
    return Decision("implicit_deny", f"because no {kind} allows the {question.action} action")
