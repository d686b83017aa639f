"""Tags, runtime updates, recursion, and what AWS has here and Cumulet refuses or has none of."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.kit.service import OwnedPolicies, operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.forms.access import (
    ON_FUNCTION,
    ON_QUALIFIER,
    function_conditions,
    function_loaded,
    own,
)
from cumulet.services.lambda_.forms.describe import runtime_version_arn
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef, parse_function
from cumulet.services.lambda_.forms.tagging import check_tags
from cumulet.services.lambda_.model import Function, Version
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.live import not_found


def _tagged(ctx: Context, request: dict[str, Any]) -> FunctionRef:
    arn = request["Resource"]
    if ":function:" not in arn:
        raise ResourceNotFoundException("The resource you requested does not exist.")
    ref = parse_function(ctx.scope, arn)
    if ref.qualifier:
        raise InvalidParameterValueException(
            "Tags on function aliases and versions are not supported. Please specify a function "
            "ARN."
        )
    return own(ctx, {"FunctionName": arn})


def _resource(ctx: Context, request: dict[str, Any]) -> str:
    return str(request["Resource"])


def _named(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "FunctionName": request["Resource"]}


async def _loaded(ctx: Context, request: dict[str, Any]) -> OwnedPolicies | None:
    if ":function:" not in request["Resource"]:
        return None
    return await function_loaded(ctx, _named(request))


def _tag_conditions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    if ":function:" not in request["Resource"]:
        return {}
    return function_conditions(ctx, _named(request))


_ON_TAGGED: dict[str, Any] = {
    "resource": _resource,
    "resource_policy": _loaded,
    "conditions": _tag_conditions,
}


async def _retag(ctx: Context, ref: FunctionRef, add: dict[str, str], drop: set[str]) -> None:
    def change(old: Function) -> Function:
        tags = {key: value for key, value in old.tags.items() if key not in drop} | add
        check_tags(tags)
        return msgspec.structs.replace(old, tags=tags)

    if await ctx.transact(store.change_function, ref.name, change) is None:
        raise not_found(ref)


@operation("TagResource", **_ON_TAGGED)
async def tag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Set tags of a function."""
    await _retag(ctx, _tagged(ctx, request), dict(request["Tags"]), set())
    return {}


@operation("UntagResource", **_ON_TAGGED)
async def untag_resource(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags of a function."""
    await _retag(ctx, _tagged(ctx, request), {}, set(request["TagKeys"]))
    return {}


@operation("ListTags", **_ON_TAGGED)
async def list_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show the tags of a function."""
    ref = _tagged(ctx, request)
    function = await ctx.transact(store.load_function, ref.name)
    if function is None:
        raise not_found(ref)
    return {"Tags": dict(function.tags)}


def _show_updates(ctx: Context, ref: FunctionRef, version: Version) -> dict[str, Any]:
    answer = {
        "UpdateRuntimeOn": version.runtime_updates,
        "FunctionArn": FunctionRef(ref.scope, ref.name, ref.qualifier or LATEST).arn,
    }
    if version.runtime_pin:
        answer["RuntimeVersionArn"] = version.runtime_pin
    return answer


@operation("GetRuntimeManagementConfig", **ON_QUALIFIER)
async def get_runtime_management_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show when a version takes a new release of its runtime."""
    ref = own(ctx, request)
    entry = await ctx.need(Functions).live.find(ref)
    return _show_updates(ctx, ref, entry.version)


@operation("PutRuntimeManagementConfig", **ON_QUALIFIER)
async def put_runtime_management_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Say when a version takes a new release of its runtime; the machine has only one release."""
    ref = own(ctx, request)
    entry = await ctx.need(Functions).live.find(ref)
    mode, pin = request["UpdateRuntimeOn"], request.get("RuntimeVersionArn") or ""
    if (mode == "Manual") != bool(pin):
        raise InvalidParameterValueException(
            "RuntimeVersionArn is required for, and only for, the runtime update mode Manual."
        )
    here = runtime_version_arn(ref.scope.region, entry.version.settings.runtime)
    if pin and pin != here:
        raise InvalidParameterValueException(f"Runtime Version {pin} does not exist.")

    def change(old: Version) -> Version:
        return msgspec.structs.replace(old, runtime_updates=mode, runtime_pin=pin)

    number = entry.version.number
    changed = await ctx.transact(store.change_version, ref.name, number, change)
    if changed is None:
        raise not_found(ref)
    return _show_updates(ctx, ref, changed[1])


@operation("GetFunctionRecursionConfig", **ON_FUNCTION)
async def get_function_recursion_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show what is to happen to a loop through this function."""
    ref = own(ctx, request)
    function = await ctx.transact(store.load_function, ref.name)
    if function is None:
        raise not_found(ref)
    return {"RecursiveLoop": function.recursive_loop}


@operation("PutFunctionRecursionConfig", **ON_FUNCTION)
async def put_function_recursion_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Say what is to happen to a loop through this function."""
    ref = own(ctx, request)
    wanted = request["RecursiveLoop"]
    found = await ctx.transact(
        store.change_function,
        ref.name,
        lambda old: msgspec.structs.replace(old, recursive_loop=wanted),
    )
    if found is None:
        raise not_found(ref)
    return {"RecursiveLoop": wanted}


@operation("GetFunctionCodeSigningConfig", **ON_FUNCTION)
async def get_function_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Say that the function has no code signing configuration."""
    ref = own(ctx, request)
    if await ctx.transact(store.load_function, ref.name) is None:
        raise not_found(ref)
    return {"FunctionName": ref.name}


@operation("ListCodeSigningConfigs")
async def list_code_signing_configs(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List none: code signing is not in Cumulet, and creating one is refused."""
    return {"CodeSigningConfigs": []}
