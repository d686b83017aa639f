"""What the permissions of invocations are asked for.

Follows https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.services.bedrock.registry import model_arn, read_identifier


def profile_arn(ctx: Context, profile_id: str) -> str:
    """The ARN of an inference profile."""
    return ctx.scope.arn("bedrock", f"inference-profile/{profile_id}")


def _model(ctx: Context, identifier: str) -> list[str]:
    named = read_identifier(identifier)
    arns = [model_arn(ctx.scope.region, named.model_id)]
    # Through a profile, both the profile and the model behind it must be permitted.
    return [profile_arn(ctx, named.profile_id), *arns] if named.profile_id else arns


def invoked(ctx: Context, request: Mapping[str, Any]) -> list[str]:
    """The model that is invoked, and the profile when it goes through one."""
    return _model(ctx, request["modelId"])


def described(ctx: Context, request: Mapping[str, Any]) -> list[str]:
    """The model that is described."""
    return _model(ctx, request["modelIdentifier"])


def profile(ctx: Context, request: Mapping[str, Any]) -> str:
    """The profile that is described."""
    identifier: str = request["inferenceProfileIdentifier"]
    return identifier if identifier.startswith("arn:") else profile_arn(ctx, identifier)
