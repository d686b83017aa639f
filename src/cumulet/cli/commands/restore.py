"""`cumulet restore`: a data folder made from a backup."""

from __future__ import annotations

from pathlib import Path

import click

from cumulet.app.backup import restore
from cumulet.app.config import default_data
from cumulet.cli.main import data_option, json_option
from cumulet.cli.say import fail, say, show_json


@click.command("restore")
@click.argument("backup", type=click.Path(exists=True, file_okay=False, path_type=Path))
@data_option
@json_option
def command(backup: Path, data: Path | None, as_json: bool) -> None:
    """Make the data folder from BACKUP; it must be new or empty."""
    target = (data or default_data()).resolve()
    try:
        restore(backup.resolve(), target)
    except OSError as cause:
        fail(str(cause), "choose a new folder with --data")
    if as_json:
        show_json({"data": str(target), "backup": str(backup)})
    else:
        say(f"{backup} is restored to {target}")
        say(f"start it with: cumulet up --data {target}")
