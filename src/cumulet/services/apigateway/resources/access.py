"""AWS::ApiGateway::Authorizer, ApiKey, UsagePlan and UsagePlanKey.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)
from cumulet.services.apigateway.limits import PAGE_MAX
from cumulet.services.apigateway.operations.rest_api import ORIGIN_TAG
from cumulet.services.apigateway.resources.told import (
    SERVICE,
    changes,
    members,
    patch,
    tags_of,
    unless_gone,
    update_tags,
)

_AUTHORIZER = {
    "AuthType": "authType",
    "AuthorizerCredentials": "authorizerCredentials",
    "AuthorizerResultTtlInSeconds": "authorizerResultTtlInSeconds",
    "AuthorizerUri": "authorizerUri",
    "IdentitySource": "identitySource",
    "IdentityValidationExpression": "identityValidationExpression",
    "Name": "name",
    "ProviderARNs": "providerARNs",
    "Type": "type",
}


async def _create_authorizer(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    api_id, name = props["RestApiId"], props.get("Name") or draft.name(128)
    request = {**members(props, _AUTHORIZER), "name": name}
    try:
        made = await ctx.call(SERVICE, "CreateAuthorizer", restApiId=api_id, **request)
    except AwsError as error:
        # A name of ours, or of a creation that was cut off, was made by this step.
        if error.code != "ConflictException" or not (draft.resumed or "Name" not in props):
            raise
        found = await ctx.call(SERVICE, "GetAuthorizers", restApiId=api_id, limit=PAGE_MAX)
        made = next(one for one in found["items"] if one["name"] == name)
    return Provisioned(made["id"], {"AuthorizerId": made["id"]})


async def _update_authorizer(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    paths = {name: f"/{to}" for name, to in _AUTHORIZER.items() if name != "ProviderARNs"}
    operations = changes(old, new, paths)
    if new.get("ProviderARNs") != old.get("ProviderARNs"):
        arns = ",".join(new.get("ProviderARNs") or ())
        operations.append(patch("replace", "/providerARNs", arns))
    await ctx.call(
        SERVICE,
        "UpdateAuthorizer",
        restApiId=new["RestApiId"],
        authorizerId=physical_id,
        patchOperations=operations,
    )
    return Provisioned(physical_id, {"AuthorizerId": physical_id})


async def _delete_authorizer(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            SERVICE, "DeleteAuthorizer", restApiId=props["RestApiId"], authorizerId=physical_id
        )
    )


async def _read_authorizer(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(
        ctx.call(SERVICE, "GetAuthorizer", restApiId=props["RestApiId"], authorizerId=physical_id)
    )
    return None if found is None else members(found, {to: name for name, to in _AUTHORIZER.items()})


AUTHORIZER = ResourceType(
    "AWS::ApiGateway::Authorizer",
    struct(
        {
            **dict.fromkeys(_AUTHORIZER, TEXT),
            "AuthorizerResultTtlInSeconds": NUMBER,
            "ProviderARNs": list_of(TEXT),
            "RestApiId": TEXT,
        },
        "RestApiId",
        "Type",
    ),
    create=_create_authorizer,
    update=_update_authorizer,
    delete=_delete_authorizer,
    read=_read_authorizer,
    replace_on=frozenset({"RestApiId"}),
    attributes=frozenset({"AuthorizerId"}),
)


def _origin(draft: Draft) -> str:
    return f"{draft.stack_id}/{draft.token}"


async def _create_key(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = members(
        props,
        {
            "CustomerId": "customerId",
            "Description": "description",
            "GenerateDistinctId": "generateDistinctId",
            "Value": "value",
        },
    )
    made = await ctx.call(
        SERVICE,
        "CreateApiKey",
        name=props.get("Name") or draft.name(128),
        enabled=bool(props.get("Enabled")),
        stageKeys=[
            members(one, {"RestApiId": "restApiId", "StageName": "stageName"})
            for one in props.get("StageKeys") or ()
        ],
        tags={**tags_of(props), ORIGIN_TAG: _origin(draft)},
        **request,
    )
    return Provisioned(made["id"], {"APIKeyId": made["id"]})


async def _update_key(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    operations = changes(old, new, {"CustomerId": "/customerId", "Description": "/description"})
    if bool(new.get("Enabled")) != bool(old.get("Enabled")):
        operations.append(patch("replace", "/enabled", bool(new.get("Enabled"))))
    before, after = _stages_of(old), _stages_of(new)
    operations += [patch("remove", "/stages", one) for one in before if one not in after]
    operations += [patch("add", "/stages", one) for one in after if one not in before]
    await ctx.call(SERVICE, "UpdateApiKey", apiKey=physical_id, patchOperations=operations)
    await update_tags(ctx, f"/apikeys/{physical_id}", old, new)
    return Provisioned(physical_id, {"APIKeyId": physical_id})


def _stages_of(props: Props) -> list[str]:
    return [
        f"{one.get('RestApiId', '')}/{one.get('StageName', '')}"
        for one in props.get("StageKeys") or ()
    ]


async def _delete_key(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(SERVICE, "DeleteApiKey", apiKey=physical_id))


async def _read_key(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx.call(SERVICE, "GetApiKey", apiKey=physical_id))
    if found is None:
        return None
    return members(
        found,
        {
            "name": "Name",
            "description": "Description",
            "enabled": "Enabled",
            "customerId": "CustomerId",
        },
    )


API_KEY = ResourceType(
    "AWS::ApiGateway::ApiKey",
    struct(
        {
            "CustomerId": TEXT,
            "Description": TEXT,
            "Enabled": FLAG,
            "GenerateDistinctId": FLAG,
            "Name": TEXT,
            "StageKeys": list_of(struct({"RestApiId": TEXT, "StageName": TEXT})),
            "Tags": TAGS,
            "Value": TEXT,
        }
    ),
    create=_create_key,
    update=_update_key,
    delete=_delete_key,
    read=_read_key,
    replace_on=frozenset({"GenerateDistinctId", "Name", "Value"}),
    attributes=frozenset({"APIKeyId"}),
)


def _throttle(given: Props) -> dict[str, Any]:
    return members(given, {"BurstLimit": "burstLimit", "RateLimit": "rateLimit"})


def _plan_stages(props: Props) -> list[dict[str, Any]]:
    found = []
    for one in props.get("ApiStages") or ():
        stage = members(one, {"ApiId": "apiId", "Stage": "stage"})
        if one.get("Throttle"):
            stage["throttle"] = {name: _throttle(it) for name, it in one["Throttle"].items()}
        found.append(stage)
    return found


_QUOTA = {"Limit": "limit", "Offset": "offset", "Period": "period"}


async def _create_plan(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request: dict[str, Any] = members(props, {"Description": "description"})
    if props.get("Throttle"):
        request["throttle"] = _throttle(props["Throttle"])
    if props.get("Quota"):
        request["quota"] = members(props["Quota"], _QUOTA)
    made = await ctx.call(
        SERVICE,
        "CreateUsagePlan",
        name=props.get("UsagePlanName") or draft.name(128),
        apiStages=_plan_stages(props),
        tags={**tags_of(props), ORIGIN_TAG: _origin(draft)},
        **request,
    )
    return Provisioned(made["id"], {"Id": made["id"]})


async def _update_plan(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    operations = changes(old, new, {"Description": "/description"})
    if new.get("UsagePlanName") and new["UsagePlanName"] != old.get("UsagePlanName"):
        operations.append(patch("replace", "/name", new["UsagePlanName"]))
    for name, path, wire in (
        ("Throttle", "/throttle", {"BurstLimit": "burstLimit", "RateLimit": "rateLimit"}),
        ("Quota", "/quota", _QUOTA),
    ):
        if new.get(name) == old.get(name):
            continue
        if old.get(name):
            operations.append(patch("remove", path))
        operations += [
            patch("add", f"{path}/{to}", value)
            for to, value in members(new.get(name) or {}, wire).items()
        ]
    operations += _stage_patches(_plan_stages(old), _plan_stages(new))
    await ctx.call(SERVICE, "UpdateUsagePlan", usagePlanId=physical_id, patchOperations=operations)
    await update_tags(ctx, f"/usageplans/{physical_id}", old, new)
    return Provisioned(physical_id, {"Id": physical_id})


def _stage_patches(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Take out the stages that changed, and put them in as they are now."""
    operations = [patch("remove", "/apiStages", _stage_name(one)) for one in old if one not in new]
    for one in new:
        if one in old:
            continue
        operations.append(patch("add", "/apiStages", _stage_name(one)))
        for route, throttle in (one.get("throttle") or {}).items():
            escaped = route.replace("~", "~0").replace("/", "~1")
            operations += [
                patch("add", f"/apiStages/{_stage_name(one)}/throttle/{escaped}/{name}", value)
                for name, value in throttle.items()
            ]
    return operations


