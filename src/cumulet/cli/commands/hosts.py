"""`cumulet hosts`: machines of your own that functions reach, as EC2 shows them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cumulet.cli.main import data_option, json_option
from cumulet.cli.reach import Reach, find_cloud, signed_post
from cumulet.cli.say import EXIT_USAGE, fail, say, show, show_json, table

_SCAN_SECONDS = 15
_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "ssh-rsa")


def _region_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--region", default=None, help="Default: the cloud's.")(command)


@click.group("hosts")
def command() -> None:
    """Register machines that you run, so that functions find them as EC2 instances."""


@command.command("add")
@click.argument("name")
@click.option("--ssh", "place", required=True, metavar="USER@ADDRESS", help="How it is reached.")
@click.option("--port", default=22, show_default=True, help="Where its SSH server listens.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag; may be repeated.")
@click.option("--address-command", default="", help="Prints the address of the moment.")
@click.option("--start", "start_command", default="", help="Starts the machine.")
@click.option("--stop", "stop_command", default="", help="Stops the machine.")
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The private key for Run Command.",
)
@click.option("--host-key", default="", help="TYPE BASE64; default: what the host shows now.")
@_region_option
@data_option
@json_option
def add(
    name: str,
    place: str,
    port: int,
    tags: tuple[str, ...],
    address_command: str,
    start_command: str,
    stop_command: str,
    key_file: Path | None,
    host_key: str,
    region: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Register the host NAME. With --address-command the address may be left out: `--ssh USER@`."""
    user, at, address = place.partition("@")
    if not at or not user:
        fail("--ssh must be USER@ADDRESS", code=EXIT_USAGE)
    reach = find_cloud(data)
    host_key = host_key or (_scan(address, port) if address else "")
    host = {
        "name": name,
        "user": user,
        "address": "" if address_command else address,
        "port": port,
        "tags": dict(_pair(tag) for tag in tags),
        "address_command": address_command,
        "start_command": start_command,
        "stop_command": stop_command,
        "key_file": str(key_file.resolve()) if key_file else "",
        "host_key": host_key,
    }
    made = _post(reach, region, {"do": "add", "host": host})
    if as_json:
        show_json(made)
        return
    show(made["id"])
    say(f"{name} is registered, and is {made['state']} at {made['address'] or 'no address'}")
    if host_key:
        say(f"it is known by its key of type {host_key.split()[0]}")
    else:
        say("its key is not known: Run Command will ask this machine's known_hosts")


def _pair(tag: str) -> tuple[str, str]:
    key, equals, value = tag.partition("=")
    if not equals or not key:
        fail(f"{tag!r} is not KEY=VALUE", code=EXIT_USAGE)
    return key, value


def _scan(address: str, port: int) -> str:
    """The key that the host shows now, the best of its kinds; "" when it shows none."""
    try:
        done = subprocess.run(
            ["ssh-keyscan", "-T", "5", "-p", str(port), "--", address],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SCAN_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = {}
    for line in done.stdout.splitlines():
        parts = line.split()
        if len(parts) == 3 and not line.startswith("#"):
            found[parts[1]] = parts[2]
    best = next((kind for kind in _KINDS if kind in found), "")
    return f"{best} {found[best]}" if best else ""


@command.command("remove")
@click.argument("name")
@_region_option
@data_option
def remove(name: str, region: str | None, data: Path | None) -> None:
    """Forget a host by its name or id. The machine itself is left alone."""
    gone = _post(find_cloud(data), region, {"do": "remove", "name": name})
    say(f"{gone['name']} ({gone['id']}) is forgotten")


@command.command("list")
@data_option
@json_option
def list_hosts(data: Path | None, as_json: bool) -> None:
    """Show the hosts, their address of the moment, and whether they answer."""
    pages = find_cloud(data).client("ec2").get_paginator("describe_instances").paginate()
    rows = [
        {
            "id": one["InstanceId"],
            "name": next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "Name"),
            "state": one["State"]["Name"],
            "address": one.get("PublicIpAddress") or one.get("Ipv6Address") or "",
            "tags": " ".join(
                f"{tag['Key']}={tag['Value']}" for tag in one["Tags"] if tag["Key"] != "Name"
            ),
        }
        for page in pages
        for group in page["Reservations"]
        for one in group["Instances"]
    ]
    if as_json:
        show_json(rows)
    elif rows:
        titles = list(rows[0])
        show(table([title.upper() for title in titles], [list(row.values()) for row in rows]))
    else:
        say("no host is registered; add one: cumulet hosts add NAME --ssh USER@ADDRESS")


def _post(reach: Reach, region: str | None, asked: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"region": region or reach.region, **asked}).encode()
    status, content = signed_post(reach, "/_cumulet/hosts", body)
    answer: dict[str, Any] = json.loads(content)
    if status != 200:
        fail(answer.get("message", f"the cloud answered {status}"))
    return answer
