"""For which resource, and under which conditions, a permission is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.services.ssm import store
from cumulet.services.ssm.model import parameter_arn
from cumulet.services.ssm.names import read_name


def one(ctx: Context, request: Mapping[str, Any]) -> str:
    """The parameter that a request names."""
    return parameter_arn(ctx.scope, read_name(request["Name"]).name)


def each(ctx: Context, request: Mapping[str, Any]) -> list[str]:
    """Every parameter that a request names."""
    return [parameter_arn(ctx.scope, read_name(name).name) for name in request["Names"]]


def path(ctx: Context, request: Mapping[str, Any]) -> str:
    """The path that a request names."""
    return parameter_arn(ctx.scope, request["Path"].rstrip("/"))


def everything(ctx: Context, request: Mapping[str, Any]) -> str:
    """All of the account and region."""
    return ctx.scope.arn("ssm", "*")


def tagged(ctx: Context, request: Mapping[str, Any]) -> str:
    """The parameter whose tags a request names."""
    return parameter_arn(ctx.scope, request["ResourceId"])


async def keys(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys of an operation on one parameter."""
    found: dict[str, Any] = {}
    if "Overwrite" in request:
        found["ssm:Overwrite"] = request["Overwrite"]
    for tag in request.get("Tags", ()):
        found[f"aws:RequestTag/{tag['Key']}"] = tag["Value"]
    tags = [tag["Key"] for tag in request.get("Tags", ())] + list(request.get("TagKeys", ()))
    if tags:
        found["aws:TagKeys"] = tags
    name = request.get("Name") or request.get("ResourceId")
    if name is not None:
        parameter = await ctx.transact(store.load, read_name(name).name)
        for key, value in (parameter.tags if parameter is not None else {}).items():
            found[f"aws:ResourceTag/{key}"] = value
            found[f"ssm:resourceTag/{key}"] = value
    return found
