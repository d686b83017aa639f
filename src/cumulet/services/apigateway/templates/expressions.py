"""Reading the expressions of mapping templates: references, literals and operators."""

from __future__ import annotations

import re

from cumulet.services.apigateway.templates.nodes import (
    Binary,
    Block,
    Call,
    Expression,
    Index,
    Interpolated,
    ListOf,
    Literal,
    MapOf,
    Not,
    Property,
    RangeOf,
    Reference,
    Step,
    TemplateError,
)

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
_NUMBER = re.compile(r"-?(?:\d+\.(?!\.)\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}
_LEVELS: tuple[dict[str, str], ...] = (
    {"||": "||", "or": "||"},
    {"&&": "&&", "and": "&&"},
    {"==": "==", "!=": "!=", "eq": "==", "ne": "!="},
    dict(
        zip(("<=", ">=", "<", ">", "le", "ge", "lt", "gt"), ("<=", ">=", "<", ">") * 2, strict=True)
    ),
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "%": "%"},
)
"""Operators by precedence, the weakest first; the words are Velocity's other spellings."""


class ExpressionReader:
    """Reads expressions at a position that moves on."""

    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.at = 0
        self.depth = depth

    def where(self) -> str:
        """The position in words."""
        line = self.text.count("\n", 0, self.at) + 1
        column = self.at - (self.text.rfind("\n", 0, self.at) + 1) + 1
        return f"line {line}, column {column}"

    def space(self) -> None:
        """Skip white space."""
        found = _SPACE.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def expect(self, mark: str) -> None:
        """Skip white space and `mark`. Raises TemplateError when it is not there."""
        self.space()
        if not self.text.startswith(mark, self.at):
            raise TemplateError(f"'{mark}' is missing at {self.where()}")
        self.at += len(mark)

    def took(self, mark: str) -> bool:
        """Skip white space and `mark`, if it is there."""
        self.space()
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def target(self) -> Reference:
        """The reference that a directive names. Raises TemplateError."""
        self.space()
        reference = self.reference() if self.text.startswith("$", self.at) else None
        if reference is None:
            raise TemplateError(f"a reference is missing at {self.where()}")
        return reference

    def reference(self) -> Reference | None:
        """The reference at `$`; None when its braces do not close, so that it is text."""
        self.at += 1
        if self.text.startswith("!", self.at):
            self.at += 1
        braced = self.text.startswith("{", self.at)
        if braced:
            self.at += 1
        name = _NAME.match(self.text, self.at)
        if name is None:
            return None
        self.at = name.end()
        steps = self._steps()
        if braced:
            if not self.text.startswith("}", self.at):
                return None
            self.at += 1
        return Reference(name[0], steps)

    def _steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            if self.text.startswith("[", self.at):
                self.at += 1
                steps.append(Index(self.expression()))
                self.expect("]")
                continue
            is_dot = self.text.startswith(".", self.at)
            name = _NAME.match(self.text, self.at + 1) if is_dot else None
            if name is None:
                return tuple(steps)
            self.at = name.end()
            if self.text.startswith("(", self.at):
                self.at += 1
                steps.append(Call(name[0], self._arguments(")")))
            else:
                steps.append(Property(name[0]))

    def _arguments(self, end: str) -> tuple[Expression, ...]:
        found: list[Expression] = []
        if self.took(end):
            return ()
        while True:
            found.append(self.expression())
            if self.took(end):
                return tuple(found)
            self.expect(",")

    def expression(self, level: int = 0) -> Expression:
        """An expression of at least this precedence. Raises TemplateError."""
        if level == 0:
            self.deeper()
        if level == len(_LEVELS):
            return self._unary()
        left = self.expression(level + 1)
        while (operator := self._operator(level)) is not None:
            left = Binary(operator, left, self.expression(level + 1))
        if level == 0:
            self.depth -= 1
        return left

    def _operator(self, level: int) -> str | None:
        self.space()
        for spelling, operator in _LEVELS[level].items():
            if not self.text.startswith(spelling, self.at):
                continue
            end = self.at + len(spelling)
            if spelling.isalpha() and self.text[end : end + 1].isalnum():
                continue
            self.at = end
            return operator
        return None

    def _unary(self) -> Expression:
        self.space()
        text, at = self.text, self.at
        if text.startswith("!", at) and not text.startswith("!=", at):
            self.at += 1
            return Not(self._unary())
        if text.startswith("not", at) and not text[at + 3 : at + 4].isalnum():
            self.at += 3
            return Not(self._unary())
        return self._primary()

    def _primary(self) -> Expression:
        character = self.text[self.at : self.at + 1]
        match character:
            case "(":
                self.at += 1
                inner = self.expression()
                self.expect(")")
                return inner
            case "$":
                return self.target()
            case "'":
                return Literal(self._quoted("'"))
            case '"':
                inner_text = self._quoted('"')
                if "$" in inner_text or "#" in inner_text:
                    return Interpolated(self.inner_template(inner_text))
                return Literal(inner_text)
            case "[":
                return self._list()
            case "{":
                return self._map()
        return self._plain()

    def _plain(self) -> Expression:
        number = _NUMBER.match(self.text, self.at)
        if number is not None:
            self.at = number.end()
            text = number[0]
            return Literal(int(text) if text.lstrip("-").isdigit() else float(text))
        word = _NAME.match(self.text, self.at)
        if word is not None and word[0] in _WORDS:
            self.at = word.end()
            return Literal(_WORDS[word[0]])
        raise TemplateError(f"a value is missing at {self.where()}")

    def _quoted(self, quote: str) -> str:
        """A text in quotes; a doubled quote is one of its own. Backslashes mean nothing."""
        parts: list[str] = []
        self.at += 1
        while True:
            end = self.text.find(quote, self.at)
            if end < 0:
                raise TemplateError(f"the closing {quote} is missing at {self.where()}")
            parts.append(self.text[self.at : end])
            self.at = end + 1
            if not self.text.startswith(quote, self.at):
                return quote.join(parts)
            self.at += 1

    def _list(self) -> Expression:
        self.at += 1
        if self.took("]"):
            return ListOf(())
        first = self.expression()
        if self.took(".."):
            last = self.expression()
            self.expect("]")
            return RangeOf(first, last)
        items = [first]
        while not self.took("]"):
            self.expect(",")
            items.append(self.expression())
        return ListOf(tuple(items))

    def _map(self) -> Expression:
        self.at += 1
        items: list[tuple[Expression, Expression]] = []
        if self.took("}"):
            return MapOf(())
        while True:
            key = self.expression()
            self.expect(":")
            items.append((key, self.expression()))
            if self.took("}"):
                return MapOf(tuple(items))
            self.expect(",")

    def inner_template(self, text: str) -> Block:
        """A text in double quotes as a template."""
        raise NotImplementedError

    def deeper(self) -> None:
        """Count one level of nesting."""
        raise NotImplementedError
