"""Layers: versions of shared content, and who else may use them.

https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.forms.access import layer_arn, layer_policies, layer_ref, own_layer
from cumulet.services.lambda_.forms.describe import code_sha256, describe_layer_version, policy_text
from cumulet.services.lambda_.forms.names import LayerRef
from cumulet.services.lambda_.forms.paging import read_marker, write_marker
from cumulet.services.lambda_.forms.policies import layer_statement
from cumulet.services.lambda_.limits import LIST_PAGE_MAX, POLICY_BYTES_MAX
from cumulet.services.lambda_.model import Layer, LayerVersion
from cumulet.services.lambda_.operations.permission import NO_POLICY
from cumulet.services.lambda_.operations.update import check_revision
from cumulet.services.lambda_.packages.intake import release, take_package
from cumulet.services.lambda_.packages.links import code_link
from cumulet.services.lambda_.running.functions import Functions

_SCAN_PAGE = 200


def _missing(ref: LayerRef) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        "The resource you requested does not exist."
        if not ref.version
        else f"Layer version {ref.arn} does not exist."
    )


def _show(ctx: Context, ref: LayerRef, layer: LayerVersion) -> dict[str, Any]:
    answer = describe_layer_version(ref.scope, layer)
    answer["LayerArn"] = LayerRef(ref.scope, ref.name, 0).arn
    answer["Content"] = {
        "Location": code_link(ctx, layer.package.blob_id),
        "CodeSha256": code_sha256(layer.package),
        "CodeSize": layer.package.size_bytes,
    }
    return answer


@operation("PublishLayerVersion", resource=layer_arn)
async def publish_layer_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make a new version of a layer from an archive."""
    ref = own_layer(ctx, request)
    token = request.get("ClientToken") or ""
    if token:
        newest = await ctx.transact(store.scan_layer_versions, ref.name, None, 1)
        if newest and newest[0].token == token:
            return _show(ctx, ref, newest[0])
    package = await take_package(ctx, request["Content"], "PublishLayerVersion")
    now = ctx.clock.now()

    def make(number: int) -> LayerVersion:
        return LayerVersion(
            ref.name,
            number,
            package,
            now,
            request.get("Description") or "",
            request.get("LicenseInfo") or "",
            tuple(request.get("CompatibleRuntimes") or ()),
            tuple(request.get("CompatibleArchitectures") or ()),
            token=token,
        )

    layer = await ctx.transact(store.publish_layer, ref.name, make)
    return _show(ctx, ref, layer)


async def _load(ctx: Context, ref: LayerRef) -> LayerVersion:
    layer = await ctx.need(Functions).transact(
        ref.scope, store.load_layer_version, ref.name, ref.version
    )
    if layer is None:
        raise _missing(ref)
    return layer


@operation("GetLayerVersion", resource=layer_arn, resource_policy=layer_policies)
async def get_layer_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a layer version, with a link to its archive."""
    ref = layer_ref(ctx, request)
    return _show(ctx, ref, await _load(ctx, ref))


@operation(
    "GetLayerVersionByArn",
    action="lambda:GetLayerVersion",
    resource=layer_arn,
    resource_policy=layer_policies,
)
async def get_layer_version_by_arn(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Describe a layer version by its ARN."""
    ref = layer_ref(ctx, request)
    return _show(ctx, ref, await _load(ctx, ref))


@operation("DeleteLayerVersion", resource=layer_arn)
async def delete_layer_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a layer version; functions that use it keep it."""
    ref = own_layer(ctx, request)
    gone = await ctx.transact(store.drop_layer_version, ref.name, ref.version)
    if gone is not None:
        await release(ctx, frozenset({gone.package.blob_id}))
    return {}


def _suits(layer: LayerVersion, request: dict[str, Any]) -> bool:
    runtime, architecture = (
        request.get("CompatibleRuntime"),
        request.get("CompatibleArchitecture"),
    )
    if runtime and runtime not in layer.runtimes:
        return False
    return not architecture or architecture in layer.architectures


@operation("ListLayerVersions", resource=layer_arn)
async def list_layer_versions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List the versions of a layer, the newest first."""
    ref = own_layer(ctx, request)
    limit = min(request.get("MaxItems") or LIST_PAGE_MAX, LIST_PAGE_MAX)
    marker = read_marker(request)
    before = int(marker[0]) if marker else None
    versions = await ctx.transact(store.scan_layer_versions, ref.name, before, limit + 1)
    page = versions[:limit]
    shown = [describe_layer_version(ref.scope, each) for each in page if _suits(each, request)]
    answer: dict[str, Any] = {"LayerVersions": shown}
    if len(versions) > limit:
        answer["NextMarker"] = write_marker(page[-1].number)
    return answer


