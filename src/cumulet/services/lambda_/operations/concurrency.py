"""Concurrency: reservations, provisioned environments (refused), and the account's limits."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    ProvisionedConcurrencyConfigNotFoundException,
)
from cumulet.services.lambda_.forms.access import ON_FUNCTION, ON_QUALIFIER, own
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.limits import (
    CONCURRENCY_MAX,
    TOTAL_CODE_BYTES_MAX,
    UNRESERVED_CONCURRENCY_MIN,
    UNZIPPED_BYTES_MAX,
    ZIP_DIRECT_BYTES_MAX,
)
from cumulet.services.lambda_.model import Function
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.live import not_found


async def _function(ctx: Context, request: dict[str, Any]) -> Function:
    ref = own(ctx, request)
    function = await ctx.transact(store.load_function, ref.name)
    if function is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    return function


@operation("PutFunctionConcurrency", **ON_FUNCTION)
async def put_function_concurrency(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Reserve concurrency for a function, which is then also its limit."""
    ref = own(ctx, request)
    wanted = request["ReservedConcurrentExecutions"]
    reservable = CONCURRENCY_MAX - UNRESERVED_CONCURRENCY_MIN
    found = await ctx.transact(store.reserve, ref.name, wanted, reservable)
    if found is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    if isinstance(found, int):
        raise InvalidParameterValueException(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of "
            f"[{UNRESERVED_CONCURRENCY_MIN}]."
        )
    return {"ReservedConcurrentExecutions": wanted}


@operation("GetFunctionConcurrency", **ON_FUNCTION)
async def get_function_concurrency(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show a function's reserved concurrency, if it has one."""
    function = await _function(ctx, request)
    if function.reserved is None:
        return {}
    return {"ReservedConcurrentExecutions": function.reserved}


@operation("DeleteFunctionConcurrency", **ON_FUNCTION)
async def delete_function_concurrency(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Give a function's reservation up."""
    ref = own(ctx, request)
    found = await ctx.transact(
        store.change_function, ref.name, lambda old: msgspec.structs.replace(old, reserved=None)
    )
    if found is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    return {}


@operation("PutProvisionedConcurrencyConfig", **ON_QUALIFIER)
async def put_provisioned_concurrency_config(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Refused: environments are made when they are needed, in milliseconds."""
    await _qualified(ctx, request)
    raise InvalidParameterValueException("Provisioned concurrency is not supported by Cumulet.")


async def _qualified(ctx: Context, request: dict[str, Any]) -> FunctionRef:
    ref = own(ctx, request)
    await ctx.need(Functions).live.find(ref)
    return ref


@operation("GetProvisionedConcurrencyConfig", **ON_QUALIFIER)
async def get_provisioned_concurrency_config(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Say that there is none, as there cannot be."""
    ref = await _qualified(ctx, request)
    raise ProvisionedConcurrencyConfigNotFoundException(
        f"No Provisioned Concurrency Config found for this function: {ref.arn}"
    )


@operation("DeleteProvisionedConcurrencyConfig", **ON_QUALIFIER)
async def delete_provisioned_concurrency_config(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """Nothing is there to delete; AWS answers the same to that."""
    await _qualified(ctx, request)
    return {}


@operation("ListProvisionedConcurrencyConfigs", **ON_FUNCTION)
async def list_provisioned_concurrency_configs(
    ctx: Context, request: dict[str, Any]
) -> dict[str, Any]:
    """List none, as there cannot be any."""
    await _function(ctx, request)
    return {"ProvisionedConcurrencyConfigs": []}


@operation("GetAccountSettings")
async def get_account_settings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show the account's limits in this region, and what it uses of them."""
    used, count = await ctx.transact(store.code_bytes)
    functions = await ctx.transact(store.scan_all_functions)
    reserved = sum(each.reserved or 0 for each in functions)
    return {
        "AccountLimit": {
            "TotalCodeSize": TOTAL_CODE_BYTES_MAX,
            "CodeSizeUnzipped": UNZIPPED_BYTES_MAX,
            "CodeSizeZipped": ZIP_DIRECT_BYTES_MAX,
            "ConcurrentExecutions": CONCURRENCY_MAX,
            "UnreservedConcurrentExecutions": CONCURRENCY_MAX - reserved,
        },
        "AccountUsage": {"TotalCodeSize": used, "FunctionCount": count},
    }
