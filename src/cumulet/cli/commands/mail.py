"""`cumulet mail`: the messages that user pools sent, which stay on this machine."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import find_cloud, signed_post
from cumulet.cli.say import fail, say, show, show_json, table

_COUNT = 20
_HEADERS = (
    *(("From", "sender"), ("Reply-To", "reply_to"), ("To", "to")),
    *(("Subject", "subject"), ("By SMTP", "relay")),
)


@click.command("mail")
@click.argument("to", required=False, default="")
@data_option
@endpoint_option
@json_option
@click.option("--count", "-n", default=_COUNT, show_default=True, help="How many at most.")
@click.option("--last", is_flag=True, help="Show the whole newest message.")
def command(
    to: str, data: Path | None, endpoint: str | None, as_json: bool, count: int, last: bool
) -> None:
    """List the messages that user pools sent, the newest first, or those TO one address."""
    reach = find_cloud(data, endpoint)
    asked = json.dumps({"to": to, "count": 1 if last else count}).encode()
    status, answer = signed_post(reach, "/_cumulet/mail", asked)
    found: dict[str, Any] = json.loads(answer)
    if status != 200:
        fail(found.get("message", f"the cloud answered {status}"))
    messages = found["messages"]
    if as_json:
        show_json(messages)
    elif not messages:
        say("no messages yet")
    elif last:
        _show(messages[0])
    else:
        rows = [[_time(one), one["medium"], one["to"], _first_line(one)] for one in messages]
        show(table(["SENT", "BY", "TO", "MESSAGE"], rows))


def _show(message: dict[str, Any]) -> None:
    for title, key in _HEADERS:
        if message.get(key):
            show(f"{title}: {message[key]}")
    show(f"Date: {_time(message)}")
    show()
    show(message["body"])


def _time(message: dict[str, Any]) -> str:
    return f"{datetime.fromtimestamp(message['sent_at']):%Y-%m-%d %H:%M:%S}"


def _first_line(message: dict[str, Any]) -> str:
    lines = str(message["body"]).splitlines()
    return lines[0] if lines else ""
