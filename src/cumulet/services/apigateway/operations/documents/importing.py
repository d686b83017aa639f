"""APIs from OpenAPI documents: a new one, or one that is overwritten or merged into."""

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
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.admission.limits import AUTHORIZERS_MAX
from cumulet.services.apigateway.errors import (
    BadRequestException,
    LimitExceededException,
    no_api,
)
from cumulet.services.apigateway.limits import RESOURCES_MAX
from cumulet.services.apigateway.model import (
    Method,
    Model,
    RequestValidator,
    Resource,
    RestApi,
)
from cumulet.services.apigateway.openapi.document import parse_document
from cumulet.services.apigateway.openapi.plan import Plan, plan_api
from cumulet.services.apigateway.operations.documents.documentation_part import (
    write_documentation,
)
from cumulet.services.apigateway.operations.model import check_schemas
from cumulet.services.apigateway.operations.rest_api import new_api, too_many_apis
from cumulet.services.apigateway.rules import tree
from cumulet.services.apigateway.rules.access import check_pass_role, check_pass_roles
from cumulet.services.apigateway.rules.names import at, check_path_part
from cumulet.services.apigateway.rules.settings import (
    api_view,
    check_compression,
    parse_api_policy,
    parse_endpoint,
)

Request = Mapping[str, Any]

_IDS = RESOURCES_MAX + 1_000
"""Ids made before the transaction, for resources, models and validators."""


@operation("ImportRestApi", action="POST", resource=at("/restapis"))
async def import_rest_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Make an API from an OpenAPI document."""
    document = parse_document(request["body"])
    settings = plan_api(document, request.get("parameters") or {}, "").settings
    check_compression(settings.get("minimumCompressionSize"))
    api = new_api(ctx, settings["name"], settings)
    plan = plan_api(document, request.get("parameters") or {}, api.id)
    _check_warnings(plan, request)
    await _check_roles(ctx, plan)
    ids = _Ids(ctx)
    root = Resource(api_id=api.id, id=api.root_resource_id, path="/")

    async def create(tx: Transaction, scope: Scope) -> None:
        if not await store.save_new_api(tx, scope, api, [root], []):
            raise too_many_apis()
        await _write(tx, scope, api, plan, [root], ids.again(), overwrite=True)

    await ctx.transact(create)
    return _view(api, plan, with_tags=False)


@operation("PutRestApi", action="PUT", resource=at("/restapis/{restApiId}"))
async def put_rest_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Overwrite an API by an OpenAPI document, or merge the document into it."""
    plan = plan_api(
        parse_document(request["body"]), request.get("parameters") or {}, request["restApiId"]
    )
    check_compression(plan.settings.get("minimumCompressionSize"))
    _check_warnings(plan, request)
    await _check_roles(ctx, plan)
    overwrite = (request.get("mode") or "merge") == "overwrite"
    ids = _Ids(ctx)

    async def put(tx: Transaction, scope: Scope) -> RestApi:
        api = await store.load_api(tx, scope, request["restApiId"])
        if api is None:
            raise no_api(scope, request["restApiId"])
        changed = _merged(api, plan.settings, scope, overwrite)
        await store.APIS.save(tx, scope, changed)
        resources = await store.scan_resources(tx, scope, api.id)
        await _write(tx, scope, changed, plan, resources, ids.again(), overwrite=overwrite)
        return changed

    return _view(await ctx.transact(put), plan, with_tags=True)


class _Ids:
    """Ids made before a transaction, handed out in order each time it is run."""

    def __init__(self, ctx: Context) -> None:
        self._ids = [new_label(ctx.clock, 6) for _ in range(_IDS)]
        self._at = 0

    def again(self) -> _Ids:
        """Begin from the first id."""
        self._at = 0
        return self

    def next(self) -> str:
        """One more id. Raises BadRequestException when the document needs too many."""
        if self._at >= len(self._ids):
            raise BadRequestException(f"The document describes more than {_IDS} things.")
        self._at += 1
        return self._ids[self._at - 1]


