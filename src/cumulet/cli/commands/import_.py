"""`cumulet import`: files of rows into a table, quickly, and going on where it was interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click

from cumulet.cli.importing.sending import Refused, Sender
from cumulet.cli.importing.sources import BATCH_BYTES, BATCH_ROWS, FORMATS, BadRow, Batch
from cumulet.cli.importing.sources import read_batches as batches_of
from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import Reach, find_cloud
from cumulet.cli.say import EXIT_FAILED, EXIT_USAGE, Progress, fail, say, show_json

_TELL_SECONDS = 0.25
_TELL_SECONDS_IN_LOGS = 10.0


@click.command("import")
@click.argument("table")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@data_option
@endpoint_option
@json_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=None, help="Default: by each file."
)
@click.option("--delimiter", default=",", help="Between the values of a CSV file.")
@click.option("--again", is_flag=True, help="Import anew what was imported before.")
def command(
    table: str,
    files: tuple[Path, ...],
    data: Path | None,
    endpoint: str | None,
    as_json: bool,
    form: str | None,
    delimiter: str,
    again: bool,
) -> None:
    """Put the rows of FILES into TABLE: CSV, lines of JSON, or DynamoDB's export; plain or gzip.

    An import that was interrupted goes on where it was when the same command is given again.
    """
    if len(delimiter) != 1:
        fail("--delimiter must be one character", code=EXIT_USAGE)
    reach = find_cloud(data, endpoint)
    described = _describe(reach, table)
    kinds = {
        one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]
    }
    load = uuid.uuid4().hex if again else _load_id(described["TableId"], files, form, delimiter)
    sender = Sender(reach, table, load)
    try:
        before = sender.status()
    except (Refused, OSError) as cause:
        fail(str(cause))
    tally = _Tally(sum(file.stat().st_size for file in files), before["rows"])
    done, ahead = before["done"], set(before["ahead"])

    def wants(number: int) -> bool:
        return number >= done and number not in ahead

    wanted = (
        batch
        for batch in batches_of(files, form or "", kinds, wants, delimiter=delimiter)
        if tally.passes(batch, is_wanted=wants(batch.number))
    )
    try:
        sender.send(wanted, tally.add)
    except BadRow as cause:
        fail(str(cause), "rows before it are in the table; correct it and import again")
    except (Refused, OSError) as cause:
        fail(_explained(cause), "give the same command again to go on")
    except KeyboardInterrupt:
        tally.progress.done()
        fail("interrupted", "give the same command again to go on", EXIT_FAILED)
    tally.finish(as_json)


def _describe(reach: Reach, table: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = reach.client("dynamodb").describe_table(TableName=table)["Table"]
    except ClientError as error:
        fail(error.response["Error"]["Message"], "create the table first")
    return found


def _load_id(table_id: str, files: tuple[Path, ...], form: str | None, delimiter: str) -> str:
    """The same for the same unchanged files into the same table."""
    said: list[Any] = [table_id, form, delimiter, BATCH_ROWS, BATCH_BYTES]
    for file in files:
        status = file.stat()
        said.append([os.fspath(file.resolve()), status.st_size, status.st_mtime_ns])
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def _explained(cause: Exception) -> str:
    batch = getattr(cause, "batch", None)
    if not isinstance(batch, Batch):
        return str(cause)
    said = str(cause)
    first, _, rest = said.partition(": ")
    if first.startswith("Row ") and first[4:].isdecimal():
        return f"{batch.file}, row {batch.first + int(first[4:]) - 1}: {rest}"
    return f"{batch.file}, rows {batch.first} to {batch.first + batch.rows - 1}: {said}"


class _Tally:
    """Counts rows, and tells how far it is."""

    def __init__(self, bytes_total: int, rows_before: int) -> None:
        self.progress = Progress()
        self._total = max(1, bytes_total)
        self._before = rows_before
        self._rows = 0
        self._position = 0
        self._started = time.monotonic()
        self._told = 0.0
        self._pause = _TELL_SECONDS if sys.stderr.isatty() else _TELL_SECONDS_IN_LOGS

    def passes(self, batch: Batch, *, is_wanted: bool) -> bool:
        """Whether a batch is to be sent."""
        if not is_wanted:
            self._position = max(self._position, batch.position)
        return is_wanted

    def add(self, batch: Batch) -> None:
        """One more batch is in the table."""
        self._rows += batch.rows
        self._position = max(self._position, batch.position)
        now = time.monotonic()
        if now - self._told >= self._pause:
            self._told = now
            self.progress.step(self._line(now))

    def _line(self, now: float) -> str:
        share = min(1.0, self._position / self._total)
        rate = self._rows / max(1e-3, now - self._started)
        filled = round(share * 24)
        bar = "#" * filled + "." * (24 - filled)
        return f"[{bar}] {share:4.0%}  {self._before + self._rows:,} rows  {rate:,.0f} rows/s"

    def finish(self, as_json: bool) -> None:
        """Tell the end."""
        self.progress.done()
        seconds = time.monotonic() - self._started
        total = self._before + self._rows
        if as_json:
            show_json({"rows": total, "imported": self._rows, "seconds": round(seconds, 3)})
        elif not self._rows:
            say(f"all {total:,} rows were imported before; --again imports them anew")
        else:
            rate = self._rows / max(1e-3, seconds)
            earlier = f" ({self._before:,} before)" if self._before else ""
            say(f"{self._rows:,} rows{earlier} in {seconds:.1f} s, {rate:,.0f} rows/s")
