"""Authorizers of REST APIs: create, list, change, delete. Trying one is in `authorizer_test.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.admission.callers.rules import (
    parse_authorizer,
    patch_authorizer,
)
from cumulet.services.apigateway.admission.limits import AUTHORIZERS_MAX
from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    no_api,
    no_authorizer,
)
from cumulet.services.apigateway.model import shown
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.access import check_pass_role
from cumulet.services.apigateway.rules.names import at

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/authorizers"
ONE = _ALL + "/{authorizerId}"


@operation("CreateAuthorizer", action="POST", resource=at(_ALL))
async def create_authorizer(ctx: Context, request: Request) -> dict[str, Any]:
    """Add an authorizer that methods can name; it counts from the next deployment on."""
    made = parse_authorizer(request, request["restApiId"], new_label(ctx.clock, 6))
    await check_pass_role(ctx, made.authorizer_credentials)

    async def create(tx: Transaction, scope: Scope) -> None:
        if await store.load_api(tx, scope, made.api_id) is None:
            # AWS takes an API that is not there for one that is just changing.
            raise ConflictException(
                "Unable to complete operation due to concurrent modification. Please try again "
                "later."
            )
        others = await admission.scan_authorizers(tx, scope, made.api_id)
        if len(others) >= AUTHORIZERS_MAX:
            raise LimitExceededException(
                "Maximum number of authorizers for this API has been reached."
            )
        _check_name(made, others)
        await admission.AUTHORIZERS.save(tx, scope, made)

    await ctx.transact(create)
    return shown(made)


def _check_name(one: Authorizer, others: list[Authorizer]) -> None:
    if any(other.name == one.name and other.id != one.id for other in others):
        raise ConflictException(
            f"Authorizer name must be unique. Authorizer {one.name} already exists in this RestApi."
        )


async def find_authorizer(tx: Transaction, scope: Scope, request: Request) -> Authorizer:
    """The authorizer that a request names. Raises NotFoundException."""
    found = await admission.AUTHORIZERS.load(
        tx, scope, request["restApiId"], request["authorizerId"]
    )
    if found is None:
        raise no_authorizer()
    return found


@operation("GetAuthorizer", action="GET", resource=at(ONE))
async def get_authorizer(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe an authorizer."""
    return shown(await ctx.transact(find_authorizer, request))


@operation("GetAuthorizers", action="GET", resource=at(_ALL))
async def get_authorizers(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's authorizers, a page at a time."""
    after, limit = page_of(request)

    async def load(tx: Transaction, scope: Scope) -> list[Authorizer]:
        if await store.load_api(tx, scope, request["restApiId"]) is None:
            raise no_api(scope, request["restApiId"])
        return await admission.scan_authorizers(tx, scope, request["restApiId"])

    found = await ctx.transact(load)
    return page([(one.id, shown(one)) for one in found if after is None or one.id > after], limit)


@operation("UpdateAuthorizer", action="PATCH", resource=at(ONE))
async def update_authorizer(ctx: Context, request: Request) -> dict[str, Any]:
    """Change an authorizer; it counts from the next deployment on."""
    operations = request.get("patchOperations")
    old = await ctx.transact(find_authorizer, request)
    credentials = patch_authorizer(old, operations).authorizer_credentials
    if credentials != old.authorizer_credentials:
        await check_pass_role(ctx, credentials)

    async def update(tx: Transaction, scope: Scope) -> Authorizer:
        changed = patch_authorizer(await find_authorizer(tx, scope, request), operations)
        if changed.authorizer_credentials not in (credentials, old.authorizer_credentials):
            raise ConflictException("The authorizer was changed by another request.")
        _check_name(changed, await admission.scan_authorizers(tx, scope, changed.api_id))
        if changed.type != old.type:
            await _check_unused(tx, scope, changed, "change the type of")
        await admission.AUTHORIZERS.save(tx, scope, changed)
        return changed

    return shown(await ctx.transact(update))


@operation("DeleteAuthorizer", action="DELETE", resource=at(ONE))
async def delete_authorizer(ctx: Context, request: Request) -> None:
    """Remove an authorizer that no method names."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        found = await find_authorizer(tx, scope, request)
        await _check_unused(tx, scope, found, "delete")
        await admission.AUTHORIZERS.drop(tx, scope, found.api_id, found.id)

    await ctx.transact(delete)


async def _check_unused(tx: Transaction, scope: Scope, one: Authorizer, what: str) -> None:
    for resource in await store.scan_resources(tx, scope, one.api_id):
        for name, method in resource.methods.items():
            if method.authorizer_id == one.id:
                error = ConflictException if what == "delete" else BadRequestException
                raise error(
                    f"Cannot {what} authorizer '{one.id}', is referenced in method: "
                    f"{resource.path}/{name}"
                )