def _stage_name(one: dict[str, Any]) -> str:
    return f"{one.get('apiId', '')}:{one.get('stage', '')}"


async def _delete_plan(ctx: Context, physical_id: str, props: Props) -> None:
    found = await unless_gone(ctx.call(SERVICE, "GetUsagePlan", usagePlanId=physical_id))
    if found is None:
        return
    operations = _stage_patches(found["apiStages"], [])
    if operations:
        await ctx.call(
            SERVICE, "UpdateUsagePlan", usagePlanId=physical_id, patchOperations=operations
        )
    await unless_gone(ctx.call(SERVICE, "DeleteUsagePlan", usagePlanId=physical_id))


async def _read_plan(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx.call(SERVICE, "GetUsagePlan", usagePlanId=physical_id))
    if found is None:
        return None
    return members(found, {"name": "UsagePlanName", "description": "Description"})


_THROTTLE = struct({"BurstLimit": NUMBER, "RateLimit": NUMBER})

USAGE_PLAN = ResourceType(
    "AWS::ApiGateway::UsagePlan",
    struct(
        {
            "ApiStages": list_of(
                struct({"ApiId": TEXT, "Stage": TEXT, "Throttle": map_of(_THROTTLE)})
            ),
            "Description": TEXT,
            "Quota": struct({"Limit": NUMBER, "Offset": NUMBER, "Period": TEXT}),
            "Tags": TAGS,
            "Throttle": _THROTTLE,
            "UsagePlanName": TEXT,
        }
    ),
    create=_create_plan,
    update=_update_plan,
    delete=_delete_plan,
    read=_read_plan,
    attributes=frozenset({"Id"}),
)


