"""Reads expressions of metric math. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

CHARACTERS_MAX = 2_048
_DEPTH_MAX = 40

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<text>'[^']*'|"[^"]*")
    |(?P<name>[A-Za-z][A-Za-z0-9_]*)
    |(?P<op>&&|\|\||<=|>=|==|!=|[-+*/^<>(),\[\]]))""",
    re.VERBOSE,
)


class MathError(Exception):
    """The expression cannot be read, or not worked out; the message says why."""


class Number(NamedTuple):
    """A number as it stands."""

    value: float


class Text(NamedTuple):
    """A quoted text."""

    value: str


class Name(NamedTuple):
    """The id of another query, or a word such as REPEAT."""

    name: str


class Call(NamedTuple):
    """A function with what it is given."""

    function: str
    given: tuple[Expression, ...]


class Operation(NamedTuple):
    """Two sides and what stands between them; a lone minus has 0 on its left."""

    sign: str
    left: Expression
    right: Expression


class Listed(NamedTuple):
    """Several in brackets."""

    items: tuple[Expression, ...]


Expression: TypeAlias = Number | Text | Name | Call | Operation | Listed

_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "OR", "OR": "OR"},
    {"&&": "AND", "AND": "AND"},
    {sign: sign for sign in ("<", ">", "<=", ">=", "==", "!=")},
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/"},
)


def parse_expression(text: str) -> Expression:
    """Raises MathError."""
    if len(text) > CHARACTERS_MAX:
        raise MathError(f"The expression is longer than {CHARACTERS_MAX} characters.")
    reader = _Reader(_tokens(text))
    found = reader.level(0, 0)
    if reader.peek()[0] != "end":
        raise MathError(f"Unexpected '{reader.peek()[1]}'.")
    return found


def names_in(expression: Expression) -> Iterator[str]:
    """The ids and words that an expression names."""
    match expression:
        case Name(name):
            yield name
        case Call(_, items) | Listed(items):
            for item in items:
                yield from names_in(item)
        case Operation(_, left, right):
            yield from names_in(left)
            yield from names_in(right)


def calls_in(expression: Expression, function: str) -> Iterator[Call]:
    """The calls of a function within an expression."""
    match expression:
        case Call(name, items):
            if name == function:
                yield expression
            for item in items:
                yield from calls_in(item, function)
        case Listed(items):
            for item in items:
                yield from calls_in(item, function)
        case Operation(_, left, right):
            yield from calls_in(left, function)
            yield from calls_in(right, function)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        token = _TOKEN.match(text, at)
        if token is None:
            raise MathError(f"Unexpected '{text[at:].strip()[:10]}'.")
        kind = str(token.lastgroup)
        found.append((kind, token.group(kind)))
        at = token.end()
    return found


class _Reader:
    """The tokens of an expression, read one by one."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self._at += 1
        return token

    def level(self, level: int, depth: int) -> Expression:
        """An expression whose signs bind at least as closely as those of the level."""
        if depth > _DEPTH_MAX:
            raise MathError("The expression is too deeply nested.")
        if level == len(_LEVELS):
            return self._signed(depth)
        left = self.level(level + 1, depth)
        while self.peek()[0] in ("op", "name") and self.peek()[1] in _LEVELS[level]:
            sign = _LEVELS[level][self.take()[1]]
            left = Operation(sign, left, self.level(level + 1, depth))
        return left

    def _signed(self, depth: int) -> Expression:
        if depth > _DEPTH_MAX:
            raise MathError("The expression is too deeply nested.")
        if self.peek() == ("op", "-"):
            self.take()
            return Operation("-", Number(0.0), self._signed(depth + 1))
        base = self._atom(depth)
        if self.peek() == ("op", "^"):
            self.take()
            return Operation("^", base, self._signed(depth + 1))
        return base

    def _atom(self, depth: int) -> Expression:
        kind, text = self.take()
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "name":
            if self.peek() != ("op", "("):
                return Name(text)
            self.take()
            return Call(text.upper(), self._items(")", depth))
        if (kind, text) == ("op", "("):
            inner = self.level(0, depth + 1)
            self._need(")")
            return inner
        if (kind, text) == ("op", "["):
            return Listed(self._items("]", depth))
        raise MathError(f"Unexpected '{text}'." if text else "The expression ends too early.")

    def _items(self, closing: str, depth: int) -> tuple[Expression, ...]:
        items: list[Expression] = []
        if self.peek() == ("op", closing):
            self.take()
            return ()
        while True:
            items.append(self.level(0, depth + 1))
            if self.peek() != ("op", ","):
                self._need(closing)
                return tuple(items)
            self.take()

    def _need(self, text: str) -> None:
        if self.take() != ("op", text):
            raise MathError(f"Expected '{text}'.")
