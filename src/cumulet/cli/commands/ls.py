"""`cumulet ls`: what is deployed, and how it is reached."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cumulet.cli.addresses import local_url
from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import Reach, find_cloud
from cumulet.cli.say import say, show, show_json, table

Rows = list[dict[str, Any]]


def _pages(reach: Reach, service: str, method: str, member: str) -> Rows:
    client = reach.client(service)
    if client.can_paginate(method):
        found: Rows = []
        for page in client.get_paginator(method).paginate():
            found.extend(page.get(member, []))
        return found
    answer: Rows = getattr(client, method)().get(member, [])
    return answer


def _stacks(reach: Reach) -> Rows:
    gone = "DELETE_COMPLETE"
    return [
        {"stack": row["StackName"], "status": row["StackStatus"]}
        for row in _pages(reach, "cloudformation", "list_stacks", "StackSummaries")
        if row["StackStatus"] != gone
    ]


def _functions(reach: Reach) -> Rows:
    client = reach.client("lambda")
    rows: Rows = []
    for row in _pages(reach, "lambda", "list_functions", "Functions"):
        urls = client.list_function_url_configs(FunctionName=row["FunctionName"])
        found = [one["FunctionUrl"] for one in urls["FunctionUrlConfigs"]]
        rows.append(
            {
                "function": row["FunctionName"],
                "runtime": row.get("Runtime", ""),
                "memory": f"{row['MemorySize']} MB",
                "timeout": f"{row['Timeout']} s",
                "url": " ".join(
                    local_url(one, reach.public or reach.endpoint) or one for one in found
                ),
            }
        )
    return rows


def _apis(reach: Reach) -> Rows:
    client = reach.client("apigateway")
    rows: Rows = []
    for api in _pages(reach, "apigateway", "get_rest_apis", "items"):
        for stage in client.get_stages(restApiId=api["id"])["item"]:
            path = f"/restapis/{api['id']}/{stage['stageName']}/_user_request_/"
            rows.append({"api": api["name"], "id": api["id"], "url": f"{reach.endpoint}{path}"})
    return rows


def _buckets(reach: Reach) -> Rows:
    return [
        {"bucket": row["Name"], "created": f"{row['CreationDate']:%Y-%m-%d %H:%M}"}
        for row in _pages(reach, "s3", "list_buckets", "Buckets")
    ]


def _logs(reach: Reach) -> Rows:
    return [
        {"log group": row["logGroupName"], "bytes": row.get("storedBytes", 0)}
        for row in _pages(reach, "logs", "describe_log_groups", "logGroups")
    ]


def _roles(reach: Reach) -> Rows:
    return [
        {"role": row["RoleName"], "arn": row["Arn"]}
        for row in _pages(reach, "iam", "list_roles", "Roles")
    ]


def _parameters(reach: Reach) -> Rows:
    return [
        {"parameter": row["Name"], "type": row["Type"], "version": row["Version"]}
        for row in _pages(reach, "ssm", "describe_parameters", "Parameters")
    ]


_KINDS: dict[str, Callable[[Reach], Rows]] = {
    "stacks": _stacks,
    "functions": _functions,
    "apis": _apis,
    "buckets": _buckets,
    "logs": _logs,
    "roles": _roles,
    "parameters": _parameters,
}


@click.command("ls")
@click.argument("kind", required=False, type=click.Choice(list(_KINDS)))
@data_option
@endpoint_option
@json_option
def command(kind: str | None, data: Path | None, endpoint: str | None, as_json: bool) -> None:
    """List everything, or one KIND of thing."""
    reach = find_cloud(data, endpoint)
    kinds = [kind] if kind else list(_KINDS)
    found = {name: _KINDS[name](reach) for name in kinds}
    if as_json:
        show_json(found)
        return
    empty = [name for name, rows in found.items() if not rows]
    for rows in found.values():
        if rows:
            show(table([title.upper() for title in rows[0]], [list(r.values()) for r in rows]))
            show()
    if empty:
        say(f"none yet: {', '.join(empty)}")
