"""User pools: made, changed, listed, deleted, tagged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    ResourceNotFoundException,
    UserPoolTaggingException,
)
from cumulet.services.cognito.flow.proofs import PEPPER_PURPOSE
from cumulet.services.cognito.limits import TAGS_MAX
from cumulet.services.cognito.model import Pool, new_code, pool_arn
from cumulet.services.cognito.rules import permissions
from cumulet.services.cognito.rules.schema import check_count, custom_entry, whole_schema
from cumulet.services.cognito.rules.settings import (
    FACTORS,
    FIXED,
    check_factors,
    factors_view,
    pool_view,
    read_settings,
)
from cumulet.services.cognito.rules.words import CODE
from cumulet.services.cognito.signing.keys import first_keys

_STACKS = "aws:cloudformation:"
_ID_LETTERS = 9
_PEPPER_BYTES = 32


@operation("CreateUserPool", resource="*", conditions=permissions.keys)
async def create_user_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a user pool with its schema, settings and keys."""
    settings = read_settings(request)
    check_factors(settings)
    now, sealer = ctx.clock.now(), ctx.need(Sealer)
    tags = dict(request.get("UserPoolTags", {}))
    _check_tags(tags)
    pool = Pool(
        id=f"{ctx.scope.region}_{new_code(ctx.clock, _ID_LETTERS)}",
        name=request["PoolName"],
        settings=settings,
        schema=whole_schema(request.get("Schema", ())),
        created=now,
        modified=now,
        tags=tags,
        pepper=sealer.seal(ctx.clock.random_bytes(_PEPPER_BYTES), PEPPER_PURPOSE),
    )
    keys = await first_keys(ctx.clock, sealer, pool.id)
    await ctx.transact(store.found_pool, pool, keys)
    return {"UserPool": pool_view(ctx.scope, pool)}


@operation("DescribeUserPool", resource=permissions.pool, conditions=permissions.keys)
async def describe_user_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show a user pool."""
    pool = await loaded(ctx, request["UserPoolId"])
    domain = await ctx.transact(store.domain_of, pool.id)
    users = await ctx.transact(store.count_users, pool.id)
    name = domain.name if domain is not None else ""
    return {"UserPool": pool_view(ctx.scope, pool, users, name)}


@operation("UpdateUserPool", resource=permissions.pool, conditions=permissions.keys)
async def update_user_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change a user pool: what is not given goes back to its default."""
    await loaded(ctx, request["UserPoolId"])
    settings = read_settings({name: v for name, v in request.items() if name not in FIXED})
    tags = request.get("UserPoolTags")
    if tags is not None:
        _check_tags(tags)
    await ctx.transact(
        _update, request["UserPoolId"], settings, request.get("PoolName"), tags, ctx.clock.now()
    )
    return {}


async def _update(
    tx: Transaction,
    scope: Scope,
    id: str,
    settings: dict[str, Any],
    name: str | None,
    tags: dict[str, str] | None,
    now: float,
) -> None:
    pool = await store.POOLS.load(tx, scope, id)
    if pool is None:
        raise ResourceNotFoundException(f"User pool {id} does not exist.")
    kept = {key: pool.settings[key] for key in (*FIXED, *FACTORS) if key in pool.settings}
    whole = {**settings, **kept}
    check_factors(whole)
    changed = msgspec.structs.replace(
        pool,
        settings=whole,
        modified=now,
        name=name or pool.name,
        tags=pool.tags if tags is None else dict(tags),
    )
    await store.POOLS.save(tx, scope, changed)


@operation("DeleteUserPool", resource=permissions.pool, conditions=permissions.keys)
async def delete_user_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a user pool with its users, clients, groups and keys."""
    pool = await loaded(ctx, request["UserPoolId"])
    if pool.settings["DeletionProtection"] == "ACTIVE":
        raise InvalidParameterException(
            "The user pool cannot be deleted because deletion protection is activated. Deletion "
            "protection must be inactivated first."
        )
    if await ctx.transact(store.domain_of, pool.id) is not None:
        raise InvalidParameterException(
            "User pool cannot be deleted. It has a domain configured that should be deleted first."
        )
    await ctx.transact(store.close_pool, pool.id)
    while await ctx.transact(store.clear_pool, pool.id):
        pass
    return {}


@operation("ListUserPools", resource="*")
async def list_user_pools(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the user pools of the account and region."""
    after = position(request.get("NextToken"))
    limit = request["MaxResults"]
    pools = await ctx.transact(_page, limit + 1, after)
    shown = [
        {
            "Id": pool.id,
            "Name": pool.name,
            "LambdaConfig": pool.settings["LambdaConfig"],
            "CreationDate": pool.created,
            "LastModifiedDate": pool.modified,
        }
        for pool in pools[:limit]
    ]
    more = {"NextToken": make_token([pools[limit - 1].id])} if len(pools) > limit else {}
    return {"UserPools": shown, **more}


async def _page(
    tx: Transaction, scope: Scope, limit: int, after: tuple[Any, ...] | None
) -> list[Pool]:
    return await store.POOLS.scan(tx, scope, limit=limit, after=after)


