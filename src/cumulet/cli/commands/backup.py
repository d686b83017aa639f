"""`cumulet backup`: a consistent copy of the data, while the cloud runs or not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from cumulet.app.config import Config, default_data
from cumulet.cli.main import data_option, json_option
from cumulet.cli.reach import find_cloud, is_serving, read_run_file, signed_post
from cumulet.cli.say import fail, say, show_json


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@data_option
@json_option
def command(folder: Path, data: Path | None, as_json: bool) -> None:
    """Copy the data into FOLDER, which must be new or empty. Keep it safe: the keys are in it."""
    source = (data or default_data()).resolve()
    target = folder.resolve()
    run = read_run_file(source)
    if run is not None and is_serving(run["endpoint"]):
        body = json.dumps({"folder": str(target)}).encode()
        status, content = signed_post(find_cloud(source), "/_cumulet/backup", body)
        if status != 200:
            fail(json.loads(content).get("message", f"the cloud answered {status}"))
    elif (source / "store").exists():
        from cumulet.app.backup import back_up_offline
        from cumulet.kv.contract import Unavailable

        try:
            asyncio.run(back_up_offline(Config(data=source), target))
        except (OSError, Unavailable) as cause:
            fail(str(cause))
    else:
        fail(f"there is no cloud in {source}", "name its folder with --data")
    if as_json:
        show_json({"data": str(source), "backup": str(target)})
    else:
        say(f"{source} is copied to {target}")
        say(f"restore it with: cumulet restore {target} --data NEW_FOLDER")
