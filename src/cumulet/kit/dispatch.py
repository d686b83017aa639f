"""The one path of every operation: constraints → policy → operation → trace."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from cumulet.core.clock import Clock, new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import (
    AccessDenied,
    AwsError,
    InternalFailure,
    MissingAuthentication,
    OperationNotImplemented,
    ServiceUnavailable,
    UnknownOperation,
)
from cumulet.core.http import Request
from cumulet.core.identity import Principal, Scope, parse_arn
from cumulet.core.trace import Trace, log_cause
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import Decision, IdentityPolicies, Question, decide
from cumulet.kit.ports import Policies
from cumulet.kit.service import Naming, Operation, OwnedPolicies, Service
from cumulet.kv.contract import Store, Unavailable
from cumulet.wire.catalog import Catalog
from cumulet.wire.constraints import check

T = TypeVar("T")
P = ParamSpec("P")


class Dispatcher:
    """The platform as contexts see it: services by name, parts by type, one store, one clock."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        catalog: Catalog,
        services: Sequence[Service],
        endpoint: str,
    ) -> None:
        self.clock = clock
        self.endpoint = endpoint
        self.loopback = ""
        self.store = store
        self.services = {service.name: service for service in services}
        self._catalog = catalog
        self._parts: dict[type, Any] = {}
        self._policies: Policies | None = None

    @property
    def inner_endpoint(self) -> str:
        """Where functions call back: over plain loopback when clients come by TLS."""
        return self.loopback or self.endpoint

    def provide(self, kind: type, part: Any) -> None:
        """Offer a part or port to every operation, by its type."""
        self._parts[kind] = part
        if kind is Policies:
            self._policies = part

    def need(self, kind: type[T]) -> T:
        """The part of that type; a missing one is a mistake in the composition."""
        part: T = self._parts[kind]
        return part

    async def transact(
        self,
        work: Callable[Concatenate[Any, Scope, P], Awaitable[T]],
        scope: Scope,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `work(tx, scope, …)` in one transaction."""
        return await self.store.transact(lambda tx: work(tx, scope, *args, **kwargs))

    def context(
        self,
        scope: Scope,
        caller: Principal,
        *,
        request: Request | None = None,
        request_id: str = "",
        trace: Trace | None = None,
    ) -> Context:
        """A context for a new piece of work: a request, or a worker's unit."""
        return Context(
            self,
            scope,
            caller,
            request_id or new_uuid(self.clock),
            trace if trace is not None else Trace(),
            request,
        )

    def operation(self, service_name: str, name: str) -> Operation:
        """The implemented operation. Raises UnknownOperation or OperationNotImplemented."""
        service = self.services.get(service_name)
        if service is not None and (found := service.operations.get(name)) is not None:
            return found
        if self._catalog.service(service_name).operation(name) is None:
            raise UnknownOperation(f"Could not find operation {name}.")
        raise OperationNotImplemented(
            f"The {name} operation of {service_name} is not implemented in Cumulet."
        )

    async def run(self, ctx: Context, service_name: str, name: str, request: Any) -> Any:
        """Carry out one operation. Raises AwsError and nothing else."""
        start = time.perf_counter()
        try:
            operation = self.operation(service_name, name)
            model = self._catalog.service(service_name).operation(name)
            if model is not None:
                check(model, request)
            await self._admit(ctx, self.services[service_name], operation, request)
            return await operation.run(ctx, request)
        except AwsError:
            raise
        except Unavailable as cause:
            log_cause(ctx.request_id, "the store is unavailable", cause, operation=name)
            raise ServiceUnavailable("Service is unavailable. Please try again later.") from cause
        except Exception as cause:
            log_cause(
                ctx.request_id, "operation failed", cause, service=service_name, operation=name
            )
            raise InternalFailure(
                "The request processing has failed because of an unknown error."
            ) from cause
        finally:
            ctx.trace.add_span(f"{service_name}.{name}", start, time.perf_counter())

    async def call(
        self, ctx: Context, service: str, operation: str, request: Mapping[str, Any]
    ) -> Any:
        """An operation called by another, in-process and as the same caller."""
        return await self.run(ctx, service, operation, dict(request))

    async def authorize(
        self, ctx: Context, action: str, resource: str, conditions: Mapping[str, Any]
    ) -> None:
        """Raise AccessDenied unless the caller's identity policies allow it."""
        if ctx.caller.is_root or ctx.caller.kind == "service":
            return
        identity = await self._identity_of(ctx.caller)
        question = Question(ctx.caller, action, resource, {**condition_keys(ctx), **conditions})
        _require(ctx, question, decide(question, identity, (), ctx.scope.account))

    async def _admit(
        self, ctx: Context, service: Service, operation: Operation, request: Any
    ) -> None:
        caller = ctx.caller
        if caller.kind == "anonymous" and not operation.takes_unsigned:
            raise MissingAuthentication("Request is missing Authentication Token")
        if operation.access == "open":
            return
        load = operation.resource_policy
        if load is None and caller.is_root:
            # The root of an account may do anything there, and nothing in another's.
            named = await _names(operation.resource, ctx, request)
            if all(_owner(resource, ctx) == caller.account for resource in named):
                return
        owned = None if load is None else await load(ctx, request)
        if owned is not None and caller.is_root and owned.leaves_to(caller.account):
            ctx.trace.note(iam_effect="allow", iam_reason="account root")
            return
        await self._decide_all(ctx, service, operation, request, owned)

    async def _decide_all(
        self,
        ctx: Context,
        service: Service,
        operation: Operation,
        request: Any,
        owned: OwnedPolicies | None,
    ) -> None:
        identity = await self._identity_of(ctx.caller)
        keys = condition_keys(ctx)
        if operation.conditions is not None:
            asked = operation.conditions(ctx, request)
            keys.update(await asked if isinstance(asked, Awaitable) else asked)
        policies = owned.policies if owned is not None else ()
        actions = await _names(operation.action, ctx, request, operation.name)
        for resource in await _names(operation.resource, ctx, request):
            owner = owned.owner if owned is not None else _owner(resource, ctx)
            keys["aws:ResourceAccount"] = owner
            for action in actions:
                full = action if ":" in action else f"{service.prefix}:{action}"
                question = Question(ctx.caller, full, resource, keys)
                _require(ctx, question, decide(question, identity, policies, owner))

    async def _identity_of(self, caller: Principal) -> IdentityPolicies:
        if self._policies is None or caller.kind in ("service", "anonymous", "root"):
            return IdentityPolicies()
        return await self._policies.of(caller)


async def _names(
    given: Naming | None,
    ctx: Context,
    request: Any,
    default: str = "*",
) -> Sequence[str]:
    if given is None:
        return (default,)
    value = given(ctx, request) if callable(given) else given
    if isinstance(value, Awaitable):
        value = await value
    return (value,) if isinstance(value, str) else value


def _owner(resource: str, ctx: Context) -> str:
    arn = parse_arn(resource)
    return arn.account if arn is not None and arn.account.isdigit() else ctx.scope.account


def _require(ctx: Context, question: Question, decision: Decision) -> None:
    ctx.trace.note(
        iam_action=question.action,
        iam_resource=question.resource,
        iam_effect=decision.effect,
        iam_reason=decision.reason,
        iam_policies=decision.policies,
    )
    if decision.allowed:
        return
    raise AccessDenied(
        f"User: {question.caller.arn} is not authorized to perform: {question.action} "
        f"on resource: {question.resource} {decision.reason}"
    )
