"""`AWS::CDK::Metadata`: on AWS too it makes nothing."""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.kit.resources import TEXT, Draft, Props, Provisioned, ResourceType, struct


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return Provisioned(draft.token)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return Provisioned(physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    return None


CDK_METADATA = ResourceType(
    name="AWS::CDK::Metadata",
    properties=struct({"Analytics": TEXT}),
    create=_create,
    update=_update,
    delete=_delete,
)
