"""Alarms described, their history, and their tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch.alarms import store
from cumulet.services.cloudwatch.alarms.limits import DESCRIBE_DEFAULT, DESCRIBE_MAX, TAGS_MAX
from cumulet.services.cloudwatch.alarms.model import Alarm, Item, alarm_arn
from cumulet.services.cloudwatch.metrics.errors import (
    InvalidNextToken,
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.cloudwatch.metrics.putting import parse_dimensions
from cumulet.services.cloudwatch.operations.alarm import alarm_resource, alarm_resources

Request = dict[str, Any]

_PAGE = 500


@operation("DescribeAlarms", resource=alarm_resources)
async def describe_alarms(ctx: Context, request: Request) -> Request:
    """Alarms by name, prefix, state or action; metric alarms only unless types are asked for."""
    _check_describe(request)
    most = request.get("MaxRecords", DESCRIBE_DEFAULT)
    after = _position(request.get("NextToken"))
    family = request.get("ChildrenOfAlarmName") or request.get("ParentsOfAlarmName")
    if family:
        found, more = await ctx.transact(_family, request), False
    else:
        found, more = await ctx.transact(_matching, request, after, most)
    brief = bool(family)
    answer: Request = {"MetricAlarms": [], "CompositeAlarms": []}
    for alarm in found:
        kind = "CompositeAlarms" if alarm.is_composite else "MetricAlarms"
        answer[kind].append(_brief(ctx.scope, alarm) if brief else shown(ctx.scope, alarm))
    if more:
        answer["NextToken"] = make_token([found[-1].name])
    return answer


def _check_describe(request: Request) -> None:
    if request.get("AlarmNames") and request.get("AlarmNamePrefix"):
        raise InvalidParameterCombinationException(
            "AlarmNames and AlarmNamePrefix must not be specified together."
        )
    others = set(request) - {"ChildrenOfAlarmName", "ParentsOfAlarmName", "MaxRecords", "NextToken"}
    for name in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
        if request.get(name) and others:
            raise ValidationException(f"{name} cannot be specified together with other filters.")
    if "LogAlarm" in (request.get("AlarmTypes") or ()):
        raise ValidationException("Alarms on logs are not supported by Cumulet.")


def _position(token: str | None) -> str | None:
    if not token:
        return None
    try:
        (name,) = read_token(token)
    except (ValueError, TypeError):
        raise InvalidNextToken("The value of NextToken is invalid.") from None
    return str(name)


async def _family(tx: Transaction, scope: Scope, request: Request) -> list[Alarm]:
    if name := request.get("ParentsOfAlarmName"):
        return await store.parents_of(tx, scope, name)
    alarm = await store.ALARMS.load(tx, scope, request["ChildrenOfAlarmName"])
    return [] if alarm is None else list((await store.load_children(tx, scope, alarm)).values())


async def _matching(
    tx: Transaction, scope: Scope, request: Request, after: str | None, most: int
) -> tuple[list[Alarm], bool]:
    is_wanted = _wanted(request)
    names = request.get("AlarmNames")
    if names:
        ordered = sorted(name for name in set(names) if after is None or name > after)
        some = [await store.ALARMS.load(tx, scope, name) for name in ordered]
        named = [one for one in some if one is not None and is_wanted(one)]
        return named[:most], len(named) > most
    found: list[Alarm] = []
    last = (after,) if after is not None else None
    while len(found) <= most:
        page = await store.ALARMS.scan(
            tx, scope, starts=request.get("AlarmNamePrefix"), after=last, limit=_PAGE
        )
        found += [one for one in page if is_wanted(one)]
        if len(page) < _PAGE:
            break
        last = (page[-1].name,)
    return found[:most], len(found) > most


def _wanted(request: Request) -> Callable[[Alarm], bool]:
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    state, prefix = request.get("StateValue"), request.get("ActionPrefix")

    def is_wanted(alarm: Alarm) -> bool:
        if alarm.kind not in types or (state and alarm.state != state):
            return False
        return not prefix or any(one.startswith(prefix) for one in all_actions(alarm))

    return is_wanted


def all_actions(alarm: Alarm) -> list[str]:
    """The actions of every state."""
    keys = ("OKActions", "AlarmActions", "InsufficientDataActions")
    return [action for key in keys for action in alarm.settings.get(key) or ()]


def _brief(scope: Scope, alarm: Alarm) -> Request:
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm_arn(scope, alarm.name),
        "StateValue": alarm.state,
        "StateUpdatedTimestamp": alarm.updated_at,
    }


def shown(scope: Scope, alarm: Alarm) -> Request:
    """The alarm in AWS's spelling."""
    told: Request = {
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "ActionsEnabled": True,
        **alarm.settings,
        **_brief(scope, alarm),
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "StateReason": alarm.reason,
        "StateTransitionedTimestamp": alarm.transitioned_at,
    }
    if alarm.reason_data:
        told["StateReasonData"] = alarm.reason_data
    if alarm.suppressed_by:
        told["ActionsSuppressedBy"] = alarm.suppressed_by
    if not alarm.is_composite and not alarm.settings.get("Metrics"):
        told.setdefault("Dimensions", [])
    return told


