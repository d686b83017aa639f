"""AWS::Lambda::LayerVersion and AWS::Lambda::LayerVersionPermission."""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import TEXT, Draft, Props, Provisioned, ResourceType, list_of, struct
from cumulet.services.lambda_.resources.told import chosen, unless_gone


async def _create_layer(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    answer = await ctx.call(
        "lambda",
        "PublishLayerVersion",
        LayerName=props.get("LayerName") or draft.name(140),
        ClientToken=draft.token,
        **chosen(
            props,
            (
                "CompatibleArchitectures",
                "CompatibleRuntimes",
                "Content",
                "Description",
                "LicenseInfo",
            ),
        ),
    )
    arn = answer["LayerVersionArn"]
    return Provisioned(arn, {"LayerVersionArn": arn})


def _version_of(arn: str) -> tuple[str, int]:
    layer, _, number = arn.rpartition(":")
    return layer, int(number)


async def _delete_layer(ctx: Context, physical_id: str, props: Props) -> None:
    layer, number = _version_of(physical_id)
    await ctx.call("lambda", "DeleteLayerVersion", LayerName=layer, VersionNumber=number)


async def _read_layer(ctx: Context, physical_id: str, props: Props) -> Props | None:
    live = await unless_gone(ctx.call("lambda", "GetLayerVersionByArn", Arn=physical_id))
    if live is None:
        return None
    return chosen(
        live, ("CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo")
    )


LAYER_VERSION = ResourceType(
    "AWS::Lambda::LayerVersion",
    struct(
        {
            "CompatibleArchitectures": list_of(TEXT),
            "CompatibleRuntimes": list_of(TEXT),
            "Content": struct(
                {"S3Bucket": TEXT, "S3Key": TEXT, "S3ObjectVersion": TEXT}, "S3Bucket", "S3Key"
            ),
            "Description": TEXT,
            "LayerName": TEXT,
            "LicenseInfo": TEXT,
        },
        "Content",
    ),
    create=_create_layer,
    delete=_delete_layer,
    read=_read_layer,
    attributes=frozenset({"LayerVersionArn"}),
)


async def _create_permission(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    layer, number = _version_of(props["LayerVersionArn"])
    sid = draft.name(100)
    try:
        await ctx.call(
            "lambda",
            "AddLayerVersionPermission",
            LayerName=layer,
            VersionNumber=number,
            StatementId=sid,
            **chosen(props, ("Action", "OrganizationId", "Principal")),
        )
    except AwsError as error:
        # The id is this step's own: an earlier try of it made the statement.
        if error.code != "ResourceConflictException":
            raise
    physical_id = f"{props['LayerVersionArn']}#{sid}"
    return Provisioned(physical_id, {"Id": physical_id})


async def _delete_permission(ctx: Context, physical_id: str, props: Props) -> None:
    arn, _, sid = physical_id.partition("#")
    layer, number = _version_of(arn)
    await unless_gone(
        ctx.call(
            "lambda",
            "RemoveLayerVersionPermission",
            LayerName=layer,
            VersionNumber=number,
            StatementId=sid,
        )
    )


LAYER_VERSION_PERMISSION = ResourceType(
    "AWS::Lambda::LayerVersionPermission",
    struct(
        {"Action": TEXT, "LayerVersionArn": TEXT, "OrganizationId": TEXT, "Principal": TEXT},
        "Action",
        "LayerVersionArn",
        "Principal",
    ),
    create=_create_permission,
    delete=_delete_permission,
    attributes=frozenset({"Id"}),
)
