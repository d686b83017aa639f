"""The parts of a parsed mapping template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


class TemplateError(Exception):
    """A template that cannot be read, or that passed a bound while it was rendered."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Property:
    """`.name` of a reference."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """`.name(arguments)` of a reference."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`[key]` of a reference."""

    key: Expression


Step: TypeAlias = "Property | Call | Index"


@dataclass(frozen=True, slots=True)
class Reference:
    """`$name` and what follows it."""

    name: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a truth value, null, or text in single quotes."""

    value: Any


@dataclass(frozen=True, slots=True)
class Interpolated:
    """Text in double quotes: a template of its own."""

    block: Block


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`[1..n]`."""

    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{key: value}`."""

    items: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two values."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """A negated truth."""

    value: Expression


Expression: TypeAlias = (
    "Reference | Literal | Interpolated | ListOf | RangeOf | MapOf | Binary | Not"
)


@dataclass(frozen=True, slots=True)
class Assign:
    """`#set(target = value)`."""

    target: Reference
    value: Expression


@dataclass(frozen=True, slots=True)
class Choice:
    """`#if … #elseif … #else … #end`; the `#else` has no condition."""

    branches: tuple[tuple[Expression | None, Block], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """`#foreach($name in items) … #end`."""

    name: str
    items: Expression
    block: Block


@dataclass(frozen=True, slots=True)
class Define:
    """`#define($name) … #end`: a block that is rendered wherever the name is."""

    name: str
    block: Block


@dataclass(frozen=True, slots=True)
class Leave:
    """`#break` ends the loop, `#stop` the whole template."""

    whole: bool


Node: TypeAlias = "Text | Reference | Assign | Choice | Loop | Define | Leave"
Block: TypeAlias = tuple[Node, ...]
