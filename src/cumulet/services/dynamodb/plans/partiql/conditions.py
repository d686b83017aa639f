"""WHERE clauses: read into the trees of ordinary conditions."""

from __future__ import annotations

from typing import TypeAlias, cast

from cumulet.services.dynamodb.errors import ValidationException
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
from cumulet.services.dynamodb.limits import EXPRESSION_OPERATORS_MAX, IN_OPERANDS_MAX
from cumulet.services.dynamodb.plans.partiql.reading import Reading
from cumulet.services.dynamodb.plans.partiql.words import Word, malformed

_COMPARATORS = ("=", "<>", "!=", "<", "<=", ">", ">=")
_COUNTS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
_KINDS = {
    "BOOL": "BOOL",
    "BOOLEAN": "BOOL",
    "STRING": "S",
    "VARCHAR": "S",
    "NUMBER": "N",
    "NUMERIC": "N",
    "DECIMAL": "N",
    "INT": "N",
    "INTEGER": "N",
    "BINARY": "B",
    "BLOB": "B",
    "LIST": "L",
    "MAP": "M",
    "STRUCT": "M",
    "TUPLE": "M",
}
_Found: TypeAlias = "Condition | Operand"


class ConditionReading(Reading):
    """A statement whose conditions can be read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.operators = 0

    def condition(self) -> Condition:
        """A condition. Raises ValidationException."""
        return self._whole(self._either())

    def _count(self) -> None:
        self.operators += 1
        if self.operators > EXPRESSION_OPERATORS_MAX:
            raise ValidationException(
                "The expression contains too many operators; the maximum is "
                f"{EXPRESSION_OPERATORS_MAX}"
            )

    def _whole(self, found: _Found) -> Condition:
        if isinstance(found, Path | ValueRef) or (
            isinstance(found, Call) and found.name in ("size", "list_append")
        ):
            raise malformed("Expected a condition")
        return cast(Condition, found)

    def _either(self) -> _Found:
        found = [self._both()]
        while self.take_keyword("OR"):
            self._count()
            found.append(self._both())
        return found[0] if len(found) == 1 else Either(tuple(map(self._whole, found)))

    def _both(self) -> _Found:
        found = [self._negation()]
        while self.take_keyword("AND"):
            self._count()
            found.append(self._negation())
        return found[0] if len(found) == 1 else Both(tuple(map(self._whole, found)))

    def _negation(self) -> _Found:
        count = 0
        while self.take_keyword("NOT"):
            self._count()
            count += 1
        found = self._comparison()
        if not count:
            return found
        whole = self._whole(found)
        return Negation(whole) if count % 2 else whole

    def _comparison(self) -> _Found:
        left = self._wrapped()
        operator = self.take(*_COMPARATORS)
        if operator:
            self._count()
            return self._compare("<>" if operator == "!=" else operator, left, self._wrapped())
        is_negated = self.take_keyword("NOT")
        found: Condition | None = None
        if self.take_keyword("BETWEEN"):
            self._count()
            low = self._value(self._wrapped())
            self.need_keyword("AND")
            found = Between(self._value(left), low, self._value(self._wrapped()))
        elif self.take_keyword("IN"):
            self._count()
            found = Within(self._value(left), self._options())
        elif not is_negated and self.take_keyword("IS"):
            self._count()
            return self._is(self._value(left))
        elif self.take_keyword("LIKE"):
            raise ValidationException("Unsupported operator: LIKE")
        if found is None:
            if is_negated:
                raise malformed("Unexpected keyword")
            return left
        return Negation(found) if is_negated else found

    def _wrapped(self) -> _Found:
        if not self.take("("):
            return self.operand()
        self.enter()
        found = self._either()
        self.need(")")
        self.leave()
        return found

    def _value(self, found: _Found) -> Operand:
        if isinstance(found, Path | ValueRef) or (isinstance(found, Call) and found.name == "size"):
            return found
        raise malformed("Expected a value")

    def _compare(self, operator: str, left: _Found, right: _Found) -> Condition:
        if isinstance(right, ValueRef) and not isinstance(left, Path | ValueRef):
            flag = self.values[right.name]
            is_function = not (isinstance(left, Call) and left.name == "size")
            if is_function and isinstance(flag, dict) and "BOOL" in flag and operator == "=":
                whole = self._whole(left)
                return whole if flag["BOOL"] else Negation(whole)
        return Compare(operator, self._value(left), self._value(right))

    def _options(self) -> tuple[Operand, ...]:
        end = "]" if self.take("[") else ")"
        if end == ")":
            self.need("(")
        options: list[Operand] = []
        while True:
            options.append(self._value(self.operand()))
            if len(options) > IN_OPERANDS_MAX:
                raise ValidationException(
                    f"The IN operator is provided with too many operands; the maximum is "
                    f"{IN_OPERANDS_MAX}"
                )
            if self.take(end):
                return tuple(options)
            self.need(",")

    def _is(self, operand: Operand) -> Condition:
        is_negated = self.take_keyword("NOT")
        found: Condition
        word = self.word
        if self.take_keyword("MISSING"):
            found = Call("attribute_not_exists", (operand,))
        elif self.take_keyword("NULL"):
            found = Call("attribute_type", (operand, self.keep({"S": "NULL"})))
        elif word.kind == "name" and word.value.upper() in _KINDS:
            self.at += 1
            kind = _KINDS[word.value.upper()]
            found = Call("attribute_type", (operand, self.keep({"S": kind})))
        else:
            raise malformed("Expected type name")
        return Negation(found) if is_negated else found

    def call(self, word: Word) -> Operand | Condition:
        """See `Reading`."""
        name = word.value.lower()
        if name not in _COUNTS:
            return super().call(word)
        arguments, _ = self.arguments()
        if len(arguments) != _COUNTS[name]:
            raise ValidationException(
                "Incorrect number of operands for operator or function; operator or function: "
                f"{name}, number of operands: {len(arguments)}"
            )
        if name.startswith("attribute_") and not isinstance(arguments[0], Path):
            raise ValidationException(
                "Operator or function requires a document path; operator or function: " + name
            )
        return Call(name, arguments)
