"""Tags of HTTP and WebSocket APIs, their stages and custom domains, by ARN."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.tags import Tagged, find_tagged
from cumulet.services.apigateway.errors import (
    BadRequestException,
    NotFoundException,
    no_api,
)
from cumulet.services.apigateway.rules.names import control_arn
from cumulet.services.apigateway.rules.settings import check_tags
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_stage
from cumulet.services.apigateway.v2.model import Api, Stage

Request = Mapping[str, Any]
Tags = dict[str, str]

_PATH = re.compile(r"/apis/(?P<api>[^/]+)(?:/stages/(?P<stage>[^/]+))?\Z")


def _tagged_arn(ctx: Context, request: Request) -> str:
    return control_arn(ctx.scope.region, f"/tags/{request['ResourceArn']}")


async def _find(tx: Transaction, scope: Scope, arn: str) -> Api | Stage | Tagged:
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "apigateway":
        raise BadRequestException("Invalid ARN specified in the request")
    if parsed.region != scope.region:
        raise NotFoundException("Invalid resource identifier specified")
    if parsed.resource.startswith("/domainnames/"):
        domain = await find_tagged(tx, scope, parsed.resource)
        if domain is not None:
            return domain
    found = _PATH.match(parsed.resource)
    if found is None:
        raise NotFoundException("Invalid resource identifier specified")
    api = await store.load_api(tx, scope, found["api"])
    if api is None:
        raise no_api(scope, found["api"])
    if found["stage"] is None:
        return api
    stage = await store.STAGES.load(tx, scope, api.api_id, unquote(found["stage"]))
    if stage is None:
        raise no_stage()
    return stage


async def _change(tx: Transaction, scope: Scope, arn: str, change: Callable[[Tags], Tags]) -> None:
    owner = await _find(tx, scope, arn)
    tags = change(dict(owner.tags or {}))
    check_tags(tags)
    if isinstance(owner, Tagged):
        await owner.retag(tx, scope, tags)
    elif isinstance(owner, Api):
        await store.APIS.save(tx, scope, msgspec.structs.replace(owner, tags=tags or None))
    else:
        await store.STAGES.save(tx, scope, msgspec.structs.replace(owner, tags=tags or None))


@operation("TagResource", action="POST", resource=_tagged_arn)
async def tag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Add tags to an API or a stage, or change their values."""
    given = request.get("Tags") or {}
    await ctx.transact(_change, request["ResourceArn"], lambda old: {**old, **given})
    return {}


@operation("UntagResource", action="DELETE", resource=_tagged_arn)
async def untag_resource(ctx: Context, request: Request) -> None:
    """Remove tags by their keys."""
    gone = set(request["TagKeys"])
    await ctx.transact(
        _change,
        request["ResourceArn"],
        lambda old: {key: value for key, value in old.items() if key not in gone},
    )


@operation("GetTags", action="GET", resource=_tagged_arn)
async def get_tags(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of an API or a stage."""
    owner = await ctx.transact(_find, request["ResourceArn"])
    return {"Tags": owner.tags or {}}
