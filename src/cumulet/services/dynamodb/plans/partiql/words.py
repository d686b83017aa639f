"""The words of a PartiQL statement, and the errors that name one of them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulet.services.dynamodb.errors import ValidationException

NOT_WELL_FORMED = "Statement wasn't well formed, can't be processed: "

_WORDS = """
    ALL AND AS ASC AT BETWEEN BY CASE CAST CREATE CROSS DELETE DESC DISTINCT DROP ELSE END ESCAPE
    EXCEPT EXISTS FALSE FROM FULL GROUP HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE
    LIMIT MISSING NOT NULL OFFSET ON OR ORDER OUTER PIVOT REMOVE RETURNING RIGHT SELECT SET THEN
    TRUE UNION UNPIVOT UPDATE VALUE VALUES WHEN WHERE
    """
KEYWORDS = frozenset(_WORDS.split())
"""Words that are names only in double quotes."""

_TOKEN = re.compile(
    r"""(?P<space>(?:\s+|--[^\n]*|/\*.*?\*/)+)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<name>"(?:[^"]|"")*")
    |(?P<text>'(?:[^']|'')*')
    |(?P<sign><<|>>|<=|>=|<>|!=|[-=<>+()\[\]{},.:*?])""",
    re.DOTALL | re.VERBOSE | re.ASCII,
)


class Word(NamedTuple):
    """A word of a statement. `kind` is keyword, name, text, number, sign or end.

    `value` is what it stands for: a keyword in capitals, a name or text without its quotes.
    """

    kind: str
    value: str
    begin: int
    end: int
    is_quoted: bool = False


def words_of(statement: str) -> list[Word]:
    """Every word of a statement, and one for its end. Raises ValidationException."""
    found: list[Word] = []
    at = 0
    while at < len(statement):
        match = _TOKEN.match(statement, at)
        if match is None:
            raise ValidationException(NOT_WELL_FORMED)
        kind, text = match.lastgroup or "", match.group()
        if kind == "word":
            upper = text.upper()
            is_keyword = upper in KEYWORDS
            kind = "keyword" if is_keyword else "name"
            found.append(Word(kind, upper if is_keyword else text, at, match.end()))
        elif kind == "name":
            found.append(Word("name", text[1:-1].replace('""', '"'), at, match.end(), True))
        elif kind == "text":
            found.append(Word("text", text[1:-1].replace("''", "'"), at, match.end()))
        elif kind != "space":
            found.append(Word(kind, text, at, match.end()))
        at = match.end()
    found.append(Word("end", "", len(statement), len(statement)))
    return found


def place_of_word(statement: str, word: Word) -> str:
    """Line, column and length of a word, as messages tell them."""
    before = statement[: word.begin]
    line = before.count("\n") + 1
    column = word.begin - (before.rfind("\n") + 1) + 1
    return f"{line}:{column}:{word.end - word.begin}"


def malformed(said: str) -> ValidationException:
    """The error for a statement that cannot be read."""
    return ValidationException(NOT_WELL_FORMED + said)
