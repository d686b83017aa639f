"""How asynchronous events are retried, and where they go when they end."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import ResourceNotFoundException
from cumulet.services.lambda_.forms.access import ON_FUNCTION, ON_QUALIFIER, own
from cumulet.services.lambda_.forms.describe import describe_event_config
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef
from cumulet.services.lambda_.forms.paging import read_marker, write_marker
from cumulet.services.lambda_.limits import LIST_PAGE_MAX
from cumulet.services.lambda_.model import EventConfig
from cumulet.services.lambda_.packages.intake import check_target
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.live import not_found

_ON_SUCCESS = ("sqs", "lambda", "sns", "events")
_ON_FAILURE = (*_ON_SUCCESS, "s3")


def _hung_on(ref: FunctionRef) -> str:
    """`$LATEST` and no qualifier are the same for these rules."""
    return "" if ref.qualifier == LATEST else ref.qualifier


async def _save(ctx: Context, request: dict[str, Any], old: EventConfig | None) -> dict[str, Any]:
    ref = own(ctx, request)
    entry = await ctx.need(Functions).live.find(ref)
    destinations = request.get("DestinationConfig")
    success = failure = ""
    if destinations is not None:
        success = (destinations.get("OnSuccess") or {}).get("Destination") or ""
        failure = (destinations.get("OnFailure") or {}).get("Destination") or ""
        role = entry.version.settings.role
        if success:
            await check_target(ctx, role, success, _ON_SUCCESS)
        if failure:
            await check_target(ctx, role, failure, _ON_FAILURE)
    elif old is not None:
        success, failure = old.on_success, old.on_failure
    retries = request.get("MaximumRetryAttempts")
    age = request.get("MaximumEventAgeInSeconds")
    if old is not None:
        retries = old.retries if retries is None else retries
        age = old.age_seconds if age is None else age
    config = EventConfig(ref.name, _hung_on(ref), ctx.clock.now(), retries, age, success, failure)
    await ctx.transact(store.save_event_config, config)
    return describe_event_config(ref.scope, config)


@operation("PutFunctionEventInvokeConfig", **ON_QUALIFIER)
async def put_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set the rules for asynchronous events, replacing earlier ones."""
    return await _save(ctx, request, None)


@operation("UpdateFunctionEventInvokeConfig", **ON_QUALIFIER)
async def update_function_event_invoke_config(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Change some of the rules for asynchronous events."""
    return await _save(ctx, request, await _load(ctx, own(ctx, request)))


async def _load(ctx: Context, ref: FunctionRef) -> EventConfig:
    config = await ctx.transact(store.load_event_config, ref.name, _hung_on(ref))
    if config is None:
        raise _missing(ref)
    return config


def _missing(ref: FunctionRef) -> ResourceNotFoundException:
    arn = FunctionRef(ref.scope, ref.name, ref.qualifier or LATEST).arn
    return ResourceNotFoundException(f"The function {arn} doesn't have an EventInvokeConfig")


@operation("GetFunctionEventInvokeConfig", **ON_QUALIFIER)
async def get_function_event_invoke_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show the rules for asynchronous events."""
    ref = own(ctx, request)
    return describe_event_config(ref.scope, await _load(ctx, ref))


@operation("DeleteFunctionEventInvokeConfig", **ON_QUALIFIER)
async def delete_function_event_invoke_config(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Go back to Lambda's own rules for asynchronous events."""
    ref = own(ctx, request)
    if not await ctx.transact(store.drop_event_config, ref.name, _hung_on(ref)):
        raise _missing(ref)
    return {}


@operation("ListFunctionEventInvokeConfigs", **ON_FUNCTION)
async def list_function_event_invoke_configs(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """List the rules of a function and its qualifiers."""
    ref = own(ctx, request)
    if await ctx.transact(store.load_function, ref.name) is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    limit = min(request.get("MaxItems") or LIST_PAGE_MAX, LIST_PAGE_MAX)
    marker = read_marker(request)
    after = str(marker[0]) if marker else None
    configs = await ctx.transact(store.scan_event_configs, ref.name, after, limit + 1)
    page = configs[:limit]
    shown = [describe_event_config(ref.scope, each) for each in page]
    answer: dict[str, Any] = {"FunctionEventInvokeConfigs": shown}
    if len(configs) > limit:
        answer["NextMarker"] = write_marker(page[-1].qualifier)
    return answer