@operation("DescribeAlarmsForMetric")
async def describe_alarms_for_metric(ctx: Context, request: Request) -> Request:
    """The alarms on one metric."""
    wanted = parse_dimensions(request.get("Dimensions") or (), "Dimensions")
    keys = ("Statistic", "ExtendedStatistic", "Period", "Unit")

    async def read(tx: Transaction, scope: Scope) -> list[Alarm]:
        name = (request["Namespace"], request["MetricName"])
        return await store.ALARMS.lookup(tx, scope, "metric", *name, limit=_PAGE)

    found = [
        alarm
        for alarm in await ctx.transact(read)
        if parse_dimensions(alarm.settings.get("Dimensions") or (), "Dimensions") == wanted
        and all(alarm.settings.get(key) == request[key] for key in keys if key in request)
    ]
    return {"MetricAlarms": [shown(ctx.scope, alarm) for alarm in found]}


@operation("DescribeAlarmHistory", resource=alarm_resource)
async def describe_alarm_history(ctx: Context, request: Request) -> Request:
    """What happened to an alarm, or to all of them, also to those that are deleted."""
    if request.get("AlarmContributorId"):
        raise ValidationException("Contributors are not supported by Cumulet.")
    try:
        place = read_token(request["NextToken"]) if request.get("NextToken") else None
        after = None if place is None else (float(place[0]), int(place[1]))
    except (ValueError, TypeError, LookupError):
        raise InvalidNextToken("The value of NextToken is invalid.") from None
    most = request.get("MaxRecords", DESCRIBE_MAX)
    found = await ctx.transact(_history, request, after, most)
    answer: Request = {"AlarmHistoryItems": [_item(one) for one in found[:most]]}
    if len(found) > most:
        answer["NextToken"] = make_token([found[most - 1].at, found[most - 1].sequence])
    return answer


async def _history(
    tx: Transaction, scope: Scope, request: Request, after: tuple[float, int] | None, most: int
) -> list[Item]:
    """Items in the order of time, one more than asked for when there are more."""
    reverse = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    types, kind = request.get("AlarmTypes") or ["MetricAlarm"], request.get("HistoryItemType")
    name = request.get("AlarmName")
    begin = (float(request.get("StartDate", 0.0)), 0)
    end = (float(request.get("EndDate", 1e12)), 1 << 62)
    found: list[Item] = []
    while len(found) <= most:
        if after is not None and reverse:
            end = min(end, after)
        elif after is not None:
            begin = max(begin, (after[0], after[1] + 1))
        if name:
            page = await store.HISTORY.scan_between(
                tx, scope, (name, *begin), (name, *end), limit=_PAGE, reverse=reverse
            )
        else:
            page = await store.HISTORY.lookup_between(
                tx, scope, "time", begin, end, limit=_PAGE, reverse=reverse
            )
        found += [
            one
            for one in page
            if (kind is None or one.type == kind) and (bool(name) or one.kind in types)
        ]
        if len(page) < _PAGE:
            break
        after = (page[-1].at, page[-1].sequence)
    return found[: most + 1]


def _item(item: Item) -> Request:
    return {
        "AlarmName": item.name,
        "AlarmType": item.kind,
        "Timestamp": item.at,
        "HistoryItemType": item.type,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }


def _tagged(ctx: Context, request: Request) -> str:
    return str(request["ResourceARN"])


async def _change_tags(
    ctx: Context, request: Request, added: dict[str, str], removed: list[str]
) -> dict[str, str]:
    """The tags of an alarm as they are then. Raises for what is no alarm, or not there."""
    arn = parse_arn(request["ResourceARN"])
    if arn is None or arn.service != "cloudwatch" or not arn.resource.startswith("alarm:"):
        raise InvalidParameterValueException(f"Invalid ARN: {request['ResourceARN']}")
    name = arn.resource.removeprefix("alarm:")

    async def write(tx: Transaction, scope: Scope) -> dict[str, str] | None:
        alarm = await store.ALARMS.load(tx, scope, name)
        if alarm is None or Scope(arn.account, arn.region) != scope:
            return None
        tags = {key: v for key, v in (alarm.tags | added).items() if key not in removed}
        if tags != alarm.tags:
            if len(tags) > TAGS_MAX:
                raise InvalidParameterValueException(f"At most {TAGS_MAX} tags are allowed.")
            await store.ALARMS.save(tx, scope, msgspec.structs.replace(alarm, tags=tags))
        return tags

    tags = await ctx.transact(write)
    if tags is None:
        raise ResourceNotFoundException(
            f"Resource {request['ResourceARN']} does not exist.",
            ResourceType="Alarm",
            ResourceId=name,
        )
    return tags


@operation("TagResource", resource=_tagged)
async def tag_resource(ctx: Context, request: Request) -> None:
    """Add tags to an alarm."""
    await _change_tags(ctx, request, {one["Key"]: one["Value"] for one in request["Tags"]}, [])


@operation("UntagResource", resource=_tagged)
async def untag_resource(ctx: Context, request: Request) -> None:
    """Remove tags from an alarm."""
    await _change_tags(ctx, request, {}, request["TagKeys"])


@operation("ListTagsForResource", resource=_tagged)
async def list_tags_for_resource(ctx: Context, request: Request) -> Request:
    """The tags of an alarm."""
    tags = await _change_tags(ctx, request, {}, [])
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
