"""Aliases: names for versions, with a share of the calls for a second version.

https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.forms.access import ON_FUNCTION, own
from cumulet.services.lambda_.forms.describe import describe_alias
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef
from cumulet.services.lambda_.forms.paging import read_marker, write_marker
from cumulet.services.lambda_.forms.settings import not_supported
from cumulet.services.lambda_.limits import ALIASES_PAGE_MAX, LIST_PAGE_MAX, ROUTED_VERSIONS_MAX
from cumulet.services.lambda_.model import Alias, number_of
from cumulet.services.lambda_.operations.update import check_revision
from cumulet.services.lambda_.running.live import not_found


def _alias_ref(ctx: Context, request: dict[str, Any]) -> FunctionRef:
    ref = own(ctx, request)
    return FunctionRef(ref.scope, ref.name, request["Name"])


def _no_alias(ref: FunctionRef) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Cannot find alias arn: {ref.arn}")


async def _check_versions(
    ctx: Context, ref: FunctionRef, label: str, weights: Mapping[str, float]
) -> None:
    if len(weights) > ROUTED_VERSIONS_MAX:
        raise InvalidParameterValueException(
            "Number of items in AdditionalVersionWeights cannot be greater than "
            f"{ROUTED_VERSIONS_MAX}"
        )
    if weights and LATEST in (label, *weights):
        raise InvalidParameterValueException(
            f"{LATEST} is not supported for an alias pointing to more than 1 version"
        )
    if label in weights:
        raise InvalidParameterValueException(
            f"Invalid function version {label}. Function version {label} is already included in "
            "routing configuration."
        )
    for each in (label, *weights):
        if each.endswith(".PUBLISHED"):
            raise not_supported(f"The version {each}")
        if await ctx.transact(store.load_version, ref.name, number_of(each)) is None:
            raise not_found(FunctionRef(ref.scope, ref.name, each))


def _weights(request: Mapping[str, Any]) -> dict[str, float]:
    routing = request.get("RoutingConfig") or {}
    return dict(routing.get("AdditionalVersionWeights") or {})


@operation("CreateAlias", **ON_FUNCTION)
async def create_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make an alias for a version."""
    ref = _alias_ref(ctx, request)
    weights = _weights(request)
    label = request["FunctionVersion"]
    await _check_versions(ctx, ref, label, weights)
    alias = Alias(
        ref.name,
        ref.qualifier,
        number_of(label),
        request.get("Description") or "",
        new_uuid(ctx.clock),
        weights,
        request.get("ClientToken") or "",
    )
    if not await ctx.transact(store.insert_alias, alias):
        existing = await ctx.transact(store.load_alias, ref.name, ref.qualifier)
        if alias.token and existing is not None and existing.token == alias.token:
            return describe_alias(ref.scope, existing)
        raise ResourceConflictException(f"Alias already exists: {ref.arn}")
    return describe_alias(ref.scope, alias)


@operation("UpdateAlias", **ON_FUNCTION)
async def update_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Point an alias elsewhere, or change its description or weights."""
    ref = _alias_ref(ctx, request)
    current = await ctx.transact(store.load_alias, ref.name, ref.qualifier)
    if current is None:
        raise _no_alias(ref)
    label = request.get("FunctionVersion") or current.label
    weights = current.weights if request.get("RoutingConfig") is None else _weights(request)
    await _check_versions(ctx, ref, label, weights)
    revision = new_uuid(ctx.clock)

    def change(old: Alias) -> Alias:
        check_revision(request, old.revision)
        description = request.get("Description")
        return msgspec.structs.replace(
            old,
            number=number_of(label),
            weights=weights,
            description=old.description if description is None else description,
            revision=revision,
        )

    alias = await ctx.transact(store.change_alias, ref.name, ref.qualifier, change)
    if alias is None:
        raise _no_alias(ref)
    return describe_alias(ref.scope, alias)


@operation("GetAlias", **ON_FUNCTION)
async def get_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Describe an alias."""
    ref = _alias_ref(ctx, request)
    alias = await ctx.transact(store.load_alias, ref.name, ref.qualifier)
    if alias is None:
        raise _no_alias(ref)
    return describe_alias(ref.scope, alias)


@operation("DeleteAlias", **ON_FUNCTION)
async def delete_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an alias; one that is not there is no error."""
    ref = _alias_ref(ctx, request)
    await ctx.transact(store.drop_alias, ref.name, ref.qualifier)
    return {}


@operation("ListAliases", **ON_FUNCTION)
async def list_aliases(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List a function's aliases, or only those that point to one version."""
    ref = own(ctx, request)
    if await ctx.transact(store.load_function, ref.name) is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    limit = min(request.get("MaxItems") or LIST_PAGE_MAX, ALIASES_PAGE_MAX)
    marker = read_marker(request)
    after = str(marker[0]) if marker else ""
    aliases = await ctx.transact(store.scan_aliases, ref.name, after, limit + 1)
    page = aliases[:limit]
    label = request.get("FunctionVersion")
    shown = [each for each in page if not label or label in (each.label, *each.weights)]
    answer: dict[str, Any] = {"Aliases": [describe_alias(ref.scope, each) for each in shown]}
    if len(aliases) > limit:
        answer["NextMarker"] = write_marker(page[-1].name)
    return answer
