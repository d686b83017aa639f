"""The patch operations of stages: their paths, their order, and AWS's words for the rest. Pure.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html (Stage)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from cumulet.services.apigateway.errors import BadRequestException, NotFoundException, not_yet
from cumulet.services.apigateway.limits import PATCHES_MAX
from cumulet.services.apigateway.model import Stage
from cumulet.services.apigateway.rules.names import check_variables
from cumulet.services.apigateway.rules.patch import (
    ALL,
    REPLACE,
    Operations,
    Patch,
    Rule,
    apply_patches,
    optional_text,
    parse_patch,
    read_flag,
)
from cumulet.services.apigateway.rules.stages import (
    EVERY_METHOD,
    SETTINGS,
    MethodSettings,
    check_access_log,
    check_cache_size,
    check_percent,
)

Document = dict[str, Any]

_RULES = (
    Rule("/deploymentId"),
    Rule("/description", ALL),
    Rule("/cacheClusterEnabled", REPLACE, read_flag),
    Rule("/cacheClusterSize", REPLACE, optional_text),
    Rule("/clientCertificateId", ALL, optional_text),
    Rule("/documentationVersion", ALL, optional_text),
    Rule("/accessLogSettings/destinationArn", ALL),
    Rule("/accessLogSettings/format", ALL),
    Rule("/variables/{}", ALL, str, "entries", "Invalid stage variable specified"),
    Rule("/tracingEnabled", REPLACE, read_flag),
)
_CANARY = ("percentTraffic", "deploymentId", "useStageCache")
_COPIED_TO = ("/deploymentId", "/variables")
_COPIED_FROM = ("/canarySettings/deploymentId", "/canarySettings/stageVariableOverrides")


def _told_settings(place: str, gap: str) -> str:
    """The paths of settings as AWS lists them; around the throttles it leaves commas out."""
    burst, rate, ttl = (f"/{place}/{name}" for name in _UNPARTED)
    return ", ".join(
        (
            f"/{place}/metrics/enabled",
            f"/{place}/logging/dataTrace",
            f"/{place}/logging/loglevel",
            gap.join((burst, rate, ttl)),
            f"/{place}/caching/enabled",
            f"/{place}/caching/dataEncrypted",
            f"/{place}/caching/requireAuthorizationForCacheControl",
            f"/{place}/caching/unauthorizedCacheControlHeaderStrategy",
        )
    )


_UNPARTED = ("throttling/burstLimit", "throttling/rateLimit", "caching/ttlInSeconds")
_PATHS = ", ".join(
    (
        "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize",
        "/clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn",
        "/accessLogSettings/format",
        _told_settings("{resourcePath}/{httpMethod}", ""),
        _told_settings("*/*", " "),
        "/variables/{variable_name}, /tracingEnabled",
    )
)


def patch_stage(stage: Stage, operations: Operations | None, now: int) -> Stage:
    """The stage with the operations done in order; all or none. Raises BadRequestException."""
    if operations is not None and len(operations) > PATCHES_MAX:
        raise BadRequestException(f"At most {PATCHES_MAX} patch operations can be sent at once.")
    document: Document = msgspec.to_builtins(stage)
    for given in operations or ():
        document = _apply(document, given)
    document["lastUpdatedDate"] = now
    changed = msgspec.convert(_with_cluster(document, stage), Stage)
    check_stage(changed)
    return changed


def check_stage(stage: Stage) -> None:
    """Refuse what a stage may not say. Raises BadRequestException."""
    check_variables(stage.variables)
    check_cache_size(stage.cache_cluster_size)
    canary = stage.canary_settings
    if canary is not None:
        check_percent(canary.percent_traffic)
        check_variables(canary.stage_variable_overrides)
    log = stage.access_log_settings
    if log is not None:
        check_access_log(log.destination_arn, log.format)


def _with_cluster(document: Document, old: Stage) -> Document:
    """The cluster's size and state follow from whether there is one; another one is empty."""
    if not document.get("cacheClusterEnabled"):
        left = {key: value for key, value in document.items() if key != "cacheClusterSize"}
        return {**left, "cacheClusterStatus": "NOT_AVAILABLE"}
    size = document.get("cacheClusterSize") or old.cache_cluster_size or "0.5"
    flushes = old.cache_flushes + (size != old.cache_cluster_size)
    return {
        **document,
        "cacheClusterSize": size,
        "cacheClusterStatus": "AVAILABLE",
        "cacheFlushes": flushes,
    }


