"""Models: JSON schemas that the routes of a WebSocket API refer to by name."""

from __future__ import annotations

import json
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
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.templates.suggestion import template_of
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, too_many
from cumulet.services.apigateway.v2.limits import MODELS_MAX
from cumulet.services.apigateway.v2.model import Api, Model, view
from cumulet.services.apigateway.v2.rollout import change_api, read_api
from cumulet.services.apigateway.v2.rules.words import check_lengths, made, members, merged, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/models"
_ONE = _ALL + "/{ModelId}"
_MEMBERS = ("ContentType", "Description", "Name", "Schema")
_NAME = re.compile(r"[A-Za-z0-9]+\Z")


def _checked(document: Mapping[str, Any]) -> Model:
    if not _NAME.match(document["Name"]):
        raise BadRequestException(f"Model name must be alphanumeric: {document['Name']}")
    if document["ContentType"].partition(";")[0].endswith("json"):
        try:
            json.loads(document.get("Schema") or "")
        except (ValueError, RecursionError) as cause:
            raise BadRequestException(
                "Invalid model schema specified. Unsupported JSON."
            ) from cause
    return made(Model, document)


async def save_model(tx: Transaction, scope: Scope, model: Model) -> None:
    """Write a model whose name is its own in the API. Raises AwsError."""
    every = await store.scan_parts(tx, scope, store.MODELS, model.api_id)
    others = [one for one in every if one.model_id != model.model_id]
    if any(one.name == model.name for one in others):
        raise ConflictException(f"Model with name {model.name} already exists")
    if len(others) >= MODELS_MAX:
        raise too_many("models", MODELS_MAX)
    await store.MODELS.save(tx, scope, model)


@operation("CreateModel", action="POST", resource=at(_ALL))
async def create_model(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a model to an API."""
    check_lengths(request)
    ids = {"ApiId": request["ApiId"], "ModelId": new_label(ctx.clock, 6)}
    model = _checked({"ContentType": "application/json", **members(request, _MEMBERS), **ids})

    async def create(tx: Transaction, scope: Scope, api: Api) -> None:
        await save_model(tx, scope, model)

    await change_api(ctx, request["ApiId"], create)
    return view(model, "ApiId")


async def _find(tx: Transaction, scope: Scope, request: Request) -> Model:
    found = await store.MODELS.load(tx, scope, request["ApiId"], request["ModelId"])
    if found is None:
        raise no_part("Model", request["ModelId"])
    return found


@operation("GetModel", action="GET", resource=at(_ONE))
async def get_model(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a model."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: _find(tx, scope, request))
    return view(found, "ApiId")


@operation("GetModels", action="GET", resource=at(_ALL))
async def get_models(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's models."""
    api_id = request["ApiId"]
    found = await read_api(
        ctx, api_id, lambda tx, scope, _: store.scan_parts(tx, scope, store.MODELS, api_id)
    )
    return page([(one.model_id, view(one, "ApiId")) for one in found], request)


@operation("UpdateModel", action="PATCH", resource=at(_ONE))
async def update_model(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a model."""
    check_lengths(request)

    async def update(tx: Transaction, scope: Scope, api: Api) -> Model:
        old = await _find(tx, scope, request)
        changed = _checked(merged(old, members(request, _MEMBERS)))
        await save_model(tx, scope, changed)
        return changed

    return view(await change_api(ctx, request["ApiId"], update), "ApiId")


@operation("DeleteModel", action="DELETE", resource=at(_ONE))
async def delete_model(ctx: Context, request: Request) -> None:
    """Remove a model."""

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        gone = await _find(tx, scope, request)
        await store.MODELS.drop(tx, scope, api.api_id, gone.model_id)

    await change_api(ctx, request["ApiId"], delete)


@operation("GetModelTemplate", action="GET", resource=at(_ONE + "/template"))
async def get_model_template(ctx: Context, request: Request) -> dict[str, Any]:
    """A mapping template that passes on what the model describes, member by member."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: _find(tx, scope, request))
    try:
        return {"Value": template_of(found.schema)}
    except ValueError as cause:
        raise BadRequestException("The model's schema is not JSON") from cause
