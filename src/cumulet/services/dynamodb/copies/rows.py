"""Rows of files as items: CSV by its header, lines of plain JSON by their types. Pure."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cumulet.services.dynamodb.items.values import Item, Value

FIELD_CHARACTERS_MAX = 1 << 20
"""A longer field of a CSV file is refused: no item could hold it."""


class Number(str):
    """A number as a file spells it, of whatever length."""

    __slots__ = ()


def csv_items(
    lines: Iterable[str],
    kinds: Mapping[str, str],
    *,
    delimiter: str = ",",
    header: Sequence[str] | None = None,
) -> Iterator[Item]:
    """The items of a CSV file, whose first row names the attributes unless `header` does.

    Attributes of keys have their datatypes from `kinds`, all others are texts; of those of keys an
    empty one is left out. Raises ValueError for what is no CSV.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
    """
    csv.field_size_limit(FIELD_CHARACTERS_MAX)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names = check_header(list(header) if header is not None else next(rows, []))
        keys = [kinds.get(name, "") for name in names]
        columns = list(zip(names, [kind or "S" for kind in keys], map(bool, keys), strict=True))
        for row in rows:
            if not row:
                continue
            if len(row) != len(names):
                raise ValueError(f"a row has {len(row)} values, the header {len(names)}")
            yield {
                name: {kind: text}
                for (name, kind, is_key), text in zip(columns, row, strict=True)
                if text or not is_key
            }
    except csv.Error as cause:
        raise ValueError(f"line {rows.line_num} is no CSV: {cause}") from cause


def check_header(names: list[str]) -> list[str]:
    """The names of a CSV file's columns. Raises ValueError."""
    if len(set(names)) != len(names) or "" in names:
        raise ValueError("the header must name each attribute once")
    return names


def csv_header(line: str, delimiter: str) -> list[str]:
    """The names in a CSV file's first row. Raises ValueError."""
    try:
        return check_header(next(csv.reader([line], delimiter=delimiter, strict=True), []))
    except csv.Error as cause:
        raise ValueError(f"it is no CSV: {cause}") from cause


def json_item(line: str | bytes) -> Item:
    """The item of a line of plain JSON. Raises ValueError."""
    found = json.loads(line, parse_int=Number, parse_float=Number, parse_constant=_refuse)
    if type(found) is not dict:
        raise ValueError("a line must be a JSON object")
    return {name: {"S": one} if type(one) is str else _value(one) for name, one in found.items()}


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of DynamoDB")


def _value(plain: Any) -> Value:
    kind = type(plain)
    if kind is Number:
        return {"N": str.__str__(plain)}
    if kind is str:
        return {"S": plain}
    if kind is bool:
        return {"BOOL": plain}
    if plain is None:
        return {"NULL": True}
    if kind is list:
        return {"L": [_value(one) for one in plain]}
    return {"M": {name: _value(one) for name, one in plain.items()}}
