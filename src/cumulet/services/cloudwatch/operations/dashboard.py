"""Dashboards: put, told, listed, deleted."""

from __future__ import annotations

import re
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch.dashboards.body import check_body
from cumulet.services.cloudwatch.dashboards.model import Dashboard, dashboard_arn
from cumulet.services.cloudwatch.dashboards.store import DASHBOARDS
from cumulet.services.cloudwatch.metrics.errors import (
    DashboardInvalidInputError,
    DashboardNotFoundError,
    InvalidParameterValueException,
)

Request = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}\Z")
_PAGE = 1_000
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListDashboards.html"""


def _dashboard(ctx: Context, request: Request) -> str:
    return dashboard_arn(ctx.scope, request.get("DashboardName") or "*")


def _dashboards(ctx: Context, request: Request) -> list[str]:
    return [dashboard_arn(ctx.scope, name) for name in request.get("DashboardNames") or ["*"]]


@operation("PutDashboard", resource=_dashboard)
async def put_dashboard(ctx: Context, request: Request) -> Request:
    """Make a dashboard or change it whole; tells what is odd about its body."""
    if request.get("Tags"):
        raise InvalidParameterValueException("Tags of dashboards are not supported by Cumulet.")
    if not _NAME.match(request["DashboardName"]):
        raise InvalidParameterValueException(
            f"The value {request['DashboardName']} for field DashboardName contains invalid "
            "characters. It can only contain alphanumerics, dash (-) and underscore (_).\n"
        )
    found = check_body(request["DashboardBody"])
    told = [{"DataPath": one.path, "Message": one.text} for one in found]
    if any(one.is_error for one in found):
        raise DashboardInvalidInputError(
            "The dashboard body is invalid, there are "
            f"{len(found)} validation errors: {[dict(one) for one in told]}",
            dashboardValidationMessages=told,
        )
    made = Dashboard(request["DashboardName"], request["DashboardBody"], ctx.clock.now())

    async def write(tx: Transaction, scope: Scope) -> None:
        await DASHBOARDS.save(tx, scope, made)

    await ctx.transact(write)
    return {"DashboardValidationMessages": told}


@operation("GetDashboard", resource=_dashboard)
async def get_dashboard(ctx: Context, request: Request) -> Request:
    """A dashboard with its body."""
    name = request["DashboardName"]

    async def read(tx: Transaction, scope: Scope) -> Dashboard | None:
        return await DASHBOARDS.load(tx, scope, name)

    found = await ctx.transact(read)
    if found is None:
        raise DashboardNotFoundError(f"Dashboard {name} does not exist")
    return {
        "DashboardArn": dashboard_arn(ctx.scope, name),
        "DashboardBody": found.body,
        "DashboardName": name,
    }


@operation("ListDashboards")
async def list_dashboards(ctx: Context, request: Request) -> Request:
    """The dashboards by name."""
    try:
        token = request.get("NextToken")
        after = (str(read_token(token)[0]),) if token else None
    except (ValueError, TypeError, LookupError):
        raise InvalidParameterValueException("The value of NextToken is invalid.") from None

    async def read(tx: Transaction, scope: Scope) -> list[Dashboard]:
        prefix = request.get("DashboardNamePrefix") or None
        return await DASHBOARDS.scan(tx, scope, starts=prefix, after=after, limit=_PAGE + 1)

    found = await ctx.transact(read)
    answer: Request = {
        "DashboardEntries": [
            {
                "DashboardName": one.name,
                "DashboardArn": dashboard_arn(ctx.scope, one.name),
                "LastModified": one.modified_at,
                "Size": len(one.body.encode()),
            }
            for one in found[:_PAGE]
        ]
    }
    if len(found) > _PAGE:
        answer["NextToken"] = make_token([found[_PAGE - 1].name])
    return answer


@operation("DeleteDashboards", resource=_dashboards)
async def delete_dashboards(ctx: Context, request: Request) -> Request:
    """Delete dashboards, all of them or none."""
    names = list(dict.fromkeys(request["DashboardNames"]))

    async def drop(tx: Transaction, scope: Scope) -> None:
        for name in names:
            if await DASHBOARDS.drop(tx, scope, name) is None:
                raise DashboardNotFoundError(f"Dashboard {name} does not exist")

    await ctx.transact(drop)
    return {}
