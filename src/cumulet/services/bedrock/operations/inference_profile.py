"""The inference profiles of a region: one for each model whose id is given in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.services.bedrock import permissions
from cumulet.services.bedrock.configuration import Entry
from cumulet.services.bedrock.errors import ResourceNotFoundException, ValidationException
from cumulet.services.bedrock.limits import PROFILES_PAGE
from cumulet.services.bedrock.registry import Registry, model_arn, profile_prefix


@operation("ListInferenceProfiles")
async def list_inference_profiles(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the profiles, in the order of the models file."""
    if request.get("typeEquals") == "APPLICATION":
        return {"inferenceProfileSummaries": []}
    profiles = _profiles(ctx)
    start = _start(request.get("nextToken"))
    end = start + (request.get("maxResults") or PROFILES_PAGE)
    more = {"nextToken": make_token(end)} if end < len(profiles) else {}
    return {"inferenceProfileSummaries": profiles[start:end], **more}


@operation("GetInferenceProfile", resource=permissions.profile)
async def get_inference_profile(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a profile."""
    wanted = request["inferenceProfileIdentifier"]
    for one in _profiles(ctx):
        if wanted in (one["inferenceProfileId"], one["inferenceProfileArn"]):
            return one
    raise ResourceNotFoundException(f"The inference profile {wanted} was not found.")


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        start = read_token(token)
    except ValueError:
        start = None
    if not isinstance(start, int) or start < 0:
        raise ValidationException("The nextToken is not valid.")
    return start


def _profiles(ctx: Context) -> list[dict[str, Any]]:
    entries = ctx.need(Registry).entries
    return [_describe(ctx, one) for one in entries if not one.is_pattern and "." in one.id]


def _describe(ctx: Context, entry: Entry) -> dict[str, Any]:
    prefix = profile_prefix(ctx.scope.region)
    id_ = f"{prefix}.{entry.id}"
    name = entry.display_name or entry.id
    plain = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in name)
    return {
        "inferenceProfileName": f"{prefix.upper()} {' '.join(plain.split())}"[:64].strip(),
        "inferenceProfileId": id_,
        "inferenceProfileArn": permissions.profile_arn(ctx, id_),
        "models": [{"modelArn": model_arn(ctx.scope.region, entry.id)}],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }
