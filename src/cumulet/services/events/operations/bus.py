"""Buses: make, describe, change, list, delete, and who may use them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.policy import MalformedPolicy, check_document
from cumulet.kit.service import OwnedPolicies, operation
from cumulet.kv.contract import Transaction
from cumulet.services.events.errors import (
    LimitExceededException,
    PolicyLengthExceededException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    ValidationException,
    no_bus,
)
from cumulet.services.events.hall import find_bus, load_bus, owned_bus
from cumulet.services.events.limits import BUSES_MAX, LIST_MAX, POLICY_BYTES_MAX, TAGS_MAX
from cumulet.services.events.model import DEFAULT, Bus, BusName, bus_arn, bus_named
from cumulet.services.events.store import BUSES, RULES

Request = dict[str, Any]

_NOT_HERE = ("EventSourceName", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")


def bus_resource(ctx: Context, request: Request) -> str:
    """The bus of a request about buses, as IAM's resource."""
    return bus_named(ctx.scope, request.get("Name") or request.get("EventBusName")).arn


async def bus_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """Whose the bus is, and its policy."""
    given = request.get("Name") or request.get("EventBusName")
    return await owned_bus(ctx, bus_named(ctx.scope, given))


_ON_BUS: dict[str, Any] = {"resource": bus_resource, "resource_policy": bus_policy}


def _refuse_unknown(request: Request) -> None:
    for key in _NOT_HERE:
        if request.get(key):
            raise ValidationException(f"{key} is not supported by Cumulet.")


