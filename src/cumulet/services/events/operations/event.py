"""Events: taken in, matched with the rules of their bus, and queued for the targets."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.core.trace import log_line
from cumulet.core.usage import EVENTS, blocks
from cumulet.kit.ports import Metrics, Usage
from cumulet.kit.service import OwnedPolicies, operation
from cumulet.kit.workers.deliveries import Draft, Load
from cumulet.kv.contract import Transaction
from cumulet.services.events.archives.ready import Archives
from cumulet.services.events.archives.store import Keeping, keep
from cumulet.services.events.delivery import NAMESPACE, EventDeliveries
from cumulet.services.events.errors import ValidationException
from cumulet.services.events.hall import Buses
from cumulet.services.events.limits import EVENT_BYTES_MAX, HOPS_MAX, TARGETS_MAX
from cumulet.services.events.model import BusName, Happening, Rule, bus_named, rule_arn
from cumulet.services.events.store import EVENT_QUEUE

Request = dict[str, Any]

PASSED = "Passed"
"""A member of an entry that only a bus which passes an event on gives: the event as it is."""
_TIME_BYTES = 14
_encode = msgspec.msgpack.encode


def _buses(ctx: Context, request: Request) -> list[BusName]:
    named = {bus_named(ctx.scope, one.get("EventBusName")): None for one in request["Entries"]}
    return list(named)


def events_resource(ctx: Context, request: Request) -> list[str]:
    """The buses that the events are for, as IAM's resources."""
    return [named.arn for named in _buses(ctx, request)]


async def events_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """Whose the buses are, and their policies. Raises ValidationException for several owners."""
    buses = _buses(ctx, request)
    if len({named.scope for named in buses}) > 1:
        raise ValidationException(
            "Events for buses of several accounts in one request are not supported by Cumulet."
        )
    found = [await ctx.need(Buses).find(named) for named in buses]
    policies = [policy for one in found if one is not None for policy in one.owned.policies]
    return OwnedPolicies(buses[0].scope.account, tuple(policies))


