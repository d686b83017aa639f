"""Update expressions: their grammar, and what is refused in them. How they act is in `acting`."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.services.dynamodb.expressions.conditions import FUNCTIONS, Check, Values
from cumulet.services.dynamodb.expressions.reading import Reading, find_overlap
from cumulet.services.dynamodb.expressions.tree import Action, Call, Operand, Path, Sum, ValueRef
from cumulet.services.dynamodb.items.values import kind_of

_SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")
_FUNCTIONS = {"if_not_exists": 2, "list_append": 2}
_SPELT = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "NULL": "NULL",
    "BOOL": "BOOLEAN",
    "L": "LIST",
    "M": "MAP",
}


class UpdateReading(Reading):
    """An update expression being read."""

    words = frozenset(_SECTIONS)

    def __init__(self, parameter: str, text: str, names: Mapping[str, str]) -> None:
        super().__init__(parameter, text, names)
        self._late: list[tuple[int, Check]] = []

    @property
    def late(self) -> tuple[Check, ...]:
        """The checks that need the values."""
        return tuple(check for _, check in sorted(self._late, key=lambda pair: pair[0]))

    def read(self) -> list[Action]:
        """The actions, in order. Raises ValidationException."""
        actions: list[Action] = []
        seen: set[str] = set()
        while section := self.is_word(*_SECTIONS):
            self.at += 1
            if section in seen:
                self.note(
                    "section",
                    f'The "{section}" section can only be used once in an update expression;',
                )
            seen.add(section)
            actions.append(self._action(section))
            while self.take_sign(","):
                actions.append(self._action(section))
        if not actions:
            raise self.fail()
        overlap = find_overlap([action.path for action in actions])
        if overlap is not None:
            self._late.append((0, lambda values: overlap))
        self.finish()
        return actions

    def _action(self, section: str) -> Action:
        path = self.path()
        if section == "REMOVE":
            return Action(section, path)
        if section == "SET":
            self.need_sign("=")
            self.count_operator()
            return Action(section, path, self._value())
        token = self.token
        if token.kind != "value":
            raise self.fail()
        operand = self.operand()
        assert isinstance(operand, ValueRef)
        self._late.append((1, lambda values: _wrong_change(section, operand, values)))
        return Action(section, path, operand)

    def _value(self) -> Operand:
        if self.take_sign("("):
            self.enter()
            inner = self._value()
            self.need_sign(")")
            self.leave()
            return self._sum(inner)
        return self._sum(self.operand())

    def _sum(self, left: Operand) -> Operand:
        for operator in ("+", "-"):
            if not isinstance(left, Sum) and self.take_sign(operator):
                self.count_operator()
                right = self.argument()
                self._refuse_other_than("N", operator, left, right)
                return Sum(operator, left, right)
        return left

    def check_call(self, call: Call) -> None:
        """See `Reading`."""
        count = _FUNCTIONS.get(call.name)
        if call.name in FUNCTIONS:
            self.note(
                "misused",
                f"The function is not allowed in an update expression; function: {call.name}",
            )
            return
        if count is None:
            self.note("unknown", f"Invalid function name; function: {call.name}")
            return
        if call.name == "list_append" and any(
            isinstance(one, Call) and one.name == "list_append" for one in call.arguments
        ):
            self.note(
                "misused",
                "The function is not allowed to be used this way in an expression; "
                "function: list_append",
            )
        if count != len(call.arguments):
            said = (
                "Incorrect number of operands for operator or function; operator or function: "
                f"{call.name}, number of operands: {len(call.arguments)}"
            )
            self._late.append((2, lambda values: said))
        elif call.name == "list_append":
            self._refuse_other_than("L", "list_append", *call.arguments)
        elif not isinstance(call.arguments[0], Path):
            self._late.append(
                (
                    2,
                    lambda values: (
                        "Operator or function requires a document path; "
                        f"operator or function: {call.name}"
                    ),
                )
            )

    def _refuse_other_than(self, wanted: str, name: str, *operands: Operand) -> None:
        def check(values: Values) -> str | None:
            for operand in operands:
                kind = _known_kind(operand, values)
                if kind is not None and kind != wanted:
                    return (
                        "Incorrect operand type for operator or function; operator or function: "
                        f"{name}, operand type: {kind}"
                    )
            return None

        self._late.append((2, check))


def _known_kind(operand: Operand, values: Values) -> str | None:
    match operand:
        case ValueRef(name):
            return kind_of(values[name])
        case Call("list_append"):
            return "L"
        case Sum():
            return "N"
    return None


def _wrong_change(section: str, operand: ValueRef, values: Values) -> str | None:
    kind = kind_of(values[operand.name])
    told = _SPELT.get(kind)
    if told is None or (section == "ADD" and kind == "N"):
        return None
    return (
        f"Incorrect operand type for operator or function; operator: {section}, "
        f"operand type: {told}"
    )
