"""API keys: create, list, change, delete. Files of them are in `import_keys.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import Clock, new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.admission.limits import API_KEY_LENGTH, API_KEYS_MAX
from cumulet.services.apigateway.admission.model import ApiKey
from cumulet.services.apigateway.admission.usage.keys import (
    check_value,
    check_words,
    key_view,
    patch_key,
)
from cumulet.services.apigateway.admission.usage.passes import digest_of
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    no_key,
    not_yet,
)
from cumulet.services.apigateway.operations.rest_api import origin_of, page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.settings import check_tags

Request = Mapping[str, Any]

_ALL = "/apikeys"
_ONE = _ALL + "/{apiKey}"
_PURPOSE = "apigateway/api-key"


@operation("CreateApiKey", action="POST", resource=at(_ALL))
async def create_api_key(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a key; its value is generated unless one is given."""
    if request.get("generateDistinctId") is False:
        raise not_yet("API keys whose value is their identifier are")
    tags, origin = origin_of(ctx, request.get("tags"))
    check_tags(tags)
    if origin and (old := await ctx.transact(_made_by, origin)) is not None:
        return {**key_view(old), "value": value_of(ctx, old)}
    # Terraform sends an empty value for one that is to be generated.
    value = request.get("value") or new_label(ctx.clock, API_KEY_LENGTH)
    check_value(value)
    check_words(request.get("name"), request.get("description"))
    made = new_key(
        ctx,
        value,
        name=request.get("name") or None,
        description=request.get("description") or None,
        customer_id=request.get("customerId"),
        enabled=bool(request.get("enabled")),
        stage_keys=tuple(map(_stage_key, request.get("stageKeys") or ())),
        tags=tags,
        origin=origin,
    )

    async def create(tx: Transaction, scope: Scope) -> None:
        await check_stages(tx, scope, made.stage_keys)
        await save_new_key(tx, scope, made)

    await ctx.transact(create)
    return {**key_view(made), "value": value}


def new_key(ctx: Context, value: str, **members: Any) -> ApiKey:
    """The record of a new key; its value is sealed in it."""
    now = _whole_now(ctx.clock)
    sealer = ctx.need(Sealer)
    return ApiKey(
        id=new_label(ctx.clock, 10),
        sealed=sealer.seal(value.encode(), _PURPOSE),
        digest=digest_of(value),
        created_date=now,
        last_updated_date=now,
        **members,
    )


async def save_new_key(tx: Transaction, scope: Scope, key: ApiKey) -> None:
    """Write a new key. Raises ConflictException when its value is taken."""
    if await admission.find_key(tx, scope, key.digest) is not None:
        raise ConflictException("API Key already exists")
    if not await admission.has_room_for_key(tx, scope):
        raise LimitExceededException(
            f"Maximum number of API keys ({API_KEYS_MAX}) for this account has been reached."
        )
    await admission.API_KEYS.save(tx, scope, key)


def value_of(ctx: Context, key: ApiKey) -> str:
    """The value that callers send."""
    sealer = ctx.need(Sealer)
    return sealer.unseal(key.sealed, _PURPOSE).decode()


async def check_stages(tx: Transaction, scope: Scope, stage_keys: tuple[str, ...]) -> None:
    """Raise BadRequestException unless these stages (`{api}/{stage}`) exist."""
    for name in stage_keys:
        api_id, _, stage = name.partition("/")
        if await store.STAGES.load(tx, scope, api_id, stage) is None:
            raise BadRequestException(f"Invalid stage identifier specified: {name}")


async def _made_by(tx: Transaction, scope: Scope, origin: str) -> ApiKey | None:
    found = await admission.API_KEYS.lookup(tx, scope, "origin", origin, limit=1)
    return found[0] if found else None


def _stage_key(given: Mapping[str, str]) -> str:
    return f"{given.get('restApiId', '')}/{given.get('stageName', '')}"


def _whole_now(clock: Clock) -> int:
    return int(clock.now())


async def find_key(tx: Transaction, scope: Scope, key_id: str) -> ApiKey:
    """The key with this id. Raises NotFoundException."""
    found = await admission.API_KEYS.load(tx, scope, key_id)
    if found is None:
        raise no_key()
    return found


@operation("GetApiKey", action="GET", resource=at(_ONE))
async def get_api_key(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a key, with its value if wanted."""
    found = await ctx.transact(find_key, request["apiKey"])
    view = {"tags": {}, **key_view(found)}
    return {**view, "value": value_of(ctx, found)} if request.get("includeValue") else view


@operation("GetApiKeys", action="GET", resource=at(_ALL))
async def get_api_keys(ctx: Context, request: Request) -> dict[str, Any]:
    """List the account's keys, a page at a time; by the beginning of their names if wanted."""
    after, limit = page_of(request)
    prefix, customer = request.get("nameQuery") or "", request.get("customerId")

    async def load(tx: Transaction, scope: Scope) -> list[ApiKey]:
        mark = (after,) if after else None
        return await admission.API_KEYS.scan(tx, scope, limit=API_KEYS_MAX, after=mark)

    found = [
        one
        for one in await ctx.transact(load)
        if (one.name or "").startswith(prefix) and customer in (None, one.customer_id)
    ][: limit + 1]
    if not request.get("includeValues"):
        return page([(one.id, key_view(one)) for one in found], limit)
    return page([(one.id, {**key_view(one), "value": value_of(ctx, one)}) for one in found], limit)


@operation("UpdateApiKey", action="PATCH", resource=at(_ONE))
async def update_api_key(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a key; a disabled one is refused from the next request on."""
    now = _whole_now(ctx.clock)

    async def update(tx: Transaction, scope: Scope) -> ApiKey:
        old = await find_key(tx, scope, request["apiKey"])
        changed = patch_key(old, request.get("patchOperations"))
        added = tuple(name for name in changed.stage_keys if name not in old.stage_keys)
        await check_stages(tx, scope, added)
        changed = msgspec.structs.replace(changed, last_updated_date=now)
        await admission.API_KEYS.save(tx, scope, changed)
        return changed

    return {"tags": {}, **key_view(await ctx.transact(update))}


@operation("DeleteApiKey", action="DELETE", resource=at(_ONE))
async def delete_api_key(ctx: Context, request: Request) -> None:
    """Remove a key from its usage plans, with what it used."""
    if not await ctx.transact(admission.drop_key, request["apiKey"]):
        raise no_key()