def _conditions(ctx: Context, request: Request) -> dict[str, Any]:
    """The source and type, when all entries have the same.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    keys: dict[str, Any] = {}
    for key, member in (("events:source", "Source"), ("events:detail-type", "DetailType")):
        values = {one.get(member) or "" for one in request["Entries"]}
        if len(values) == 1:
            keys[key] = values.pop()
    return keys


class _Taken(NamedTuple):
    """An entry that was taken in: its event, and how often it was passed on before."""

    named: BusName
    event: dict[str, Any]
    hops: int


@operation(
    "PutEvents",
    resource=events_resource,
    resource_policy=events_policy,
    conditions=_conditions,
)
async def put_events(ctx: Context, request: Request) -> dict[str, Any]:
    """Take up to ten events; they are on disk for every target when this is answered."""
    if request.get("EndpointId"):
        raise ValidationException("EndpointId is not supported by Cumulet.")
    entries = request["Entries"]
    total = sum(_size(entry) for entry in entries)
    if total > EVENT_BYTES_MAX:
        raise ValidationException(
            f"Total size of the entries in the request is over the limit: {EVENT_BYTES_MAX} bytes."
        )
    answers: list[dict[str, Any]] = []
    loads: list[Load] = []
    keepings: list[Keeping] = []
    for entry in entries:
        try:
            taken = _take(ctx, entry)
            await _check_bus(ctx, taken, entry)
        except AwsError as error:
            answers.append({"ErrorCode": error.code, "ErrorMessage": error.message})
            continue
        answers.append({"EventId": taken.event["id"]})
        if ctx.request is not None:
            # AWS's own events are free: https://aws.amazon.com/eventbridge/pricing/
            scope, arn = taken.named.scope, taken.named.arn
            ctx.need(Usage).used(scope, arn, EVENTS, float(blocks(_size(entry))), ctx.trace)
        traced = ctx.carrying(entry["TraceHeader"]) if entry.get("TraceHeader") else ctx
        loads.append(await load_of(traced, taken.named, taken.event, taken.hops))
        keepings += await ctx.need(Archives).keepings(ctx, taken.named, taken.event)
    await _queue_all(ctx, loads, keepings)
    failed = sum("ErrorCode" in answer for answer in answers)
    return {"FailedEntryCount": failed, "Entries": answers}


def _size(entry: Mapping[str, Any]) -> int:
    """Bytes of an entry as EventBridge counts them.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
    """
    texts = [entry.get(key) or "" for key in ("Source", "DetailType", "Detail")]
    texts += entry.get("Resources") or []
    return sum(len(text.encode()) for text in texts) + _TIME_BYTES * ("Time" in entry)


def _argument(name: str, reason: str) -> AwsError:
    return AwsError(f"Parameter {name} is not valid. Reason: {reason}", code="InvalidArgument")


def _take(ctx: Context, entry: Mapping[str, Any]) -> _Taken:
    """The event of an entry. Raises what the entry is answered with."""
    named = bus_named(ctx.scope, entry.get("EventBusName"))
    passed = entry.get(PASSED)
    if passed is not None and ctx.request is None:
        return _Taken(named, passed["event"], passed["hops"])
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            raise _argument(name, f"{name} is a required argument.")
    source = entry["Source"]
    if source.startswith("aws."):
        raise AwsError("Not authorized for the source.", code="NotAuthorizedForSourceException")
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        raise AwsError("Detail is malformed.", code="MalformedDetail")
    time = entry.get("Time")
    event = event_of(
        ctx.scope,
        new_uuid(ctx.clock),
        ctx.clock.now() if time is None else time,
        source,
        entry["DetailType"],
        detail,
        list(entry.get("Resources") or []),
    )
    return _Taken(named, event, 0)


def event_of(
    scope: Scope,
    name: str,
    time: Any,
    source: str,
    kind: str,
    detail: Any,
    resources: list[str],
) -> dict[str, Any]:
    """An event as rules and targets see it."""
    seconds = time.timestamp() if isinstance(time, datetime) else float(time)
    return {
        "version": "0",
        "id": name,
        "detail-type": kind,
        "source": source,
        "account": scope.account,
        "time": f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": scope.region,
        "resources": resources,
        "detail": detail,
    }


async def _check_bus(ctx: Context, taken: _Taken, entry: Mapping[str, Any]) -> None:
    """An event for a bus that is not there is lost, as on AWS, unless a bus passed it on."""
    if await ctx.need(Buses).find(taken.named) is not None:
        if taken.hops > HOPS_MAX:
            raise AwsError(f"The event went over {HOPS_MAX} buses.", code="LimitExceededException")
        return
    if PASSED in entry:
        raise AwsError(
            f"Event bus {taken.named.name} does not exist.", code="ResourceNotFoundException"
        )
    log_line(logging.WARNING, "an event is for no bus and is lost", bus=taken.named.arn)


async def load_of(
    ctx: Context,
    named: BusName,
    event: dict[str, Any],
    hops: int,
    *,
    only: Collection[str] = (),
) -> Load:
    """An event with the deliveries to all targets of the rules that it matches.

    `only` are the ARNs of the rules that are asked, all when there are none.
    """
    drafts: list[Draft] = []
    rules = await ctx.need(Buses).rules(named)
    metrics = ctx.need(Metrics)
    for ready in rules.values():
        if only and rule_arn(named.scope, named.name, ready.rule.name) not in only:
            continue
        if ready.test is not None and ready.test(event):
            drafts += drafts_of(named.scope, ready.rule)
            metrics.record(
                named.scope, NAMESPACE, "MatchedEvents", (("RuleName", ready.rule.name),), 1
            )
    return packed(ctx, event, hops, drafts)


def packed(ctx: Context, event: dict[str, Any], hops: int, drafts: list[Draft]) -> Load:
    """An event and its deliveries, ready for the queue."""
    now = ctx.clock.now()
    text = json.dumps(event, separators=(",", ":")).encode()
    sequence = ctx.need(EventDeliveries).next_sequence(max(TARGETS_MAX, len(drafts)))
    happening = Happening(text, hops, now, ctx.kept_trace_header)
    # One event may lie in the queue more than once, when a bus passed it on.
    content = new_uuid(ctx.clock)
    return Load(content, _encode(happening), drafts, now, sequence)


def drafts_of(scope: Scope, rule: Rule) -> list[Draft]:
    """A delivery for each target of a rule."""
    arn = rule_arn(scope, rule.bus, rule.name)
    return [
        Draft(
            f"{arn} {target['Id']}",
            {
                "account": scope.account,
                "region": scope.region,
                "bus": rule.bus,
                "rule": rule.name,
                "target": target["Id"],
            },
        )
        for target in rule.targets
    ]


async def _queue_all(ctx: Context, loads: list[Load], keepings: list[Keeping]) -> None:
    """Queue deliveries, and fill archives, in one transaction."""
    wanted = [load for load in loads if load.drafts]
    if not wanted and not keepings:
        return

    async def write(tx: Transaction, _: Scope) -> list[str]:
        refused: list[str] = []
        for one in keepings:
            await keep(tx, one)
        for load in wanted:
            # Each is queued for the account of its rule.
            at = Scope(load.drafts[0].task["account"], load.drafts[0].task["region"])
            refused += [draft.lane for draft in await EVENT_QUEUE.add(tx, at, load)]
        return refused

    for lane in await ctx.transact(write):
        log_line(logging.WARNING, "too many events wait for a target; one is lost", lane=lane)
