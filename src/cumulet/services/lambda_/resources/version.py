"""AWS::Lambda::Version and AWS::Lambda::Alias."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import (
    NUMBER,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.lambda_.resources.told import chosen, unless_gone


async def _create_version(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    answer = await ctx.call(
        "lambda",
        "PublishVersion",
        ClientToken=draft.token,
        **chosen(props, ("FunctionName", "CodeSha256", "Description")),
    )
    arn = answer["FunctionArn"]
    return Provisioned(arn, {"Version": answer["Version"], "FunctionArn": arn})


async def _delete_version(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call("lambda", "DeleteFunction", FunctionName=physical_id))


async def _read_version(ctx: Context, physical_id: str, props: Props) -> Props | None:
    live = await unless_gone(
        ctx.call("lambda", "GetFunctionConfiguration", FunctionName=physical_id)
    )
    return None if live is None else {"Description": live["Description"]}


VERSION = ResourceType(
    "AWS::Lambda::Version",
    struct({"FunctionName": TEXT, "CodeSha256": TEXT, "Description": TEXT}, "FunctionName"),
    create=_create_version,
    delete=_delete_version,
    read=_read_version,
    attributes=frozenset({"Version", "FunctionArn"}),
)


def _alias_request(props: Props) -> dict[str, Any]:
    request = chosen(props, ("FunctionName", "Name", "FunctionVersion", "Description"))
    routing = props.get("RoutingConfig") or {}
    weights = {
        each["FunctionVersion"]: each["FunctionWeight"]
        for each in routing.get("AdditionalVersionWeights") or ()
    }
    return {**request, "RoutingConfig": {"AdditionalVersionWeights": weights}}


async def _create_alias(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    answer = await ctx.call(
        "lambda", "CreateAlias", ClientToken=draft.token, **_alias_request(props)
    )
    return Provisioned(answer["AliasArn"], {"AliasArn": answer["AliasArn"]})


async def _update_alias(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    request = _alias_request(new)
    request.setdefault("Description", "")
    answer = await ctx.call("lambda", "UpdateAlias", **request)
    return Provisioned(answer["AliasArn"], {"AliasArn": answer["AliasArn"]})


def _alias_of(physical_id: str) -> dict[str, str]:
    function, _, alias = physical_id.rpartition(":")
    return {"FunctionName": function, "Name": alias}


async def _delete_alias(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call("lambda", "DeleteAlias", **_alias_of(physical_id)))


async def _read_alias(ctx: Context, physical_id: str, props: Props) -> Props | None:
    live = await unless_gone(ctx.call("lambda", "GetAlias", **_alias_of(physical_id)))
    if live is None:
        return None
    shown = chosen(live, ("Name", "FunctionVersion", "Description"))
    if "RoutingConfig" in live:
        weights = live["RoutingConfig"]["AdditionalVersionWeights"]
        shown["RoutingConfig"] = {
            "AdditionalVersionWeights": [
                {"FunctionVersion": label, "FunctionWeight": weight}
                for label, weight in weights.items()
            ]
        }
    return shown


ALIAS = ResourceType(
    "AWS::Lambda::Alias",
    struct(
        {
            "Description": TEXT,
            "FunctionName": TEXT,
            "FunctionVersion": TEXT,
            "Name": TEXT,
            "RoutingConfig": struct(
                {
                    "AdditionalVersionWeights": list_of(
                        struct(
                            {"FunctionVersion": TEXT, "FunctionWeight": NUMBER},
                            "FunctionVersion",
                            "FunctionWeight",
                        )
                    )
                }
            ),
        },
        "FunctionName",
        "FunctionVersion",
        "Name",
    ),
    create=_create_alias,
    update=_update_alias,
    delete=_delete_alias,
    read=_read_alias,
    replace_on=frozenset({"FunctionName", "Name"}),
    attributes=frozenset({"AliasArn"}),
)
