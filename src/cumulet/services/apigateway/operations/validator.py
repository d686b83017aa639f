"""Request validators: which parts of a request methods check first."""

from __future__ import annotations

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
    no_validator,
)
from cumulet.services.apigateway.limits import VALIDATORS_MAX
from cumulet.services.apigateway.model import RequestValidator, shown
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import REPLACE, Rule, apply_patches, listing, read_flag

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/requestvalidators"
_ONE = _ALL + "/{requestValidatorId}"
_RULES = (
    Rule("/name"),
    Rule("/validateRequestParameters", REPLACE, read_flag),
    Rule("/validateRequestBody", REPLACE, read_flag),
)


@operation("CreateRequestValidator", action="POST", resource=at(_ALL))
async def create_request_validator(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a validator that methods can name."""
    validator_id = new_label(ctx.clock, 6)
    made = RequestValidator(
        api_id=request["restApiId"],
        id=validator_id,
        name=request.get("name") or validator_id,
        validate_request_body=bool(request.get("validateRequestBody")),
        validate_request_parameters=bool(request.get("validateRequestParameters")),
    )

    async def create(tx: Transaction, scope: Scope) -> None:
        if await store.load_api(tx, scope, made.api_id) is None:
            raise BadRequestException("Invalid REST API identifier specified")
        if len(await store.scan_validators(tx, scope, made.api_id)) >= VALIDATORS_MAX:
            raise LimitExceededException(
                "Maximum number of request validators for this API has been reached."
            )
        await store.VALIDATORS.save(tx, scope, made)

    await ctx.transact(create)
    return shown(made)


async def _find(tx: Transaction, scope: Scope, request: Request) -> RequestValidator:
    found = await store.VALIDATORS.load(
        tx, scope, request["restApiId"], request["requestValidatorId"]
    )
    if found is None:
        raise no_validator()
    return found


@operation("GetRequestValidator", action="GET", resource=at(_ONE))
async def get_request_validator(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a validator."""
    return shown(await ctx.transact(_find, request))


@operation("GetRequestValidators", action="GET", resource=at(_ALL))
async def get_request_validators(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's validators, a page at a time."""
    after, limit = page_of(request)

    async def load(tx: Transaction, scope: Scope) -> list[RequestValidator]:
        if await store.load_api(tx, scope, request["restApiId"]) is None:
            raise no_api(scope, request["restApiId"])
        return await store.scan_validators(tx, scope, request["restApiId"])

    found = await ctx.transact(load)
    rest = [one for one in found if after is None or one.id > after]
    return page([(one.id, shown(one)) for one in rest], limit)


@operation("UpdateRequestValidator", action="PATCH", resource=at(_ONE))
async def update_request_validator(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a validator."""

    async def update(tx: Transaction, scope: Scope) -> RequestValidator:
        document = apply_patches(
            msgspec.to_builtins(await _find(tx, scope, request)),
            request.get("patchOperations"),
            _RULES,
            listing,
        )
        # A patch without a value sets a flag back.
        for flag in ("validateRequestParameters", "validateRequestBody"):
            document.setdefault(flag, False)
        if not document.get("name"):
            raise BadRequestException("Request Validator name cannot be blank")
        changed = msgspec.convert(document, RequestValidator)
        await store.VALIDATORS.save(tx, scope, changed)
        return changed

    return shown(await ctx.transact(update))


@operation("DeleteRequestValidator", action="DELETE", resource=at(_ONE))
async def delete_request_validator(ctx: Context, request: Request) -> None:
    """Remove a validator that no method names."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        validator = await _find(tx, scope, request)
        for resource in await store.scan_resources(tx, scope, validator.api_id):
            for name, method in resource.methods.items():
                if method.request_validator_id == validator.id:
                    raise ConflictException(
                        f"Cannot delete request validator '{validator.id}', is referenced in "
                        f"method request: {resource.path}/{name}"
                    )
        await store.VALIDATORS.drop(tx, scope, validator.api_id, validator.id)

    await ctx.transact(delete)