async def _check_roles(ctx: Context, plan: Plan) -> None:
    for authorizer in plan.authorizers.values():
        await check_pass_role(ctx, authorizer.authorizer_credentials)
    await check_pass_roles(
        ctx, (method for methods in plan.methods.values() for method in methods.values())
    )


def _check_warnings(plan: Plan, request: Request) -> None:
    if plan.warnings and request.get("failOnWarnings"):
        words = "\n\t".join(plan.warnings)
        raise BadRequestException(f"Warnings found during import:\n\t{words}")


def _view(api: RestApi, plan: Plan, *, with_tags: bool) -> dict[str, Any]:
    view = api_view(api, with_tags=with_tags)
    if plan.warnings:
        view["warnings"] = plan.warnings
    return view


def _merged(api: RestApi, settings: Mapping[str, Any], scope: Scope, overwrite: bool) -> RestApi:
    """The API's settings after the import. A policy stays unless the document has another."""
    types = tuple(settings.get("binaryMediaTypes") or ())
    if not overwrite:
        types = tuple(dict.fromkeys((*(api.binary_media_types or ()), *types)))
    endpoint = api.endpoint_configuration
    if "endpointConfiguration" in settings:
        endpoint = parse_endpoint(settings["endpointConfiguration"])
    policy = api.policy
    if "policy" in settings:
        policy = parse_api_policy(settings["policy"], scope, api.id)
    return msgspec.structs.replace(
        api,
        name=settings["name"],
        description=settings.get("description", None if overwrite else api.description),
        version=settings.get("version", api.version),
        binary_media_types=types or None,
        minimum_compression_size=settings.get(
            "minimumCompressionSize", None if overwrite else api.minimum_compression_size
        ),
        api_key_source=settings.get("apiKeySource", api.api_key_source),
        disable_execute_api_endpoint=settings.get(
            "disableExecuteApiEndpoint", api.disable_execute_api_endpoint
        ),
        endpoint_configuration=endpoint,
        policy=policy,
    )


async def _write(
    tx: Transaction,
    scope: Scope,
    api: RestApi,
    plan: Plan,
    resources: list[Resource],
    ids: _Ids,
    *,
    overwrite: bool,
) -> None:
    """Write what the plan says over what is there, keeping the ids of what stays."""
    validators = await _write_validators(tx, scope, api.id, plan, ids, overwrite)
    authorizers = await _write_authorizers(tx, scope, api.id, plan, ids, overwrite)
    await _write_models(tx, scope, api.id, plan, ids, overwrite)
    await _write_responses(tx, scope, api.id, plan, overwrite)
    await write_documentation(tx, scope, api.id, plan.documentation, ids.next, overwrite)
    by_path = {resource.path: resource for resource in resources}
    kept = dict(by_path) if not overwrite else {"/": by_path["/"]}
    if overwrite:
        kept["/"] = msgspec.structs.replace(kept["/"], resource_methods=None)
    for path, methods in plan.methods.items():
        node = _place(kept, by_path, path, ids)
        for method in methods.values():
            node = node.with_method(_finished(method, node.id, validators, authorizers))
        tree.check_size(node)
        kept[path] = node
    tree.check_room(len(kept))
    await store.replace_resources(tx, scope, api.id, list(kept.values()))


def _place(
    kept: dict[str, Resource], old: Mapping[str, Resource], path: str, ids: _Ids
) -> Resource:
    """The resource of a path; it and those above it are made where they are missing."""
    node = kept["/"]
    for part in [part for part in path.split("/") if part]:
        below = f"{node.path.rstrip('/')}/{part}"
        if below not in kept:
            check_path_part(part)
            tree.check_place(list(kept.values()), node, part)
            made = tree.child(node, old[below].id if below in old else ids.next(), part)
            kept[below] = made
        node = kept[below]
    return node


