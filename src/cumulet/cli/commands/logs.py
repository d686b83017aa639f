"""`cumulet logs`: what a function or a log group said, now and as it comes."""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import Reach, find_cloud
from cumulet.cli.say import fail, say, show

_POLL_SECONDS = 0.5
_LATE_MS = 5_000
"""How much earlier than the newest line seen a line may be that is shown yet."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.command("logs")
@click.argument("name")
@data_option
@endpoint_option
@json_option
@click.option("--follow", "-f", is_flag=True, help="Go on showing what comes.")
@click.option("--since", default="10m", show_default=True, help="How far back: 30s, 10m, 2h, 1d.")
@click.option("--filter", "pattern", default="", help="A CloudWatch Logs filter pattern.")
def command(
    name: str,
    data: Path | None,
    endpoint: str | None,
    as_json: bool,
    follow: bool,
    since: str,
    pattern: str,
) -> None:
    """Show the log of the function NAME, or of the log group NAME if it begins with a slash."""
    from botocore.exceptions import ClientError

    match = re.fullmatch(r"(\d+)([smhd])", since)
    if match is None:
        fail(f"--since {since} is not a time span", "write 30s, 10m, 2h or 1d", 2)
    start = int((time.time() - int(match[1]) * _UNITS[match[2]]) * 1000)
    reach = find_cloud(data, endpoint)
    group = name if name.startswith("/") else _group_of(reach, name)
    client = reach.client("logs")
    try:
        if follow:
            _follow(client, group, start, pattern, as_json)
        else:
            for event in _events(client, group, start, pattern):
                _show(event, as_json)
    except ClientError as error:
        fail(
            error.response["Error"]["Message"],
            "a function's group appears with its first line; list groups with `cumulet ls logs`",
        )
    except KeyboardInterrupt:
        return


def _follow(client: Any, group: str, start: int, pattern: str, as_json: bool) -> None:
    """Show what comes, until Ctrl-C; a group that is not there yet is waited for."""
    seen: dict[str, int] = {}
    pause = threading.Event()
    waiting = False
    while True:
        try:
            for event in _events(client, group, start, pattern):
                if event["eventId"] not in seen:
                    seen[event["eventId"]] = event["timestamp"]
                    _show(event, as_json)
        except client.exceptions.ResourceNotFoundException:
            if not waiting:
                say(f"{group} has no lines yet; waiting for the first")
            waiting = True
        # A line may be kept a little later than one that was said after it.
        start = max(start, max(seen.values(), default=0) - _LATE_MS)
        seen = {key: at for key, at in seen.items() if at >= start}
        pause.wait(_POLL_SECONDS)


def _group_of(reach: Reach, name: str) -> str:
    """The group that the function writes to; Lambda's usual one for a function that is gone."""
    from botocore.exceptions import ClientError

    usual = f"/aws/lambda/{name}"
    try:
        found = reach.client("lambda").get_function_configuration(FunctionName=name)
    except ClientError:
        return usual
    group: str = found.get("LoggingConfig", {}).get("LogGroup", usual)
    return group


def _events(client: Any, group: str, start: int, pattern: str) -> Any:
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=start, **({"filterPattern": pattern} if pattern else {})
    )
    for page in pages:
        yield from page["events"]


def _show(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show(json.dumps(event))
        return
    at = datetime.fromtimestamp(event["timestamp"] / 1000).strftime("%H:%M:%S.%f")[:-3]
    show(f"{at}  {event['message'].rstrip()}")
