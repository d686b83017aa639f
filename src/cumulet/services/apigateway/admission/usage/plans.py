"""Usage plans as they are given to us: checks and patch rules. Pure.

https://docs.aws.amazon.com/apigateway/latest/api/API_UsagePlan.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.services.apigateway.admission.limits import PLAN_METHODS_MAX, PLAN_STAGES_MAX
from cumulet.services.apigateway.admission.model import PlanStage, Quota, Throttle, UsagePlan
from cumulet.services.apigateway.admission.usage.periods import offset_max
from cumulet.services.apigateway.errors import BadRequestException, NotFoundException
from cumulet.services.apigateway.model import shown
from cumulet.services.apigateway.rules.patch import (
    ALL,
    REPLACE,
    Operations,
    Patch,
    Rule,
    apply_patches,
    listing,
    optional_text,
    parse_patch,
)

_PERIODS = ("DAY", "WEEK", "MONTH")


def parse_plan(
    given: Mapping[str, Any], plan_id: str, tags: dict[str, str] | None, origin: str | None = None
) -> UsagePlan:
    """A new plan. Raises BadRequestException."""
    quota = given.get("quota")
    throttle = given.get("throttle")
    made = UsagePlan(
        id=plan_id,
        name=given["name"],
        description=given.get("description"),
        api_stages=tuple(_stage(one) for one in given.get("apiStages") or ()),
        throttle=msgspec.convert(throttle, Throttle) if throttle else None,
        quota=_quota(quota) if quota else None,
        tags=tags,
        origin=origin,
    )
    check_plan(made)
    return made


def _stage(given: Mapping[str, Any]) -> PlanStage:
    throttle = given.get("throttle") or {}
    return PlanStage(
        api_id=given.get("apiId") or "",
        stage=given.get("stage") or "",
        throttle={name: msgspec.convert(one, Throttle) for name, one in throttle.items()} or None,
    )


def _quota(given: Mapping[str, Any]) -> Quota:
    if given.get("limit") is None or not given.get("period"):
        raise BadRequestException("Usage Plan quota must have a limit and a period")
    return Quota(
        limit=given["limit"], offset=given.get("offset") or 0, period=str(given["period"]).upper()
    )


def check_plan(plan: UsagePlan) -> None:
    """Raise BadRequestException unless a plan may be so. Whether its stages exist is not known."""
    if not plan.name.strip():
        raise BadRequestException("Usage Plan name cannot be blank")
    if len(plan.api_stages) > PLAN_STAGES_MAX:
        raise BadRequestException(f"A usage plan can have at most {PLAN_STAGES_MAX} API stages")
    for one in plan.api_stages:
        if len(one.throttle or {}) > PLAN_METHODS_MAX:
            raise BadRequestException(
                f"A stage of a usage plan can have at most {PLAN_METHODS_MAX} method throttles"
            )
        for route, throttle in (one.throttle or {}).items():
            if not route.startswith("/") or route.count("/") < 1:
                raise BadRequestException(f"Invalid method throttle path specified: {route}")
            _check_throttle(throttle)
    if plan.throttle is not None:
        _check_throttle(plan.throttle)
    if plan.quota is not None:
        _check_quota(plan.quota)


def _check_throttle(throttle: Throttle) -> None:
    if throttle.burst_limit < 0 or not 0 <= throttle.rate_limit < 1e9:
        raise BadRequestException("Usage Plan throttle limits must not be negative")


def _check_quota(quota: Quota) -> None:
    if quota.limit < 0:
        raise BadRequestException("Usage Plan quota limit must not be negative")
    if quota.period not in _PERIODS:
        raise BadRequestException(
            f"Invalid Usage Plan quota period specified. Must be one of [{', '.join(_PERIODS)}]"
        )
    last = offset_max(quota.period)
    if not 0 <= quota.offset <= last:
        if not last:
            raise BadRequestException("Usage Plan quota offset must be zero in the DAY period")
        raise BadRequestException(
            f"Usage Plan quota offset must be between 0 and {last} inclusive in the "
            f"{quota.period} period"
        )


def plan_view(plan: UsagePlan) -> dict[str, Any]:
    """A plan as AWS shows it."""
    return {"apiStages": [], **shown(plan, "origin")}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as cause:
        raise BadRequestException(f"Invalid throttle rate limit specified: {text}") from cause


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as cause:
        raise BadRequestException(f"Invalid number specified: {text}") from cause


_RULES = (
    Rule("/name"),
    Rule("/description", ALL, optional_text),
    Rule("/productCode", ALL, optional_text),
    Rule("/throttle", ("remove",)),
    Rule("/throttle/rateLimit", ("add", *REPLACE), _number),
    Rule("/throttle/burstLimit", ("add", *REPLACE), _whole),
    Rule("/quota", ("remove",)),
    Rule("/quota/limit", ("add", *REPLACE), _whole),
    Rule("/quota/offset", ("add", *REPLACE), _whole),
    Rule("/quota/period", ("add", *REPLACE), str.upper),
)


def patch_plan(plan: UsagePlan, operations: Operations | None) -> UsagePlan:
    """The plan with the patch operations done. Raises BadRequestException."""
    document = msgspec.to_builtins(plan)
    for given in operations or ():
        patch = parse_patch(given)
        if patch.segments[0] == "apiStages":
            document["apiStages"] = _patch_stages(document.get("apiStages") or [], patch)
        else:
            document = apply_patches(document, [given], _RULES, listing)
    quota = document.get("quota")
    if quota is not None:
        document["quota"] = msgspec.to_builtins(_quota(quota))
    changed = msgspec.convert(document, UsagePlan)
    check_plan(changed)
    return changed


def _patch_stages(stages: list[dict[str, Any]], patch: Patch) -> list[dict[str, Any]]:
    """`/apiStages` adds and removes `{api}:{stage}`; what lies below changes its throttles.

    https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html (UsagePlan)
    """
    name = patch.segments[1] if len(patch.segments) > 1 else patch.value or ""
    api_id, colon, stage = name.partition(":")
    if not colon or not api_id or not stage:
        raise BadRequestException(f"Invalid API stage specified: {name}")
    at = next(
        (n for n, one in enumerate(stages) if (one["apiId"], one["stage"]) == (api_id, stage)), None
    )
    if len(patch.segments) <= 2:
        return _changed_stages(stages, patch, {"apiId": api_id, "stage": stage}, at)
    if at is None or patch.segments[2] != "throttle":
        raise NotFoundException("Invalid API stage specified for the usage plan")
    changed = _patch_throttles(dict(stages[at].get("throttle") or {}), patch)
    return [*stages[:at], {**stages[at], "throttle": changed}, *stages[at + 1 :]]


def _changed_stages(
    stages: list[dict[str, Any]], patch: Patch, one: dict[str, Any], at: int | None
) -> list[dict[str, Any]]:
    if patch.op == "remove":
        if at is None:
            raise NotFoundException("Invalid API stage specified for the usage plan")
        return stages[:at] + stages[at + 1 :]
    if patch.op != "add":
        raise listing(patch, _RULES, None)
    return stages if at is not None else [*stages, one]


def _patch_throttles(throttles: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """Clients escape the slashes of a method's path or not: both come as the same here."""
    rest = list(patch.segments[3:])
    if not rest:
        if patch.op != "remove":
            raise listing(patch, _RULES, None)
        return {}
    member = rest.pop() if rest[-1] in ("rateLimit", "burstLimit") else ""
    route = "/" + "/".join(rest).strip("/")
    if not member:
        if patch.op != "remove" or route not in throttles:
            raise NotFoundException("Invalid method throttle specified for the usage plan")
        return {name: one for name, one in throttles.items() if name != route}
    if patch.op not in ("add", "replace"):
        raise listing(patch, _RULES, None)
    value = _number(patch.value or "") if member == "rateLimit" else _whole(patch.value or "")
    old = throttles.get(route) or {"rateLimit": 0.0, "burstLimit": 0}
    return {**throttles, route: {**old, member: value}}