async def _create_plan_key(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    plan, key = props["UsagePlanId"], props["KeyId"]
    try:
        await ctx.call(
            SERVICE, "CreateUsagePlanKey", usagePlanId=plan, keyId=key, keyType=props["KeyType"]
        )
    except AwsError as error:
        is_there = draft.resumed and await unless_gone(
            ctx.call(SERVICE, "GetUsagePlanKey", usagePlanId=plan, keyId=key)
        )
        if error.code != "ConflictException" or not is_there:
            raise
    physical_id = f"{key}:{plan}"
    return Provisioned(physical_id, {"Id": physical_id})


async def _delete_plan_key(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            SERVICE,
            "DeleteUsagePlanKey",
            usagePlanId=props["UsagePlanId"],
            keyId=props["KeyId"],
        )
    )


USAGE_PLAN_KEY = ResourceType(
    "AWS::ApiGateway::UsagePlanKey",
    struct(
        {"KeyId": TEXT, "KeyType": TEXT, "UsagePlanId": TEXT}, "KeyId", "KeyType", "UsagePlanId"
    ),
    create=_create_plan_key,
    delete=_delete_plan_key,
    replace_on=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
    attributes=frozenset({"Id"}),
)

ACCESS = (AUTHORIZER, API_KEY, USAGE_PLAN, USAGE_PLAN_KEY)
