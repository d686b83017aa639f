"""Models: JSON schemas that methods refer to by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    no_api,
    no_model,
)
from cumulet.services.apigateway.limits import MODELS_MAX
from cumulet.services.apigateway.model import Model, shown
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import (
    REPLACE,
    Rule,
    apply_patches,
    listing,
    optional_text,
)
from cumulet.services.apigateway.rules.schema import BadSchema, compile_schema
from cumulet.services.apigateway.templates.suggestion import template_of

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/models"
_ONE = _ALL + "/{modelName}"
_RULES = (Rule("/description", REPLACE, optional_text), Rule("/schema", REPLACE))


def check_schema(schema: str | None) -> None:
    """Raise BadRequestException unless this text is a schema that a model may have."""
    if not schema:
        raise BadRequestException(
            "Model schema must have at least 1 property or array items defined"
        )
    try:
        parsed = json.loads(schema)
    except ValueError as cause:
        raise BadRequestException(f"Invalid model schema specified: {cause}") from cause
    if not isinstance(parsed, dict):
        raise BadRequestException("Invalid model schema specified: it must be a JSON object")


def check_schemas(models: list[Model]) -> None:
    """Raise BadRequestException unless the schemas of an API's models hold together."""
    texts = {model.name: model.schema or "{}" for model in models}
    for model in models:
        if model.content_type != "application/json":
            continue
        try:
            compile_schema(model.name, texts)
        except BadSchema as cause:
            raise BadRequestException(f"Invalid model schema specified: {cause}") from cause


def check_model_name(name: str) -> None:
    """Raise BadRequestException unless a model may be called so."""
    if not name:
        raise BadRequestException("Model name must be non-empty")
    if not (name.isascii() and name.isalnum()):
        raise BadRequestException("Model name must be alphanumeric: " + name)


@operation("CreateModel", action="POST", resource=at(_ALL))
async def create_model(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a schema to an API."""
    made = Model(
        api_id=request["restApiId"],
        id=new_label(ctx.clock, 6),
        name=request["name"],
        content_type=request["contentType"],
        schema=request.get("schema"),
        description=request.get("description") or None,
    )

    async def create(tx: Transaction, scope: Scope) -> None:
        if await store.load_api(tx, scope, made.api_id) is None:
            raise no_api(scope, made.api_id)
        check_model_name(made.name)
        check_schema(made.schema)
        models = await store.scan_models(tx, scope, made.api_id)
        check_schemas([*(one for one in models if one.name != made.name), made])
        if len(models) >= MODELS_MAX:
            raise LimitExceededException("Maximum number of models for this API has been reached.")
        if not await store.MODELS.insert(tx, scope, made):
            raise ConflictException("Model name already exists for this REST API")

    await ctx.transact(create)
    return shown(made)


async def _find(tx: Transaction, scope: Scope, request: Request) -> Model:
    found = await store.MODELS.load(tx, scope, request["restApiId"], request["modelName"])
    if found is None:
        raise no_model(request["modelName"])
    return found


@operation("GetModel", action="GET", resource=at(_ONE))
async def get_model(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a model."""
    return shown(await ctx.transact(_find, request))


@operation("GetModelTemplate", action="GET", resource=at(_ONE + "/default_template"))
async def get_model_template(ctx: Context, request: Request) -> dict[str, Any]:
    """A mapping template that passes on what the model describes."""
    found = await ctx.transact(_find, request)
    try:
        return {"value": template_of(found.schema or "{}")}
    except ValueError as cause:
        raise BadRequestException("The model's schema is not JSON") from cause


@operation("GetModels", action="GET", resource=at(_ALL))
async def get_models(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's models, a page at a time, by name."""
    after, limit = page_of(request)

    async def load(tx: Transaction, scope: Scope) -> list[Model]:
        if await store.load_api(tx, scope, request["restApiId"]) is None:
            raise no_api(scope, request["restApiId"])
        return await store.scan_models(tx, scope, request["restApiId"])

    found = await ctx.transact(load)
    rest = [one for one in found if after is None or one.name > after]
    return page([(one.name, shown(one)) for one in rest], limit)


@operation("UpdateModel", action="PATCH", resource=at(_ONE))
async def update_model(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a model's schema or description."""

    async def update(tx: Transaction, scope: Scope) -> Model:
        document = apply_patches(
            msgspec.to_builtins(await _find(tx, scope, request)),
            request.get("patchOperations"),
            _RULES,
            listing,
        )
        changed = msgspec.convert(document, Model)
        check_schema(changed.schema)
        models = await store.scan_models(tx, scope, changed.api_id)
        check_schemas([*(one for one in models if one.name != changed.name), changed])
        await store.MODELS.save(tx, scope, changed)
        return changed

    return shown(await ctx.transact(update))


@operation("DeleteModel", action="DELETE", resource=at(_ONE))
async def delete_model(ctx: Context, request: Request) -> None:
    """Remove a model that no method refers to."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        model = await _find(tx, scope, request)
        for resource in await store.scan_resources(tx, scope, model.api_id):
            for name, method in resource.methods.items():
                if model.name in (method.request_models or {}).values():
                    raise ConflictException(
                        f"Cannot delete model '{model.name}', is referenced in method request: "
                        f"{resource.path}/{name}"
                    )
        await store.MODELS.drop(tx, scope, model.api_id, model.name)

    await ctx.transact(delete)
