"""Stages as OpenAPI documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.errors import BadRequestException, no_stage, not_yet
from cumulet.services.apigateway.openapi.documentation import store as documentation
from cumulet.services.apigateway.openapi.export import Extras, Source, version_of, write_document
from cumulet.services.apigateway.rules.names import at

Request = Mapping[str, Any]

_KINDS = ("oas30", "swagger")
_JSON, _YAML = "application/json", "application/yaml"
_EXTENSIONS = frozenset(
    {
        "integrations",
        "authorizers",
        "documentation",
        "validators",
        "gatewayresponses",
        "apigateway",
        "postman",
    }
)


@operation(
    "GetExport",
    action="GET",
    resource=at("/restapis/{restApiId}/stages/{stageName}/exports/{exportType}"),
)
async def get_export(ctx: Context, request: Request) -> dict[str, Any]:
    """A stage's API as an OpenAPI 3 or a Swagger 2 document."""
    kind = request["exportType"]
    if kind not in _KINDS:
        raise BadRequestException(f"Invalid export type specified. Valid options are {_KINDS}")
    accepts = request.get("accepts") or _JSON
    if accepts not in (_JSON, _YAML):
        raise BadRequestException(f"Invalid accepts specified: {accepts}")
    extras = _extras(request.get("parameters") or {})
    source = await ctx.transact(_load, request["restApiId"], request["stageName"])
    if source is None:
        raise no_stage()
    document = write_document(source, kind, extras, ctx.scope)
    if accepts == _YAML:
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False)
    ending = "json" if accepts == _JSON else "yaml"
    name = f"{kind}_{version_of(source.api)}.{ending}"
    return {
        # Whatever is asked for: AWS gives a file.
        "contentType": "application/octet-stream",
        "contentDisposition": f'attachment; filename="{name}"',
        "body": text.encode(),
    }


def _extras(parameters: Mapping[str, str]) -> Extras:
    """Which extensions the document shall have. Raises BadRequestException."""
    asked = parameters.get("extensions") or parameters.get("Extensions") or ""
    names = {name.strip().lower() for name in asked.split(",") if name.strip()}
    if strange := sorted(names - _EXTENSIONS):
        raise BadRequestException(f"Invalid extension specified: {strange[0]}")
    if "postman" in names:
        raise not_yet("The postman extension is")
    everything = "apigateway" in names
    return Extras(
        integrations=everything or "integrations" in names,
        authorizers=everything or "authorizers" in names,
        validators=everything or "validators" in names,
        responses=everything or "gatewayresponses" in names,
        documentation=everything or "documentation" in names,
        settings=everything,
    )


async def _load(tx: Transaction, scope: Scope, api_id: str, stage_name: str) -> Source | None:
    served = await store.load_served(tx, scope, api_id, stage_name)
    if served is None:
        return None
    version = served.stage.documentation_version
    parts = (
        await documentation.scan_version(tx, scope, api_id, version)
        if version
        else await documentation.scan_parts(tx, scope, api_id)
    )
    return Source(
        api=served.snapshot.deployment.api,
        stage=served.stage,
        resources=served.snapshot.resources,
        schemas=served.snapshot.deployment.models or {},
        validators=served.snapshot.deployment.validators or {},
        validator_names={
            one.id: one.name for one in await store.scan_validators(tx, scope, api_id)
        },
        authorizers=served.snapshot.deployment.authorizers or {},
        responses=served.snapshot.responses,
        parts=parts,
    )


@operation(
    "GetSdk",
    action="GET",
    resource=at("/restapis/{restApiId}/stages/{stageName}/sdks/{sdkType}"),
)
async def get_sdk(ctx: Context, request: Request) -> dict[str, Any]:
    """Refused: no client libraries are generated."""
    raise not_yet("Generated client libraries (SDKs) are")
