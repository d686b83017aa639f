"""Function URLs: their configuration. How they answer is in `surface.py`.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.forms.access import (
    ON_FUNCTION,
    function_conditions,
    function_policies,
    own,
    qualified_arn,
)
from cumulet.services.lambda_.forms.describe import describe_url
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef, is_version
from cumulet.services.lambda_.forms.paging import read_marker, write_marker
from cumulet.services.lambda_.limits import LIST_PAGE_MAX
from cumulet.services.lambda_.model import Url
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.live import not_found

_ID_LENGTH = 32


def _ref(ctx: Context, request: dict[str, Any]) -> FunctionRef:
    ref = own(ctx, request)
    if ref.qualifier == LATEST or is_version(ref.qualifier):
        raise InvalidParameterValueException(
            "A function URL can only be attached to $LATEST (without a qualifier) or to an alias."
        )
    return ref


def _missing() -> ResourceNotFoundException:
    return ResourceNotFoundException("The resource you requested does not exist.")


@operation("CreateFunctionUrlConfig", **ON_FUNCTION)
async def create_function_url_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Give a function or alias a URL of its own."""
    ref = _ref(ctx, request)
    await ctx.need(Functions).live.find(ref)
    now = ctx.clock.now()
    url = Url(
        ref.name,
        ref.qualifier,
        new_label(ctx.clock, _ID_LENGTH),
        request["AuthType"],
        request.get("InvokeMode") or "BUFFERED",
        now,
        now,
        request.get("Cors"),
        request.get("ClientToken") or "",
    )
    if not await ctx.transact(store.insert_url, url):
        existing = await ctx.transact(store.load_url, ref.name, ref.qualifier)
        if url.token and existing is not None and existing.token == url.token:
            return describe_url(ref.scope, existing, ctx.endpoint)
        raise ResourceConflictException(
            f"Failed to create function url config for [functionArn = {ref.arn}]. Error message: "
            " FunctionUrlConfig exists for this Lambda function"
        )
    answer = describe_url(ref.scope, url, ctx.endpoint)
    del answer["LastModifiedTime"]
    return answer


@operation("UpdateFunctionUrlConfig", **ON_FUNCTION)
async def update_function_url_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change how a function's URL answers."""
    ref = _ref(ctx, request)
    now = ctx.clock.now()

    def change(old: Url) -> Url:
        return msgspec.structs.replace(
            old,
            auth=request.get("AuthType") or old.auth,
            mode=request.get("InvokeMode") or old.mode,
            cors=old.cors if request.get("Cors") is None else request["Cors"],
            modified=now,
        )

    url = await ctx.transact(store.change_url, ref.name, ref.qualifier, change)
    if url is None:
        raise _missing()
    return describe_url(ref.scope, url, ctx.endpoint)


@operation("GetFunctionUrlConfig", **ON_FUNCTION)
async def get_function_url_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show a function's or alias's URL."""
    ref = _ref(ctx, request)
    url = await ctx.transact(store.load_url, ref.name, ref.qualifier)
    if url is None:
        raise _missing()
    return describe_url(ref.scope, url, ctx.endpoint)


@operation("DeleteFunctionUrlConfig", **ON_FUNCTION)
async def delete_function_url_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Take a URL away; its address is never given again."""
    ref = _ref(ctx, request)
    if not await ctx.transact(store.drop_url, ref.name, ref.qualifier):
        raise _missing()
    return {}


@operation("ListFunctionUrlConfigs", **ON_FUNCTION)
async def list_function_url_configs(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List the URLs of a function and its aliases."""
    ref = own(ctx, request)
    if await ctx.transact(store.load_function, ref.name) is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    limit = min(request.get("MaxItems") or LIST_PAGE_MAX, LIST_PAGE_MAX)
    marker = read_marker(request)
    after = str(marker[0]) if marker else None
    urls = await ctx.transact(store.scan_urls, ref.name, after, limit + 1)
    page = urls[:limit]
    shown = [describe_url(ref.scope, each, ctx.endpoint) for each in page]
    answer: dict[str, Any] = {"FunctionUrlConfigs": shown}
    if len(urls) > limit:
        answer["NextMarker"] = write_marker(page[-1].qualifier)
    return answer


def _url_conditions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    return {**function_conditions(ctx, request), "lambda:InvokedViaFunctionUrl": "true"}


@operation(
    "InvokeFunctionUrl",
    action=("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"),
    resource=qualified_arn,
    resource_policy=function_policies,
    conditions=_url_conditions,
    access="anyone",
)
async def invoke_function_url(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Answer that the caller may use the URL: the surface asks this before it invokes.

    AWS has the action and not the operation. Both permissions are needed, see
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    return {}
