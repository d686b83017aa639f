"""Condition, filter and key condition expressions: their grammar, and what is refused in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

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
    ValueRef,
    Within,
)
from cumulet.services.dynamodb.items.comparing import compare
from cumulet.services.dynamodb.items.values import KINDS, Value, kind_of
from cumulet.services.dynamodb.limits import IN_OPERANDS_MAX

Values = Mapping[str, Value]
Check = Callable[[Values], "str | None"]
"""Says what is wrong once the values of the placeholders are known; None when nothing is."""

COMPARATORS = frozenset(("=", "<>", "<", "<=", ">", ">="))
FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
OF_UPDATES = ("if_not_exists", "list_append")
_UNORDERED = frozenset(("BOOL", "NULL", "SS", "NS", "BS", "L", "M"))
_INCORRECT = "Incorrect operand type for operator or function; operator or function: "


class ConditionReading(Reading):
    """A condition being read. `late` holds the checks that need the values, in AWS's order."""

    words = frozenset(("AND", "OR", "NOT", "BETWEEN", "IN"))

    def __init__(self, parameter: str, text: str, names: Mapping[str, str]) -> None:
        super().__init__(parameter, text, names)
        self._wrapped: object = None
        self._late: list[tuple[int, Check]] = []

    @property
    def late(self) -> tuple[Check, ...]:
        """The checks that need the values."""
        return tuple(check for _, check in sorted(self._late, key=lambda pair: pair[0]))

    def read(self) -> Condition:
        """The whole expression. Raises ValidationException."""
        condition = self._either()
        self._refuse_size(condition)
        self.finish()
        return cast(Condition, condition)

    def _either(self) -> Condition | Operand:
        conditions = [self._both()]
        while self.take_word("OR"):
            self.count_operator()
            conditions.append(self._both())
        if len(conditions) == 1:
            return conditions[0]
        return Either(tuple(map(self._condition, conditions)))

    def _both(self) -> Condition | Operand:
        conditions = [self._negation()]
        while self.take_word("AND"):
            self.count_operator()
            conditions.append(self._negation())
        if len(conditions) == 1:
            return conditions[0]
        return Both(tuple(map(self._condition, conditions)))

    def _negation(self) -> Condition | Operand:
        count = 0
        while self.take_word("NOT"):
            self.count_operator()
            count += 1
        found = self._comparison()
        if not count:
            return found
        condition = self._condition(found)
        return Negation(condition) if count % 2 else condition

    def _condition(self, found: Condition | Operand) -> Condition:
        """What must be a condition, and not an operand alone."""
        if isinstance(found, Path | ValueRef):
            raise self.fail()
        self._refuse_size(found)
        return cast(Condition, found)

    def _refuse_size(self, found: Condition | Operand) -> None:
        if isinstance(found, Call) and found.name == "size":
            self._misused(found)

    def _misused(self, call: Call) -> None:
        self.note(
            "misused",
            "The function is not allowed to be used this way in an expression; "
            f"function: {call.name}",
        )

    def _comparison(self) -> Condition | Operand:
        left = self._wrapped_or_operand()
        if not isinstance(left, Path | ValueRef | Call):
            return left
        token = self.token
        if token.kind == "sign" and token.text in COMPARATORS:
            self.at += 1
            self.count_operator()
            return self._compare(token.text, left, self.argument())
        if self.take_word("BETWEEN"):
            self.count_operator()
            low = self.argument()
            if not self.take_word("AND"):
                raise self.fail()
            return self._between(left, low, self.argument())
        if self.take_word("IN"):
            self.count_operator()
            return self._within(left)
        if isinstance(left, Call) or (token.text == ")" and self.depth):
            return left
        raise self.fail()

    def _wrapped_or_operand(self) -> Condition | Operand:
        if not self.take_sign("("):
            return self.operand()
        self.enter()
        inner = self._either()
        self.need_sign(")")
        self.leave()
        if inner is self._wrapped:
            self.note("parens", "The expression has redundant parentheses;")
        self._wrapped = inner
        return inner

    def argument(self) -> Operand:
        """An operand, perhaps in parentheses."""
        found = self._wrapped_or_operand()
        if not isinstance(found, Path | ValueRef | Call):
            raise self.fail()
        return found

    def _compare(self, operator: str, left: Operand, right: Operand) -> Compare:
        self._operands(left, right)
        self._distinct(operator, left, right)
        if operator not in ("=", "<>"):
            for operand in (left, right):
                self._refuse_types(f"operator: {operator}", operand, _UNORDERED, short=True)
        return Compare(operator, left, right)

    def _between(self, operand: Operand, low: Operand, high: Operand) -> Between:
        self._operands(operand, low, high)
        for one in (operand, low, high):
            self._refuse_types("operator: BETWEEN", one, _UNORDERED, short=True)
        if isinstance(low, ValueRef) and isinstance(high, ValueRef):
            self._late.append(
                (3, lambda values: _wrong_bounds(values[low.name], values[high.name]))
            )
        return Between(operand, low, high)

    def _within(self, operand: Operand) -> Within:
        self.need_sign("(")
        options = [self.argument()]
        while self.take_sign(","):
            options.append(self.argument())
        self.need_sign(")")
        self._operands(operand, *options)
        if len(options) > IN_OPERANDS_MAX:
            self._always(
                1,
                "Incorrect number of operands for operator or function; operator or function: IN, "
                f"number of operands: {len(options) + 1}",
            )
        return Within(operand, tuple(options))

    def _operands(self, *operands: Operand) -> None:
        for operand in operands:
            if isinstance(operand, Call) and operand.name in FUNCTIONS and operand.name != "size":
                self._misused(operand)

    def _always(self, rank: int, message: str) -> None:
        self._late.append((rank, lambda values: message))

    def _distinct(self, name: str, left: Operand, right: Operand) -> None:
        if isinstance(left, Path) and isinstance(right, Path) and left.parts == right.parts:
            self._always(
                2,
                "The first operand must be distinct from the remaining operands for this operator "
                f"or function; operator: {name}, first operand: {left}",
            )

    def _refuse_types(
        self, told: str, operand: Operand, kinds: frozenset[str], *, short: bool = False
    ) -> None:
        """Keep a check that the operand's datatype, when it is known, is not one of `kinds`."""
        begin = "Incorrect operand type for operator or function; "
        begin += told if short else f"operator or function: {told}"

        def check(values: Values) -> str | None:
            kind = _known_kind(operand, values)
            return f"{begin}, operand type: {kind}" if kind in kinds else None

        if not isinstance(operand, Path):
            self._late.append((3, check))

    def check_call(self, call: Call) -> None:
        """See `Reading`."""
        count = FUNCTIONS.get(call.name)
        if call.name in OF_UPDATES:
            self.note(
                "misused",
                f"The function is not allowed in a {_spelt(self.parameter)}; function: {call.name}",
            )
            return
        if count is None:
            self.note("unknown", f"Invalid function name; function: {call.name}")
            return
        self._operands(*call.arguments)
        if count != len(call.arguments):
            self._always(
                1,
                "Incorrect number of operands for operator or function; operator or function: "
                f"{call.name}, number of operands: {len(call.arguments)}",
            )
            return
        if count == 2:
            self._distinct(call.name, *call.arguments)
        self._check_arguments(call)

    def _check_arguments(self, call: Call) -> None:
        first = call.arguments[0]
        match call.name:
            case "attribute_exists" | "attribute_not_exists":
                if not isinstance(first, Path):
                    self._always(
                        3,
                        "Operator or function requires a document path; "
                        f"operator or function: {call.name}",
                    )
            case "begins_with":
                for one in call.arguments:
                    self._refuse_types(call.name, one, frozenset(KINDS) - {"S", "B"})
            case "size":
                self._refuse_types("size", first, frozenset(("N", "BOOL", "NULL")))
            case "attribute_type":
                second = call.arguments[1]
                self._late.append((3, lambda values: _wrong_type_name(second, values)))


