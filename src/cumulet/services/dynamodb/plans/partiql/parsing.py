"""Statements: SELECT, INSERT, UPDATE, DELETE, and EXISTS in transactions."""

from __future__ import annotations

from functools import lru_cache

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.tree import (
    Action,
    Call,
    Condition,
    Operand,
    Path,
    Sum,
    ValueRef,
)
from cumulet.services.dynamodb.limits import EXPRESSIONS_KEPT_MAX
from cumulet.services.dynamodb.plans.partiql.conditions import ConditionReading
from cumulet.services.dynamodb.plans.partiql.reading import LEFTOVER
from cumulet.services.dynamodb.plans.partiql.tree import (
    Body,
    Change,
    Delete,
    Given,
    Insert,
    Order,
    Select,
    Source,
    Statement,
)
from cumulet.services.dynamodb.plans.partiql.words import Word, malformed

_RETURNED = {("ALL", "OLD"), ("ALL", "NEW"), ("MODIFIED", "OLD"), ("MODIFIED", "NEW")}
_ADDING = {"set_add": "ADD", "set_delete": "DELETE"}


@lru_cache(EXPRESSIONS_KEPT_MAX)
def parse_statement(text: str) -> Statement:
    """Read a statement. Raises ValidationException."""
    return _StatementReading(text).read()


class _StatementReading(ConditionReading):
    """A statement being read; `_is_setting` while the right side of SET is."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._is_setting = False

    def read(self) -> Statement:
        body = self._body()
        if self.word.kind != "end":
            raise malformed(LEFTOVER)
        return Statement(body, self.values, self.parameters, tuple(self.sets))

    def _body(self) -> Body:
        if self.take_keyword("SELECT"):
            return self._select()
        if self.take_keyword("INSERT", "INTO"):
            return self._insert()
        if self.take_keyword("UPDATE"):
            return self._update()
        if self.take_keyword("DELETE", "FROM"):
            source = self._source()
            return Delete(source, self._where(), self._returning(("ALL", "OLD")))
        if self.take_keyword("EXISTS"):
            self.need("(")
            self.need_keyword("SELECT")
            found = self._select()
            self.need(")")
            return Select(found.source, found.paths, found.where, found.orders, is_check=True)
        raise malformed("Expected data manipulation")

    def _source(self, *, has_alias: bool = True) -> Source:
        word = self.word
        if word.kind != "name":
            raise malformed("Expected identifier for simple path")
        table = self.name()
        index = self.name() if self.take(".") else None
        if has_alias and (self.word.kind == "name" or self.take_keyword("AS")):
            raise ValidationException("Aliasing is not supported")
        return Source(table, index)

    def _where(self) -> Condition | None:
        return self.condition() if self.take_keyword("WHERE") else None

    def _select(self) -> Select:
        paths: list[Path] | None = None
        if not self.take("*"):
            paths = [self._shown()]
            while self.take(","):
                paths.append(self._shown())
        self.need_keyword("FROM")
        source = self._source()
        where = self._where()
        orders: list[Order] = []
        if self.take_keyword("ORDER", "BY"):
            orders.append(self._order())
            while self.take(","):
                orders.append(self._order())
        return Select(source, None if paths is None else tuple(paths), where, tuple(orders))

    def _shown(self) -> Path:
        word = self.word
        following = self.words[min(self.at + 1, len(self.words) - 1)]
        if word.kind == "name" and following.kind == "sign" and following.value == "(":
            raise ValidationException(f"Unexpected path component {self.told(word)}")
        return self.path()

    def _order(self) -> Order:
        name = self.name()
        is_descending = self.take_keyword("DESC")
        if not is_descending:
            self.take_keyword("ASC")
        return Order(name, is_descending)

    def _insert(self) -> Insert:
        source = self._source(has_alias=False)
        if source.index is not None:
            raise malformed("Expected VALUE")
        if not self.take_keyword("VALUE"):
            raise malformed(LEFTOVER if self.word.kind == "name" else "Expected VALUE")
        item = self.literal(is_item=True)
        if not isinstance(item, Given) and "M" not in item:
            raise ValidationException("The VALUE of an INSERT must be a tuple: {'name': value}")
        return Insert(source, item)

    def _update(self) -> Change:
        source = self._source()
        actions: list[Action] = []
        while True:
            if self.take_keyword("SET"):
                actions.append(self._set())
                while self.take(","):
                    actions.append(self._set())
            elif self.take_keyword("REMOVE"):
                actions.append(Action("REMOVE", self.path()))
                while self.take(","):
                    actions.append(Action("REMOVE", self.path()))
            else:
                break
        if not actions:
            raise malformed("Expected SET or REMOVE")
        return Change(source, tuple(actions), self._where(), self._returning(*_RETURNED))

    def _returning(self, *allowed: tuple[str, str]) -> str:
        if not self.take_keyword("RETURNING"):
            return ""
        first, second = self.word, self.words[min(self.at + 1, len(self.words) - 1)]
        found = (first.value.upper(), second.value.upper())
        if found not in allowed:
            raise malformed("Unsupported RETURNING clause")
        self.at += 2
        self.need("*")
        return "_".join(found)

    def _set(self) -> Action:
        path = self.path()
        self.need("=")
        word = self.word
        if word.kind == "name" and word.value.lower() in _ADDING:
            return self._set_action(path, word)
        self._is_setting = True
        left = self._operand()
        operator = self.take("+", "-")
        operand = Sum(operator, left, self._operand()) if operator else left
        self._is_setting = False
        return Action("SET", path, operand)

    def _operand(self) -> Operand:
        if self.take("("):
            self.enter()
            found = self._operand()
            operator = self.take("+", "-")
            if operator:
                found = Sum(operator, found, self._operand())
            self.need(")")
            self.leave()
            return found
        operand = self.operand()
        if isinstance(operand, Path | ValueRef | Call):
            return operand
        raise malformed("unexpected term")

    def _set_action(self, path: Path, word: Word) -> Action:
        self.at += 1
        self.need("(")
        name, section = word.value.upper(), _ADDING[word.value.lower()]
        arguments, begins = self.arguments()
        if len(arguments) != 2:
            raise ValidationException(f"{name} must have exactly two arguments {self.told(word)}")
        first, second = arguments
        if not isinstance(first, Path) or first.parts != path.parts:
            raise ValidationException(
                f"The first argument to {name} must equal the assignment value {self.told(word)}"
            )
        said = f"The second argument to {name} must be a value with type SET {self.told(begins[0])}"
        if not isinstance(second, ValueRef):
            raise ValidationException(said)
        self.sets.append((second.name, said))
        return Action(section, path, second)

    def call(self, word: Word) -> Operand | Condition:
        """See `Reading`."""
        counts = {"list_append": 2, "if_not_exists": 2}
        name = word.value.lower()
        if not self._is_setting or name not in counts:
            return super().call(word)
        arguments, _ = self.arguments()
        if len(arguments) != counts[name]:
            raise ValidationException(
                "Incorrect number of operands for operator or function; operator or function: "
                f"{name}, number of operands: {len(arguments)}"
            )
        if name == "if_not_exists" and not isinstance(arguments[0], Path):
            raise ValidationException(
                "Operator or function requires a document path; operator or function: " + name
            )
        return Call(name, arguments)
