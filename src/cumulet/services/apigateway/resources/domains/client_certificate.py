"""AWS::ApiGateway::ClientCertificate.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-clientcertificate.html
"""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.kit.resources import TAGS, TEXT, Draft, Props, Provisioned, ResourceType, struct
from cumulet.services.apigateway.operations.rest_api import ORIGIN_TAG
from cumulet.services.apigateway.resources.told import (
    SERVICE,
    changes,
    tags_of,
    unless_gone,
    update_tags,
)


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    """Make it. The step's token makes a try that was cut off find its certificate again."""
    made = await ctx.call(
        SERVICE,
        "GenerateClientCertificate",
        tags={**tags_of(props), ORIGIN_TAG: draft.token},
        **({"description": props["Description"]} if props.get("Description") else {}),
    )
    return _made(made["clientCertificateId"])


def _made(certificate_id: str) -> Provisioned:
    return Provisioned(certificate_id, {"ClientCertificateId": certificate_id})


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if operations := changes(old, new, {"Description": "/description"}):
        await ctx.call(
            SERVICE,
            "UpdateClientCertificate",
            clientCertificateId=physical_id,
            patchOperations=operations,
        )
    await update_tags(ctx, f"/clientcertificates/{physical_id}", old, new)
    return _made(physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(SERVICE, "DeleteClientCertificate", clientCertificateId=physical_id))


CLIENT_CERTIFICATE = ResourceType(
    "AWS::ApiGateway::ClientCertificate",
    struct({"Description": TEXT, "Tags": TAGS}),
    create=_create,
    update=_update,
    delete=_delete,
    attributes=frozenset({"ClientCertificateId"}),
)
