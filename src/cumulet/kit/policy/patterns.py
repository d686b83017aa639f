"""Texts with wildcards and policy variables, and the facts that variables stand for.

How they are matched is in `core/wildcards.py`.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from cumulet.core.wildcards import ONE, STAR, Glob, Mark
from cumulet.kit.policy.model import MalformedPolicy


class Facts:
    """The condition keys of one request; keys are found without regard to case."""

    __slots__ = ("_given", "_lowered")

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._lowered: dict[str, Any] | None = None

    def values(self, key: str) -> tuple[str, ...]:
        """Every value of a key (in lower case), as texts; none when the key is absent."""
        if self._lowered is None:
            self._lowered = {name.lower(): value for name, value in self._given.items()}
        return as_texts(self._lowered.get(key))

    def text(self, key: str) -> str | None:
        """The value of a key (in lower case) that has exactly one, else None."""
        values = self.values(key)
        return values[0] if len(values) == 1 else None


def as_texts(value: Any) -> tuple[str, ...]:
    """A value of a condition, from a policy or a request, as a sequence of texts."""
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(text for item in value for text in as_texts(item))
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, bytes):
        return (value.decode("latin-1"),)
    return (str(value),)


class Variable:
    """A policy variable: a condition key in lower case, and what to use when it is absent."""

    __slots__ = ("default", "key")

    def __init__(self, key: str, default: str | None) -> None:
        self.key = key
        self.default = default

    def value(self, facts: Facts) -> str | None:
        """What it stands for, or None."""
        found = facts.text(self.key)
        return self.default if found is None else found


PATTERNS_REMEMBERED_MAX: Final = 64
"""Values of variables for which a pattern is kept ready."""

Token: TypeAlias = "str | Mark | Variable"

_PIECE = re.compile(r"\$\{([^{}]*)\}|([*?])")
_NAMED = re.compile(r"\s*([^\s,']+)\s*(?:,\s*'([^']*)'\s*)?\Z")


def parse_tokens(text: str, *, variables: bool) -> tuple[Token, ...]:
    """Literals, wildcards and variables. Raises MalformedPolicy for a variable without sense."""
    tokens: list[Token] = []
    at = 0
    for found in _PIECE.finditer(text):
        name, sign = found.groups()
        if sign is None and not variables:
            continue
        if found.start() > at:
            tokens.append(text[at : found.start()])
        at = found.end()
        if sign is not None:
            tokens.append(STAR if sign == "*" else ONE)
        elif name in ("*", "?", "$"):
            tokens.append(name)
        else:
            tokens.append(_parse_variable(name))
    if at < len(text):
        tokens.append(text[at:])
    return tuple(tokens)


def _parse_variable(inner: str) -> Variable:
    found = _NAMED.match(inner)
    if found is None:
        raise MalformedPolicy("Syntax errors in policy.")
    return Variable(found[1].lower(), found[2])


def variables_in(text: str) -> list[str]:
    """The condition keys that a text refers to, as they are written."""
    inner = (found[1] for found in _PIECE.finditer(text) if found[1] not in (None, "*", "?", "$"))
    named = (_NAMED.match(name) for name in inner)
    return [found[1] for found in named if found is not None]


def has_variables(tokens: Iterable[Token]) -> bool:
    """Whether a text depends on the request."""
    return any(isinstance(token, Variable) for token in tokens)


def fill_in(tokens: Sequence[Token], facts: Facts) -> tuple[Token, ...] | None:
    """The tokens with each variable as its literal value; None when one has no value."""
    filled: list[Token] = []
    for token in tokens:
        if isinstance(token, Variable):
            value = token.value(facts)
            if value is None:
                return None
            filled.append(value)
        else:
            filled.append(token)
    return tuple(filled)


def as_literal(tokens: Sequence[Token]) -> str:
    """The text of tokens without variables, wildcards as the characters they are."""
    return "".join(token.sign if isinstance(token, Mark) else str(token) for token in tokens)


class ArnGlob:
    """A pattern whose six parts are matched one by one, so that no star crosses a colon."""

    __slots__ = ("_parts",)

    def __init__(self, tokens: Iterable[Token]) -> None:
        parts: list[list[Token]] = [[]]
        for token in tokens:
            if not isinstance(token, str):
                parts[-1].append(token)
                continue
            head, *rest = token.split(":", 6 - len(parts))
            parts[-1].append(head)
            parts.extend([piece] for piece in rest)
        self._parts = [Glob(part) for part in parts]

    def matches(self, text: str) -> bool:
        """Whether every part of the ARN fits."""
        given = text.split(":", 5)
        if len(self._parts) != 6 or len(given) != 6:
            # A lone star is written by many for "any".
            return len(self._parts) == 1 and self._parts[0].matches(text)
        return all(glob.matches(part) for glob, part in zip(self._parts, given, strict=True))


class Dynamic:
    """A pattern with variables, made ready for the values that were asked with lately."""

    __slots__ = ("_kind", "_made", "_tokens", "_variables")

    def __init__(self, tokens: Sequence[Token], kind: type[Glob] | type[ArnGlob]) -> None:
        self._tokens = tokens
        self._variables = tuple(token for token in tokens if isinstance(token, Variable))
        self._kind = kind
        self._made: dict[tuple[str, ...], Glob | ArnGlob] = {}

    def glob(self, facts: Facts) -> Glob | ArnGlob | None:
        """The pattern for this request; None when a variable has no value."""
        values: list[str] = []
        for variable in self._variables:
            value = variable.value(facts)
            if value is None:
                return None
            values.append(value)
        key = tuple(values)
        made = self._made.get(key)
        if made is None:
            made = self._kind(fill_in(self._tokens, facts) or ())
            if len(self._made) >= PATTERNS_REMEMBERED_MAX:
                self._made.clear()
            self._made[key] = made
        return made


class Texts:
    """Several patterns of which one must fit: the fixed ones ready, the others made when asked."""

    __slots__ = ("_dynamic", "_everything", "_fixed")

    def __init__(
        self,
        texts: Iterable[str],
        kind: type[Glob] | type[ArnGlob] = Glob,
        *,
        variables: bool = True,
    ) -> None:
        parsed = [parse_tokens(text, variables=variables) for text in texts]
        self._fixed = tuple(kind(tokens) for tokens in parsed if not has_variables(tokens))
        self._dynamic = tuple(Dynamic(tokens, kind) for tokens in parsed if has_variables(tokens))
        self._everything = any(tokens == (STAR,) for tokens in parsed)

    def match(self, text: str, facts: Facts) -> bool:
        """Whether one fits; a variable without a value fits nothing."""
        if self._everything:
            return True
        for glob in self._fixed:
            if glob.matches(text):
                return True
        for dynamic in self._dynamic:
            made = dynamic.glob(facts)
            if made is not None and made.matches(text):
                return True
        return False

    def all_known(self, facts: Facts) -> bool:
        """Whether every variable has a value."""
        return all(dynamic.glob(facts) is not None for dynamic in self._dynamic)