@operation("ListLayers")
async def list_layers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """List the layers, each with its newest version that suits."""
    limit = min(request.get("MaxItems") or LIST_PAGE_MAX, LIST_PAGE_MAX)
    marker = read_marker(request)
    after = str(marker[0]) if marker else None
    layers = await ctx.transact(store.scan_layers, after, limit + 1)
    page = layers[:limit]
    shown = []
    for layer in page:
        newest = await _newest(ctx, layer, request)
        if newest is not None:
            ref = LayerRef(ctx.scope, layer.name, 0)
            latest = describe_layer_version(ctx.scope, newest)
            shown.append(
                {"LayerName": layer.name, "LayerArn": ref.arn, "LatestMatchingVersion": latest}
            )
    answer: dict[str, Any] = {"Layers": shown}
    if len(layers) > limit:
        answer["NextMarker"] = write_marker(page[-1].name)
    return answer


async def _newest(ctx: Context, layer: Layer, request: dict[str, Any]) -> LayerVersion | None:
    before: int | None = None
    while True:
        versions = await ctx.transact(store.scan_layer_versions, layer.name, before, _SCAN_PAGE)
        for version in versions:
            if _suits(version, request):
                return version
        if len(versions) < _SCAN_PAGE:
            return None
        before = versions[-1].number


@operation("AddLayerVersionPermission", resource=layer_arn)
async def add_layer_version_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Let another account, or all, use a layer version."""
    ref = own_layer(ctx, request)
    if request.get("OrganizationId") and request["Principal"] != "*":
        raise InvalidParameterValueException(
            "OrganizationId can only be specified when the principal is *."
        )
    statement = layer_statement(request, ref.arn)
    revision = new_uuid(ctx.clock)

    def change(old: LayerVersion) -> LayerVersion:
        check_revision(request, old.policy_revision)
        if any(each["Sid"] == statement["Sid"] for each in old.statements):
            raise ResourceConflictException(
                f"The statement id ({statement['Sid']}) provided already exists. Please provide a "
                "new statement id, or remove the existing statement."
            )
        statements = (*old.statements, statement)
        if len(policy_text(statements).encode()) > POLICY_BYTES_MAX:
            raise PolicyLengthExceededException(
                f"The final policy size is bigger than the limit ({POLICY_BYTES_MAX})."
            )
        return msgspec.structs.replace(old, statements=statements, policy_revision=revision)

    if await ctx.transact(store.change_layer_version, ref.name, ref.version, change) is None:
        raise _missing(ref)
    return {"Statement": msgspec.json.encode(statement).decode(), "RevisionId": revision}


@operation("RemoveLayerVersionPermission", resource=layer_arn)
async def remove_layer_version_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Take a permission on a layer version back."""
    ref = own_layer(ctx, request)
    sid, revision = request["StatementId"], new_uuid(ctx.clock)

    def change(old: LayerVersion) -> LayerVersion:
        check_revision(request, old.policy_revision)
        kept = tuple(each for each in old.statements if each["Sid"] != sid)
        if len(kept) == len(old.statements):
            raise ResourceNotFoundException(f"Statement {sid} is not found in resource policy.")
        return msgspec.structs.replace(old, statements=kept, policy_revision=revision)

    if await ctx.transact(store.change_layer_version, ref.name, ref.version, change) is None:
        raise _missing(ref)
    return {}


@operation("GetLayerVersionPolicy", resource=layer_arn)
async def get_layer_version_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show the resource policy of a layer version."""
    ref = own_layer(ctx, request)
    layer = await _load(ctx, ref)
    if not layer.statements:
        raise ResourceNotFoundException(NO_POLICY)
    return {"Policy": policy_text(layer.statements), "RevisionId": layer.policy_revision}
