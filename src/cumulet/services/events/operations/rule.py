"""Rules: by pattern or by time, switched on and off, described and deleted."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.event_patterns import InvalidPattern, compile_pattern
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.events.errors import (
    InvalidEventPatternException,
    LimitExceededException,
    ValidationException,
    no_bus,
    no_rule,
)
from cumulet.services.events.expressions import InvalidExpression, next_time, parse_expression
from cumulet.services.events.hall import ON_RULE, find_bus, load_bus, named_bus
from cumulet.services.events.limits import NAMES_SEEN_MAX, RULES_MAX
from cumulet.services.events.model import DEFAULT, BusName, Rule, rule_arn
from cumulet.services.events.operations.bus import page_of, tags_of
from cumulet.services.events.store import RULE_OCCASIONS, RULES, save_due
from cumulet.services.events.targets.roles import check_pass_role

Request = dict[str, Any]

SERVICE = "events.amazonaws.com"


@operation("PutRule", **ON_RULE)
async def put_rule(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a rule, or change one: what is not given goes back to nothing."""
    named, _ = await find_bus(ctx, request.get("EventBusName"))
    pattern, schedule = request.get("EventPattern") or "", request.get("ScheduleExpression") or ""
    if not pattern and not schedule:
        raise ValidationException(
            "Parameter(s) EventPattern or ScheduleExpression must be specified."
        )
    if pattern:
        check_pattern(pattern)
    if schedule:
        _check_schedule(schedule, named)
    state = request.get("State") or "ENABLED"
    if state not in ("ENABLED", "DISABLED"):
        raise ValidationException(f"State {state} is not supported by Cumulet.")
    role = request.get("RoleArn") or ""
    if role:
        await check_pass_role(ctx, role, SERVICE)
    tags = tags_of(request)
    now = ctx.clock.now()
    given = Rule(
        named.name,
        request["Name"],
        now,
        now,
        pattern,
        schedule,
        state,
        request.get("Description") or "",
        role,
        tags,
    )
    outcome = await ctx.transact(_put, named, given, now)
    if outcome == "gone":
        raise no_bus(named.name)
    if outcome == "full":
        raise LimitExceededException("The requested resource exceeds the maximum number allowed.")
    return {"RuleArn": rule_arn(named.scope, named.name, given.name)}


def check_pattern(text: str) -> None:
    """Raises InvalidEventPatternException."""
    try:
        compile_pattern(text)
    except InvalidPattern as cause:
        raise InvalidEventPatternException(
            f"Event pattern is not valid. Reason: {cause}"
        ) from cause


def _check_schedule(text: str, named: BusName) -> None:
    if named.name != DEFAULT:
        raise ValidationException("ScheduleExpression is supported only on the default event bus.")
    try:
        parse_expression(text, strict=True)
    except InvalidExpression as cause:
        raise ValidationException("Parameter ScheduleExpression is not valid.") from cause


async def _put(tx: Transaction, _: Scope, named: BusName, given: Rule, now: float) -> str:
    if await load_bus(tx, named.scope, named.name) is None:
        return "gone"
    old = await RULES.load(tx, named.scope, named.name, given.name)
    if old is None:
        if len(await RULES.scan(tx, named.scope, named.name, limit=RULES_MAX)) >= RULES_MAX:
            return "full"
        await save_rule(tx, named.scope, given, now)
        return ""
    began = old.began if old.schedule == given.schedule and old.is_enabled else now
    # Tags of a rule that is there stay as they are: TagResource changes them.
    changed = msgspec.structs.replace(
        given, created_at=old.created_at, began=began, tags=old.tags, targets=old.targets
    )
    await save_rule(tx, named.scope, changed, now)
    return ""


async def save_rule(tx: Transaction, scope: Scope, rule: Rule, now: float) -> None:
    """Write a rule, and when it is due next."""
    await RULES.save(tx, scope, rule)
    due = None
    if rule.schedule and rule.is_enabled:
        due = next_time(parse_expression(rule.schedule, strict=True), now, rule.began)
    await save_due(tx, RULE_OCCASIONS, scope, rule.bus, rule.name, due)


async def change_rule(ctx: Context, named: BusName, name: str, change: Any) -> Any:
    """Write `change(rule)`, a rule and an answer. Raises ResourceNotFoundException."""
    now = ctx.clock.now()

    async def write(tx: Transaction, _: Scope) -> Any:
        rule = await RULES.load(tx, named.scope, named.name, name)
        if rule is None:
            return None
        changed, answer = change(rule)
        await save_rule(tx, named.scope, changed, now)
        return (answer,)

    outcome = await ctx.transact(write)
    if outcome is None:
        raise no_rule(name, named.name)
    return outcome[0]


async def _switch(ctx: Context, request: Request, state: str) -> None:
    named, _ = await find_bus(ctx, request.get("EventBusName"))
    now = ctx.clock.now()

    def change(rule: Rule) -> tuple[Rule, None]:
        began = rule.began if rule.state == state else now
        return msgspec.structs.replace(rule, state=state, began=began), None

    await change_rule(ctx, named, request["Name"], change)


