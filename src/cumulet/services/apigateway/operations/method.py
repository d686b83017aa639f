"""Methods of resources, and the responses that they declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    no_method,
    no_resource,
    no_status_code,
)
from cumulet.services.apigateway.model import Method, MethodResponse, Resource, shown
from cumulet.services.apigateway.rules import tree
from cumulet.services.apigateway.rules.methods import (
    check_authorizer_of,
    check_method,
    check_method_response,
    without_stray_authorizer,
)
from cumulet.services.apigateway.rules.names import at, check_http_method
from cumulet.services.apigateway.rules.patch import (
    ALL,
    REPLACE,
    Rule,
    apply_patches,
    read_flag,
    terse,
)

Request = Mapping[str, Any]
Change = Callable[[Resource, Method], Method]

METHOD = "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}"
_RESPONSE = METHOD + "/responses/{statusCode}"

_NO_TYPE = "Content-Type specified was not found"
_RULES = (
    Rule("/apiKeyRequired", REPLACE, read_flag),
    Rule("/authorizationType"),
    Rule("/authorizerId", ALL),
    Rule("/authorizationScopes", ALL, kind="values"),
    Rule("/operationName"),
    Rule("/requestValidatorId"),
    Rule("/requestParameters/{}", ALL, read_flag, "map"),
    Rule("/requestModels/{}", ALL, str, "map", _NO_TYPE),
)
_RESPONSE_RULES = (
    Rule("/statusCode"),
    Rule("/responseParameters/{}", ALL, read_flag, "map"),
    Rule("/responseModels/{}", ALL, str, "map", _NO_TYPE),
)


async def change_method(tx: Transaction, scope: Scope, request: Request, change: Change) -> Method:
    """Replace the method that a request names by what `change` makes of it.

    Raises NotFoundException for the resource or the method, and what `change` raises.
    """
    resource, method = await find_method(tx, scope, request)
    changed = change(resource, method)
    grown = resource.with_method(changed)
    tree.check_size(grown)
    await store.RESOURCES.save(tx, scope, grown)
    return changed


async def find_method(tx: Transaction, scope: Scope, request: Request) -> tuple[Resource, Method]:
    """The resource and method that a request names. Raises NotFoundException."""
    resource = await store.load_resource(tx, scope, request["restApiId"], request["resourceId"])
    if resource is None:
        raise no_resource()
    method = resource.methods.get(request["httpMethod"])
    if method is None:
        raise no_method()
    return resource, method


async def check_references(tx: Transaction, scope: Scope, api_id: str, method: Method) -> None:
    """Raise BadRequestException unless a method's authorizer, models and validator exist."""
    authorizer = await admission.AUTHORIZERS.load(tx, scope, api_id, method.authorizer_id or "")
    check_authorizer_of(method, None if authorizer is None else authorizer.type)
    validator_id = method.request_validator_id
    if validator_id and await store.VALIDATORS.load(tx, scope, api_id, validator_id) is None:
        raise BadRequestException("Invalid Request Validator identifier specified")
    await check_models(tx, scope, api_id, method.request_models)


async def check_models(
    tx: Transaction, scope: Scope, api_id: str, models: Mapping[str, str] | None
) -> None:
    """Raise BadRequestException unless the API has these models."""
    for name in (models or {}).values():
        if await store.MODELS.load(tx, scope, api_id, name) is None:
            raise BadRequestException(f"Invalid model identifier specified: {name}")


@operation("PutMethod", action="PUT", resource=at(METHOD))
async def put_method(ctx: Context, request: Request) -> dict[str, Any]:
    """Add an HTTP method to a resource."""

    async def put(tx: Transaction, scope: Scope) -> Method:
        api_id = request["restApiId"]
        resource = await store.load_resource(tx, scope, api_id, request["resourceId"])
        if resource is None:
            raise no_resource()
        check_http_method(request["httpMethod"])
        if request["httpMethod"] in resource.methods:
            raise ConflictException("Method already exists for this resource")
        method = Method(
            http_method=request["httpMethod"],
            authorization_type=request["authorizationType"].upper(),
            api_key_required=bool(request.get("apiKeyRequired")),
            authorizer_id=request.get("authorizerId"),
            authorization_scopes=tuple(request.get("authorizationScopes") or ()) or None,
            request_validator_id=request.get("requestValidatorId"),
            operation_name=request.get("operationName"),
            request_parameters=request.get("requestParameters"),
            request_models=request.get("requestModels"),
        )
        method = without_stray_authorizer(method)
        check_method(method)
        await check_references(tx, scope, api_id, method)
        grown = resource.with_method(method)
        tree.check_size(grown)
        await store.RESOURCES.save(tx, scope, grown)
        return method

    return shown(await ctx.transact(put))


