"""A dispatcher with a service of the tests' own, made of operations that IAM's model has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cumulet.core.clock import Clock, ManualClock
from cumulet.core.context import Context
from cumulet.core.identity import Principal, Scope, root_principal
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.policy import IdentityPolicies
from cumulet.kit.ports import Policies
from cumulet.kit.service import Operation, Service
from cumulet.kv.memory import MemoryStore
from cumulet.wire.catalog import Catalog

ACCOUNT = "123456789012"
SCOPE = Scope(ACCOUNT, "us-east-1")
USER = Principal("user", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/bob", "AIDA")
ROOT = root_principal(ACCOUNT)


class Held:
    """The port that knows policies, here with the same for everybody."""

    def __init__(self, policies: IdentityPolicies) -> None:
        self.policies = policies
        self.asked = 0

    async def of(self, principal: Principal) -> IdentityPolicies:
        self.asked += 1
        return self.policies


class Stand:
    """A dispatcher over a store in memory."""

    def __init__(self, cache: Path, *operations: Operation, clock: Clock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.store = MemoryStore()
        self.held = Held(IdentityPolicies())
        service = Service("iam", "iam", {one.name: one for one in operations})
        self.dispatcher = Dispatcher(
            store=self.store,
            clock=self.clock,
            catalog=Catalog(cache, ("iam",)),
            services=(service,),
            endpoint="http://here",
        )
        self.dispatcher.provide(Policies, self.held)

    def context(self, caller: Principal = USER) -> Context:
        return self.dispatcher.context(SCOPE, caller, request_id="id-1")

    async def run(self, name: str, request: Any, caller: Principal = USER) -> Any:
        return await self.dispatcher.run(self.context(caller), "iam", name, request)


def operation(name: str, run: Callable[[Context, Any], Any], **settings: Any) -> Operation:
    async def carry_out(ctx: Context, request: Any) -> Any:
        return run(ctx, request)

    return Operation(name, carry_out, **settings)
