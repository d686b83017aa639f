"""Handing a batch to its function, and reading what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from cumulet.core.clock import new_hex, new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Principal
from cumulet.sandbox import Failed
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.model import Version
from cumulet.services.lambda_.running.functions import Call, Functions
from cumulet.services.lambda_.running.live import Entry
from cumulet.services.lambda_.running.session import CANNOT_ASSUME
from cumulet.services.lambda_.running.tracing.lineage import joined
from cumulet.services.lambda_.sources.model import Mapping

_encode = msgspec.json.Encoder().encode


class Result(NamedTuple):
    """What came of a batch: whether it failed as a whole, which items did, and the answer."""

    failed: bool
    items: frozenset[str]
    answer: Any
    request_id: str
    version: str
    function_error: str


class Feeder:
    """Invokes the function of one mapping, and acts for it towards its source."""

    def __init__(self, ctx: Context, mapping: Mapping) -> None:
        self.ctx = ctx
        self.mapping = mapping
        self._functions = ctx.need(Functions)
        self.ref = FunctionRef(ctx.scope, mapping.function, mapping.qualifier)

    async def entry(self) -> Entry:
        """The function as it is now. Raises ResourceNotFoundException."""
        return await self._functions.live.find(self.ref)

    async def as_role(self) -> Context:
        """A context in the name of the function's execution role. Raises AccessDenied."""
        version = (await self.entry()).version
        principal = await self._principal(version)
        return self.ctx.acting_as(principal, region=self.ctx.scope.region)

    async def _principal(self, version: Version) -> Principal:
        runnable = await self._functions.prepare(self.ctx, self.ctx.scope, version)
        if runnable.session.principal is None:
            raise AccessDenied(CANNOT_ASSUME)
        return runnable.session.principal

    async def deliver(
        self, event: dict[str, Any], ids: Iterable[str], traces: Iterable[str] = ()
    ) -> Result:
        """Invoke the function with the event of a batch.

        Raises TooManyRequestsException and what else keeps the function from being run.
        """
        entry = await self.entry()
        clock = self.ctx.clock
        request_id = new_uuid(clock)
        trace, links = joined(traces)
        trace = trace or f"Root=1-{int(clock.now()):08x}-{new_hex(clock, 24)}"
        call = Call(request_id, _encode(event), trace, links=links)
        ran = await self._functions.run(self.ctx, entry, self._functions.pick(entry), call)
        if isinstance(ran.outcome, Failed):
            kind = "Unhandled"
            return Result(True, frozenset(), None, request_id, ran.version, kind)
        try:
            answer = json.loads(ran.outcome.payload or b"null")
        except ValueError:
            answer = None
        failed, items = self._read(answer, ids)
        return Result(failed, items, answer, request_id, ran.version, "")

    def _read(self, answer: Any, ids: Iterable[str]) -> tuple[bool, frozenset[str]]:
        """Whether the batch failed as a whole, and the items that the function reports.

        An answer that does not have the form, or names what was not in the batch, is a failure.
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        nothing: frozenset[str] = frozenset()
        if not self.mapping.reports_items or not answer:
            return False, nothing
        if not isinstance(answer, dict):
            return True, nothing
        failures = answer.get("batchItemFailures")
        if not failures:
            return (False, nothing) if failures in (None, []) else (True, nothing)
        known = set(ids)
        found = set()
        for one in failures if isinstance(failures, list) else [None]:
            name = one.get("itemIdentifier") if isinstance(one, dict) else None
            if not isinstance(name, str) or name not in known:
                return True, nothing
            found.add(name)
        return False, frozenset(found)
