"""Tags of rules and buses."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.events.errors import ResourceNotFoundException, ValidationException
from cumulet.services.events.hall import load_bus
from cumulet.services.events.limits import TAGS_MAX
from cumulet.services.events.model import DEFAULT, Bus, Rule
from cumulet.services.events.operations.bus import tags_of
from cumulet.services.events.store import BUSES, RULES

Request = dict[str, Any]


def _resource(ctx: Context, request: Request) -> str:
    return str(request["ResourceARN"])


async def _change(ctx: Context, request: Request, change: Any) -> dict[str, str]:
    """Write `change(tags)` for what the ARN names; gives the tags as they are then."""
    arn = parse_arn(request["ResourceARN"])
    if arn is None or arn.service != "events" or arn.account != ctx.scope.account:
        raise ValidationException(f"{request['ResourceARN']} is not a rule or event bus.")
    there = Scope(arn.account, arn.region)
    kind, _, rest = arn.resource.partition("/")
    bus, _, name = rest.rpartition("/")

    async def write(tx: Transaction, _: Scope) -> dict[str, str] | None:
        found: Bus | Rule | None
        if kind == "event-bus":
            found = await load_bus(tx, there, rest)
        else:
            found = await RULES.load(tx, there, bus or DEFAULT, name)
        if found is None:
            return None
        changed = change(found.tags)
        if changed == found.tags:
            return found.tags
        if isinstance(found, Bus):
            await BUSES.save(tx, there, msgspec.structs.replace(found, tags=changed))
        else:
            await RULES.save(tx, there, msgspec.structs.replace(found, tags=changed))
        return dict(changed)

    tags = await ctx.transact(write)
    if tags is None:
        raise ResourceNotFoundException(f"{request['ResourceARN']} does not exist.")
    return tags


@operation("TagResource", resource=_resource)
async def tag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Add tags, or give those that are there other values."""
    given = tags_of(request)

    def add(tags: dict[str, str]) -> dict[str, str]:
        if len(changed := {**tags, **given}) > TAGS_MAX:
            raise ValidationException(f"A resource can have {TAGS_MAX} tags.")
        return changed

    await _change(ctx, request, add)
    return {}


@operation("UntagResource", resource=_resource)
async def untag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Remove tags by their keys."""
    keys = set(request["TagKeys"])
    await _change(
        ctx, request, lambda tags: {key: one for key, one in tags.items() if key not in keys}
    )
    return {}


@operation("ListTagsForResource", resource=_resource)
async def list_tags_for_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of a rule or bus."""
    tags = await _change(ctx, request, lambda tags: tags)
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
