"""Reading values: by name, by path, and through time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.ssm import permissions, store
from cumulet.services.ssm.describe import describe_parameter, describe_value, describe_version
from cumulet.services.ssm.errors import (
    InvalidNextToken,
    ParameterNotFound,
    ParameterVersionNotFound,
    ValidationException,
)
from cumulet.services.ssm.filters import Test, is_under, read_filters
from cumulet.services.ssm.limits import PAGE_ITEMS, PATH_PAGE_ITEMS, VERSIONS_MAX
from cumulet.services.ssm.model import Parameter, Version
from cumulet.services.ssm.names import Selected, check_path, read_name

_SCANNED: int = 100
"""Parameters read at once while a page is filled."""


@operation("GetParameter", resource=permissions.one, conditions=permissions.keys)
async def get_parameter(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a parameter's value: the latest, or that of a version or label."""
    wanted = read_name(request["Name"])
    version = await ctx.transact(_select, wanted)
    return {"Parameter": _told(ctx, version, wanted, request)}


async def _select(tx: Transaction, scope: Scope, wanted: Selected) -> Version:
    parameter = await store.load(tx, scope, wanted.name)
    if parameter is None:
        raise ParameterNotFound(f"Parameter {wanted.name} not found.")
    if not wanted.selector:
        return parameter.latest
    number = wanted.number or parameter.labels.get(wanted.selector)
    version = None if number is None else await store.load_version(tx, scope, parameter, number)
    if version is None:
        kind = "version" if wanted.number else "label"
        raise ParameterVersionNotFound(
            f"Systems Manager could not find {kind} {wanted.selector} of {wanted.name}. "
            f"Verify the {kind} and try again."
        )
    return version


def _told(
    ctx: Context, version: Version, wanted: Selected, request: Mapping[str, Any]
) -> dict[str, Any]:
    return describe_value(
        ctx.scope,
        ctx.need(Sealer),
        version,
        decrypt=bool(request.get("WithDecryption")),
        selector=wanted.selector,
    )


@operation("GetParameters", resource=permissions.each)
async def get_parameters(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell several values; the names that are not there are listed as invalid."""
    names = request["Names"]
    if len(set(names)) != len(names):
        raise ValidationException("Names must not have duplicates.")
    found, invalid = [], []
    for name in names:
        wanted = read_name(name)
        try:
            found.append(_told(ctx, await ctx.transact(_select, wanted), wanted, request))
        except (ParameterNotFound, ParameterVersionNotFound):
            invalid.append(name)
    found.sort(key=lambda one: str(one["Name"]))
    return {"Parameters": found, "InvalidParameters": invalid}


@operation("GetParametersByPath", resource=permissions.path)
async def get_parameters_by_path(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the values under a path: one level, or all levels."""
    path, recursive = check_path(request["Path"]), bool(request.get("Recursive"))
    tests = read_filters(request.get("ParameterFilters", []), by_path=True)
    tests.append(lambda one: is_under(one.name, path, recursive=recursive))
    # At the top level, names without a slash belong to "/" as well.
    starts = None if path == "/" else path
    limit = request.get("MaxResults") or PATH_PAGE_ITEMS
    page, token = await ctx.transact(_page, request, tests, starts, limit)
    sealer = ctx.need(Sealer)
    decrypt = bool(request.get("WithDecryption"))
    shown = [describe_value(ctx.scope, sealer, one.latest, decrypt=decrypt) for one in page]
    return {"Parameters": shown, **token}


@operation("DescribeParameters", resource=permissions.everything)
async def describe_parameters(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List parameters without their values."""
    if request.get("Filters") and request.get("ParameterFilters"):
        raise ValidationException("You can use either Filters or ParameterFilters in a request.")
    if request.get("Shared"):
        return {"Parameters": []}
    given = request.get("ParameterFilters") or [
        {**one, "Option": "BeginsWith" if one["Key"] == "Name" else "Equals"}
        for one in request.get("Filters", ())
    ]
    tests = read_filters(given, by_path=False)
    limit = request.get("MaxResults") or PAGE_ITEMS
    page, token = await ctx.transact(_page, request, tests, None, limit)
    return {"Parameters": [describe_parameter(ctx.scope, one) for one in page], **token}


async def _page(
    tx: Transaction,
    scope: Scope,
    request: Mapping[str, Any],
    tests: list[Test],
    starts: str | None,
    limit: int,
) -> tuple[list[Parameter], dict[str, str]]:
    last = _position(request)
    after = (last,) if isinstance(last, str) else None
    found: list[Parameter] = []
    while True:
        scanned = await store.PARAMETERS.scan(tx, scope, limit=_SCANNED, after=after, starts=starts)
        for one in scanned:
            if all(test(one) for test in tests):
                if len(found) == limit:
                    return found, {"NextToken": make_token(found[-1].name)}
                found.append(one)
        if len(scanned) < _SCANNED:
            return found, {}
        after = (scanned[-1].name,)


def _position(request: Mapping[str, Any]) -> Any:
    token = request.get("NextToken")
    if not token:
        return None
    try:
        return read_token(token)
    except ValueError as cause:
        raise InvalidNextToken("The specified token isn't valid.") from cause


@operation("GetParameterHistory", resource=permissions.one, conditions=permissions.keys)
async def get_parameter_history(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell every version that is kept, from the oldest on."""
    parameter, versions = await ctx.transact(_history, read_name(request["Name"]).name)
    after = _position(request)
    if not isinstance(after, int | None):
        raise InvalidNextToken("The specified token isn't valid.")
    rest = [one for one in versions if one.number > (after or 0)]
    limit = request.get("MaxResults") or PAGE_ITEMS
    sealer = ctx.need(Sealer)
    decrypt = bool(request.get("WithDecryption"))
    shown = [
        describe_version(sealer, one, parameter.labels_on(one.number), decrypt=decrypt)
        for one in rest[:limit]
    ]
    if len(rest) <= limit:
        return {"Parameters": shown}
    return {"Parameters": shown, "NextToken": make_token(rest[limit - 1].number)}


async def _history(tx: Transaction, scope: Scope, name: str) -> tuple[Parameter, list[Version]]:
    parameter = await store.load(tx, scope, name)
    if parameter is None:
        raise ParameterNotFound(f"Parameter {name} not found.")
    versions = await store.VERSIONS.scan(tx, scope, parameter.name, limit=VERSIONS_MAX)
    return parameter, versions