@operation("EnableRule", **ON_RULE)
async def enable_rule(ctx: Context, request: Request) -> None:
    """Switch a rule on."""
    await _switch(ctx, request, "ENABLED")


@operation("DisableRule", **ON_RULE)
async def disable_rule(ctx: Context, request: Request) -> None:
    """Switch a rule off."""
    await _switch(ctx, request, "DISABLED")


@operation("DeleteRule", **ON_RULE)
async def delete_rule(ctx: Context, request: Request) -> None:
    """Delete a rule that has no targets; one that is not there is no error."""
    named, _ = await find_bus(ctx, request.get("EventBusName"))
    name = request["Name"]

    async def drop(tx: Transaction, _: Scope) -> bool:
        rule = await RULES.load(tx, named.scope, named.name, name)
        if rule is not None and rule.targets:
            return False
        await RULES.drop(tx, named.scope, named.name, name)
        await save_due(tx, RULE_OCCASIONS, named.scope, named.name, name, None)
        return True

    if not await ctx.transact(drop):
        raise ValidationException("Rule can't be deleted since it has targets.")


async def find_rule(ctx: Context, request: Request, name: str) -> tuple[BusName, Rule]:
    """A rule of the bus that a request names. Raises ResourceNotFoundException."""
    named, _ = await find_bus(ctx, request.get("EventBusName"))

    async def read(tx: Transaction, _: Scope) -> Rule | None:
        return await RULES.load(tx, named.scope, named.name, name)

    rule = await ctx.transact(read)
    if rule is None:
        raise no_rule(name, named.name)
    return named, rule


def _shown(scope: Scope, rule: Rule) -> dict[str, Any]:
    shown = {
        "Name": rule.name,
        "Arn": rule_arn(scope, rule.bus, rule.name),
        "EventPattern": rule.pattern,
        "ScheduleExpression": rule.schedule,
        "State": rule.state,
        "Description": rule.description,
        "RoleArn": rule.role,
        "EventBusName": rule.bus,
    }
    return {key: value for key, value in shown.items() if value}


@operation("DescribeRule", **ON_RULE)
async def describe_rule(ctx: Context, request: Request) -> dict[str, Any]:
    """What was set of a rule."""
    named, rule = await find_rule(ctx, request, request["Name"])
    return _shown(named.scope, rule) | {"CreatedBy": named.scope.account}


def _rules_resource(ctx: Context, request: Request) -> str:
    named = named_bus(ctx, request)
    return rule_arn(named.scope, named.name, "*")


@operation("ListRules", resource=_rules_resource, resource_policy=ON_RULE["resource_policy"])
async def list_rules(ctx: Context, request: Request) -> dict[str, Any]:
    """The rules of a bus, by name."""
    named, _ = await find_bus(ctx, request.get("EventBusName"))
    most, after = page_of(request)
    prefix = request.get("NamePrefix") or ""

    async def read(tx: Transaction, _: Scope) -> list[Rule]:
        return await RULES.scan(
            tx, named.scope, named.name, limit=most + 1, starts=prefix, after=after
        )

    found = await ctx.transact(read)
    answer: dict[str, Any] = {"Rules": [_shown(named.scope, rule) for rule in found[:most]]}
    if len(found) > most:
        answer["NextToken"] = make_token([named.name, found[most - 1].name])
    return answer


@operation(
    "ListRuleNamesByTarget", resource=_rules_resource, resource_policy=ON_RULE["resource_policy"]
)
async def list_rule_names_by_target(ctx: Context, request: Request) -> dict[str, Any]:
    """The rules of a bus that have a certain target."""
    named, _ = await find_bus(ctx, request.get("EventBusName"))
    most, after = page_of(request)

    async def read(tx: Transaction, _: Scope) -> list[Rule]:
        return await RULES.scan(tx, named.scope, named.name, limit=NAMES_SEEN_MAX, after=after)

    wanted = request["TargetArn"]
    names = [
        rule.name
        for rule in await ctx.transact(read)
        if any(target["Arn"] == wanted for target in rule.targets)
    ]
    answer: dict[str, Any] = {"RuleNames": names[:most]}
    if len(names) > most:
        answer["NextToken"] = make_token([named.name, names[most - 1]])
    return answer


_EVENT_FIELDS = ("id", "account", "source", "time", "region", "resources", "detail-type")


@operation("TestEventPattern")
async def test_event_pattern(ctx: Context, request: Request) -> dict[str, Any]:
    """Whether a pattern matches an event."""
    check_pattern(request["EventPattern"])
    try:
        event = json.loads(request["Event"])
    except (ValueError, RecursionError) as cause:
        raise ValidationException("Parameter Event is not valid.") from cause
    if not isinstance(event, dict):
        raise ValidationException("Parameter Event is not valid.")
    for field in _EVENT_FIELDS:
        if field not in event:
            raise ValidationException(f"Parameter Event is not valid. Reason: {field} is missing.")
    try:
        datetime.fromisoformat(str(event["time"]))
    except ValueError as cause:
        raise ValidationException("Parameter Event is not valid. Reason: time.") from cause
    return {"Result": compile_pattern(request["EventPattern"])(event)}
