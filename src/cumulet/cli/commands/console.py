"""`cumulet console`: a link that opens the console, signed in as whose key this is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import find_cloud, signed_post
from cumulet.cli.say import fail, say, show, show_json


@click.command("console")
@data_option
@endpoint_option
@json_option
def command(data: Path | None, endpoint: str | None, as_json: bool) -> None:
    """Print a link that opens the console, signed in. It works once, for fifteen minutes."""
    reach = find_cloud(data, endpoint)
    status, answer = signed_post(reach, "/_cumulet/console/links", b"{}")
    found = json.loads(answer)
    if status != 200:
        fail(found.get("message", f"the cloud answered {status}"))
    if as_json:
        show_json(found)
        return
    show(found["url"])
    say("the link works once, for fifteen minutes")
