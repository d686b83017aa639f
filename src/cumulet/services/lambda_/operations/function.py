"""Functions as wholes: made, described, listed, deleted."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    CodeSigningConfigNotFoundException,
    InvalidParameterValueException,
    ResourceConflictException,
)
from cumulet.services.lambda_.forms.access import (
    ON_FUNCTION,
    ON_QUALIFIER,
    ON_SHARED,
    own,
    ref_of,
    tag_conditions,
)
from cumulet.services.lambda_.forms.describe import describe_version
from cumulet.services.lambda_.forms.names import (
    LATEST,
    FunctionRef,
    is_version,
    parse_new_function,
    qualified,
)
from cumulet.services.lambda_.forms.paging import read_marker, write_marker
from cumulet.services.lambda_.forms.settings import (
    check_supported,
    check_variables,
    merge_settings,
)
from cumulet.services.lambda_.forms.tagging import check_tags
from cumulet.services.lambda_.limits import ALIASES_PAGE_MAX, LIST_PAGE_MAX
from cumulet.services.lambda_.model import Function, Logging, Settings, Version, number_of
from cumulet.services.lambda_.packages.intake import (
    check_role,
    check_target,
    check_total_size,
    release,
    take_layers,
    take_package,
)
from cumulet.services.lambda_.packages.links import code_link
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.live import not_found
from cumulet.services.lambda_.running.secrets import open_environment, seal_environment

DEAD_LETTER_TARGETS = ("sqs", "sns")


def _new_arn(ctx: Context, request: dict[str, Any]) -> str:
    return parse_new_function(ctx.scope, request["FunctionName"]).arn


def _creating(ctx: Context, request: dict[str, Any]) -> tuple[str, ...]:
    """Tags need a permission of their own, see the CreateFunction page of the API."""
    return ("CreateFunction", "TagResource") if request.get("Tags") else ("CreateFunction",)


def _new_conditions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    keys = tag_conditions(request)
    if layers := request.get("Layers"):
        keys["lambda:Layer"] = list(layers)
    return keys


@operation("CreateFunction", action=_creating, resource=_new_arn, conditions=_new_conditions)
async def create_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make a function from a package, with a first version if asked."""
    ref = parse_new_function(ctx.scope, request["FunctionName"])
    check_supported(request)
    if request.get("CodeSigningConfigArn"):
        raise CodeSigningConfigNotFoundException(
            "The code signing configuration cannot be found. Check that the provided configuration "
            "is not deleted."
        )
    tags = dict(request.get("Tags") or {})
    check_tags(tags)
    settings = await _new_settings(ctx, ref, request)
    existing = await ctx.transact(store.load_function, ref.name)
    if existing is not None:
        return await _made_before(ctx, ref, existing, request)
    package = await take_package(ctx, request["Code"], "CreateFunction")
    try:
        check_total_size(package, settings.layers)
        latest = Version(ref.name, 0, settings, package, ctx.clock.now(), new_uuid(ctx.clock))
        versions: tuple[Version, ...] = (latest,)
        if request.get("Publish"):
            versions += (msgspec.structs.replace(latest, number=1, revision=new_uuid(ctx.clock)),)
        token = request.get("ClientToken") or ""
        function = Function(ref.name, len(versions) - 1, tags, token=token)
        if not await ctx.transact(store.create, function, versions):
            raise _exists(ref)
    except (InvalidParameterValueException, ResourceConflictException):
        await release(ctx, frozenset({package.blob_id}))
        raise
    ctx.need(Functions).warm_up(settings.runtime)
    return show(ctx, versions[-1], published=len(versions) > 1)


async def _made_before(
    ctx: Context, ref: FunctionRef, existing: Function, request: dict[str, Any]
) -> dict[str, Any]:
    """The function when the same step of a stack made it, before a kill; else it is in the way."""
    latest = await ctx.transact(store.load_version, ref.name, 0)
    if latest is None or not existing.token or existing.token != request.get("ClientToken"):
        raise _exists(ref)
    return show(ctx, latest)


async def _new_settings(ctx: Context, ref: FunctionRef, request: dict[str, Any]) -> Settings:
    blank = Settings("", "", "", Logging(f"/aws/lambda/{ref.name}"))
    settings = merge_settings(blank, request)
    variables = dict((request.get("Environment") or {}).get("Variables") or {})
    check_variables(variables)
    await check_role(ctx, settings.role)
    if settings.dead_letter_arn:
        await check_target(ctx, settings.role, settings.dead_letter_arn, DEAD_LETTER_TARGETS)
    return msgspec.structs.replace(
        settings,
        environment=seal_environment(ctx.need(Sealer), ref.scope, ref.name, variables),
        layers=await take_layers(ctx, list(request.get("Layers") or [])),
    )


def _exists(ref: FunctionRef) -> ResourceConflictException:
    return ResourceConflictException(f"Function already exist: {ref.name}")


