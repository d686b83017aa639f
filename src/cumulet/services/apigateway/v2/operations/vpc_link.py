"""VPC links: there are no VPCs here, so none can be made and none is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.apigateway.errors import not_yet
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.v2.errors import no_part
from cumulet.services.apigateway.v2.rules.words import page

Request = Mapping[str, Any]

_ALL = "/vpclinks"
_ONE = _ALL + "/{VpcLinkId}"


@operation("CreateVpcLink", action="POST", resource=at(_ALL))
async def create_vpc_link(ctx: Context, request: Request) -> dict[str, Any]:
    """Refused: there is nothing to link to."""
    raise not_yet("VPC links are")


@operation("GetVpcLinks", action="GET", resource=at(_ALL))
async def get_vpc_links(ctx: Context, request: Request) -> dict[str, Any]:
    """The account has none."""
    return page([], request)


@operation("GetVpcLink", action="GET", resource=at(_ONE))
async def get_vpc_link(ctx: Context, request: Request) -> dict[str, Any]:
    """There is no such link."""
    raise no_part("VpcLink", request["VpcLinkId"])


@operation("UpdateVpcLink", action="PATCH", resource=at(_ONE))
async def update_vpc_link(ctx: Context, request: Request) -> dict[str, Any]:
    """There is no such link."""
    raise no_part("VpcLink", request["VpcLinkId"])


@operation("DeleteVpcLink", action="DELETE", resource=at(_ONE))
async def delete_vpc_link(ctx: Context, request: Request) -> dict[str, Any]:
    """There is no such link."""
    raise no_part("VpcLink", request["VpcLinkId"])
