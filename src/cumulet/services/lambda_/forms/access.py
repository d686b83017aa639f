"""Which function or layer a request is about, for permission and for the work itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.kit.service import OwnedPolicies
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import ResourceNotFoundException
from cumulet.services.lambda_.forms.names import (
    FunctionRef,
    LayerRef,
    parse_function,
    parse_layer,
    parse_layer_version,
)
from cumulet.services.lambda_.forms.policies import parsed_layer
from cumulet.services.lambda_.running.functions import Functions


def ref_of(ctx: Context, request: Mapping[str, Any]) -> FunctionRef:
    """The function that a request names, perhaps of another account."""
    return parse_function(ctx.scope, request["FunctionName"], request.get("Qualifier"))


def own(ctx: Context, request: Mapping[str, Any]) -> FunctionRef:
    """The function that a request names, which must be of the caller's account.

    Raises AccessDenied for operations that Cumulet does not open to other accounts.
    """
    ref = ref_of(ctx, request)
    if ref.scope != ctx.scope:
        raise AccessDenied(
            f"User: {ctx.caller.arn} is not authorized to access this resource: {ref.arn}"
        )
    return ref


def function_arn(ctx: Context, request: Mapping[str, Any]) -> str:
    """The ARN for permission: the function's, whatever version is meant."""
    return ref_of(ctx, request).unqualified_arn


def qualified_arn(ctx: Context, request: Mapping[str, Any]) -> str:
    """The ARN for permission, with the qualifier that the request gives."""
    return ref_of(ctx, request).arn


async def function_policies(ctx: Context, request: Mapping[str, Any]) -> OwnedPolicies:
    """The resource policy of the function, version or alias that the request names.

    A function that is not there has none, so that a stranger learns nothing of it.
    """
    ref = ref_of(ctx, request)
    live = ctx.need(Functions).live
    entry = live.known(ref)
    if entry is None:
        try:
            entry = await live.find(ref)
        except ResourceNotFoundException:
            return OwnedPolicies(ref.scope.account)
    return entry.owned


def layer_ref(ctx: Context, request: Mapping[str, Any]) -> LayerRef:
    """The layer, or layer version, that a request names."""
    if "Arn" in request:
        return parse_layer_version(request["Arn"])
    return parse_layer(ctx.scope, request["LayerName"], request.get("VersionNumber", 0))


def layer_arn(ctx: Context, request: Mapping[str, Any]) -> str:
    """The ARN of the layer or layer version, for permission."""
    return layer_ref(ctx, request).arn


async def layer_policies(ctx: Context, request: Mapping[str, Any]) -> OwnedPolicies:
    """The resource policy of a layer version; none when it is not there."""
    ref = layer_ref(ctx, request)
    layer = await ctx.need(Functions).transact(
        ref.scope, store.load_layer_version, ref.name, ref.version
    )
    return OwnedPolicies(ref.scope.account, () if layer is None else parsed_layer(layer))


def own_layer(ctx: Context, request: Mapping[str, Any]) -> LayerRef:
    """The layer that a request names, which must be of the caller's account and region."""
    ref = layer_ref(ctx, request)
    if ref.scope != ctx.scope:
        raise AccessDenied(
            f"User: {ctx.caller.arn} is not authorized to access this resource: {ref.arn}"
        )
    return ref


async def function_loaded(ctx: Context, request: Mapping[str, Any]) -> OwnedPolicies:
    """See that the function's tags are at hand for conditions; its own policies do not count.

    For operations that are not open to other accounts.
    """
    return OwnedPolicies((await function_policies(ctx, request)).owner)


def function_conditions(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Lambda's condition keys of a request about a function.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    keys: dict[str, Any] = {}
    named = request.get("FunctionName")
    entry = ctx.need(Functions).live.known(ref_of(ctx, request)) if named else None
    if entry is not None and entry.function.tags:
        for tag, value in entry.function.tags.items():
            keys[f"aws:ResourceTag/{tag}"] = value
    if layers := request.get("Layers"):
        keys["lambda:Layer"] = list(layers)
    if principal := request.get("Principal"):
        keys["lambda:Principal"] = principal
    if auth := request.get("AuthType") or request.get("FunctionUrlAuthType"):
        keys["lambda:FunctionUrlAuthType"] = auth
    return keys | tag_conditions(request)


def tag_conditions(request: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys of the tags that a request gives or takes away."""
    keys: dict[str, Any] = {}
    tags = request.get("Tags") or {}
    if not tags and "TagKeys" not in request:
        return keys
    for tag, value in tags.items():
        keys[f"aws:RequestTag/{tag}"] = value
    if names := [*tags, *(request.get("TagKeys") or ())]:
        keys["aws:TagKeys"] = names
    return keys


ON_FUNCTION: dict[str, Any] = {
    "resource": function_arn,
    "resource_policy": function_loaded,
    "conditions": function_conditions,
}
"""How permission is asked for an operation on a function of one's own."""

ON_QUALIFIER: dict[str, Any] = {**ON_FUNCTION, "resource": qualified_arn}
"""The same, on the version or alias that the request names."""

ON_SHARED: dict[str, Any] = {**ON_QUALIFIER, "resource_policy": function_policies}
"""The same, where the function's resource policy may let other accounts and services in."""