def show(ctx: Context, version: Version, *, published: bool = False) -> dict[str, Any]:
    """A version's configuration as the function's own operations answer it."""
    variables = open_environment(ctx.need(Sealer), ctx.scope, version)
    shown = version.label if published else ""
    return describe_version(ctx.scope, version, variables, shown=shown)


async def _find(ctx: Context, ref: FunctionRef) -> dict[str, Any]:
    entry = await ctx.need(Functions).live.find(ref)
    variables = open_environment(ctx.need(Sealer), ref.scope, entry.version)
    return describe_version(ref.scope, entry.version, variables, shown=ref.qualifier)


@operation("GetFunction", **ON_SHARED)
async def get_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a function or version, with a link to its package that works for ten minutes."""
    ref = ref_of(ctx, request)
    entry = await ctx.need(Functions).live.find(ref)
    answer: dict[str, Any] = {
        "Configuration": await _find(ctx, ref),
        "Code": {
            "RepositoryType": "S3",
            "Location": code_link(ctx, entry.version.package.blob_id),
        },
    }
    if entry.function.tags:
        answer["Tags"] = dict(entry.function.tags)
    if entry.function.reserved is not None:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": entry.function.reserved}
    return answer


@operation("GetFunctionConfiguration", **ON_SHARED)
async def get_function_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a function or version."""
    return await _find(ctx, ref_of(ctx, request))


@operation("ListFunctions")
async def list_functions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List the functions, or with `FunctionVersion=ALL` every version of them."""
    limit = min(request.get("MaxItems") or LIST_PAGE_MAX, LIST_PAGE_MAX)
    marker = read_marker(request)
    if request.get("FunctionVersion") == "ALL":
        after = (str(marker[0]), int(marker[1])) if marker else None
        versions = await ctx.transact(store.scan_all_versions, after, limit + 1)
    else:
        name = str(marker[0]) if marker else ""
        versions = await ctx.transact(store.scan_functions, name, limit + 1)
    page = versions[:limit]
    answer: dict[str, Any] = {"Functions": [_listed(ctx, each) for each in page]}
    if len(versions) > limit:
        answer["NextMarker"] = write_marker(page[-1].function, page[-1].number)
    return answer


def _listed(ctx: Context, version: Version) -> dict[str, Any]:
    variables = open_environment(ctx.need(Sealer), ctx.scope, version)
    shown = version.label if version.number else ""
    answer = describe_version(ctx.scope, version, variables, shown=shown)
    # The lists leave out what Lambda looks up elsewhere, see the ListFunctions page of its API.
    for member in ("State", "LastUpdateStatus", "RuntimeVersionConfig"):
        answer.pop(member, None)
    return answer


@operation("ListVersionsByFunction", **ON_FUNCTION)
async def list_versions_by_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List `$LATEST` and the published versions of a function."""
    ref = own(ctx, request)
    limit = min(request.get("MaxItems") or LIST_PAGE_MAX, ALIASES_PAGE_MAX)
    marker = read_marker(request)
    after = int(marker[0]) if marker else None
    versions = await ctx.transact(store.scan_versions, ref.name, after, limit + 1)
    if not versions and after is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    page = versions[:limit]
    described = []
    for version in page:
        variables = open_environment(ctx.need(Sealer), ctx.scope, version)
        shown = describe_version(ctx.scope, version, variables, shown=version.label)
        described.append(shown)
    answer: dict[str, Any] = {"Versions": described}
    if len(versions) > limit:
        answer["NextMarker"] = write_marker(page[-1].number)
    return answer


@operation("DeleteFunction", **ON_QUALIFIER)
async def delete_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a function with all its versions and aliases, or one published version."""
    ref = own(ctx, request)
    if ref.qualifier:
        gone = await _delete_version(ctx, ref)
    else:
        found = await ctx.transact(store.delete_function, ref.name)
        if found is None:
            raise not_found(ref)
        gone = found
    ctx.need(Functions).retire(ref.scope, ref.name, ref.qualifier)
    await release(ctx, frozenset(blob for each in gone for blob in each.blob_ids))
    return {"StatusCode": 204}


async def _delete_version(ctx: Context, ref: FunctionRef) -> list[Version]:
    if ref.qualifier == LATEST:
        raise InvalidParameterValueException(
            "$LATEST version cannot be deleted without deleting the function."
        )
    if not is_version(ref.qualifier):
        raise InvalidParameterValueException("Deletion of aliases is not currently supported.")
    if await ctx.transact(store.load_function, ref.name) is None:
        raise not_found(FunctionRef(ref.scope, ref.name, ""))
    found = await ctx.transact(store.delete_version, ref.name, number_of(ref.qualifier))
    if isinstance(found, str):
        alias = qualified(ref.unqualified_arn, found)
        raise ResourceConflictException(
            f"Version {ref.qualifier} of function {ref.unqualified_arn} cannot be deleted because "
            f"it is referenced by the alias {alias}."
        )
    return [] if found is None else [found]
