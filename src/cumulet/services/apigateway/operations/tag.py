"""Tags of APIs, stages and what else can have them, by ARN."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission.tags import Tagged, find_tagged
from cumulet.services.apigateway.errors import (
    BadRequestException,
    NotFoundException,
    no_api,
    no_stage,
)
from cumulet.services.apigateway.model import RestApi, Stage
from cumulet.services.apigateway.rules.names import control_arn
from cumulet.services.apigateway.rules.settings import check_tags

Request = Mapping[str, Any]
Tags = dict[str, str]

_PATH = re.compile(r"/restapis/(?P<api>[^/]+)(?:/stages/(?P<stage>[^/]+))?\Z")


def _tagged_arn(ctx: Context, request: Request) -> str:
    return control_arn(ctx.scope.region, f"/tags/{request['resourceArn']}")


async def _find(tx: Transaction, scope: Scope, arn: str) -> RestApi | Stage | Tagged:
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "apigateway":
        raise BadRequestException("Invalid ARN specified in the request")
    if parsed.region != scope.region:
        raise NotFoundException("Invalid resource identifier specified")
    if (other := await find_tagged(tx, scope, parsed.resource)) is not None:
        return other
    found = _PATH.match(parsed.resource)
    if found is None:
        raise NotFoundException("Invalid resource identifier specified")
    if found["stage"] is None:
        api = await store.load_api(tx, scope, found["api"])
        if api is None:
            raise no_api(scope, found["api"])
        return api
    stage = await store.STAGES.load(tx, scope, found["api"], found["stage"])
    if stage is None:
        raise no_stage()
    return stage


async def _change(tx: Transaction, scope: Scope, arn: str, change: Callable[[Tags], Tags]) -> None:
    owner = await _find(tx, scope, arn)
    tags = change(dict(owner.tags or {}))
    check_tags(tags)
    if isinstance(owner, Tagged):
        await owner.retag(tx, scope, tags)
    elif isinstance(owner, RestApi):
        await store.APIS.save(tx, scope, msgspec.structs.replace(owner, tags=tags))
    else:
        await store.STAGES.save(tx, scope, msgspec.structs.replace(owner, tags=tags))


@operation("TagResource", action="PUT", resource=_tagged_arn)
async def tag_resource(ctx: Context, request: Request) -> None:
    """Add tags to an API, a stage or another resource, or change their values."""
    await ctx.transact(_change, request["resourceArn"], lambda old: {**old, **request["tags"]})


@operation("UntagResource", action="DELETE", resource=_tagged_arn)
async def untag_resource(ctx: Context, request: Request) -> None:
    """Remove tags by their keys."""
    gone = set(request["tagKeys"])
    await ctx.transact(
        _change,
        request["resourceArn"],
        lambda old: {key: value for key, value in old.items() if key not in gone},
    )


@operation("GetTags", action="GET", resource=_tagged_arn)
async def get_tags(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of an API, a stage or another resource."""
    owner = await ctx.transact(_find, request["resourceArn"])
    return {"tags": owner.tags or {}}
