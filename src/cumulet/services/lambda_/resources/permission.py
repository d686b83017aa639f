"""AWS::Lambda::Permission, AWS::Lambda::Url and AWS::Lambda::EventInvokeConfig."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    NUMBER,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.lambda_.forms.names import LATEST
from cumulet.services.lambda_.resources.told import chosen, unless_gone

_STATEMENT = (
    "Action",
    "EventSourceToken",
    "FunctionName",
    "FunctionUrlAuthType",
    "InvokedViaFunctionUrl",
    "Principal",
    "PrincipalOrgID",
    "SourceAccount",
    "SourceArn",
)


async def _create_permission(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    sid = draft.name(100)
    try:
        await ctx.call("lambda", "AddPermission", StatementId=sid, **chosen(props, _STATEMENT))
    except AwsError as error:
        # The id is this step's own: an earlier try of it made the statement.
        if error.code != "ResourceConflictException":
            raise
    return Provisioned(sid, {"Id": sid})


async def _delete_permission(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            "lambda",
            "RemovePermission",
            FunctionName=props["FunctionName"],
            StatementId=physical_id,
        )
    )


PERMISSION = ResourceType(
    "AWS::Lambda::Permission",
    struct(
        {name: FLAG if name == "InvokedViaFunctionUrl" else TEXT for name in _STATEMENT},
        "Action",
        "FunctionName",
        "Principal",
    ),
    create=_create_permission,
    delete=_delete_permission,
    attributes=frozenset({"Id"}),
)


def _url_target(props: Props) -> dict[str, Any]:
    target = {"FunctionName": props["TargetFunctionArn"]}
    if props.get("Qualifier"):
        target["Qualifier"] = props["Qualifier"]
    return target


def _url(answer: dict[str, Any]) -> Provisioned:
    shown = chosen(answer, ("FunctionArn", "FunctionUrl"))
    return Provisioned(answer["FunctionArn"], shown)


async def _create_url(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    answer = await ctx.call(
        "lambda",
        "CreateFunctionUrlConfig",
        ClientToken=draft.token,
        **_url_target(props),
        **chosen(props, ("AuthType", "Cors", "InvokeMode")),
    )
    return _url(answer)


async def _update_url(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    answer = await ctx.call(
        "lambda",
        "UpdateFunctionUrlConfig",
        **_url_target(new),
        AuthType=new["AuthType"],
        Cors=new.get("Cors") or {},
        InvokeMode=new.get("InvokeMode") or "BUFFERED",
    )
    return _url(answer)


async def _delete_url(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call("lambda", "DeleteFunctionUrlConfig", **_url_target(props)))


async def _read_url(ctx: Context, physical_id: str, props: Props) -> Props | None:
    live = await unless_gone(ctx.call("lambda", "GetFunctionUrlConfig", **_url_target(props)))
    return None if live is None else chosen(live, ("AuthType", "Cors", "InvokeMode"))


URL = ResourceType(
    "AWS::Lambda::Url",
    struct(
        {
            "AuthType": TEXT,
            "Cors": struct(
                {
                    "AllowCredentials": FLAG,
                    "AllowHeaders": list_of(TEXT),
                    "AllowMethods": list_of(TEXT),
                    "AllowOrigins": list_of(TEXT),
                    "ExposeHeaders": list_of(TEXT),
                    "MaxAge": NUMBER,
                }
            ),
            "InvokeMode": TEXT,
            "Qualifier": TEXT,
            "TargetFunctionArn": TEXT,
        },
        "AuthType",
        "TargetFunctionArn",
    ),
    create=_create_url,
    update=_update_url,
    delete=_delete_url,
    read=_read_url,
    replace_on=frozenset({"Qualifier", "TargetFunctionArn"}),
    attributes=frozenset({"FunctionArn", "FunctionUrl"}),
)

_RULES = (
    "DestinationConfig",
    "FunctionName",
    "MaximumEventAgeInSeconds",
    "MaximumRetryAttempts",
    "Qualifier",
)


async def _put_rules(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await ctx.call("lambda", "PutFunctionEventInvokeConfig", **chosen(props, _RULES))
    return Provisioned(f"{props['FunctionName']}|{props.get('Qualifier') or LATEST}")


async def _update_rules(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put_rules(ctx, new, draft)


async def _delete_rules(ctx: Context, physical_id: str, props: Props) -> None:
    target = chosen(props, ("FunctionName", "Qualifier"))
    await unless_gone(ctx.call("lambda", "DeleteFunctionEventInvokeConfig", **target))


async def _read_rules(ctx: Context, physical_id: str, props: Props) -> Props | None:
    target = chosen(props, ("FunctionName", "Qualifier"))
    live = await unless_gone(ctx.call("lambda", "GetFunctionEventInvokeConfig", **target))
    return None if live is None else chosen(live, _RULES)


_DESTINATION = struct({"Destination": TEXT}, "Destination")

EVENT_INVOKE_CONFIG = ResourceType(
    "AWS::Lambda::EventInvokeConfig",
    struct(
        {
            "DestinationConfig": struct({"OnFailure": _DESTINATION, "OnSuccess": _DESTINATION}),
            "FunctionName": TEXT,
            "MaximumEventAgeInSeconds": NUMBER,
            "MaximumRetryAttempts": NUMBER,
            "Qualifier": TEXT,
        },
        "FunctionName",
        "Qualifier",
    ),
    create=_put_rules,
    update=_update_rules,
    delete=_delete_rules,
    read=_read_rules,
    replace_on=frozenset({"FunctionName", "Qualifier"}),
)