def _finished(
    method: Method, resource_id: str, validators: Mapping[str, str], authorizers: Mapping[str, str]
) -> Method:
    """The method with the ids that a document cannot know."""
    integration = method.method_integration
    if integration is not None and not integration.cache_namespace:
        integration = msgspec.structs.replace(integration, cache_namespace=resource_id)
    name, asks = method.request_validator_id, method.authorizer_id
    return msgspec.structs.replace(
        method,
        method_integration=integration,
        request_validator_id=validators[name] if name else None,
        authorizer_id=authorizers[asks] if asks else None,
    )


async def _write_authorizers(
    tx: Transaction, scope: Scope, api_id: str, plan: Plan, ids: _Ids, overwrite: bool
) -> dict[str, str]:
    """The ids of the authorizers by name. An import takes none away that methods still name."""
    existing = {one.name: one for one in await admission.scan_authorizers(tx, scope, api_id)}
    for name, one in existing.items():
        if overwrite and name not in plan.authorizers:
            await admission.AUTHORIZERS.drop(tx, scope, api_id, one.id)
    kept = {} if overwrite else existing
    if len(kept.keys() | plan.authorizers.keys()) > AUTHORIZERS_MAX:
        raise LimitExceededException("Maximum number of authorizers for this API has been reached.")
    found: dict[str, str] = {}
    for name, planned in plan.authorizers.items():
        found[name] = existing[name].id if name in existing else ids.next()
        made = msgspec.structs.replace(planned, id=found[name], api_id=api_id)
        await admission.AUTHORIZERS.save(tx, scope, made)
    return found


async def _write_responses(
    tx: Transaction, scope: Scope, api_id: str, plan: Plan, overwrite: bool
) -> None:
    kinds = {one.response_type for one in plan.responses}
    for old in await store.scan_responses(tx, scope, api_id):
        if overwrite and old.response_type not in kinds:
            await store.RESPONSES.drop(tx, scope, api_id, old.response_type)
    for response in plan.responses:
        await store.RESPONSES.save(tx, scope, msgspec.structs.replace(response, api_id=api_id))


async def _write_validators(
    tx: Transaction, scope: Scope, api_id: str, plan: Plan, ids: _Ids, overwrite: bool
) -> dict[str, str]:
    """The ids of the validators by name."""
    existing = {one.name: one for one in await store.scan_validators(tx, scope, api_id)}
    for name, one in existing.items():
        if overwrite and name not in plan.validators:
            await store.VALIDATORS.drop(tx, scope, api_id, one.id)
    found: dict[str, str] = {}
    for name, (body, parameters) in plan.validators.items():
        found[name] = existing[name].id if name in existing else ids.next()
        await store.VALIDATORS.save(
            tx,
            scope,
            RequestValidator(
                api_id=api_id,
                id=found[name],
                name=name,
                validate_request_body=body,
                validate_request_parameters=parameters,
            ),
        )
    return found


async def _write_models(
    tx: Transaction, scope: Scope, api_id: str, plan: Plan, ids: _Ids, overwrite: bool
) -> None:
    existing = {one.name: one for one in await store.scan_models(tx, scope, api_id)}
    for name in existing:
        if overwrite and name not in plan.models:
            await store.MODELS.drop(tx, scope, api_id, name)
    for name, (kind, schema, description) in plan.models.items():
        await store.MODELS.save(
            tx,
            scope,
            Model(
                api_id=api_id,
                id=existing[name].id if name in existing else ids.next(),
                name=name,
                content_type=kind,
                schema=schema,
                description=description,
            ),
        )
    models = await store.scan_models(tx, scope, api_id)
    check_schemas(models)
    known = {one.name for one in models}
    for methods in plan.methods.values():
        for method in methods.values():
            for name in (method.request_models or {}).values():
                if name not in known:
                    raise BadRequestException(f"Invalid model identifier specified: {name}")
