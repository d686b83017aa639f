"""What stages and deployments say of a stage besides its deployment, as patches of the stage.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import FLAG, NUMBER, TAGS, TEXT, Props, list_of, map_of, struct
from cumulet.services.apigateway.limits import PATCHES_MAX
from cumulet.services.apigateway.resources.told import SERVICE, changes, escaped, patch

Patches = list[dict[str, str]]

_SETTINGS = {
    "MetricsEnabled": "metrics/enabled",
    "LoggingLevel": "logging/loglevel",
    "DataTraceEnabled": "logging/dataTrace",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
    "CachingEnabled": "caching/enabled",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CacheDataEncrypted": "caching/dataEncrypted",
}
_KINDS = {
    "LoggingLevel": TEXT,
    "ThrottlingBurstLimit": NUMBER,
    "ThrottlingRateLimit": NUMBER,
    "CacheTtlInSeconds": NUMBER,
}
_VALUES = {name: _KINDS.get(name, FLAG) for name in _SETTINGS}

STAGE_MEMBERS = {
    "AccessLogSetting": struct({"DestinationArn": TEXT, "Format": TEXT}),
    "CacheClusterEnabled": FLAG,
    "CacheClusterSize": TEXT,
    "CanarySetting": struct(
        {
            "DeploymentId": TEXT,
            "PercentTraffic": NUMBER,
            "StageVariableOverrides": map_of(TEXT),
            "UseStageCache": FLAG,
        }
    ),
    "ClientCertificateId": TEXT,
    "Description": TEXT,
    "DocumentationVersion": TEXT,
    "MethodSettings": list_of(struct({"HttpMethod": TEXT, "ResourcePath": TEXT, **_VALUES})),
    "Tags": TAGS,
    "TracingEnabled": FLAG,
    "Variables": map_of(TEXT),
}
"""What AWS::ApiGateway::Stage has besides its names."""

_NOT_DESCRIBED = ("CanarySetting", "DocumentationVersion")
STAGE_DESCRIPTION = struct(
    {**{k: v for k, v in STAGE_MEMBERS.items() if k not in _NOT_DESCRIBED}, **_VALUES}
)
"""What a deployment's StageDescription has; its canary is in DeploymentCanarySettings."""


def canary_of(given: Props) -> dict[str, Any]:
    """A canary's settings as operations take them."""
    names = {
        "DeploymentId": "deploymentId",
        "PercentTraffic": "percentTraffic",
        "StageVariableOverrides": "stageVariableOverrides",
        "UseStageCache": "useStageCache",
    }
    return {to: given[name] for name, to in names.items() if given.get(name) is not None}


def canary_patches(old: Props | None, new: Props | None, stage: Mapping[str, Any]) -> Patches:
    """From one canary to another, or to none; `stage` is as it is now."""
    if new == old:
        return []
    present = stage.get("canarySettings") or {}
    if not new:
        return [patch("remove", "/canarySettings")] if present else []
    paths = {
        "DeploymentId": "/canarySettings/deploymentId",
        "PercentTraffic": "/canarySettings/percentTraffic",
        "UseStageCache": "/canarySettings/useStageCache",
    }
    found = [patch("replace", path, new[name]) for name, path in paths.items() if name in new]
    return found + map_patches(
        "/canarySettings/stageVariableOverrides",
        present.get("stageVariableOverrides"),
        new.get("StageVariableOverrides"),
    )


def map_patches(
    path: str, before: Mapping[str, str] | None, after: Mapping[str, str] | None
) -> Patches:
    """From one map of texts to another."""
    old, new = before or {}, after or {}
    gone = [patch("remove", f"{path}/{escaped(name)}") for name in old if name not in new]
    return gone + [
        patch("add", f"{path}/{escaped(name)}", value)
        for name, value in new.items()
        if old.get(name) != value
    ]


def with_whole_stage(description: Props) -> Props:
    """A StageDescription with its settings for all methods among those of methods."""
    every = {name: description[name] for name in _SETTINGS if description.get(name) is not None}
    if not every:
        return description
    settings = [{"ResourcePath": "/*", "HttpMethod": "*", **every}]
    return {**description, "MethodSettings": settings + (description.get("MethodSettings") or [])}


def settings_patches(old: Props, new: Props, present: Mapping[str, Any]) -> Patches:
    """Access log, client certificate and method settings; `present` are the stage's settings now.

    Method settings that the template changes are made anew, so that what it leaves out is usual.
    """
    operations = changes(old, new, {"ClientCertificateId": "/clientCertificateId"})
    before, after = old.get("AccessLogSetting") or {}, new.get("AccessLogSetting") or {}
    if before and not after:
        operations.append(patch("remove", "/accessLogSettings"))
    else:
        paths = {
            "DestinationArn": "/accessLogSettings/destinationArn",
            "Format": "/accessLogSettings/format",
        }
        operations += changes(before, after, paths)
    if old.get("MethodSettings") == new.get("MethodSettings"):
        return operations
    wanted = new.get("MethodSettings") or ()
    named = dict.fromkeys(_key_of(one) for one in (*(old.get("MethodSettings") or ()), *wanted))
    operations += [patch("remove", f"/{key}") for key in named if key in present]
    # The settings of all methods come first: others begin with them.
    for one in sorted(wanted, key=lambda one: _key_of(one) != "*/*"):
        operations += [
            patch("replace", f"/{_key_of(one)}/{path}", one[name])
            for name, path in _SETTINGS.items()
            if one.get(name) is not None
        ]
    return operations


def _key_of(setting: Props) -> str:
    """The method of settings as patches name it; the path has its first slash before it."""
    path = (setting.get("ResourcePath") or "/*").removeprefix("/") or "~1"
    return f"{path}/{setting.get('HttpMethod') or '*'}"


async def patch_stage(ctx: Context, api_id: str, name: str, operations: Patches) -> None:
    """Send the patches, as many at once as may be."""
    for at in range(0, len(operations), PATCHES_MAX):
        await ctx.call(
            SERVICE,
            "UpdateStage",
            restApiId=api_id,
            stageName=name,
            patchOperations=operations[at : at + PATCHES_MAX],
        )
