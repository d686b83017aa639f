"""The CloudFormation type of certificates.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)

_TOKEN_LENGTH = 32


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    """Request it. The step's token makes a try that was cut off find its certificate again."""
    request: dict[str, Any] = {
        "DomainName": props["DomainName"],
        "ValidationMethod": props.get("ValidationMethod") or "EMAIL",
        "IdempotencyToken": draft.token[:_TOKEN_LENGTH],
    }
    for name in ("SubjectAlternativeNames", "KeyAlgorithm", "Tags"):
        if props.get(name):
            request[name] = props[name]
    if preference := props.get("CertificateTransparencyLoggingPreference"):
        request["Options"] = {"CertificateTransparencyLoggingPreference": preference}
    options = [
        {"DomainName": one["DomainName"], "ValidationDomain": one["ValidationDomain"]}
        for one in props.get("DomainValidationOptions") or ()
        if one.get("ValidationDomain")
    ]
    if options:
        request["DomainValidationOptions"] = options
    made = await ctx.call("acm", "RequestCertificate", **request)
    return Provisioned(made["CertificateArn"], {"CertificateArn": made["CertificateArn"]})


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    before, after = list(old.get("Tags") or ()), list(new.get("Tags") or ())
    if gone := [tag for tag in before if tag["Key"] not in {one["Key"] for one in after}]:
        await ctx.call("acm", "RemoveTagsFromCertificate", CertificateArn=physical_id, Tags=gone)
    if after and after != before:
        await ctx.call("acm", "AddTagsToCertificate", CertificateArn=physical_id, Tags=after)
    return Provisioned(physical_id, {"CertificateArn": physical_id})


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("acm", "DeleteCertificate", CertificateArn=physical_id)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call("acm", "DescribeCertificate", CertificateArn=physical_id)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return None
    certificate = found["Certificate"]
    return {
        "DomainName": certificate["DomainName"],
        "KeyAlgorithm": certificate["KeyAlgorithm"],
    }


CERTIFICATE = ResourceType(
    "AWS::CertificateManager::Certificate",
    struct(
        {
            "DomainName": TEXT,
            "SubjectAlternativeNames": list_of(TEXT),
            "ValidationMethod": TEXT,
            "DomainValidationOptions": list_of(
                struct({"DomainName": TEXT, "ValidationDomain": TEXT}, "DomainName")
            ),
            "KeyAlgorithm": TEXT,
            "CertificateTransparencyLoggingPreference": TEXT,
            "Tags": TAGS,
        },
        "DomainName",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset(
        {
            "DomainName",
            "SubjectAlternativeNames",
            "ValidationMethod",
            "DomainValidationOptions",
            "KeyAlgorithm",
            "CertificateTransparencyLoggingPreference",
        }
    ),
    attributes=frozenset({"CertificateArn"}),
)
RESOURCES = (CERTIFICATE,)
