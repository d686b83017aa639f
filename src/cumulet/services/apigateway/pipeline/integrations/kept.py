"""Answers that a stage's cache keeps: their keys, their time, and who may ask past them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from cumulet.core.context import Context
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import IdentityPolicies, Question, decide
from cumulet.kit.ports import Policies
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import access_denied
from cumulet.services.apigateway.pipeline.integrations.mapped import assigned, facts_of
from cumulet.services.apigateway.pipeline.validate import Admitted
from cumulet.services.apigateway.rules.names import invoke_arn

ANSWER_BYTES_MAX = 1_048_576
"""The largest answer that is kept."""

STAGE_BYTES_MAX = 67_108_864
"""What is kept of one stage, however large its cache cluster is said to be. Ours."""

BYTES_MAX = 268_435_456
"""What is kept of all stages together. Ours."""

_ENTRY_BYTES = 500
_FRESH = re.compile(r"(?:\A|[\s,])max-age\s*=\s*0+(?:\Z|[\s,;])", re.IGNORECASE)
_IGNORED = ("Warning", "199 Cache-control headers were ignored because the caller was unauthorized")

Key = tuple[object, ...]
StageKey = tuple[str, str]
Epoch = tuple[float, int]


class Kept(NamedTuple):
    """One answer. `until` is in epoch seconds."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    shows_trace: bool
    until: float

    @property
    def size_bytes(self) -> int:
        """What it takes of the bounds."""
        head = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.body) + head + _ENTRY_BYTES


@dataclass(slots=True)
class _OfStage:
    epoch: Epoch
    entries: OrderedDict[Key, Kept]
    size_bytes: int = 0


class AnswerCache:
    """The kept answers, by stage; those used longest ago go first. A lifetime of the platform's."""

    def __init__(self) -> None:
        self._stages: dict[StageKey, _OfStage] = {}
        self._size_bytes = 0

    def find(self, stage: StageKey, epoch: Epoch, key: Key, now: float) -> Kept | None:
        """The answer, unless its time is over or the stage's cache was flushed since."""
        held = self._of(stage, epoch)
        kept = held.entries.get(key)
        if kept is None:
            return None
        if kept.until <= now:
            self._drop(held, key)
            return None
        held.entries.move_to_end(key)
        return kept

    def keep(self, stage: StageKey, epoch: Epoch, key: Key, kept: Kept, most_bytes: int) -> None:
        """Keep an answer in place of the one before, within `most_bytes` for the stage."""
        held = self._of(stage, epoch)
        self._drop(held, key)
        bound = min(most_bytes, STAGE_BYTES_MAX)
        if kept.size_bytes > bound:
            return
        held.entries[key] = kept
        held.size_bytes += kept.size_bytes
        self._size_bytes += kept.size_bytes
        while held.size_bytes > bound:
            self._drop(held, next(iter(held.entries)))
        while self._size_bytes > BYTES_MAX:
            largest = max(self._stages.values(), key=lambda one: one.size_bytes)
            self._drop(largest, next(iter(largest.entries)))

    def _of(self, stage: StageKey, epoch: Epoch) -> _OfStage:
        held = self._stages.get(stage)
        if held is None or held.epoch != epoch:
            if held is not None:
                self._size_bytes -= held.size_bytes
            held = self._stages[stage] = _OfStage(epoch, OrderedDict())
            for name in [name for name, one in self._stages.items() if not one.entries]:
                if name != stage:
                    del self._stages[name]
        return held

    def _drop(self, held: _OfStage, key: Key) -> None:
        gone = held.entries.pop(key, None)
        if gone is not None:
            held.size_bytes -= gone.size_bytes
            self._size_bytes -= gone.size_bytes


