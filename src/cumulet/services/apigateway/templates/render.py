"""Rendering parsed templates, within bounds of steps and size."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cumulet.services.apigateway.templates.nodes import (
    Assign,
    Binary,
    Block,
    Call,
    Choice,
    Define,
    Expression,
    Index,
    Interpolated,
    Leave,
    ListOf,
    Literal,
    Loop,
    MapOf,
    Not,
    Property,
    RangeOf,
    Reference,
    TemplateError,
    Text,
)
from cumulet.services.apigateway.templates.values import (
    TEXT_LENGTH_MAX,
    call_method,
    equal,
    is_true,
    read_index,
    read_property,
    to_text,
)

STEPS_MAX = 500_000
"""Nodes and values that one rendering may visit."""

RENDER_SECONDS_MAX = 1.0
"""Of one rendering. Ours; templates take a thousandth of it."""

ITERATIONS_MAX = 1_000
"""Of one `#foreach`:
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""


class _Break(Exception):
    """Leaves the innermost loop."""


class _Stop(Exception):
    """Leaves the template."""


@dataclass(slots=True)
class _Defined:
    block: Block


def render(block: Block, variables: dict[str, Any]) -> str:
    """The template's text. `variables` gets what the template assigns. Raises TemplateError."""
    rendering = _Rendering(variables)
    try:
        rendering.write(block)
    except (_Stop, _Break):
        pass
    except RecursionError as cause:
        raise TemplateError("the template calls itself too deeply") from cause
    return "".join(rendering.out)


class _Rendering:
    """One rendering: its variables, what it has written, and what it may still do."""

    def __init__(self, variables: dict[str, Any]) -> None:
        self.variables = variables
        self.out: list[str] = []
        self._room = TEXT_LENGTH_MAX
        self._steps = STEPS_MAX
        self._until = time.perf_counter() + RENDER_SECONDS_MAX

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise TemplateError(f"the template takes more than {STEPS_MAX} steps")

    def _check_time(self) -> None:
        """Calls may take long, as on texts of megabytes: they are held to the clock."""
        if time.perf_counter() > self._until:
            raise TemplateError(f"the template takes more than {RENDER_SECONDS_MAX} s")

    def _write_text(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            raise TemplateError(f"the template writes more than {TEXT_LENGTH_MAX} characters")
        self.out.append(text)

    def write(self, block: Block) -> None:
        """Render the nodes one after the other."""
        for node in block:
            self._step()
            match node:
                case Text(text):
                    self._write_text(text)
                case Reference():
                    value = self.value(node)
                    self._write_text(value if type(value) is str else to_text(value))
                case Assign(target, expression):
                    self._assign(target, self.value(expression))
                case Choice(branches):
                    for condition, inner in branches:
                        if condition is None or is_true(self.value(condition)):
                            self.write(inner)
                            break
                case Loop():
                    self._loop(node)
                case Define(name, inner):
                    self.variables[name] = _Defined(inner)
                case Leave(whole):
                    raise _Stop if whole else _Break

    def _loop(self, loop: Loop) -> None:
        items = list(_items_of(self.value(loop.items)))
        names = (loop.name, "foreach", "velocityCount", "velocityHasNext")
        outer = {name: self.variables[name] for name in names if name in self.variables}
        try:
            for index, item in enumerate(items[:ITERATIONS_MAX]):
                has_next = index + 1 < len(items)
                self.variables[loop.name] = item
                self.variables["velocityCount"] = index + 1
                self.variables["velocityHasNext"] = has_next
                self.variables["foreach"] = {
                    "index": index,
                    "count": index + 1,
                    "hasNext": has_next,
                    "first": index == 0,
                    "last": not has_next,
                    "parent": outer.get("foreach"),
                }
                self.write(loop.block)
        except _Break:
            pass
        finally:
            for name in names:
                self.variables.pop(name, None)
            self.variables.update(outer)

    def _assign(self, target: Reference, value: Any) -> None:
        if not target.steps:
            self.variables[target.name] = value
            return
        *way, last = target.steps
        owner = self.value(Reference(target.name, tuple(way)))
        match last:
            case Property(name):
                key: Any = name
            case Index(expression):
                key = self.value(expression)
            case _:
                raise TemplateError("a call cannot be assigned to")
        if isinstance(owner, dict):
            owner[key if isinstance(key, (str, int)) else to_text(key)] = value
        elif isinstance(owner, list) and isinstance(key, int) and -len(owner) <= key < len(owner):
            owner[key] = value

    def value(self, expression: Expression) -> Any:
        """What an expression comes to; None when it comes to nothing."""
        self._step()
        match expression:
            case Literal(value):
                return value
            case Reference():
                return self._resolve(expression)
            case Interpolated(block):
                return self._text_of(block)
            case Binary():
                return self._binary(expression)
            case Not(inner):
                return not is_true(self.value(inner))
            case ListOf(items):
                return [self.value(item) for item in items]
            case MapOf(items):
                return {to_text(self.value(key)): self.value(item) for key, item in items}
            case RangeOf(first, last):
                return self._range(self.value(first), self.value(last))

    def _text_of(self, block: Block) -> str:
        outer, self.out = self.out, []
        room = self._room
        try:
            self.write(block)
            return "".join(self.out)
        finally:
            self.out, self._room = outer, room

    def _resolve(self, reference: Reference) -> Any:
        value = self.variables.get(reference.name)
        if isinstance(value, _Defined):
            value = self._text_of(value.block)
        for step in reference.steps:
            if value is None:
                return None
            match step:
                case Property(name):
                    value = read_property(value, name)
                case Index(expression):
                    value = read_index(value, self.value(expression))
                case Call(name, arguments):
                    self._check_time()
                    value = call_method(value, name, [self.value(item) for item in arguments])
        return value

    def _range(self, first: Any, last: Any) -> list[int] | None:
        if not (isinstance(first, int) and isinstance(last, int)):
            return None
        if abs(last - first) >= STEPS_MAX:
            raise TemplateError("the range is too long")
        return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))

    def _binary(self, node: Binary) -> Any:
        left = self.value(node.left)
        if node.operator == "||":
            return is_true(left) or is_true(self.value(node.right))
        if node.operator == "&&":
            return is_true(left) and is_true(self.value(node.right))
        right = self.value(node.right)
        if node.operator in ("==", "!="):
            return equal(left, right) == (node.operator == "==")
        if node.operator in ("<", ">", "<=", ">="):
            return _compare(node.operator, left, right)
        return _calculate(node.operator, left, right)


def _items_of(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _compare(operator: str, left: Any, right: Any) -> bool:
    if not (_is_number(left) and _is_number(right)):
        return False
    match operator:
        case "<":
            return bool(left < right)
        case ">":
            return bool(left > right)
        case "<=":
            return bool(left <= right)
    return bool(left >= right)


def _calculate(operator: str, left: Any, right: Any) -> Any:
    if not (_is_number(left) and _is_number(right)):
        if operator != "+" or left is None or right is None:
            return None
        text = to_text(left) + to_text(right)
        if len(text) > TEXT_LENGTH_MAX:
            raise TemplateError(f"a text is longer than {TEXT_LENGTH_MAX} characters")
        return text
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            if max(abs(left), abs(right)) > 1 << 64:
                return None
            return left * right
    if right == 0:
        return None
    if operator == "/":
        if isinstance(left, int) and isinstance(right, int):
            quotient = abs(left) // abs(right)
            return quotient if (left < 0) == (right < 0) else -quotient
        return left / right
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder
