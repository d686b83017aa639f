"""The context of one operation: complete when made, and never changed afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from cumulet.core import trace_header
from cumulet.core.clock import Clock
from cumulet.core.http import Request
from cumulet.core.identity import Principal, Scope
from cumulet.core.trace import Trace

T = TypeVar("T")
P = ParamSpec("P")


class Platform(Protocol):
    """What a context can reach; `kit/dispatch.py` implements it."""

    @property
    def clock(self) -> Clock:
        """The one clock."""
        ...

    @property
    def endpoint(self) -> str:
        """The base URL that clients and printed links use, without a final slash."""
        ...

    @property
    def inner_endpoint(self) -> str:
        """The base URL by which functions on this machine call back."""
        ...

    async def transact(
        self,
        work: Callable[Concatenate[Any, Scope, P], Awaitable[T]],
        scope: Scope,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `work(tx, scope, …)` in one transaction; see `kv/transact.py`."""
        ...

    async def call(
        self, ctx: Context, service: str, operation: str, request: Mapping[str, Any]
    ) -> Any:
        """Run another operation in-process, with constraints, policy and trace."""
        ...

    async def authorize(
        self, ctx: Context, action: str, resource: str, conditions: Mapping[str, Any]
    ) -> None:
        """Raise AccessDenied unless the caller's identity may do `action` on `resource`."""
        ...

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
        ...

    def need(self, kind: type[T]) -> T:
        """The part of the application of that type."""
        ...


class Context:
    """Everything an operation may use, whole at birth.

    `request` is the HTTP request when the call came over the wire, else None.
    """

    __slots__ = (
        *("_carried", "_platform", "caller", "clock", "request", "request_id", "scope", "trace"),
    )

    def __init__(
        self,
        platform: Platform,
        scope: Scope,
        caller: Principal,
        request_id: str,
        trace: Trace,
        request: Request | None = None,
        carried: str = "",
    ) -> None:
        self._platform = platform
        self._carried = carried
        self.scope = scope
        self.caller = caller
        self.request_id = request_id
        self.trace = trace
        self.request = request
        self.clock = platform.clock

    @property
    def endpoint(self) -> str:
        """The base URL of this cloud as clients and printed links use it."""
        return self._platform.endpoint

    @property
    def trace_header(self) -> str:
        """X-Ray's header for whoever is called in this work; empty when none came with it.

        It is the request's own, unless what is called has a segment of its own in the trace.
        """
        if self._carried or self.request is None:
            return self._carried
        return self.request.headers.first.get(trace_header.NAME, "")

    @property
    def kept_trace_header(self) -> str:
        """X-Ray's header as it is kept with what is handed on later; empty when it names no trace.

        It has the functions on the way here as well, by which Lambda finds loops.
        """
        header = self.trace_header
        return header if header and trace_header.names_trace(header) else ""

    # These hand on the platform's coroutines: a step less for what every request waits for.

    def transact(
        self,
        work: Callable[Concatenate[Any, Scope, P], Awaitable[T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Coroutine[Any, Any, T]:
        """Run `work(tx, scope, …)` in one transaction, retried on conflict.

        Make ids, times and random values before; do nothing inside but the transaction's own reads
        and writes.
        """
        return self._platform.transact(work, self.scope, *args, **kwargs)

    def call(self, service: str, operation: str, /, **request: Any) -> Coroutine[Any, Any, Any]:
        """Run an AWS operation in-process as this caller; raises AwsError as the wire would."""
        return self._platform.call(self, service, operation, request)

    async def authorize(self, action: str, resource: str, **conditions: Any) -> None:
        """Ask for a further permission, such as `iam:PassRole`. Raises AccessDenied.

        Condition keys are given with `_` for `:`, e.g. `iam_PassedToService=…`.
        """
        keys = {name.replace("_", ":", 1): value for name, value in conditions.items()}
        await self._platform.authorize(self, action, resource, keys)

    def need(self, kind: type[T]) -> T:
        """A part of the application (a port, a pool) by its type."""
        return self._platform.need(kind)

    def acting_as(self, caller: Principal, *, region: str | None = None) -> Context:
        """The same request carried on by another principal, in that principal's account."""
        scope = Scope(caller.account or self.scope.account, region or self.scope.region)
        return Context(
            *(self._platform, scope, caller, self.request_id, self.trace, self.request),
            self._carried,
        )

    def carrying(self, header: str) -> Context:
        """The same work, in which `header` is X-Ray's header for whoever is called."""
        return Context(
            *(self._platform, self.scope, self.caller, self.request_id, self.trace, self.request),
            header,
        )
