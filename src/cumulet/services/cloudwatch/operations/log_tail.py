"""Live tail: events told as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.errors import InvalidParameterException, no_group
from cumulet.services.cloudwatch.limits import TAIL_SECONDS_MAX
from cumulet.services.cloudwatch.logs.tailing import IsWanted, Tail, Tails
from cumulet.services.cloudwatch.model import group_arn
from cumulet.services.cloudwatch.operations.log_group import name_of
from cumulet.services.cloudwatch.operations.log_search import read_pattern

Request = dict[str, Any]

_STEP_SECONDS = 1.0


class SessionTimeoutException(AwsError):
    """A session ends after three hours."""


def _names(ctx: Context, request: Request) -> list[str]:
    return [name_of(ctx, {"logGroupIdentifier": one}) for one in request["logGroupIdentifiers"]]


def _tailed(ctx: Context, request: Request) -> list[str]:
    return [group_arn(ctx.scope, name) for name in _names(ctx, request)]


@operation("StartLiveTail", resource=_tailed)
async def start_live_tail(ctx: Context, request: Request) -> Request:
    """Tell the events of groups as they arrive, once a second, until the client goes."""
    names, is_wanted = _names(ctx, request), _wanted(request)

    async def read(tx: Transaction, scope: Scope) -> bool:
        return all([await store.load_group(tx, scope, name) for name in names])

    if not await ctx.transact(read):
        raise no_group()
    tail = Tail(ctx.scope, names, is_wanted)
    ctx.need(Tails).open(tail)
    return {"responseStream": _told(ctx, tail, request)}


def _wanted(request: Request) -> IsWanted:
    streams = request.get("logStreamNames") or []
    prefixes = tuple(request.get("logStreamNamePrefixes") or ())
    if streams and prefixes:
        raise InvalidParameterException(
            "logStreamNames and logStreamNamePrefixes are mutually exclusive parameters."
        )
    if (streams or prefixes) and len(request["logGroupIdentifiers"]) > 1:
        raise InvalidParameterException("Streams can be named for a single log group only.")
    matches = read_pattern(request.get("logEventFilterPattern") or "")

    def is_wanted(stream: str, message: str) -> bool:
        if streams and stream not in streams:
            return False
        return (not prefixes or stream.startswith(prefixes)) and matches(message)

    return is_wanted


async def _told(ctx: Context, tail: Tail, request: Request) -> AsyncIterator[Request]:
    began = ctx.clock.monotonic()
    start: Request = {"requestId": ctx.request_id, "sessionId": new_uuid(ctx.clock)}
    for key in ("logStreamNames", "logStreamNamePrefixes", "logEventFilterPattern"):
        if request.get(key):
            start[key] = request[key]
    start["logGroupIdentifiers"] = list(request["logGroupIdentifiers"])
    try:
        yield {"sessionStart": start}
        while ctx.clock.monotonic() - began < TAIL_SECONDS_MAX:
            await ctx.clock.sleep(_STEP_SECONDS)
            yield {"sessionUpdate": tail.take()}
        raise SessionTimeoutException("Live Tail session has timed out.")
    finally:
        ctx.need(Tails).close(tail)
