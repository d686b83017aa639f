"""Changes of `$LATEST`, and the versions published from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
)
from cumulet.services.lambda_.forms.access import ON_FUNCTION, own
from cumulet.services.lambda_.forms.describe import code_sha256
from cumulet.services.lambda_.forms.names import FunctionRef
from cumulet.services.lambda_.forms.settings import (
    check_supported,
    check_variables,
    merge_settings,
    not_supported,
)
from cumulet.services.lambda_.model import Settings, Version, is_unchanged
from cumulet.services.lambda_.operations.function import DEAD_LETTER_TARGETS, show
from cumulet.services.lambda_.packages.intake import (
    check_role,
    check_target,
    check_total_size,
    release,
    take_layers,
    take_package,
)
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.live import not_found
from cumulet.services.lambda_.running.secrets import open_environment, seal_environment

STALE = (
    "The Revision Id provided does not match the latest Revision Id. Call the "
    "GetFunction/GetAlias API to retrieve the latest Revision Id"
)


def check_revision(request: Mapping[str, Any], latest: str) -> None:
    """Raises PreconditionFailedException when the request is about an older revision."""
    if request.get("RevisionId") and request["RevisionId"] != latest:
        raise PreconditionFailedException(STALE)


def _own_latest(ctx: Context, request: dict[str, Any]) -> FunctionRef:
    ref = own(ctx, request)
    return FunctionRef(ref.scope, ref.name, "")


async def _load_latest(ctx: Context, ref: FunctionRef) -> Version:
    latest = await ctx.transact(store.load_version, ref.name, 0)
    if latest is None:
        raise not_found(ref)
    return latest


@operation("UpdateFunctionCode", **ON_FUNCTION)
async def update_function_code(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Replace the package of `$LATEST`, and publish a version if asked."""
    ref = _own_latest(ctx, request)
    if request.get("PublishTo"):
        raise not_supported("PublishTo")
    latest = await _load_latest(ctx, ref)
    check_revision(request, latest.revision)
    package = await take_package(ctx, request, "UpdateFunctionCode")
    architectures = request.get("Architectures")
    revision, now = new_uuid(ctx.clock), ctx.clock.now()

    def change(old: Version) -> Version:
        check_revision(request, old.revision)
        check_total_size(package, old.settings.layers)
        settings = old.settings
        if architectures:
            settings = msgspec.structs.replace(settings, architecture=architectures[0])
        return msgspec.structs.replace(
            old, package=package, settings=settings, modified=now, revision=revision
        )

    try:
        if request.get("DryRun"):
            return show(ctx, change(latest))
        changed = await ctx.transact(store.change_version, ref.name, 0, change)
        if changed is None:
            raise not_found(ref)
        ctx.need(Functions).retire(ref.scope, ref.name, "$LATEST")
    finally:
        # The new package when it was refused or only tried, else the one it replaced.
        await release(ctx, frozenset({package.blob_id, latest.package.blob_id}))
    if request.get("Publish"):
        return await _publish(ctx, ref, {})
    return show(ctx, changed[1])


@operation("UpdateFunctionConfiguration", **ON_FUNCTION)
async def update_function_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the configuration of `$LATEST`."""
    ref = _own_latest(ctx, request)
    check_supported(request)
    latest = await _load_latest(ctx, ref)
    check_revision(request, latest.revision)
    settings = await _updated(ctx, ref, latest, request)
    check_total_size(latest.package, settings.layers)
    revision, now = new_uuid(ctx.clock), ctx.clock.now()

    def change(old: Version) -> Version:
        # What another change wrote meanwhile must not be lost.
        if old.revision != latest.revision:
            raise ResourceConflictException(
                "The operation cannot be performed at this time. An update is in progress for "
                f"resource: {ref.unqualified_arn}"
            )
        return msgspec.structs.replace(old, settings=settings, modified=now, revision=revision)

    changed = await ctx.transact(store.change_version, ref.name, 0, change)
    if changed is None:
        raise not_found(ref)
    ctx.need(Functions).retire(ref.scope, ref.name, "$LATEST")
    await release(ctx, frozenset(changed[0].blob_ids))
    return show(ctx, changed[1])


async def _updated(
    ctx: Context, ref: FunctionRef, latest: Version, request: dict[str, Any]
) -> Settings:
    old = latest.settings
    new = merge_settings(old, request)
    if new.role != old.role:
        await check_role(ctx, new.role)
    if new.dead_letter_arn and new.dead_letter_arn != old.dead_letter_arn:
        await check_target(ctx, new.role, new.dead_letter_arn, DEAD_LETTER_TARGETS)
    if request.get("Environment") is not None:
        sealer = ctx.need(Sealer)
        variables = dict(request["Environment"].get("Variables") or {})
        check_variables(variables)
        if variables != open_environment(sealer, ref.scope, latest):
            sealed = seal_environment(sealer, ref.scope, ref.name, variables)
            new = msgspec.structs.replace(new, environment=sealed)
    if request.get("Layers") is not None:
        new = msgspec.structs.replace(new, layers=await take_layers(ctx, list(request["Layers"])))
    return new


@operation("PublishVersion", **ON_FUNCTION)
async def publish_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Freeze `$LATEST` as a numbered version, unless nothing changed since the last one."""
    if request.get("PublishTo"):
        raise not_supported("PublishTo")
    return await _publish(ctx, _own_latest(ctx, request), request)


async def _publish(ctx: Context, ref: FunctionRef, request: Mapping[str, Any]) -> dict[str, Any]:
    revision = new_uuid(ctx.clock)
    wanted = request.get("CodeSha256")
    description = request.get("Description")
    token = request.get("ClientToken") or ""

    def make(latest: Version, last: Version | None, number: int) -> Version | None:
        check_revision(request, latest.revision)
        current = code_sha256(latest.package)
        if wanted and wanted != current:
            raise InvalidParameterValueException(
                f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST "
                f"({current}). Please try again with the CodeSHA256 in $LATEST."
            )
        if last is not None and is_unchanged(latest, last):
            if token and last.token != token:
                raise ResourceConflictException(
                    f"A version for this Lambda function exists ( {last.number} ). Modify the "
                    "function to create a new version."
                )
            return None
        settings = latest.settings
        if description is not None:
            settings = msgspec.structs.replace(settings, description=description)
        return msgspec.structs.replace(
            latest, number=number, settings=settings, revision=revision, token=token
        )

    version = await ctx.transact(store.publish, ref.name, make)
    if version is None:
        raise not_found(ref)
    return show(ctx, version, published=True)