@operation("CreateEventBus", resource=bus_resource)
async def create_event_bus(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a bus."""
    name = request["Name"]
    _refuse_unknown(request)
    if "/" in name or name == DEFAULT:
        raise ValidationException(
            f"Event bus name {name} is not valid."
            if "/" in name
            else "Cannot create an event bus with name default."
        )
    tags = tags_of(request)
    now = ctx.clock.now()
    made = Bus(name, now, now, request.get("Description") or "", "", tags)

    async def insert(tx: Transaction, scope: Scope) -> str:
        if len(await BUSES.scan(tx, scope, limit=BUSES_MAX + 1)) > BUSES_MAX:
            return "full"
        return "" if await BUSES.insert(tx, scope, made) else "there"

    outcome = await ctx.transact(insert)
    if outcome == "full":
        raise LimitExceededException(f"The account has {BUSES_MAX} event buses already.")
    if outcome == "there":
        raise ResourceAlreadyExistsException(f"Event bus {name} already exists.")
    answer = {"EventBusArn": bus_arn(ctx.scope, name)}
    if made.description:
        answer["Description"] = made.description
    return answer


def tags_of(request: Request) -> dict[str, str]:
    """The tags that a request gives. Raises ValidationException for too many."""
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}
    if len(tags) > TAGS_MAX:
        raise ValidationException(f"A resource can have {TAGS_MAX} tags.")
    return tags


@operation("UpdateEventBus", **_ON_BUS)
async def update_event_bus(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a bus's description."""
    _refuse_unknown(request)
    named, bus = await find_bus(ctx, request.get("Name"))
    description = request.get("Description", bus.description)
    await _change(ctx, named, lambda now: msgspec.structs.replace(now, description=description))
    return {"Arn": named.arn, "Name": named.name, "Description": description}


async def _change(ctx: Context, named: BusName, change: Any) -> None:
    now = ctx.clock.now()

    async def write(tx: Transaction, _: Scope) -> bool:
        bus = await load_bus(tx, named.scope, named.name)
        if bus is None:
            return False
        changed = msgspec.structs.replace(change(bus), modified_at=now)
        await BUSES.save(tx, named.scope, changed)
        return True

    if not await ctx.transact(write):
        raise no_bus(named.name)


@operation("DeleteEventBus", **_ON_BUS)
async def delete_event_bus(ctx: Context, request: Request) -> None:
    """Delete a bus that has no rules; one that is not there is no error."""
    named = bus_named(ctx.scope, request["Name"])
    if named.name == DEFAULT:
        raise ValidationException("Cannot delete event bus default.")

    async def drop(tx: Transaction, _: Scope) -> bool:
        if await RULES.scan(tx, named.scope, named.name, limit=1):
            return False
        await BUSES.drop(tx, named.scope, named.name)
        return True

    if not await ctx.transact(drop):
        raise ValidationException(f"Cannot delete the event bus {named.name} while it has rules.")


def _shown(scope: Scope, bus: Bus) -> dict[str, Any]:
    shown: dict[str, Any] = {"Name": bus.name, "Arn": bus_arn(scope, bus.name)}
    if bus.description:
        shown["Description"] = bus.description
    if bus.policy:
        shown["Policy"] = bus.policy
    if bus.created_at:
        shown |= {"CreationTime": bus.created_at, "LastModifiedTime": bus.modified_at}
    return shown


@operation("DescribeEventBus", **_ON_BUS)
async def describe_event_bus(ctx: Context, request: Request) -> dict[str, Any]:
    """What was set of a bus."""
    named, bus = await find_bus(ctx, request.get("Name"))
    return _shown(named.scope, bus)


@operation("ListEventBuses")
async def list_event_buses(ctx: Context, request: Request) -> dict[str, Any]:
    """The account's buses in this region, by name."""
    most, after = page_of(request)
    prefix = request.get("NamePrefix") or ""

    async def read(tx: Transaction, scope: Scope) -> list[Bus]:
        found = await BUSES.scan(tx, scope, limit=BUSES_MAX + 1)
        if not any(bus.name == DEFAULT for bus in found):
            found = [*found, Bus(DEFAULT, 0.0, 0.0)]
        return sorted(found, key=lambda bus: bus.name)

    names = [bus for bus in await ctx.transact(read) if bus.name.startswith(prefix)]
    page = [bus for bus in names if not after or bus.name > after[-1]]
    answer: dict[str, Any] = {"EventBuses": [_shown(ctx.scope, bus) for bus in page[:most]]}
    if len(page) > most:
        answer["NextToken"] = make_token([page[most - 1].name])
    return answer


def page_of(request: Request) -> tuple[int, tuple[str, ...] | None]:
    """How much of a list is asked for, and where it goes on. Raises ValidationException."""
    most = request.get("Limit") or request.get("MaxResults") or LIST_MAX
    token = request.get("NextToken")
    if not token:
        return most, None
    try:
        return most, tuple(str(one) for one in read_token(token))
    except (ValueError, TypeError):
        raise ValidationException("Invalid NextToken.") from None


@operation("PutPermission", **_ON_BUS)
async def put_permission(ctx: Context, request: Request) -> None:
    """Let others use a bus: by a whole policy, or by a statement for an account."""
    named, bus = await find_bus(ctx, request.get("EventBusName"))
    if request.get("Policy"):
        text = request["Policy"]
    else:
        statement = _statement(named, request)
        kept = [one for one in statements_of(bus) if one.get("Sid") != statement["Sid"]]
        text = json.dumps({"Version": "2012-10-17", "Statement": [*kept, statement]})
    if len(text.encode()) > POLICY_BYTES_MAX:
        raise PolicyLengthExceededException("The policy length exceeds the limit.")
    try:
        check_document(text, "resource")
    except MalformedPolicy as cause:
        raise ValidationException(f"Policy document is not valid: {cause}") from cause
    await _change(ctx, named, lambda now: msgspec.structs.replace(now, policy=text))


def statements_of(bus: Bus) -> list[dict[str, Any]]:
    """The statements of a bus's policy."""
    given = json.loads(bus.policy)["Statement"] if bus.policy else []
    return given if isinstance(given, list) else [given]


def _statement(named: BusName, request: Request) -> dict[str, Any]:
    for key in ("StatementId", "Action", "Principal"):
        if not request.get(key):
            raise ValidationException(f"Parameter {key} must be specified.")
    if request["Action"] != "events:PutEvents":
        raise ValidationException("Provided value in parameter 'action' is not supported.")
    principal = request["Principal"]
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": request["Action"],
        "Resource": named.arn,
    }
    condition = request.get("Condition")
    if condition:
        if (condition["Type"], condition["Key"]) != ("StringEquals", "aws:PrincipalOrgID"):
            raise ValidationException("Condition must be on StringEquals aws:PrincipalOrgID.")
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


@operation("RemovePermission", **_ON_BUS)
async def remove_permission(ctx: Context, request: Request) -> None:
    """Take a statement away, or all of them."""
    named, bus = await find_bus(ctx, request.get("EventBusName"))
    if request.get("RemoveAllPermissions"):
        text = ""
    else:
        statements = statements_of(bus)
        kept = [one for one in statements if one.get("Sid") != request.get("StatementId")]
        if len(kept) == len(statements):
            raise ResourceNotFoundException(
                "Statement with the provided id does not exist."
                if statements
                else "EventBus does not have a policy."
            )
        text = json.dumps({"Version": "2012-10-17", "Statement": kept}) if kept else ""
    await _change(ctx, named, lambda now: msgspec.structs.replace(now, policy=text))
