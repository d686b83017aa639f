"""Whether a caller may do what is asked: which policies have a say, and what is remembered of it.

The rules of evaluation are in `policy/`; here is what they are asked, for each operation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, MissingAuthentication
from cumulet.core.identity import Principal, parse_arn
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import (
    Decided,
    IdentityPolicies,
    Policy,
    Question,
    decide,
    looks_at_context,
    looks_at_source_alone,
)
from cumulet.kit.ports import Policies
from cumulet.kit.service import Named, Naming, Operation, OwnedPolicies, Service, Target

DECISIONS_REMEMBERED_MAX = 64
"""Decisions that are kept for one identity, or one resource's policies, while these stay."""

_OWNERS_REMEMBERED_MAX = 4_096
_Memory = dict[tuple[str, ...], Decided]


class Plan:
    """One operation made ready to be run often."""

    __slots__ = (
        "actions",
        "check",
        "conditions",
        "is_open",
        "name_actions",
        "prefix",
        "resource",
        "resource_policy",
        "run",
        "span",
        "takes_unsigned",
    )

    def __init__(
        self, operation: Operation, service: Service, check: Callable[[Any], None] | None
    ) -> None:
        """`check` raises when a request breaks the model's constraints; None when there are none.

        `actions` are the full names of the actions to ask for, unless `name_actions` gives them.
        """
        self.run = operation.run
        self.check = check
        self.span = f"{service.name}.{operation.name}"
        self.prefix = service.prefix
        self.is_open = operation.access == "open"
        self.takes_unsigned = operation.takes_unsigned
        self.conditions = operation.conditions
        self.resource = operation.resource
        self.resource_policy = operation.resource_policy
        action = operation.action if operation.action is not None else operation.name
        self.name_actions = action if callable(action) else None
        self.actions = () if callable(action) else self.whole(action)

    def whole(self, actions: str | Sequence[str]) -> tuple[str, ...]:
        """Actions with their service's prefix."""
        given = (actions,) if isinstance(actions, str) else actions
        return tuple(name if ":" in name else f"{self.prefix}:{name}" for name in given)


class Admission:
    """Asks the policies before an operation runs."""

    def __init__(self) -> None:
        self.policies: Policies | None = None
        """The port that knows what binds a principal; without it nothing is allowed."""
        self._unbound = IdentityPolicies()

    async def admit(self, ctx: Context, plan: Plan, request: Any) -> None:
        """Raise MissingAuthentication or AccessDenied unless the caller may do this."""
        caller = ctx.caller
        if caller.kind == "anonymous" and not plan.takes_unsigned:
            raise unsigned()
        load = plan.resource_policy
        if load is None:
            resources = _value(plan.resource, ctx, request)
            if type(resources) is not str and isinstance(resources, Awaitable):
                resources = await resources
            # The root of an account may do anything there, and nothing in another's.
            if caller.is_root and _owns_all(caller, resources, ctx):
                return
            await self._decide_all(ctx, plan, request, None, resources)
            return
        owned = await load(ctx, request)
        if owned is not None and caller.is_root and owned.leaves_to(caller.account):
            ctx.trace.note_all(_ROOT_NOTE)
            return
        resources = _value(plan.resource, ctx, request)
        if type(resources) is not str and isinstance(resources, Awaitable):
            resources = await resources
        await self._decide_all(ctx, plan, request, owned, resources)

    async def authorize(
        self, ctx: Context, action: str, resource: str, conditions: Mapping[str, Any]
    ) -> None:
        """Raise AccessDenied unless the caller's identity policies allow it."""
        caller = ctx.caller
        if caller.is_root or caller.kind == "service":
            return
        identity = self._unbound
        if self.policies is not None and caller.kind not in _WITHOUT_POLICIES:
            identity = await self.policies.of(caller)
        looks = looks_at_context(action, identity, ())
        keys = {**condition_keys(ctx), **conditions} if looks else {}
        owner = ctx.scope.account
        name = (action, resource, owner, caller.kind, caller.account)
        decided = identity.decided.get(name)
        if decided is None:
            question = Question(caller, action, resource, keys)
            decided = _decided(question, identity, (), owner)
            if not looks:
                _remember(identity.decided, name, decided)
        _require(ctx, decided, action, resource)

    async def _decide_all(
        self,
        ctx: Context,
        plan: Plan,
        request: Any,
        owned: OwnedPolicies | None,
        resources: str | Sequence[str],
    ) -> None:
        caller = ctx.caller
        identity = self._unbound
        if self.policies is not None and caller.kind not in _WITHOUT_POLICIES:
            identity = await self.policies.of(caller)
        policies = owned.policies if owned is not None else ()
        memory: _Memory | None = identity.decided
        asker: tuple[str, ...] = (caller.kind, caller.account)
        if owned is not None and policies:
            memory = None
            told = caller.context.values()
            if caller.kind == "service" and all(type(value) is str for value in told):
                memory = owned.decided
                asker = (caller.arn, caller.account, *caller.context, *told)
        actions = plan.actions
        if plan.name_actions is not None:
            named = plan.name_actions(ctx, request)
            actions = plan.whole(await named if isinstance(named, Awaitable) else named)
        keys: dict[str, Any] | None = None
        for resource in (resources,) if type(resources) is str else resources:
            owner = owned.owner if owned is not None else owner_of(resource) or ctx.scope.account
            wanted = plan.whole(resource.actions) if isinstance(resource, Target) else actions
            for action in wanted:
                name = (action, resource, owner, *asker)
                decided = None if memory is None else memory.get(name)
                if decided is not None and decided.decision.allowed:
                    ctx.trace.note_all(decided.note)
                    continue
                if keys is None and looks_at_context(action, identity, policies):
                    keys = await _keys(ctx, plan, request)
                if keys is not None:
                    keys["aws:ResourceAccount"] = owner
                if decided is None:
                    question = Question(caller, action, resource, keys or {})
                    decided = _decided(question, identity, policies, owner)
                    if memory is not None and _holds_on(action, identity, policies):
                        _remember(memory, name, decided)
                _require(ctx, decided, action, resource)