@operation("AddCustomAttributes", resource=permissions.pool, conditions=permissions.keys)
async def add_custom_attributes(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a pool attributes of its own; they stay."""
    entries = [custom_entry(one) for one in request["CustomAttributes"]]
    await ctx.transact(_add_attributes, request["UserPoolId"], entries, ctx.clock.now())
    return {}


async def _add_attributes(
    tx: Transaction, scope: Scope, id: str, entries: list[dict[str, Any]], now: float
) -> None:
    pool = await store.POOLS.load(tx, scope, id)
    if pool is None:
        raise ResourceNotFoundException(f"User pool {id} does not exist.")
    schema = dict(pool.schema)
    for entry in entries:
        if entry["Name"] in schema:
            raise InvalidParameterException(
                f"{entry['Name']}: Existing attribute already has name {entry['Name']}."
            )
        schema[entry["Name"]] = entry
    check_count(schema)
    await store.POOLS.save(tx, scope, msgspec.structs.replace(pool, schema=schema, modified=now))


@operation("SetUserPoolMfaConfig", resource=permissions.pool, conditions=permissions.keys)
async def set_user_pool_mfa_config(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Say which second factors a pool has, and whether they are needed."""
    if "WebAuthnConfiguration" in request:
        raise InvalidParameterException("Passkeys are not supported here: WebAuthnConfiguration.")
    texts = {
        "EmailMfaConfiguration": request.get("EmailMfaConfiguration", {}).get("Message"),
        "SmsMfaConfiguration": request.get("SmsMfaConfiguration", {}).get(
            "SmsAuthenticationMessage"
        ),
    }
    for name, text in texts.items():
        if text and CODE not in text:
            raise InvalidParameterException(f"The message of {name} must contain {CODE}.")
    return factors_view(await ctx.transact(_set_factors, dict(request), ctx.clock.now()))


async def _set_factors(tx: Transaction, scope: Scope, request: dict[str, Any], now: float) -> Pool:
    id = request["UserPoolId"]
    pool = await store.POOLS.load(tx, scope, id)
    if pool is None:
        raise ResourceNotFoundException(f"User pool {id} does not exist.")
    settings = dict(pool.settings)
    for name in FACTORS:
        if name in request:
            settings[name] = request[name]
    texts = request.get("SmsMfaConfiguration", {})
    for name in ("SmsConfiguration", "SmsAuthenticationMessage"):
        if name in texts:
            settings[name] = texts[name]
    settings["MfaConfiguration"] = request.get("MfaConfiguration", "OFF")
    check_factors(settings)
    changed = msgspec.structs.replace(pool, settings=settings, modified=now)
    await store.POOLS.save(tx, scope, changed)
    return changed


@operation("GetUserPoolMfaConfig", resource=permissions.pool, conditions=permissions.keys)
async def get_user_pool_mfa_config(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show which second factors a pool has."""
    return factors_view(await loaded(ctx, request["UserPoolId"]))


@operation("TagResource", resource=permissions.tagged, conditions=permissions.keys)
async def tag_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put tags on a pool."""
    await ctx.transact(_tag, request["ResourceArn"], dict(request["Tags"]), ())
    return {}


@operation("UntagResource", resource=permissions.tagged, conditions=permissions.keys)
async def untag_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take tags from a pool."""
    await ctx.transact(_tag, request["ResourceArn"], {}, tuple(request["TagKeys"]))
    return {}


@operation("ListTagsForResource", resource=permissions.tagged, conditions=permissions.keys)
async def list_tags_for_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show a pool's tags."""
    return {"Tags": await ctx.transact(_tag, request["ResourceArn"], {}, ())}


async def _tag(
    tx: Transaction, scope: Scope, arn: str, given: dict[str, str], gone: tuple[str, ...]
) -> dict[str, str]:
    id = arn.rpartition("/")[2]
    pool = await store.POOLS.load(tx, scope, id)
    if pool is None or arn != pool_arn(scope, id):
        raise ResourceNotFoundException(f"User pool {id} does not exist.")
    tags = {name: value for name, value in {**pool.tags, **given}.items() if name not in gone}
    if given or gone:
        _check_tags(tags)
        await store.POOLS.save(tx, scope, msgspec.structs.replace(pool, tags=tags))
    return tags


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > TAGS_MAX:
        raise UserPoolTaggingException(f"A pool has at most {TAGS_MAX} tags.")
    # What stacks make has tags of CloudFormation's.
    odd = [n for n in tags if n.lower().startswith("aws:") and not n.startswith(_STACKS)]
    if odd:
        raise UserPoolTaggingException(f"{odd[0]}: names beginning with aws: are reserved.")


async def loaded(ctx: Context, id: str) -> Pool:
    """The pool of the caller's account and region. Raises ResourceNotFoundException."""
    pool = await ctx.transact(store.load_pool, id)
    if pool is None:
        raise ResourceNotFoundException(f"User pool {id} does not exist.")
    return pool


def position(token: str | None) -> tuple[Any, ...] | None:
    """Where a list goes on. Raises InvalidParameterException for a token that is not ours."""
    if not token:
        return None
    try:
        found = read_token(token)
    except ValueError as cause:
        raise InvalidParameterException("Invalid pagination token.") from cause
    if not isinstance(found, list):
        raise InvalidParameterException("Invalid pagination token.")
    return tuple(found)
