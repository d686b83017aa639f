"""A statement with its parameters: values checked, and what they must be for their operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.compiled import nodes_of
from cumulet.services.dynamodb.expressions.tree import (
    Between,
    Call,
    Compare,
    Condition,
    Operand,
    Path,
    ValueRef,
)
from cumulet.services.dynamodb.items.values import Item, Value, check_value, kind_of
from cumulet.services.dynamodb.plans.partiql.literals import fill
from cumulet.services.dynamodb.plans.partiql.parsing import parse_statement
from cumulet.services.dynamodb.plans.partiql.tree import Body, Insert, Select, Statement

_UNORDERED = frozenset(("BOOL", "NULL", "SS", "NS", "BS", "L", "M"))
_INCORRECT = "Incorrect operand type for operator or function; operator or function: "


class Bound(NamedTuple):
    """A statement and the values of its placeholders; `item` is what an INSERT puts."""

    statement: Statement
    values: Mapping[str, Value]
    item: Item | None = None

    @property
    def body(self) -> Body:
        """What is to be done."""
        return self.statement.body


def bind(text: str, parameters: Sequence[Any] | None) -> Bound:
    """Read a statement and give it its parameters. Raises ValidationException."""
    statement = parse_statement(text)
    given = list(parameters or ())
    if len(given) != statement.parameters:
        raise ValidationException("Number of parameters in request and statement don't match.")
    for value in given:
        check_value(value)
    values = {name: fill(literal, given) for name, literal in statement.values.items()}
    for value in values.values():
        check_value(value)
    for name, said in statement.sets:
        if kind_of(values[name]) not in ("SS", "NS", "BS"):
            raise ValidationException(said)
    body = statement.body
    if isinstance(body, Insert):
        item = fill(body.item, given)
        if "M" not in item:
            raise ValidationException("The VALUE of an INSERT must be a tuple: {'name': value}")
        return Bound(statement, values, item["M"])
    if body.where is not None:
        _check_operands(body.where, values)
    if isinstance(body, Select) and body.where is None and body.orders:
        raise ValidationException(
            "Must have WHERE clause in the statement when using ORDER BY clause."
        )
    return Bound(statement, values)


def _check_operands(where: Condition, values: Mapping[str, Value]) -> None:
    for node in nodes_of(where):
        match node:
            case Compare(operator, left, right) if operator not in ("=", "<>"):
                _refuse(operator, (left, right), values, _UNORDERED)
            case Between(operand, low, high):
                _refuse("BETWEEN", (operand, low, high), values, _UNORDERED)
            case Call("begins_with", arguments):
                _refuse("begins_with", arguments, values, _UNORDERED | {"N"})
            case Call("size", arguments):
                _refuse("size", arguments, values, frozenset(("N", "BOOL", "NULL")))
            case Call("attribute_type", arguments):
                _refuse("attribute_type", arguments[1:], values, _UNORDERED | {"N", "B"})


def _refuse(
    name: str,
    operands: Sequence[Operand],
    values: Mapping[str, Value],
    kinds: frozenset[str],
) -> None:
    for operand in operands:
        if isinstance(operand, ValueRef) and kind_of(values[operand.name]) in kinds:
            kind = kind_of(values[operand.name])
            raise ValidationException(f"{_INCORRECT}{name}, operand type: {kind}")


def label_of(path: Path) -> str:
    """What an answer calls the value at a path: the last name, and the places behind it."""
    places = ""
    for part in reversed(path.parts):
        if isinstance(part, str):
            return part + places
        places = f"[{part}]{places}"
    raise ValueError("a path begins with a name")
