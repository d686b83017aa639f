"""Replays: start, describe, list, cancel. The worker sends the events.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.events.archives.model import Archive, Replay, archive_arn, bus_of, replay_arn
from cumulet.services.events.archives.operations.archive import one_filter
from cumulet.services.events.archives.store import ACTIVE, ARCHIVES, NOWHERE, REPLAYS, save_replay
from cumulet.services.events.errors import (
    IllegalStatusException,
    LimitExceededException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.events.hall import find_bus
from cumulet.services.events.limits import NAMES_SEEN_MAX, REPLAYS_ACTIVE_MAX
from cumulet.services.events.model import BusName
from cumulet.services.events.operations.bus import page_of

Request = dict[str, Any]

_ARCHIVE = "archive/"


def _resource(ctx: Context, request: Request) -> str:
    return replay_arn(ctx.scope, request["ReplayName"])


def _start_resources(ctx: Context, request: Request) -> list[str]:
    """The archive that is read, and the replay that is made."""
    return [_resource(ctx, request), request["EventSourceArn"]]


def _invalid(name: str, reason: str) -> ValidationException:
    return ValidationException(f"Parameter {name} is not valid. Reason: {reason}")


def _no_replay(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Replay {name} does not exist.")


def _seconds(value: Any) -> float:
    return value.timestamp() if isinstance(value, datetime) else float(value)


async def _destination(ctx: Context, request: Request) -> BusName:
    arn = parse_arn(request["Destination"]["Arn"])
    if arn is None or not arn.resource.startswith("event-bus/"):
        raise _invalid("Destination.Arn", "Must contain an event bus ARN.")
    named, _ = await find_bus(ctx, request["Destination"]["Arn"])
    return named


@operation("StartReplay", resource=_start_resources)
async def start_replay(ctx: Context, request: Request) -> dict[str, Any]:
    """Send the events of an archive, between two times of theirs, to the rules of its bus again."""
    named = await _destination(ctx, request)
    source = parse_arn(request["EventSourceArn"])
    archive_name = "" if source is None else source.resource.removeprefix(_ARCHIVE)

    async def find(tx: Transaction, scope: Scope) -> Archive | None:
        return await ARCHIVES.load(tx, scope, archive_name)

    archive = await ctx.transact(find)
    if archive is None or request["EventSourceArn"] != archive_arn(ctx.scope, archive_name):
        raise _invalid("EventSourceArn", f"Archive {archive_name} does not exist.")
    if named != bus_of(ctx.scope, archive):
        raise _invalid("Destination.Arn", "Cross event bus replay is not permitted.")
    begin, end = _seconds(request["EventStartTime"]), _seconds(request["EventEndTime"])
    if begin >= end:
        raise _invalid("EventEndTime", "EventStartTime must be before EventEndTime.")
    now = ctx.clock.now()
    made = Replay(
        request["ReplayName"],
        archive.name,
        archive.uid,
        archive.bus,
        begin,
        end,
        now,
        int(begin * 1000),
        description=request.get("Description") or "",
        rules=tuple(request["Destination"].get("FilterArns") or ()),
    )
    outcome = await ctx.transact(_insert, made)
    if outcome == "there":
        raise ResourceAlreadyExistsException(f"Replay {made.name} already exists.")
    if outcome == "full":
        raise LimitExceededException("The requested resource exceeds the maximum number allowed.")
    return {
        "ReplayArn": replay_arn(ctx.scope, made.name),
        "State": made.state,
        "ReplayStartTime": now,
    }


async def _insert(tx: Transaction, scope: Scope, made: Replay) -> str:
    if await REPLAYS.load(tx, scope, made.name) is not None:
        return "there"
    active = await ACTIVE.scan(tx, NOWHERE, *scope, limit=REPLAYS_ACTIVE_MAX)
    if len(active) >= REPLAYS_ACTIVE_MAX:
        return "full"
    await save_replay(tx, scope, made)
    return ""


@operation("CancelReplay", resource=_resource)
async def cancel_replay(ctx: Context, request: Request) -> dict[str, Any]:
    """Send no more events of a replay; those that were sent stay sent."""
    name = request["ReplayName"]

    async def cancel(tx: Transaction, scope: Scope) -> str | None:
        found = await REPLAYS.load(tx, scope, name)
        if found is None or found.state not in ("STARTING", "RUNNING"):
            return None if found is None else found.state
        await save_replay(tx, scope, msgspec.structs.replace(found, state="CANCELLING"))
        return ""

    state = await ctx.transact(cancel)
    if state is None:
        raise _no_replay(name)
    if state:
        raise IllegalStatusException(f"Replay {name} is not in a valid state for this operation.")
    return {"ReplayArn": replay_arn(ctx.scope, name), "State": "CANCELLING"}


def _shown(ctx: Context, replay: Replay) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ReplayName": replay.name,
        "EventSourceArn": archive_arn(ctx.scope, replay.archive),
        "State": replay.state,
        "EventStartTime": replay.begin,
        "EventEndTime": replay.end,
        "ReplayStartTime": replay.started_at,
    }
    told = {
        "StateReason": replay.reason or None,
        "EventLastReplayedTime": replay.last_time,
        "ReplayEndTime": replay.ended_at,
    }
    return shown | {name: value for name, value in told.items() if value is not None}


@operation("DescribeReplay", resource=_resource)
async def describe_replay(ctx: Context, request: Request) -> dict[str, Any]:
    """What a replay is to do, and how far it has come."""

    async def read(tx: Transaction, scope: Scope) -> Replay | None:
        return await REPLAYS.load(tx, scope, request["ReplayName"])

    replay = await ctx.transact(read)
    if replay is None:
        raise _no_replay(request["ReplayName"])
    destination: dict[str, Any] = {"Arn": bus_of(ctx.scope, replay).arn}
    if replay.rules:
        destination["FilterArns"] = list(replay.rules)
    shown = _shown(ctx, replay)
    shown |= {"ReplayArn": replay_arn(ctx.scope, replay.name), "Destination": destination}
    if replay.description:
        shown["Description"] = replay.description
    return shown


@operation("ListReplays")
async def list_replays(ctx: Context, request: Request) -> dict[str, Any]:
    """The account's replays in this region, by name."""
    one_filter(request, "ListReplays")
    most, after = page_of(request)
    prefix, source = request.get("NamePrefix") or "", request.get("EventSourceArn")

    async def read(tx: Transaction, scope: Scope) -> list[Replay]:
        return await REPLAYS.scan(tx, scope, limit=NAMES_SEEN_MAX, starts=prefix, after=after)

    found = [
        replay
        for replay in await ctx.transact(read)
        if (not source or archive_arn(ctx.scope, replay.archive) == source)
        and request.get("State") in (None, replay.state)
    ]
    answer: dict[str, Any] = {"Replays": [_shown(ctx, one) for one in found[:most]]}
    if len(found) > most:
        answer["NextToken"] = make_token([found[most - 1].name])
    return answer
