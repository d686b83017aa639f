"""`cumulet invoke`: a function's answer on stdout, its log and its time on stderr."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import click

from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import find_cloud
from cumulet.cli.say import EXIT_FAILED, EXIT_USAGE, fail, say, show, show_json


@click.command("invoke")
@click.argument("function")
@click.argument("payload", required=False)
@data_option
@endpoint_option
@json_option
@click.option("--qualifier", default=None, help="A version or an alias.")
@click.option("--event", "asynchronous", is_flag=True, help="Do not wait for the answer.")
def command(
    function: str,
    payload: str | None,
    data: Path | None,
    endpoint: str | None,
    as_json: bool,
    qualifier: str | None,
    asynchronous: bool,
) -> None:
    """Invoke FUNCTION with PAYLOAD: JSON text, @FILE, or - for standard input."""
    from botocore.exceptions import ClientError

    client = find_cloud(data, endpoint).client("lambda", read_timeout=920)
    request = {
        "FunctionName": function,
        "Payload": _read(payload),
        "InvocationType": "Event" if asynchronous else "RequestResponse",
        **({} if asynchronous else {"LogType": "Tail"}),
        **({"Qualifier": qualifier} if qualifier else {}),
    }
    try:
        answer = client.invoke(**request)
    except ClientError as error:
        fail(error.response["Error"]["Message"], code=EXIT_FAILED)
    body = answer["Payload"].read().decode()
    log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
    failed = answer.get("FunctionError")
    if as_json:
        show_json(
            {
                "StatusCode": answer["StatusCode"],
                "FunctionError": failed,
                "ExecutedVersion": answer.get("ExecutedVersion"),
                "Payload": json.loads(body) if body else None,
                "Log": log,
            }
        )
    else:
        if log:
            say(log.rstrip())
        if body:
            show(body)
    if failed:
        sys.exit(EXIT_FAILED)


def _read(payload: str | None) -> bytes:
    if payload is None:
        return b"{}"
    if payload == "-":
        text = sys.stdin.buffer.read()
    elif payload.startswith("@"):
        try:
            text = Path(payload[1:]).read_bytes()
        except OSError as cause:
            fail(f"{payload[1:]}: {cause.strerror}", code=EXIT_USAGE)
    else:
        text = payload.encode()
    try:
        json.loads(text)
    except ValueError as cause:
        fail(f"the payload is not JSON: {cause}", "quote it: '{\"Number1\": 10}'", EXIT_USAGE)
    return text
