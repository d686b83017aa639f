"""The models of this cloud, as the models file lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.bedrock import permissions
from cumulet.services.bedrock.configuration import Entry
from cumulet.services.bedrock.errors import ResourceNotFoundException
from cumulet.services.bedrock.registry import Registry, model_arn, read_identifier

_VENDORS = {
    "amazon": "Amazon",
    "anthropic": "Anthropic",
    "cohere": "Cohere",
    "meta": "Meta",
    "mistral": "Mistral AI",
    "openai": "OpenAI",
}
_NAME_CHARACTERS = 20


@operation("ListFoundationModels")
async def list_foundation_models(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the models whose ids are given in full; a pattern is not a model."""
    found = [
        _describe(ctx, entry, entry.id)
        for entry in ctx.need(Registry).entries
        if not entry.is_pattern
    ]
    return {"modelSummaries": [one for one in found if _is_asked_for(one, request)]}


@operation("GetFoundationModel", resource=permissions.described)
async def get_foundation_model(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a model, which a pattern of the models file may stand for."""
    identifier = request["modelIdentifier"]
    named = read_identifier(identifier)
    if named.profile_id:
        raise ResourceNotFoundException(f"{identifier} is an inference profile, not a model.")
    entry = ctx.need(Registry).find(identifier).entry
    return {"modelDetails": _describe(ctx, entry, named.model_id)}


def _describe(ctx: Context, entry: Entry, model_id: str) -> dict[str, Any]:
    vendor, _, name = model_id.partition(".")
    return {
        "modelArn": model_arn(ctx.scope.region, model_id),
        "modelId": model_id,
        "modelName": (entry.display_name or name or vendor)[:_NAME_CHARACTERS],
        "providerName": _VENDORS.get(vendor, vendor)[:_NAME_CHARACTERS],
        "inputModalities": ["TEXT", "IMAGE"] if entry.images else ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _is_asked_for(model: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    vendor = request.get("byProvider")
    modality = request.get("byOutputModality")
    inference = request.get("byInferenceType")
    return (
        (vendor is None or model["providerName"].lower() == vendor.lower())
        and (modality is None or modality in model["outputModalities"])
        and (inference is None or inference in model["inferenceTypesSupported"])
        and request.get("byCustomizationType") is None
    )
