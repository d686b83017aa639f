"""`cumulet env`: the exports with which every AWS client reaches the cloud."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from cumulet.app.seal import write_private
from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import Reach, find_cloud
from cumulet.cli.say import say, show, show_json

_PROFILE = "cumulet"


@click.command("env")
@data_option
@endpoint_option
@json_option
@click.option(
    "--profile",
    is_flag=False,
    flag_value=_PROFILE,
    default=None,
    help="Write an AWS profile of this name instead (default name: cumulet).",
)
def command(data: Path | None, endpoint: str | None, as_json: bool, profile: str | None) -> None:
    """Print shell exports; use them with: eval "$(cumulet env)"."""
    reach = find_cloud(data, endpoint)
    if profile:
        _write_profile(reach, profile)
        return
    values = reach.exports()
    if as_json:
        show_json(values)
        return
    for name, value in values.items():
        show(f"export {name}={shlex.quote(value)}")


def _write_profile(reach: Reach, profile: str) -> None:
    """Set one profile in the AWS files; every other line of them stays as it is."""
    home = Path(os.environ.get("HOME", "."))
    credentials = Path(
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials"
    )
    config = Path(os.environ.get("AWS_CONFIG_FILE") or home / ".aws" / "config")
    keys = {"aws_access_key_id": reach.access_key_id, "aws_secret_access_key": reach.secret}
    settings = {"region": reach.region, "endpoint_url": reach.endpoint}
    if reach.authority:
        settings["ca_bundle"] = reach.authority
    _set_section(credentials, profile, keys)
    _set_section(config, f"profile {profile}", settings)
    say(f"profile {profile} written to {credentials} and {config}")
    say(f"try: aws --profile {profile} sts get-caller-identity")


def _set_section(path: Path, section: str, values: dict[str, str]) -> None:
    path = path.resolve()  # A link to a file kept elsewhere stays a link.
    lines = path.read_text().splitlines() if path.exists() else []
    kept: list[str] = []
    inside = False
    for line in lines:
        if line.strip().startswith("["):
            inside = line.strip() == f"[{section}]"
        if not inside:
            kept.append(line)
    if kept and kept[-1].strip():
        kept.append("")
    kept.append(f"[{section}]")
    kept.extend(f"{name} = {value}" for name, value in values.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, ("\n".join(kept) + "\n").encode())
