"""What an expression is after reading: paths, values, calls, comparisons and their combinations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Part: TypeAlias = "str | int"
"""A name, or the number of a list element."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A document path, with its placeholders replaced."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        shown = (f"[{part}]" if isinstance(part, int) else part for part in self.parts)
        return f"[{', '.join(shown)}]"


@dataclass(frozen=True, slots=True, eq=False)
class ValueRef:
    """A placeholder of a value, with its colon."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function with its operands."""

    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """An addition or subtraction of an update expression."""

    operator: str
    left: Operand
    right: Operand


Operand: TypeAlias = "Path | ValueRef | Call | Sum"


@dataclass(frozen=True, slots=True, eq=False)
class Compare:
    """Two operands and one of = <> < <= > >=."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True, eq=False)
class Between:
    """Whether an operand lies between two others, both included."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """Whether an operand equals one of several."""

    operand: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """All of several conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """Any of several conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Negation:
    """The opposite of a condition."""

    condition: Condition


Condition: TypeAlias = "Compare | Between | Within | Both | Either | Negation | Call"


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """One action of an update expression: `section` is SET, REMOVE, ADD or DELETE."""

    section: str
    path: Path
    operand: Operand | None = None
