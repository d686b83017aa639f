"""The one path of every operation: constraints → policy → operation → trace."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from cumulet.core.clock import Clock, new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import (
    AwsError,
    InternalFailure,
    OperationNotImplemented,
    ServiceUnavailable,
    UnknownOperation,
)
from cumulet.core.http import Request
from cumulet.core.identity import Principal, Scope
from cumulet.core.trace import Trace, log_cause
from cumulet.kit.admission import Admission, Plan, unsigned
from cumulet.kit.ports import Policies
from cumulet.kit.service import Operation, Service
from cumulet.kv.contract import Store, Unavailable
from cumulet.wire.catalog import Catalog
from cumulet.wire.constraints import checker_of

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
        self._plans: dict[tuple[str, str], Plan] = {}
        self._admission = Admission()

    @property
    def inner_endpoint(self) -> str:
        """Where functions call back: over plain loopback when clients come by TLS."""
        return self.loopback or self.endpoint

    def provide(self, kind: type, part: Any) -> None:
        """Offer a part or port to every operation, by its type."""
        self._parts[kind] = part
        if kind is Policies:
            self._admission.policies = part

    def need(self, kind: type[T]) -> T:
        """The part of that type; a missing one is a mistake in the composition."""
        part: T = self._parts[kind]
        return part

    def transact(
        self,
        work: Callable[Concatenate[Any, Scope, P], Awaitable[T]],
        scope: Scope,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Coroutine[Any, Any, T]:
        """Run `work(tx, scope, …)` in one transaction."""
        return self.store.transact(lambda tx: work(tx, scope, *args, **kwargs))

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
        plan = self._plans.get((service_name, name))
        try:
            if plan is None:
                plan = self._plan(service_name, name)
            if plan.check is not None:
                plan.check(request)
            if not plan.is_open:
                await self._admission.admit(ctx, plan, request)
            elif ctx.caller.kind == "anonymous" and not plan.takes_unsigned:
                raise unsigned()
            return await plan.run(ctx, request)
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
            span = plan.span if plan is not None else f"{service_name}.{name}"
            ctx.trace.add_span(span, start, time.perf_counter())

    def _plan(self, service_name: str, name: str) -> Plan:
        operation = self.operation(service_name, name)
        model = self._catalog.service(service_name).operation(name)
        plan = Plan(
            operation, self.services[service_name], None if model is None else checker_of(model)
        )
        self._plans[service_name, name] = plan
        return plan

    def call(
        self, ctx: Context, service: str, operation: str, request: Mapping[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        """An operation called by another, in-process and as the same caller."""
        return self.run(ctx, service, operation, dict(request))

    async def authorize(
        self, ctx: Context, action: str, resource: str, conditions: Mapping[str, Any]
    ) -> None:
        """Raise AccessDenied unless the caller's identity policies allow it."""
        await self._admission.authorize(ctx, action, resource, conditions)
