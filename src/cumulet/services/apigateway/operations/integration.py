"""Integrations of methods, and how a backend's answers become responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import (
    BadRequestException,
    no_integration,
    no_method,
    no_status_code,
)
from cumulet.services.apigateway.model import (
    Integration,
    IntegrationResponse,
    Method,
    MethodResponse,
    Resource,
    shown,
)
from cumulet.services.apigateway.operations.method import METHOD, change_method, find_method
from cumulet.services.apigateway.rules.access import check_pass_role
from cumulet.services.apigateway.rules.methods import (
    check_integration,
    check_integration_response,
    check_unserved,
    parse_integration,
)
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import (
    ADD_REMOVE,
    ALL,
    REPLACE,
    Rule,
    apply_patches,
    optional_text,
    read_flag,
    terse,
)

Request = Mapping[str, Any]

_INTEGRATION = METHOD + "/integration"
_RESPONSE = _INTEGRATION + "/responses/{statusCode}"
_NO_TYPE = "Content-Type specified was not found"


def _read_timeout(text: str) -> int:
    try:
        return int(text)
    except ValueError as cause:
        raise BadRequestException(f"Invalid timeout specified: {text}") from cause


_RULES = (
    Rule("/uri"),
    Rule("/httpMethod"),
    Rule("/credentials", REPLACE, optional_text),
    Rule("/connectionType"),
    Rule("/connectionId"),
    Rule("/passthroughBehavior"),
    Rule("/contentHandling", REPLACE, optional_text),
    Rule("/timeoutInMillis", REPLACE, _read_timeout),
    Rule("/cacheNamespace"),
    Rule("/responseTransferMode"),
    Rule("/tlsConfig/insecureSkipVerification", REPLACE, read_flag),
    Rule("/cacheKeyParameters/{}", ADD_REMOVE, kind="set"),
    Rule("/requestParameters/{}", ALL, str, "map"),
    Rule("/requestTemplates/{}", ALL, optional_text, "map", _NO_TYPE),
)
_RESPONSE_RULES = (
    Rule("/selectionPattern", ALL),
    Rule("/contentHandling", REPLACE, optional_text),
    Rule("/responseParameters/{}", ALL, str, "map"),
    Rule("/responseTemplates/{}", ALL, optional_text, "map", _NO_TYPE),
)


def integration_view(integration: Integration) -> dict[str, Any]:
    """An integration as AWS shows it."""
    return shown(integration)


@operation("PutIntegration", action="PUT", resource=at(_INTEGRATION))
async def put_integration(ctx: Context, request: Request) -> dict[str, Any]:
    """Give a method its backend, replacing the one it has."""
    await check_pass_role(ctx, request.get("credentials"))

    def put(resource: Resource, method: Method) -> Method:
        check_unserved(request)
        integration = parse_integration(request, resource.id)
        check_integration(integration, method)
        return msgspec.structs.replace(method, method_integration=integration)

    changed = await ctx.transact(change_method, request, put)
    return integration_view(_integration_of(changed))


def _integration_of(method: Method) -> Integration:
    if method.method_integration is None:
        raise no_integration()
    return method.method_integration


@operation("GetIntegration", action="GET", resource=at(_INTEGRATION))
async def get_integration(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a method's backend."""
    _, method = await ctx.transact(find_method, request)
    return integration_view(_integration_of(method))


