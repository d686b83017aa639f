"""`cumulet check`: verify that every index entry has its record, and every record its blobs."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click

from cumulet.app.config import default_data
from cumulet.cli.main import data_option, json_option
from cumulet.cli.reach import Reach, find_cloud, is_serving, read_run_file, signed_post
from cumulet.cli.say import EXIT_FINDINGS, fail, say, show, show_json


@click.command("check")
@data_option
@json_option
def command(data: Path | None, as_json: bool) -> None:
    """Verify the data of a running or stopped cloud; exit code 4 when something is wrong."""
    folder = (data or default_data()).resolve()
    run = read_run_file(folder)
    if run is not None and is_serving(run["endpoint"]):
        findings = _ask(find_cloud(folder))
    elif (folder / "store").exists():
        findings = _look(folder)
    else:
        fail(f"there is no cloud in {folder}", "name its folder with --data")
    if as_json:
        show_json({"data": str(folder), "findings": findings})
    else:
        for finding in findings:
            show(finding)
        say(f"{len(findings)} finding(s)" if findings else f"{folder} is whole")
    sys.exit(EXIT_FINDINGS if findings else 0)


def _ask(reach: Reach) -> list[str]:
    status, content = signed_post(reach, "/_cumulet/check", b"{}")
    answer = json.loads(content)
    if status != 200:
        fail(answer.get("message", f"the cloud answered {status}"))
    return list(answer["findings"])


def _look(folder: Path) -> list[str]:
    from cumulet.app.inspect import inspect
    from cumulet.kv.contract import Unavailable

    try:
        return asyncio.run(inspect(folder))
    except Unavailable as cause:
        fail(str(cause))
