"""Files of rows as numbered batches of DynamoDB JSON, the same ones each time they are read."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import orjson

from cumulet.services.dynamodb.copies.rows import csv_items, json_item

FORMATS = ("csv", "json", "dynamodb")
BATCH_ROWS = 1_000
BATCH_BYTES = 4 << 20
LINE_BYTES_MAX = 4 << 20
"""A longer line is no row: items have at most 400 KB."""

_GZIP = b"\x1f\x8b"
_BUFFER_BYTES = 1 << 20


class Batch(NamedTuple):
    """Rows that are sent together. `first` is the number of its first row in its file, from 1.

    `position` is how many bytes of all files were read up to its end.
    """

    number: int
    file: Path
    first: int
    rows: int
    lines: bytes
    position: int


class BadRow(Exception):
    """A file cannot be read as what it should be; the message names file and row."""


def guess_format(file: Path) -> str:
    """The format of a file by its name, and of JSON by its first row. Raises BadRow."""
    names = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
    if names and names[-1] == ".csv":
        return "csv"
    with _open(file)[0] as content:
        line = content.readline(LINE_BYTES_MAX)
    try:
        found = orjson.loads(line)
    except ValueError:
        raise BadRow(f"{file}: its first line is no JSON; name the format with --format") from None
    is_export = isinstance(found, dict) and found.keys() == {"Item"}
    return "dynamodb" if is_export and isinstance(found["Item"], dict) else "json"


def _open(file: Path) -> tuple[BinaryIO, BinaryIO]:
    """The content of a file, and the file itself, whose place tells how far it was read."""
    raw = file.open("rb")
    start = raw.read(2)
    raw.seek(0)
    if start == _GZIP:
        return cast(BinaryIO, io.BufferedReader(gzip.GzipFile(fileobj=raw), _BUFFER_BYTES)), raw
    return raw, raw


def read_batches(
    files: Sequence[Path],
    form: str,
    kinds: Mapping[str, str],
    wants: Callable[[int], bool],
    *,
    delimiter: str = ",",
) -> Iterator[Batch]:
    """The batches of files, in order; those that nobody wants come without their lines.

    Raises BadRow and OSError.
    """
    number = before = 0
    for file in files:
        chosen = form or guess_format(file)
        content, raw = _open(file)
        with raw, content:
            first = 1
            for rows in _cut(file, _rows(file, content, chosen, kinds, delimiter)):
                lines = b"\n".join(_converted(file, rows, chosen, first)) if wants(number) else b""
                yield Batch(number, file, first, len(rows), lines, before + raw.tell())
                first += len(rows)
                number += 1
        before += file.stat().st_size


_Row = bytes | dict[str, object]


def _rows(
    file: Path, content: BinaryIO, form: str, kinds: Mapping[str, str], delimiter: str
) -> Iterator[_Row]:
    try:
        if form == "csv":
            text = io.TextIOWrapper(content, "utf-8-sig", newline="")
            try:
                yield from cast(Iterable[_Row], csv_items(text, kinds, delimiter=delimiter))
            finally:
                text.detach()
            return
        while line := content.readline(LINE_BYTES_MAX):
            if len(line) == LINE_BYTES_MAX:
                raise ValueError("a line is too long for a row")
            if stripped := line.strip():
                yield stripped
    except (ValueError, EOFError, OSError) as cause:
        raise BadRow(f"{file}: {cause}") from cause


def _cut(file: Path, rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    batch: list[_Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row) if isinstance(row, bytes) else 0
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _converted(file: Path, rows: list[_Row], form: str, first: int) -> Iterator[bytes]:
    for place, row in enumerate(rows):
        if form == "dynamodb":
            yield cast(bytes, row)
            continue
        try:
            yield orjson.dumps(row if isinstance(row, dict) else json_item(row))
        except ValueError as cause:
            raise BadRow(f"{file}, row {first + place}: {cause}") from cause
