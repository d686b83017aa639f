"""What all expressions share when they are read: tokens, paths, placeholders, bounds."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.reserved import RESERVED_WORDS
from cumulet.services.dynamodb.expressions.tokens import Token, syntax_error, tokens_of
from cumulet.services.dynamodb.expressions.tree import Call, Operand, Part, Path, ValueRef
from cumulet.services.dynamodb.limits import (
    EXPRESSION_BYTES_MAX,
    EXPRESSION_DEPTH_MAX,
    EXPRESSION_OPERATORS_MAX,
    NESTING_MAX,
)

_INDEX_DIGITS_MAX = 9

ERRORS_IN_ORDER = ("parens", "section", "unknown", "misused", "reserved", "names", "paths")
"""Which error is told when an expression has several."""


class Reading:
    """An expression being read, token by token.

    `parameter` is the request's member, which begins every message. Errors that AWS tells only
    when the whole expression can be read are kept until `finish`.
    """

    words: frozenset[str] = frozenset()
    """Words that cannot be names where an operand is wanted, in capitals."""

    def __init__(self, parameter: str, text: str, names: Mapping[str, str]) -> None:
        size = len(text.encode())
        if not text:
            raise ValidationException(f"Invalid {parameter}: The expression can not be empty;")
        if size > EXPRESSION_BYTES_MAX:
            raise ValidationException(
                f"Invalid {parameter}: Expression size has exceeded the maximum allowed size; "
                f"expression size: {size}"
            )
        self.parameter = parameter
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.names = names
        self.names_used: dict[str, None] = {}
        self.values_used: dict[str, None] = {}
        self.errors: dict[str, str] = {}
        self.depth = 0
        self.operators = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.at]

    def fail(self) -> ValidationException:
        """The error of a token in the wrong place."""
        return syntax_error(self.parameter, self.text, self.tokens, self.at)

    def invalid(self, message: str) -> ValidationException:
        """An error of this expression."""
        return ValidationException(f"Invalid {self.parameter}: {message}")

    def note(self, kind: str, message: str) -> None:
        """Keep the first error of its kind."""
        self.errors.setdefault(kind, message)

    def take_sign(self, sign: str) -> bool:
        """Step over a sign when it comes next."""
        token = self.tokens[self.at]
        if token.kind == "sign" and token.text == sign:
            self.at += 1
            return True
        return False

    def need_sign(self, sign: str) -> None:
        """Step over a sign that must come next."""
        if not self.take_sign(sign):
            raise self.fail()

    def is_word(self, *words: str) -> str:
        """Which of these words (in capitals) comes next, or ""."""
        token = self.tokens[self.at]
        if token.kind == "word" and (word := token.text.upper()) in words:
            return word
        return ""

    def take_word(self, word: str) -> bool:
        """Step over a word when it comes next."""
        if self.is_word(word):
            self.at += 1
            return True
        return False

    def count_operator(self) -> None:
        """One more operator; a bounded number is allowed."""
        self.operators += 1
        if self.operators > EXPRESSION_OPERATORS_MAX:
            raise self.invalid(
                f"The expression contains too many operators; operator count: {self.operators}"
            )

    def enter(self) -> None:
        """One level deeper."""
        self.depth += 1
        if self.depth > EXPRESSION_DEPTH_MAX:
            raise self.invalid("The expression is nested too deeply;")

    def leave(self) -> None:
        """One level back."""
        self.depth -= 1

    def finish(self) -> None:
        """Nothing may follow; then the kept errors are told, the most important one."""
        if self.token.kind != "end":
            raise self.fail()
        for kind in ERRORS_IN_ORDER:
            if kind in self.errors:
                raise self.invalid(self.errors[kind])

    def operand(self) -> Operand:
        """A function, a value or a path."""
        token = self.token
        if token.kind == "value":
            self.at += 1
            self.values_used[token.text] = None
            return ValueRef(token.text)
        if token.kind == "word" and token.text.upper() not in self.words:
            following = self.tokens[self.at + 1]
            if following.kind == "sign" and following.text == "(":
                self.at += 2
                return self._call(token.text)
            return self.path()
        if token.kind == "name":
            return self.path()
        raise self.fail()

    def _call(self, name: str) -> Call:
        self.enter()
        arguments = [self.argument()]
        while self.take_sign(","):
            arguments.append(self.argument())
        self.need_sign(")")
        self.leave()
        call = Call(name, tuple(arguments))
        self.check_call(call)
        return call

    def argument(self) -> Operand:
        """An operand of a function."""
        if self.take_sign("("):
            inner = self.operand()
            self.need_sign(")")
            return inner
        return self.operand()

    def check_call(self, call: Call) -> None:
        """Note what is wrong with a call."""
        raise NotImplementedError

    def path(self) -> Path:
        """A document path."""
        parts: list[Part] = [self._name()]
        while True:
            if self.take_sign("."):
                parts.append(self._name())
            elif self.take_sign("["):
                parts.append(self._index())
                self.need_sign("]")
            else:
                break
        if len(parts) > NESTING_MAX:
            self.note(
                "paths",
                f"The document path has too many nesting levels; nesting levels: {len(parts)}",
            )
        return Path(tuple(parts))

    def _name(self) -> str:
        token = self.token
        if token.kind == "word" and token.text.upper() not in self.words:
            self.at += 1
            if token.text.upper() in RESERVED_WORDS:
                self.note(
                    "reserved",
                    f"Attribute name is a reserved keyword; reserved keyword: {token.text}",
                )
            return token.text
        if token.kind != "name":
            raise self.fail()
        self.at += 1
        self.names_used[token.text] = None
        found = self.names.get(token.text)
        if found is None:
            self.note(
                "names",
                "An expression attribute name used in the document path is not defined; "
                f"attribute name: {token.text}",
            )
            return token.text
        return found

    def _index(self) -> int:
        token = self.token
        if token.kind != "number":
            raise self.fail()
        self.at += 1
        if len(token.text) > _INDEX_DIGITS_MAX:
            self.note(
                "paths",
                f"List index is not within the allowable range; index: [{token.text}]",
            )
            return 0
        return int(token.text)


def find_overlap(paths: list[Path]) -> str | None:
    """What is said of the first two paths that overlap or conflict; None when there are none."""
    for place, path in enumerate(paths):
        for earlier in paths[:place]:
            said = _overlap(earlier, path)
            if said is not None:
                return (
                    f"Two document paths {said} with each other; must remove or rewrite one of "
                    f"these paths; path one: {earlier}, path two: {path}"
                )
    return None


def _overlap(one: Path, other: Path) -> str | None:
    for mine, yours in zip(one.parts, other.parts, strict=False):
        if type(mine) is not type(yours):
            return "conflict"
        if mine != yours:
            return None
    return "overlap"