def _spelt(parameter: str) -> str:
    return parameter.removesuffix("Expression").lower() + " expression"


def _known_kind(operand: Operand, values: Values) -> str | None:
    if isinstance(operand, ValueRef):
        return kind_of(values[operand.name])
    if isinstance(operand, Call):
        return "N" if operand.name == "size" else "BOOL"
    return None


def _wrong_type_name(operand: Operand, values: Values) -> str | None:
    kind = _known_kind(operand, values)
    if kind != "S":
        told = kind or "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
        return f"{_INCORRECT}attribute_type, operand type: {told}"
    assert isinstance(operand, ValueRef)
    name = values[operand.name]["S"]
    if name not in KINDS:
        return (
            f"Invalid attribute type name found; type: {name}, "
            "valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
        )
    return None


def _wrong_bounds(low: Value, high: Value) -> str | None:
    (low_kind, low_told), (high_kind, high_told) = (*low.items(), *high.items())
    shown = (
        f"lower bound operand: AttributeValue: {{{low_kind}:{low_told}}}, "
        f"upper bound operand: AttributeValue: {{{high_kind}:{high_told}}}"
    )
    if low_kind != high_kind:
        return f"The BETWEEN operator requires same data type for lower and upper bounds; {shown}"
    if compare(">", low, high):
        return (
            "The BETWEEN operator requires upper bound to be greater than or equal to lower "
            f"bound; {shown}"
        )
    return None