@operation("UpdateIntegration", action="PATCH", resource=at(_INTEGRATION))
async def update_integration(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a method's backend."""
    for patch in request.get("patchOperations") or ():
        if patch.get("path") == "/credentials":
            await check_pass_role(ctx, patch.get("value"))

    def update(_: Resource, method: Method) -> Method:
        document = apply_patches(
            msgspec.to_builtins(_integration_of(method)),
            request.get("patchOperations"),
            _RULES,
            terse,
        )
        check_unserved(document)
        document.pop("connectionId", None)
        changed = msgspec.convert(document, Integration)
        check_integration(changed, method)
        return msgspec.structs.replace(method, method_integration=changed)

    changed = await ctx.transact(change_method, request, update)
    return integration_view(_integration_of(changed))


@operation("DeleteIntegration", action="DELETE", resource=at(_INTEGRATION))
async def delete_integration(ctx: Context, request: Request) -> None:
    """Take a method's backend away."""

    def delete(_: Resource, method: Method) -> Method:
        _integration_of(method)
        return msgspec.structs.replace(method, method_integration=None)

    await ctx.transact(change_method, request, delete)


def _with_response(method: Method, response: IntegrationResponse, old: str = "") -> Method:
    integration = _integration_of(method)
    kept = {
        code: one for code, one in (integration.integration_responses or {}).items() if code != old
    }
    responses = dict(sorted({**kept, response.status_code: response}.items()))
    changed = msgspec.structs.replace(integration, integration_responses=responses)
    return msgspec.structs.replace(method, method_integration=changed)


def _response_of(method: Method, request: Request) -> IntegrationResponse:
    responses = _integration_of(method).integration_responses or {}
    if (found := responses.get(request["statusCode"])) is None:
        raise no_status_code()
    return found


def _check(response: IntegrationResponse, method: Method) -> None:
    # AWS asks for the method's response only when a request is to be answered with it.
    declared = (method.method_responses or {}).get(response.status_code)
    check_integration_response(
        response, declared or MethodResponse(status_code=response.status_code)
    )


@operation("PutIntegrationResponse", action="PUT", resource=at(_RESPONSE))
async def put_integration_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Say how a backend's answer becomes one of the method's responses."""
    response = IntegrationResponse(
        status_code=request["statusCode"],
        selection_pattern=request.get("selectionPattern"),
        response_parameters=request.get("responseParameters"),
        response_templates=_templates(request.get("responseTemplates")),
        content_handling=request.get("contentHandling"),
    )

    def put(_: Resource, method: Method) -> Method:
        _integration_of(method)
        _check(response, method)
        return _with_response(method, response)

    await ctx.transact(change_method, request, put)
    return shown(response)


def _templates(given: Mapping[str, str | None] | None) -> dict[str, str | None] | None:
    """Templates as AWS keeps them: an empty one is null."""
    return None if given is None else {kind: text or None for kind, text in given.items()}


@operation("GetIntegrationResponse", action="GET", resource=at(_RESPONSE))
async def get_integration_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one integration response."""
    _, method = await ctx.transact(find_method, request)
    return shown(_response_of(method, request))


@operation("UpdateIntegrationResponse", action="PATCH", resource=at(_RESPONSE))
async def update_integration_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Change one integration response."""

    def update(_: Resource, method: Method) -> Method:
        document = apply_patches(
            msgspec.to_builtins(_response_of(method, request)),
            request.get("patchOperations"),
            _RESPONSE_RULES,
            terse,
        )
        response = msgspec.convert(document, IntegrationResponse)
        _check(response, method)
        return _with_response(method, response)

    changed = await ctx.transact(change_method, request, update)
    return shown(_response_of(changed, request))


@operation("DeleteIntegrationResponse", action="DELETE", resource=at(_RESPONSE))
async def delete_integration_response(ctx: Context, request: Request) -> None:
    """Remove one integration response."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        try:
            await change_method(tx, scope, request, drop)
        except type(no_method()) as error:
            # AWS names the integration here even when the method itself is missing.
            if error.message == no_method().message:
                raise no_integration() from error
            raise

    def drop(_: Resource, method: Method) -> Method:
        gone = _response_of(method, request)
        integration = _integration_of(method)
        left = {
            code: one
            for code, one in (integration.integration_responses or {}).items()
            if code != gone.status_code
        }
        changed = msgspec.structs.replace(integration, integration_responses=left or None)
        return msgspec.structs.replace(method, method_integration=changed)

    await ctx.transact(delete)
