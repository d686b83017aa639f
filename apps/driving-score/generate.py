"""Generates records of driving scores: the same sixteen million for everyone who asks.

A record depends on its index alone, so any range can be made by itself, and ranges at once:

    python generate.py --first 0 --count 8000000 --output part-1.jsonl.gz
    python generate.py --first 8000000 --count 8000000 --output part-2.jsonl.gz
"""

import argparse
import gzip
import hashlib
import json
import sys
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from src.ids import id_of

RECORDS = 16_000_000
IDS = 10_000_000_000
SEED = b"driving-score/1"
LINES_AT_ONCE = 10_000

# `index * STEP + START` meets every number below IDS once: STEP has no divisor in common with it.
STEP, START = 7_236_067_977, 3_141_592_653

LEVELS = ("POOR", "FAIR", "GOOD", "VERY_GOOD", "EXCELLENT")
DEVICES = ("BLACK_BOX", "SMARTPHONE", "OBD_DONGLE", "IN_VEHICLE")
PROVINCES = ("BA", "BO", "CA", "FI", "GE", "MI", "NA", "PA", "RM", "TO", "TS", "VE")
WEIGHTS = {
    "acceleration": 15, "braking": 20, "cornering": 10, "speed": 30, "phone": 15, "fatigue": 10,
}  # fmt: skip
DAYS = [(date(2022, 1, 1) + timedelta(days=day)).isoformat() for day in range(1_461)]
COLUMNS = (
    "id", "score", "level", *WEIGHTS, "km", "km_night", "km_urban", "trips", "alerts",
    "device", "province", "observed_from", "observed_to", "computed_at", "model_version",
)  # fmt: skip
TEXTS = {
    "id", "level", "device", "province", "observed_from", "observed_to", "computed_at",
    "model_version",
}  # fmt: skip


def record_id(index):
    """The id of the record at an index."""
    return id_of((index * STEP + START) % IDS)


def values(index):
    """The record at an index, as values in the order of COLUMNS."""
    draw = hashlib.blake2b(index.to_bytes(8, "big"), digest_size=32, key=SEED).digest()
    # Three dice make a bell: most people drive well enough, few very well or very badly.
    style = 30 + (draw[0] + draw[1] + draw[2]) // 13
    parts = [min(100, max(1, style + (byte >> 3) - 14)) for byte in draw[3:9]]
    score = sum(map(int.__mul__, parts, WEIGHTS.values())) // 100
    # Tenths of kilometres.
    driven = 15 + int.from_bytes(draw[9:12], "big") % 400_000 * (64 + draw[12]) // 256
    night, urban = driven * draw[13] // 800, driven * (40 + draw[14]) // 400
    trips = 1 + driven // (60 + draw[15])
    alerts = (100 - score) * draw[16] // 128
    first = int.from_bytes(draw[17:19], "big") % 1_000
    last = first + 30 + int.from_bytes(draw[19:21], "big") % 430
    hour, minute, second = draw[21] % 24, draw[22] % 60, draw[23] % 60
    return (
        record_id(index), score, LEVELS[min(4, max(0, (score - 35) // 12))], *parts,
        driven / 10, night / 10, urban / 10, trips, alerts, DEVICES[draw[24] & 3],
        PROVINCES[draw[25] % 12], DAYS[first], DAYS[last],
        f"{DAYS[last]}T{hour:02d}:{minute:02d}:{second:02d}Z", "2025.2.1",
    )  # fmt: skip


def record(index):
    """The record at an index, by name."""
    return dict(zip(COLUMNS, values(index), strict=True))


def item(index):
    """The record at an index, as DynamoDB's attributes."""
    return {
        name: {"S": value} if name in TEXTS else {"N": str(value)}
        for name, value in record(index).items()
    }


def template_of(form):
    """How a line of a format is written, with a place for each value."""
    if form == "csv":
        return ",".join("%s" for _ in COLUMNS)
    marked = {name: f"<{name}>" for name in COLUMNS}
    if form == "dynamodb":
        typed = {n: {"S" if n in TEXTS else "N": mark} for n, mark in marked.items()}
        text = json.dumps({"Item": typed}, separators=(",", ":"))
    else:
        text = json.dumps(marked, separators=(",", ":"))
    for name, mark in marked.items():
        is_bare = form == "json" and name not in TEXTS
        text = text.replace(f'"{mark}"' if is_bare else mark, "%s")
    return text


def lines(form, first, count):
    """The records of a range as lines of a format. No value holds what would have to be escaped."""
    template = template_of(form)
    if form == "csv":
        yield ",".join(COLUMNS)
    for index in range(first, first + count):
        yield template % values(index)


@contextmanager
def opened(name):
    """Standard output, or a file, packed when its name ends in .gz."""
    if name == "-":
        yield sys.stdout
    elif name.endswith(".gz"):
        # Neither name nor time: the same range is the same file.
        with (
            Path(name).open("wb") as file,
            gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed,
        ):
            yield _Text(packed)
    else:
        with Path(name).open("w", encoding="ascii") as file:
            yield file


class _Text:
    """A file of bytes that is written text."""

    def __init__(self, file):
        self._file = file

    def write(self, text):
        self._file.write(text.encode("ascii"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="the index of the first record")
    parser.add_argument("--count", type=int, default=RECORDS, help="how many; default 16,000,000")
    parser.add_argument(
        "--format",
        choices=("json", "csv", "dynamodb"),
        default="json",
        help="JSON lines, CSV, or the lines that DynamoDB's own import from S3 reads",
    )
    parser.add_argument("--output", default="-", help="a file; packed when it ends in .gz")
    given = parser.parse_args()
    if given.first < 0 or given.count < 0 or given.first + given.count > IDS:
        parser.error(f"a range lies between 0 and {IDS:,}")
    written = lines(given.format, given.first, given.count)
    with opened(given.output) as file:
        while some := list(islice(written, LINES_AT_ONCE)):
            file.write("\n".join(some) + "\n")


if __name__ == "__main__":
    main()