def unsigned() -> MissingAuthentication:
    """The refusal of a caller who did not sign and had to."""
    return MissingAuthentication("Request is missing Authentication Token")


_WITHOUT_POLICIES = ("service", "anonymous", "root")
_ROOT_NOTE = {"iam_effect": "allow", "iam_reason": "account root"}


def _value(given: Naming, ctx: Context, request: Any) -> Named | Awaitable[Named]:
    return given(ctx, request) if callable(given) else given


async def _keys(ctx: Context, plan: Plan, request: Any) -> dict[str, Any]:
    """The condition keys of the request, with those of its service."""
    keys = condition_keys(ctx)
    if plan.conditions is not None:
        asked = plan.conditions(ctx, request)
        keys.update(await asked if isinstance(asked, Awaitable) else asked)
    return keys


def _owns_all(caller: Principal, resources: str | Sequence[str], ctx: Context) -> bool:
    account = caller.account
    if type(resources) is str:
        return (owner_of(resources) or ctx.scope.account) == account
    return all((owner_of(resource) or ctx.scope.account) == account for resource in resources)


@lru_cache(_OWNERS_REMEMBERED_MAX)
def owner_of(resource: str) -> str:
    """The account that an ARN names, or "" when it names none."""
    arn = parse_arn(resource)
    return arn.account if arn is not None and arn.account.isdigit() else ""


def _decided(
    question: Question, identity: IdentityPolicies, policies: tuple[Policy, ...], owner: str
) -> Decided:
    decision = decide(question, identity, policies, owner)
    return Decided(question.action, question.resource, decision)


def _holds_on(action: str, identity: IdentityPolicies, policies: tuple[Policy, ...]) -> bool:
    """Whether a decision on the action holds for every request of the same asker."""
    if policies:
        return looks_at_source_alone(action, policies)
    return not looks_at_context(action, identity, ())


def _remember(memory: _Memory, name: tuple[str, ...], decided: Decided) -> None:
    """Keep it until the policies it was made by are others."""
    if len(memory) >= DECISIONS_REMEMBERED_MAX:
        memory.clear()
    memory[name] = decided


def _require(ctx: Context, decided: Decided, action: str, resource: str) -> None:
    """Note the decision in the trace. Raises AccessDenied when it is not to allow."""
    ctx.trace.note_all(decided.note)
    if decided.decision.allowed:
        return
    raise AccessDenied(
        f"User: {ctx.caller.arn} is not authorized to perform: {action} "
        f"on resource: {resource} {decided.decision.reason}"
    )
