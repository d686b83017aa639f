"""The words of a query: read one by one, with where each begins and ends. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*\n?\s*)*(?:
     (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<quoted>`[^`]+`)
    |(?P<span>\d+(?:ms|s|m|h|d|w|mo|q|y)\b)
    |(?P<number>\d+\.?\d*|\.\d+)
    |(?P<name>[@A-Za-z_][\w.@]*(?:-\w[\w.]*)*)
    |(?P<op>=~|!=|<=|>=|[=<>+\-*/%^(),\[\]|])
    )""",
    re.VERBOSE,
)
_REGEX = re.compile(r"\s*/((?:[^/\\\n]|\\.)*)/")


class QueryError(Exception):
    """The query cannot be read, or not carried out; the message says why."""


class Word(NamedTuple):
    """A word, what kind of word it is, and where it stands."""

    kind: str
    text: str
    begin: int
    end: int


class Words:
    """The words of a query. What a `/` means depends on where it stands, so none is read early."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.at = 0

    def peek(self) -> Word:
        """The next word, which stays."""
        found = _TOKEN.match(self.query, self.at)
        if found is None or found.lastgroup is None:
            rest = re.sub(r"#[^\n]*", "", self.query[self.at :]).strip()
            if rest:
                raise QueryError(f"unexpected symbol found {rest[:10]}")
            return Word("end", "", len(self.query), len(self.query))
        kind = found.lastgroup
        text = found.group(kind)
        begin = found.start(kind)
        if kind == "text":
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        elif kind == "quoted":
            kind, text = "name", text[1:-1]
        return Word(kind, text, begin, found.end(found.lastgroup))

    def take(self) -> Word:
        """The next word."""
        word = self.peek()
        self.at = word.end
        return word

    def take_regex(self) -> str | None:
        """What stands between slashes, if that is what comes next."""
        found = _REGEX.match(self.query, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[1].replace("\\/", "/")

    def take_op(self, *texts: str) -> str | None:
        """The next word if it is one of these signs."""
        word = self.peek()
        if word.kind == "op" and word.text in texts:
            self.at = word.end
            return word.text
        return None

    def take_name(self, *names: str) -> str | None:
        """The next word if it is one of these names, in small or capital letters."""
        word = self.peek()
        if word.kind == "name" and word.text.lower() in names:
            self.at = word.end
            return word.text.lower()
        return None

    def need_op(self, text: str) -> None:
        """Raises QueryError unless that sign comes next."""
        if self.take_op(text) is None:
            word = self.peek()
            raise QueryError(f"expected '{text}' at '{word.text or 'the end'}'")

    def need_name(self) -> str:
        """The next word, which is a name. Raises QueryError."""
        word = self.take()
        if word.kind != "name":
            raise QueryError(f"expected a field at '{word.text or 'the end'}'")
        return word.text
