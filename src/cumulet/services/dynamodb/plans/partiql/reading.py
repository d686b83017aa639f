"""Operands of PartiQL: paths, literals, parameters and calls, word by word."""

from __future__ import annotations

from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.tree import (
    Call,
    Condition,
    Operand,
    Part,
    Path,
    ValueRef,
)
from cumulet.services.dynamodb.limits import NESTING_MAX
from cumulet.services.dynamodb.plans.partiql.literals import number_literal, set_literal
from cumulet.services.dynamodb.plans.partiql.tree import Given
from cumulet.services.dynamodb.plans.partiql.words import (
    Word,
    malformed,
    place_of_word,
    words_of,
)

DEPTH_MAX = 64
"""Nesting of parentheses and calls that a statement of 8 KB may sensibly have."""

_INDEX_DIGITS_MAX = 9
LEFTOVER = "Unexpected token after expression"


class Reading:
    """A statement being read. Literals become placeholders, so that trees are those of others."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words_of(text)
        self.at = 0
        self.depth = 0
        self.values: dict[str, Any] = {}
        self.parameters = 0
        self.sets: list[tuple[str, str]] = []

    @property
    def word(self) -> Word:
        """The word that comes next."""
        return self.words[self.at]

    def take(self, *signs: str) -> str:
        """The next word if it is one of these signs, else ""."""
        word = self.word
        if word.kind == "sign" and word.value in signs:
            self.at += 1
            return word.value
        return ""

    def take_keyword(self, *keywords: str) -> bool:
        """Whether these keywords come next; they are taken then."""
        for place, keyword in enumerate(keywords):
            word = self.words[min(self.at + place, len(self.words) - 1)]
            if word.kind != "keyword" or word.value != keyword:
                return False
        self.at += len(keywords)
        return True

    def need(self, sign: str) -> None:
        """Take a sign. Raises ValidationException."""
        if not self.take(sign):
            raise malformed(f"Expected {sign}")

    def need_keyword(self, keyword: str) -> None:
        """Take a keyword. Raises ValidationException."""
        if not self.take_keyword(keyword):
            raise malformed(f"Expected {keyword}")

    def told(self, word: Word) -> str:
        """Where a word stands, as messages say it."""
        return f"at {place_of_word(self.text, word)}"

    def enter(self) -> None:
        """One level deeper. Raises ValidationException."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise malformed("Expression is nested too deeply")

    def leave(self) -> None:
        """One level up."""
        self.depth -= 1

    def name(self, wanted: str = "identifier") -> str:
        """A name. Raises ValidationException."""
        word = self.word
        if word.kind != "name" or not word.value:
            raise malformed(f"Expected {wanted}")
        self.at += 1
        return word.value

    def path(self) -> Path:
        """A document path. Raises ValidationException."""
        parts: list[Part] = [self.name("identifier for simple path")]
        while True:
            if self.take("."):
                if self.word.kind != "name":
                    raise malformed("Invalid path dot component")
                parts.append(self.name())
            elif self.take("["):
                parts.append(self._step())
            else:
                return Path(tuple(parts))

    def _step(self) -> Part:
        word = self.word
        self.at += 1
        self.need("]")
        if word.kind == "text":
            return word.value
        if word.kind == "number" and word.value.isdecimal() and len(word.value) < _INDEX_DIGITS_MAX:
            return int(word.value)
        raise malformed("Invalid path component")

    def keep(self, value: Any) -> ValueRef:
        """A placeholder for a literal."""
        name = f":{len(self.values)}"
        self.values[name] = value
        return ValueRef(name)

    def starts_literal(self) -> bool:
        """Whether a literal or a parameter comes next."""
        word = self.word
        if word.kind == "keyword":
            return word.value in ("TRUE", "FALSE", "NULL")
        if word.kind == "sign":
            return word.value in ("[", "{", "<<", "?", "-", "+")
        return word.kind in ("text", "number")

    def literal(self, path: str = "root", depth: int = 0, *, is_item: bool = False) -> Any:
        """A literal, perhaps with parameters in it. Raises ValidationException.

        `path` is what messages name it by; the attributes of an item are each a root.
        """
        if depth > NESTING_MAX:
            raise ValidationException(
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
                "levels beyond supported limit"
            )
        word = self.word
        self.at += 1
        if word.kind == "text":
            return {"S": word.value}
        if word.kind == "number":
            return number_literal(word.value, path)
        if word.kind == "keyword" and word.value in ("TRUE", "FALSE"):
            return {"BOOL": word.value == "TRUE"}
        if word.kind == "keyword" and word.value == "NULL":
            return {"NULL": True}
        if word.kind == "sign":
            return self._composed(word, path, depth, is_item)
        if word.kind == "name" and self.word.value == "(":
            raise ValidationException(
                f"Unsupported data type: {word.value} under key {path} {self.told(word)}"
            )
        raise malformed("unexpected term" if word.kind == "name" else "Unexpected keyword")

    def _composed(self, word: Word, path: str, depth: int, is_item: bool) -> Any:
        match word.value:
            case "?":
                self.parameters += 1
                return Given(self.parameters - 1)
            case "-" | "+":
                if self.word.kind != "number":
                    raise malformed("Expected number")
                sign = "-" if word.value == "-" else ""
                number = number_literal(sign + self.word.value, path)
                self.at += 1
                return number
            case "[":
                return {"L": self._members("]", path, depth, numbered=True)}
            case "<<":
                return set_literal(self._members(">>", path, depth, numbered=False))
            case "{":
                return {"M": self._pairs(path, depth, is_item)}
        raise malformed("unexpected term")

    def _members(self, end: str, path: str, depth: int, *, numbered: bool) -> list[Any]:
        members: list[Any] = []
        if self.take(end):
            return members
        while True:
            place = f"{path}[{len(members)}]" if numbered else path
            members.append(self.literal(place, depth + 1))
            if self.take(end):
                return members
            self.need(",")

    def _pairs(self, path: str, depth: int, is_item: bool) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        if self.take("}"):
            return pairs
        while True:
            word = self.word
            if word.kind != "text":
                raise malformed("Expected string literal for the name of an attribute")
            self.at += 1
            self.need(":")
            place = path if is_item else f"{path}.{word.value}"
            if word.value in pairs:
                raise ValidationException(f"Duplicate attribute name: {word.value}")
            pairs[word.value] = self.literal(place, depth + 1)
            if self.take("}"):
                return pairs
            self.need(",")

    def operand(self) -> Operand | Condition:
        """A path, a literal, a parameter or a call. Raises ValidationException."""
        if self.starts_literal():
            return self.keep(self.literal())
        word = self.word
        following = self.words[min(self.at + 1, len(self.words) - 1)]
        is_call = following.kind == "sign" and following.value == "("
        if is_call and (word.kind == "name" or word.value == "EXISTS"):
            self.at += 2
            return self.call(word)
        if word.kind == "keyword":
            raise malformed("Unexpected keyword")
        if word.kind != "name":
            raise malformed("unexpected term")
        return self.path()

    def arguments(self) -> tuple[tuple[Operand, ...], list[Word]]:
        """The arguments of a call up to its end, and the word with which each begins."""
        found: list[Operand] = []
        begins: list[Word] = []
        self.enter()
        if not self.take(")"):
            while True:
                begins.append(self.word)
                one = self.operand()
                if not isinstance(one, Path | ValueRef | Call):
                    raise malformed("unexpected term")
                found.append(one)
                if self.take(")"):
                    break
                self.need(",")
        self.leave()
        return tuple(found), begins

    def call(self, word: Word) -> Operand | Condition:
        """A call whose parenthesis was taken."""
        raise ValidationException(f"Unrecognized function: {word.value.lower()} {self.told(word)}")
