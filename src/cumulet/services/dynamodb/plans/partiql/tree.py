"""What a statement is after reading. Conditions are the trees of ordinary expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cumulet.services.dynamodb.expressions.tree import Action, Condition, Path


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter inside a literal, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Source:
    """A table, by name or ARN, and perhaps one of its indexes."""

    table: str
    index: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One attribute of ORDER BY."""

    name: str
    is_descending: bool


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    """A read; `paths` is None for `*`. `is_check` when it stands within EXISTS."""

    source: Source
    paths: tuple[Path, ...] | None
    where: Condition | None
    orders: tuple[Order, ...] = ()
    is_check: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Insert:
    """A new item: a literal, or the number of the parameter that is the item."""

    source: Source
    item: Any


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """An update. `returning` is "", or like ALL_OLD and MODIFIED_NEW."""

    source: Source
    actions: tuple[Action, ...]
    where: Condition | None
    returning: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Delete:
    """A removal. `returning` is "" or ALL_OLD."""

    source: Source
    where: Condition | None
    returning: str = ""


Body: TypeAlias = "Select | Insert | Change | Delete"


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A whole statement: `values` are the literals by placeholder, perhaps with parameters inside.

    `parameters` is how many it needs. `sets` are the placeholders that must be sets, each with what
    is said otherwise.
    """

    body: Body
    values: Mapping[str, Any]
    parameters: int
    sets: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_read(self) -> bool:
        """Whether it only reads; a check of a transaction counts among its writes."""
        return isinstance(self.body, Select) and not self.body.is_check
