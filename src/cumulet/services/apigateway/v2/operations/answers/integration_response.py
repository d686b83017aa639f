"""Integration responses: how a backend's answer becomes the answer of a WebSocket route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
)
from cumulet.services.apigateway.rules.methods import check_content_handling
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patterns import BadPattern, compile_pattern
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, too_many
from cumulet.services.apigateway.v2.limits import RESPONSES_MAX
from cumulet.services.apigateway.v2.model import DEFAULT, HTTP, Api, IntegrationResponse, view
from cumulet.services.apigateway.v2.operations.parts import integration
from cumulet.services.apigateway.v2.rollout import change_api, read_api
from cumulet.services.apigateway.v2.rules.integrations import check_keyed_templates
from cumulet.services.apigateway.v2.rules.words import check_lengths, made, members, merged, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/integrations/{IntegrationId}/integrationresponses"
_ONE = _ALL + "/{IntegrationResponseId}"
_MEMBERS = (
    "ContentHandlingStrategy",
    "IntegrationResponseKey",
    "ResponseParameters",
    "ResponseTemplates",
    "TemplateSelectionExpression",
)
_HIDDEN = ("ApiId", "IntegrationId")
_KEY = re.compile(r"/(?P<pattern>.+)/\Z")


def _checked(document: Mapping[str, Any], api: Api) -> IntegrationResponse:
    if api.protocol_type == HTTP:
        raise BadRequestException("Integration responses are not supported for HTTP APIs")
    key = document["IntegrationResponseKey"]
    found = _KEY.match(key)
    if key != DEFAULT and found is None:
        raise BadRequestException(
            "Invalid IntegrationResponseKey specified. It must be $default or an expression "
            f"between slashes: {key}"
        )
    if found is not None:
        try:
            compile_pattern(found["pattern"])
        except BadPattern as cause:
            raise BadRequestException(f"Invalid IntegrationResponseKey specified: {key}") from cause
    if document.get("ResponseParameters"):
        raise BadRequestException(
            "ResponseParameters of integration responses are not supported: a message over a "
            "WebSocket has no headers"
        )
    check_content_handling(document.get("ContentHandlingStrategy"))
    check_keyed_templates(document.get("ResponseTemplates"))
    return made(IntegrationResponse, document)


async def _save(tx: Transaction, scope: Scope, response: IntegrationResponse) -> None:
    place = (store.INTEGRATION_RESPONSES, response.api_id, response.integration_id)
    every = await store.scan_parts(tx, scope, *place)
    mine = response.integration_response_id
    others = [one for one in every if one.integration_response_id != mine]
    key = response.integration_response_key
    if any(one.integration_response_key == key for one in others):
        raise ConflictException(
            f"Integration response with key {key} already exists for this integration"
        )
    if len(others) >= RESPONSES_MAX:
        raise too_many("integration responses", RESPONSES_MAX)
    await store.INTEGRATION_RESPONSES.save(tx, scope, response)


@operation("CreateIntegrationResponse", action="POST", resource=at(_ALL))
async def create_integration_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a response to an integration."""
    check_lengths(request)
    ids = {
        "ApiId": request["ApiId"],
        "IntegrationId": request["IntegrationId"],
        "IntegrationResponseId": new_label(ctx.clock, 6),
    }

    async def create(tx: Transaction, scope: Scope, api: Api) -> IntegrationResponse:
        await integration.find(tx, scope, request)
        response = _checked({**members(request, _MEMBERS), **ids}, api)
        await _save(tx, scope, response)
        return response

    return view(await change_api(ctx, request["ApiId"], create), *_HIDDEN)


async def _find(tx: Transaction, scope: Scope, request: Request) -> IntegrationResponse:
    await integration.find(tx, scope, request)
    response_id = request["IntegrationResponseId"]
    found = await store.INTEGRATION_RESPONSES.load(
        tx, scope, request["ApiId"], request["IntegrationId"], response_id
    )
    if found is None:
        raise no_part("IntegrationResponse", response_id)
    return found


@operation("GetIntegrationResponse", action="GET", resource=at(_ONE))
async def get_integration_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe an integration response."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: _find(tx, scope, request))
    return view(found, *_HIDDEN)


@operation("GetIntegrationResponses", action="GET", resource=at(_ALL))
async def get_integration_responses(ctx: Context, request: Request) -> dict[str, Any]:
    """List the responses of an integration."""

    async def load(tx: Transaction, scope: Scope, api: Api) -> list[IntegrationResponse]:
        found = await integration.find(tx, scope, request)
        return await store.scan_parts(
            tx, scope, store.INTEGRATION_RESPONSES, api.api_id, found.integration_id
        )

    found = await read_api(ctx, request["ApiId"], load)
    return page([(one.integration_response_id, view(one, *_HIDDEN)) for one in found], request)


@operation("UpdateIntegrationResponse", action="PATCH", resource=at(_ONE))
async def update_integration_response(ctx: Context, request: Request) -> dict[str, Any]:
    """Change an integration response."""
    check_lengths(request)

    async def update(tx: Transaction, scope: Scope, api: Api) -> IntegrationResponse:
        old = await _find(tx, scope, request)
        changed = _checked(merged(old, members(request, _MEMBERS)), api)
        await _save(tx, scope, changed)
        return changed

    return view(await change_api(ctx, request["ApiId"], update), *_HIDDEN)


@operation("DeleteIntegrationResponse", action="DELETE", resource=at(_ONE))
async def delete_integration_response(ctx: Context, request: Request) -> None:
    """Take a response away from an integration."""

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        gone = await _find(tx, scope, request)
        await store.INTEGRATION_RESPONSES.drop(
            tx, scope, api.api_id, gone.integration_id, gone.integration_response_id
        )

    await change_api(ctx, request["ApiId"], delete)
