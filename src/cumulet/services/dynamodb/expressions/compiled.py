"""Expressions ready to be used, kept by their text and the names that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from cumulet.services.dynamodb.expressions.acting import Update
from cumulet.services.dynamodb.expressions.conditions import Check, ConditionReading
from cumulet.services.dynamodb.expressions.evaluating import Test, make_test
from cumulet.services.dynamodb.expressions.projection import (
    Branches,
    ProjectionReading,
    branches_of,
)
from cumulet.services.dynamodb.expressions.reading import Reading
from cumulet.services.dynamodb.expressions.tree import (
    Between,
    Both,
    Call,
    Compare,
    Condition,
    Either,
    Negation,
    Operand,
    Path,
    Sum,
    Within,
)
from cumulet.services.dynamodb.expressions.updates import UpdateReading
from cumulet.services.dynamodb.limits import EXPRESSIONS_KEPT_MAX

Names = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """What an expression asks of its placeholders.

    `late` are the checks that need the values; each says what is wrong, or None.
    """

    parameter: str
    names: frozenset[str]
    values: tuple[str, ...]
    late: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition: its test, its tree and the names of the attributes that it looks at."""

    uses: Uses
    test: Test
    tree: Condition
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class CompiledUpdate:
    """An update."""

    uses: Uses
    update: Update


@dataclass(frozen=True, slots=True)
class CompiledProjection:
    """A projection; `attributes` are the top-level names of its paths."""

    uses: Uses
    paths: tuple[Path, ...]
    branches: Branches
    attributes: tuple[str, ...]


@lru_cache(EXPRESSIONS_KEPT_MAX)
def compile_condition(parameter: str, text: str, names: Names) -> CompiledCondition:
    """A condition, filter or key condition expression. Raises ValidationException."""
    reading = ConditionReading(parameter, text, dict(names))
    tree = reading.read()
    attributes = frozenset(str(path.parts[0]) for path in paths_of(tree))
    # A call of a function with too few operands can be read but not be made; its check tells.
    test = make_test(tree) if _is_whole(tree) else _never
    return CompiledCondition(_uses(reading, reading.late), test, tree, attributes)


@lru_cache(EXPRESSIONS_KEPT_MAX)
def compile_update(parameter: str, text: str, names: Names) -> CompiledUpdate:
    """An update expression. Raises ValidationException."""
    reading = UpdateReading(parameter, text, dict(names))
    actions = reading.read()
    whole = all(action.operand is None or _is_whole(action.operand) for action in actions)
    return CompiledUpdate(_uses(reading, reading.late), Update(actions if whole else []))


@lru_cache(EXPRESSIONS_KEPT_MAX)
def compile_projection(parameter: str, text: str, names: Names) -> CompiledProjection:
    """A projection expression. Raises ValidationException."""
    reading = ProjectionReading(parameter, text, dict(names))
    paths = tuple(reading.read())
    attributes = tuple(dict.fromkeys(str(path.parts[0]) for path in paths))
    return CompiledProjection(_uses(reading, ()), paths, branches_of(paths), attributes)


def _uses(reading: Reading, late: tuple[Check, ...]) -> Uses:
    return Uses(reading.parameter, frozenset(reading.names_used), tuple(reading.values_used), late)


def _never(item: object, values: object) -> bool:
    return False


_COUNTS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
    "if_not_exists": 2,
    "list_append": 2,
}


def _is_whole(node: Condition | Operand) -> bool:
    return all(
        _COUNTS[one.name] == len(one.arguments)
        and (one.name != "if_not_exists" or isinstance(one.arguments[0], Path))
        for one in nodes_of(node)
        if isinstance(one, Call)
    )


def paths_of(node: Condition | Operand) -> Iterator[Path]:
    """Every path in a tree."""
    return (one for one in nodes_of(node) if isinstance(one, Path))


def nodes_of(node: Condition | Operand) -> Iterator[Condition | Operand]:
    """A node and everything in it."""
    waiting: list[Condition | Operand] = [node]
    while waiting:
        one = waiting.pop()
        yield one
        match one:
            case Compare(_, left, right) | Sum(_, left, right):
                waiting += (right, left)
            case Between(operand, low, high):
                waiting += (high, low, operand)
            case Within(operand, options):
                waiting += (*reversed(options), operand)
            case Both(conditions) | Either(conditions):
                waiting += reversed(conditions)
            case Negation(inner):
                waiting.append(inner)
            case Call(_, arguments):
                waiting += reversed(arguments)