def _apply(document: Document, given: Mapping[str, Any]) -> Document:
    patch = parse_patch(given)
    first = patch.segments[0]
    if patch.op == "copy":
        return _copy(document, patch, given.get("from"))
    if first == "canarySettings":
        return _patch_canary(document, patch)
    if patch.op == "remove" and patch.segments == ("accessLogSettings",):
        return {key: value for key, value in document.items() if key != first}
    if first == "webAclArn":
        raise not_yet("Web ACLs of stages are")
    if first != "variables" and len(patch.segments) >= 2 and first != "accessLogSettings":
        return _patch_settings(document, patch, str(given["path"]))
    return apply_patches(document, [given], _RULES, _refusal)


def _refusal(
    patch: Patch, rules: Sequence[Rule] = (), rule: Rule | None = None
) -> BadRequestException:
    return BadRequestException(
        f"Invalid method setting path: {patch.path}. Must be one of: [{_PATHS}]"
    )


def _no_setting(key: str) -> BadRequestException:
    return BadRequestException(
        f"Cannot remove method setting {key} because there is no method setting for this method "
    )


def _patch_settings(document: Document, patch: Patch, path: str) -> Document:
    """Settings of a method, or of all; the first for a method begin with those of all."""
    settings: dict[str, Any] = dict(document.get("methodSettings") or {})
    parts = path.split("/")[1:]
    if patch.op == "remove" and "/".join(parts[-2:]) not in SETTINGS:
        key = "/".join(parts)
        if key not in settings:
            raise _no_setting(key)
        del settings[key]
        return {**document, "methodSettings": settings}
    known = SETTINGS.get("/".join(parts[-2:]))
    if known is None or len(parts) < 4 or patch.op not in ("add", "replace"):
        raise _refusal(patch)
    key = "/".join(parts[:-2])
    usual = {k: v for k, v in msgspec.to_builtins(MethodSettings()).items() if v is not None}
    member, read = known
    begun = settings.get(key) or settings.get(EVERY_METHOD) or usual
    settings[key] = {**begun, member: read(patch.value or "")}
    return {**document, "methodSettings": settings}


def _patch_canary(document: Document, patch: Patch) -> Document:
    if patch.segments == ("canarySettings",):
        if patch.op != "remove":
            raise _refusal(patch)
        return {key: value for key, value in document.items() if key != "canarySettings"}
    canary = dict(
        document.get("canarySettings")
        or {
            "percentTraffic": 0.0,
            "deploymentId": document["deploymentId"],
            "useStageCache": False,
        }
    )
    name, value = patch.segments[1], patch.value or ""
    if len(patch.segments) == 2 and name in _CANARY and patch.op == "replace":
        canary[name] = _CANARY_VALUES[name](value)
    elif len(patch.segments) == 3 and name == "stageVariableOverrides" and patch.op in ALL:
        canary[name] = _overrides(dict(canary.get(name) or {}), patch)
    elif patch.op == "remove":
        raise _no_setting("/".join(patch.segments))
    elif name in _CANARY:
        raise BadRequestException(f"Invalid {patch.op} operation with path: {patch.path}")
    else:
        raise _refusal(patch)
    return {**document, "canarySettings": canary}


def _percent(text: str) -> float:
    try:
        percent = float(text)
    except ValueError as cause:
        raise BadRequestException(f"Invalid percentTraffic specified: {text}") from cause
    check_percent(percent)
    return percent


_CANARY_VALUES: Mapping[str, Callable[[str], Any]] = {
    "percentTraffic": _percent,
    "deploymentId": str,
    "useStageCache": read_flag,
}


def _overrides(overrides: dict[str, str], patch: Patch) -> dict[str, str]:
    variable = patch.segments[2]
    if patch.op != "remove":
        return {**overrides, variable: patch.value or ""}
    if variable not in overrides:
        raise NotFoundException("Invalid stage variable specified")
    del overrides[variable]
    return overrides


def _copy(document: Document, patch: Patch, source: Any) -> Document:
    """The promotion of a canary: its deployment, or its variables, become the stage's.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/promote-canary-deployment.html
    """
    if (patch.path, source) not in zip(_COPIED_TO, _COPIED_FROM, strict=True):
        raise BadRequestException(
            f"Invalid copy operation with path: {patch.path} and from {source}. Valid copy:path "
            f"are [{', '.join(_COPIED_TO)}] and valid copy:from are [{', '.join(_COPIED_FROM)}]"
        )
    canary = document.get("canarySettings")
    if not canary:
        raise BadRequestException("Promotion not available. Canary does not exist.")
    if patch.path == "/deploymentId":
        return {**document, "deploymentId": canary["deploymentId"]}
    overrides = canary.get("stageVariableOverrides") or {}
    return {**document, "variables": {**(document.get("variables") or {}), **overrides}}