async def from_cache(
    ctx: Context, admitted: Admitted, ask: Callable[[Context, Admitted], Awaitable[Exchange]]
) -> Exchange:
    """The kept answer, or the backend's, which is kept from then on. Raises GatewayFault.

    As in AWS, an answer is kept whatever its status; the gateway's own refusals are not.
    """
    matched = admitted.authorized.matched
    method, stage, arrival = matched.method, matched.stage, matched.arrival
    ttl = method.settings.cache_ttl_in_seconds
    is_kept_verb = arrival.request.method == "GET" or method.caches_every_verb
    if not is_kept_verb or ttl <= 0:
        return await ask(ctx, admitted)
    wants_fresh, notes = await _freshness(ctx, admitted)
    cache, now = ctx.need(AnswerCache), ctx.clock.now()
    place = (stage.api_id, stage.stage_name)
    key = _key_of(admitted)
    kept = None if wants_fresh else cache.find(place, stage.cache_epoch, key, now)
    if kept is not None:
        arrival.journal.cache = "hit"
        headers = [*kept.headers, *notes]
        return Exchange(matched, kept.status, headers, kept.body, kept.shows_trace)
    arrival.journal.cache = "miss"
    exchange = await ask(ctx, admitted)
    body = exchange.body
    if isinstance(body, bytes) and len(body) <= ANSWER_BYTES_MAX:
        kept = Kept(exchange.status, tuple(exchange.headers), body, exchange.shows_trace, now + ttl)
        cache.keep(place, stage.cache_epoch, key, kept, stage.cache_bytes)
    if not notes:
        return exchange
    return replace(exchange, headers=[*exchange.headers, *notes])


def _key_of(admitted: Admitted) -> Key:
    """The namespace, the verb and the values of the cache key parameters; no more, as in AWS."""
    matched = admitted.authorized.matched
    integration = matched.method.integration
    key: list[object] = [integration.cache_namespace, matched.arrival.request.method]
    if not integration.cache_key_parameters:
        return tuple(key)
    mapped = None
    for name in sorted(integration.cache_key_parameters):
        side, _, rest = name.partition(".request.")
        place, _, parameter = rest.partition(".")
        if side == "integration":
            mapped = mapped or assigned(matched.method.assignments, facts_of(admitted))
            value: object = mapped[place].get(parameter)
            key.append(tuple(value) if isinstance(value, list) else value)
        elif place == "querystring":
            key.append(tuple(text for one, text in admitted.query if one == parameter))
        elif place == "header":
            key.append(tuple(matched.arrival.request.headers.all(parameter.lower())))
        else:
            key.append((matched.path_parameters or {}).get(parameter))
    return tuple(key)


async def _freshness(ctx: Context, admitted: Admitted) -> tuple[bool, list[tuple[str, str]]]:
    """Whether the client asks past the cache and may, and what it is told when it may not."""
    matched = admitted.authorized.matched
    settings = matched.method.settings
    if not _FRESH.search(matched.arrival.request.headers.get("cache-control")):
        return False, []
    if not settings.require_authorization_for_cache_control:
        return True, []
    if await _may_invalidate(ctx, admitted):
        return True, []
    strategy = settings.unauthorized_cache_control_header_strategy
    if strategy == "FAIL_WITH_403":
        raise access_denied("User is not authorized to perform: execute-api:InvalidateCache")
    return False, [_IGNORED] if strategy == "SUCCEED_WITH_RESPONSE_HEADER" else []


async def _may_invalidate(ctx: Context, admitted: Admitted) -> bool:
    """Whether the caller has `execute-api:InvalidateCache` for this method."""
    matched, caller = admitted.authorized.matched, admitted.authorized.caller
    if caller.kind in ("anonymous", "service"):
        return False
    stage = matched.stage
    identity = IdentityPolicies()
    if caller.kind != "root":
        identity = await ctx.need(Policies).of(caller)
    verb = matched.arrival.request.method
    arn = invoke_arn(stage.scope, stage.api_id, stage.stage_name, verb, matched.path)
    keys = {
        **condition_keys(ctx.acting_as(caller)),
        "aws:ResourceAccount": stage.scope.account,
    }
    question = Question(caller, "execute-api:InvalidateCache", arn, keys)
    return decide(question, identity, (), stage.scope.account).allowed
