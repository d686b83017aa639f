"""AWS::Lambda::Function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import (
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
from cumulet.services.lambda_.limits import (
    EPHEMERAL_MB_DEFAULT,
    MEMORY_MB_DEFAULT,
    TIMEOUT_SECONDS_DEFAULT,
)
from cumulet.services.lambda_.resources.inline import package_of
from cumulet.services.lambda_.resources.told import chosen, unless_gone

_SETTINGS = (
    "Description",
    "Handler",
    "Role",
    "Runtime",
    "Timeout",
    "MemorySize",
    "Environment",
    "EphemeralStorage",
    "DeadLetterConfig",
    "Layers",
    "LoggingConfig",
    "TracingConfig",
)
_PROPERTIES = struct(
    {
        "Architectures": list_of(TEXT),
        "Code": struct({"ZipFile": TEXT, "S3Bucket": TEXT, "S3Key": TEXT, "S3ObjectVersion": TEXT}),
        "DeadLetterConfig": struct({"TargetArn": TEXT}),
        "Description": TEXT,
        "Environment": struct({"Variables": map_of(TEXT)}),
        "EphemeralStorage": struct({"Size": NUMBER}, "Size"),
        "FunctionName": TEXT,
        "Handler": TEXT,
        "Layers": list_of(TEXT),
        "LoggingConfig": struct(
            {
                "ApplicationLogLevel": TEXT,
                "LogFormat": TEXT,
                "LogGroup": TEXT,
                "SystemLogLevel": TEXT,
            }
        ),
        "MemorySize": NUMBER,
        "PackageType": TEXT,
        "RecursiveLoop": TEXT,
        "ReservedConcurrentExecutions": NUMBER,
        "Role": TEXT,
        "Runtime": TEXT,
        "RuntimeManagementConfig": struct(
            {"RuntimeVersionArn": TEXT, "UpdateRuntimeOn": TEXT}, "UpdateRuntimeOn"
        ),
        "Tags": TAGS,
        "Timeout": NUMBER,
        "TracingConfig": struct({"Mode": TEXT}),
    },
    "Code",
    "Role",
)


def _provisioned(ctx: Context, name: str) -> Provisioned:
    return Provisioned(name, {"Arn": ctx.scope.arn("lambda", f"function:{name}")})


def _code(props: Props) -> dict[str, Any]:
    code = dict(props["Code"])
    if "ZipFile" in code:
        code["ZipFile"] = package_of(code["ZipFile"], str(props.get("Runtime", "")))
    return code


def _tags(props: Props) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in props.get("Tags") or ()}


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("FunctionName") or draft.name(64)
    request = chosen(props, (*_SETTINGS, "Architectures", "PackageType"))
    if tags := _tags(props):
        request["Tags"] = tags
    await ctx.call(
        "lambda",
        "CreateFunction",
        FunctionName=name,
        Code=_code(props),
        ClientToken=draft.token,
        **request,
    )
    await _settle(ctx, name, {}, props)
    return _provisioned(ctx, name)


async def _settle(ctx: Context, name: str, old: Props, new: Props) -> None:
    """What operations of their own set: concurrency, recursion, runtime updates."""
    reserved = new.get("ReservedConcurrentExecutions")
    if reserved != old.get("ReservedConcurrentExecutions"):
        if reserved is None:
            await ctx.call("lambda", "DeleteFunctionConcurrency", FunctionName=name)
        else:
            await ctx.call(
                "lambda",
                "PutFunctionConcurrency",
                FunctionName=name,
                ReservedConcurrentExecutions=reserved,
            )
    loop = new.get("RecursiveLoop") or "Terminate"
    if loop != (old.get("RecursiveLoop") or "Terminate"):
        await ctx.call(
            "lambda", "PutFunctionRecursionConfig", FunctionName=name, RecursiveLoop=loop
        )
    updates = new.get("RuntimeManagementConfig") or {"UpdateRuntimeOn": "Auto"}
    if updates != (old.get("RuntimeManagementConfig") or {"UpdateRuntimeOn": "Auto"}):
        await ctx.call("lambda", "PutRuntimeManagementConfig", FunctionName=name, **updates)


def _defaults(name: str) -> dict[str, Any]:
    """What a property that leaves the template goes back to."""
    return {
        "Description": "",
        "Timeout": TIMEOUT_SECONDS_DEFAULT,
        "MemorySize": MEMORY_MB_DEFAULT,
        "Environment": {"Variables": {}},
        "EphemeralStorage": {"Size": EPHEMERAL_MB_DEFAULT},
        "DeadLetterConfig": {"TargetArn": ""},
        "Layers": [],
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        "TracingConfig": {"Mode": "PassThrough"},
    }


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    inline_moved = "ZipFile" in new["Code"] and new.get("Runtime") != old.get("Runtime")
    if (
        old["Code"] != new["Code"]
        or inline_moved
        or old.get("Architectures") != new.get("Architectures")
    ):
        await ctx.call(
            "lambda",
            "UpdateFunctionCode",
            FunctionName=physical_id,
            Architectures=new.get("Architectures") or ["x86_64"],
            **_code(new),
        )
    changes = {
        name: new[name] if new.get(name) is not None else _defaults(physical_id).get(name)
        for name in _SETTINGS
        if old.get(name) != new.get(name)
    }
    if changes:
        given = {name: value for name, value in changes.items() if value is not None}
        await ctx.call("lambda", "UpdateFunctionConfiguration", FunctionName=physical_id, **given)
    await _settle(ctx, physical_id, old, new)
    await _retag(ctx, physical_id, _tags(old), _tags(new))
    return _provisioned(ctx, physical_id)


async def _retag(ctx: Context, name: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    arn = ctx.scope.arn("lambda", f"function:{name}")
    if gone := [key for key in old if key not in new]:
        await ctx.call("lambda", "UntagResource", Resource=arn, TagKeys=gone)
    if new and new != old:
        await ctx.call("lambda", "TagResource", Resource=arn, Tags=dict(new))


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call("lambda", "DeleteFunction", FunctionName=physical_id))


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx.call("lambda", "GetFunction", FunctionName=physical_id))
    if found is None:
        return None
    live = found["Configuration"]
    shown = {name: live[name] for name in _SETTINGS if name in live}
    if "Layers" in live:
        shown["Layers"] = [layer["Arn"] for layer in live["Layers"]]
    shown["FunctionName"] = live["FunctionName"]
    shown["Architectures"] = live["Architectures"]
    shown.update(found.get("Concurrency") or {})
    if "Tags" in found:
        shown["Tags"] = [{"Key": key, "Value": value} for key, value in found["Tags"].items()]
    return shown


FUNCTION = ResourceType(
    "AWS::Lambda::Function",
    _PROPERTIES,
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"FunctionName", "PackageType"}),
    attributes=frozenset({"Arn"}),
)
