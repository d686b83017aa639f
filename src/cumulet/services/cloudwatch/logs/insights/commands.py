"""The commands of a query, read from its text. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeAlias

from cumulet.services.cloudwatch.logs.insights.expressions import (
    Compute,
    Named,
    compile_regex,
    field,
    read_expression,
    read_named,
)
from cumulet.services.cloudwatch.logs.insights.stats import Aggregate, read_aggregate
from cumulet.services.cloudwatch.logs.insights.words import QueryError, Words

COMMANDS_MAX = 50
ROWS_MAX = 10_000
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html"""


class Fields(NamedTuple):
    """Values to be made and shown."""

    named: tuple[Named, ...]


class Display(NamedTuple):
    """Values to be shown, in place of those before."""

    named: tuple[Named, ...]


class Filter(NamedTuple):
    """What rows must be."""

    test: Compute


class Parse(NamedTuple):
    """Names for parts of a field; a row that does not match has none of them."""

    of: Compute
    pattern: Any
    names: tuple[str, ...]


class Stats(NamedTuple):
    """Figures of groups of rows."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Named, ...]


class Sort(NamedTuple):
    """The order of the rows: by each in turn, downwards or not."""

    keys: tuple[tuple[Compute, bool], ...]


class Limit(NamedTuple):
    """How many rows there may be."""

    most: int


class Dedup(NamedTuple):
    """One row for each combination of values."""

    by: tuple[Compute, ...]


Command: TypeAlias = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup


def parse_query(text: str) -> list[Command]:
    """The commands of a query. Raises QueryError."""
    words = Words(text)
    commands: list[Command] = []
    words.take_op("|")
    while words.peek().kind != "end":
        if len(commands) >= COMMANDS_MAX:
            raise QueryError(f"a query can have {COMMANDS_MAX} commands")
        commands.append(_read(words))
        if words.take_op("|") is None:
            break
    word = words.peek()
    if word.kind != "end":
        raise QueryError(
            f"unexpected symbol found '{word.text}' at line 1 and position {word.begin}"
        )
    if not commands:
        raise QueryError("the query is empty")
    return commands


def _read(words: Words) -> Command:
    word = words.take()
    match word.text.lower() if word.kind == "name" else "":
        case "fields":
            return Fields(_several(words))
        case "display":
            return Display(_several(words))
        case "filter":
            return Filter(read_expression(words)[0])
        case "parse":
            return _parse(words)
        case "stats":
            return _stats(words)
        case "sort":
            return _sort(words)
        case "limit" | "head":
            return _limit(words)
        case "dedup":
            return Dedup(tuple(one.compute for one in _several(words)))
    raise QueryError(f"unexpected symbol found '{word.text}' at line 1 and position {word.begin}")


def _several(words: Words) -> tuple[Named, ...]:
    found = [read_named(words)]
    while words.take_op(",") or words.peek().kind == "name":
        found.append(read_named(words))
    return tuple(found)


def _parse(words: Words) -> Parse:
    begin = words.peek()
    of = field(words.take().text if begin.kind == "name" else "@message")
    text = words.take_regex()
    if text is not None:
        pattern = compile_regex(text)
        if not pattern.groupindex:
            raise QueryError("the regular expression of parse must name groups")
        names = tuple(sorted(pattern.groupindex, key=lambda one: int(pattern.groupindex[one])))
        return Parse(of, pattern, names)
    glob = words.take()
    if glob.kind != "text" or "*" not in glob.text:
        raise QueryError("expected a text with wildcards or a regular expression after 'parse'")
    if not words.take_name("as"):
        raise QueryError("expected 'as' after the pattern of parse")
    given = [words.need_name()]
    while words.take_op(","):
        given.append(words.need_name())
    if len(given) != glob.text.count("*"):
        raise QueryError("parse must have a name for each wildcard")
    return Parse(of, compile_regex(_of_glob(glob.text)), tuple(given))


def _of_glob(glob: str) -> str:
    """The shortest match for each wildcard, and the longest for one at the end."""
    parts = [re.escape(part) for part in glob.split("*")]
    text = r"([\s\S]*?)".join(parts)
    return text[: -len(r"([\s\S]*?)")] + r"([\s\S]*)" if glob.endswith("*") else text


def _stats(words: Words) -> Stats:
    aggregates = [read_aggregate(words)]
    while words.take_op(","):
        aggregates.append(read_aggregate(words))
    by = _several(words) if words.take_name("by") else ()
    return Stats(tuple(aggregates), by)


def _sort(words: Words) -> Sort:
    keys = []
    while True:
        # Figures are sorted by the names they were given, such as `count(*)`.
        begin = words.peek().begin
        compute = _named_before(words, begin)
        down = words.take_name("asc", "desc")
        keys.append((compute, down == "desc" or down is None))
        if words.take_op(",") is None:
            return Sort(tuple(keys))


def _named_before(words: Words, begin: int) -> Compute:
    name = _name_of_figure(words)
    if name is not None:
        return lambda row: row.get(name)
    return read_expression(words)[0]


_FIGURE = re.compile(
    r"\s*((?:count|count_distinct|sum|avg|min|max|pct|median|stddev|earliest|latest|bin)\([^()]*\))"
)


def _name_of_figure(words: Words) -> str | None:
    found = _FIGURE.match(words.query, words.at)
    if found is None:
        return None
    words.at = found.end()
    return found[1]


def _limit(words: Words) -> Limit:
    word = words.take()
    if word.kind != "number" or not word.text.isdigit() or not 0 < int(word.text) <= ROWS_MAX:
        raise QueryError(f"the limit must be a number from 1 to {ROWS_MAX}")
    return Limit(int(word.text))