@operation("GetMethod", action="GET", resource=at(METHOD))
async def get_method(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a method with its integration and responses."""
    _, method = await ctx.transact(find_method, request)
    return shown(method)


@operation("UpdateMethod", action="PATCH", resource=at(METHOD))
async def update_method(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a method."""

    async def update(tx: Transaction, scope: Scope) -> Method:
        resource, method = await find_method(tx, scope, request)
        document = apply_patches(
            msgspec.to_builtins(method), request.get("patchOperations"), _RULES, terse
        )
        if not document.get("requestValidatorId"):
            document.pop("requestValidatorId", None)
        document["authorizationScopes"] = document.get("authorizationScopes") or None
        changed = without_stray_authorizer(msgspec.convert(document, Method))
        check_method(changed)
        await check_references(tx, scope, resource.api_id, changed)
        grown = resource.with_method(changed)
        tree.check_size(grown)
        await store.RESOURCES.save(tx, scope, grown)
        return changed

    return shown(await ctx.transact(update))


@operation("DeleteMethod", action="DELETE", resource=at(METHOD))
async def delete_method(ctx: Context, request: Request) -> None:
    """Remove a method with its integration."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        resource, method = await find_method(tx, scope, request)
        await store.RESOURCES.save(tx, scope, resource.without_method(method.http_method))

    await ctx.transact(delete)


@operation("PutMethodResponse", action="PUT", resource=at(_RESPONSE))
async def put_method_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Declare a status code that a method answers with."""

    async def put(tx: Transaction, scope: Scope) -> MethodResponse:
        _, method = await find_method(tx, scope, request)
        if request["statusCode"] in (method.method_responses or {}):
            raise ConflictException("Response already exists for this resource")
        response = MethodResponse(
            status_code=request["statusCode"],
            response_parameters=request.get("responseParameters"),
            response_models=request.get("responseModels"),
        )
        check_method_response(response)
        await check_models(tx, scope, request["restApiId"], response.response_models)
        await change_method(tx, scope, request, lambda _, old: _with_response(old, response))
        return response

    return shown(await ctx.transact(put))


def _with_response(method: Method, response: MethodResponse) -> Method:
    responses = {**(method.method_responses or {}), response.status_code: response}
    return msgspec.structs.replace(method, method_responses=dict(sorted(responses.items())))


def _response_of(method: Method, request: Request) -> MethodResponse:
    found = (method.method_responses or {}).get(request["statusCode"])
    if found is None:
        raise no_status_code()
    return found


@operation("GetMethodResponse", action="GET", resource=at(_RESPONSE))
async def get_method_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a declared response of a method."""
    _, method = await ctx.transact(find_method, request)
    return shown(_response_of(method, request))


@operation("UpdateMethodResponse", action="PATCH", resource=at(_RESPONSE))
async def update_method_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a declared response of a method."""

    async def update(tx: Transaction, scope: Scope) -> MethodResponse:
        _, method = await find_method(tx, scope, request)
        old = _response_of(method, request)
        document = apply_patches(
            msgspec.to_builtins(old), request.get("patchOperations"), _RESPONSE_RULES, terse
        )
        response = msgspec.convert(document, MethodResponse)
        check_method_response(response)
        await check_models(tx, scope, request["restApiId"], response.response_models)

        def replace(_: Resource, method: Method) -> Method:
            return _with_response(_without_response(method, old.status_code), response)

        await change_method(tx, scope, request, replace)
        return response

    return shown(await ctx.transact(update))


def _without_response(method: Method, status_code: str) -> Method:
    left = {
        code: one for code, one in (method.method_responses or {}).items() if code != status_code
    }
    return msgspec.structs.replace(method, method_responses=left or None)


@operation("DeleteMethodResponse", action="DELETE", resource=at(_RESPONSE))
async def delete_method_response(ctx: Context, request: Request) -> None:
    """Remove a declared response of a method."""

    def drop(_: Resource, method: Method) -> Method:
        return _without_response(method, _response_of(method, request).status_code)

    await ctx.transact(change_method, request, drop)
