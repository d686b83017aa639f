"""What update expressions and `AttributeUpdates` do to an item: pure, reading only what was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.evaluating import Items, follow, read_path
from cumulet.services.dynamodb.expressions.tree import Action, Call, Operand, Path, Sum, ValueRef
from cumulet.services.dynamodb.items.numbers import add_numbers
from cumulet.services.dynamodb.items.values import Item, Value

Give = Callable[[Items, Items], Value]
_SETS = ("SS", "NS", "BS")

_MISSING = "The provided expression refers to an attribute that does not exist in the item"
_PATH = "The document path provided in the update expression is invalid for update"
_OPERAND = "An operand in the update expression has an incorrect data type"
_KIND = "Type mismatch for attribute to update"


class Update:
    """The actions of an update, ready to be applied to items.

    One that only takes away makes no item where there is none: `makes_items` is False then.
    """

    __slots__ = ("_plans", "makes_items", "paths")

    def __init__(self, actions: Sequence[Action]) -> None:
        self.paths = tuple(action.path for action in actions)
        self.makes_items = any(action.section in ("SET", "ADD") for action in actions)
        ordered = sorted(actions, key=_when)
        self._plans = [
            (action, None if action.operand is None else _make_give(action.operand))
            for action in ordered
        ]

    def apply(self, old: Items, key: Items, values: Items) -> Item:
        """The item that comes of `old`, which is left as it is; `key` is what a new one begins as.

        Raises ValidationException.
        """
        given = [give(old, values) if give is not None else None for _, give in self._plans]
        new: Item = dict(old) if old else dict(key)
        copied: set[str] = set()
        for (action, _), value in zip(self._plans, given, strict=True):
            first = str(action.path.parts[0])
            if len(action.path.parts) > 1 and first not in copied and first in new:
                new[first] = _copy(new[first])
                copied.add(first)
            _ACTIONS[action.section](new, action.path.parts, value)
        return new


def _when(action: Action) -> tuple[int, tuple[int, ...]]:
    """Values are set before others go; of a list the last element goes first, and comes last."""
    places = tuple(part for part in action.path.parts if isinstance(part, int))
    if action.section == "REMOVE":
        return 1, tuple(-place for place in places)
    return 0, places if action.section == "SET" else ()


def _copy(value: Value) -> Value:
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": {name: _copy(inner) for name, inner in content.items()}}
    if kind == "L":
        return {"L": [_copy(inner) for inner in content]}
    return {kind: list(content) if kind in _SETS else content}


def _make_give(operand: Operand) -> Give:
    match operand:
        case ValueRef(name):
            return lambda item, values: values[name]
        case Path(parts):
            return _give_path(parts)
        case Call("if_not_exists", (Path(parts), other)):
            return _give_either(parts, _make_give(other))
        case Call("list_append", (first, second)):
            return _give_joined(_make_give(first), _make_give(second))
        case Sum(operator, left, right):
            return _give_sum(operator, _make_give(left), _make_give(right))
    raise ValueError("an operand that no update has")


def _give_path(parts: tuple[str | int, ...]) -> Give:
    read = read_path(parts)

    def give(item: Items, values: Items) -> Value:
        value = read(item, values)
        if value is None:
            raise ValidationException(_MISSING)
        return value

    return give


def _give_either(parts: tuple[str | int, ...], other: Give) -> Give:
    read = read_path(parts)

    def give(item: Items, values: Items) -> Value:
        value = read(item, values)
        return other(item, values) if value is None else value

    return give


def _give_joined(first: Give, second: Give) -> Give:
    def give(item: Items, values: Items) -> Value:
        one, other = first(item, values).get("L"), second(item, values).get("L")
        if one is None or other is None:
            raise ValidationException(_OPERAND)
        return {"L": [*one, *other]}

    return give


def _give_sum(operator: str, left: Give, right: Give) -> Give:
    def give(item: Items, values: Items) -> Value:
        one, other = left(item, values).get("N"), right(item, values).get("N")
        if one is None or other is None:
            raise ValidationException(_OPERAND)
        return {"N": add_numbers(one, other, subtract=operator == "-")}

    return give


def _parent(item: Item, parts: tuple[str | int, ...]) -> Any:
    """The map or list that holds the last part. Raises ValidationException when there is none."""
    if len(parts) == 1:
        return item
    first, middle, last = parts[0], parts[1:-1], parts[-1]
    value = follow(item.get(str(first)), middle)
    inside = None if value is None else value.get("L" if isinstance(last, int) else "M")
    if inside is None:
        raise ValidationException(_PATH)
    return inside


def _set(item: Item, parts: tuple[str | int, ...], value: Value | None) -> None:
    assert value is not None
    parent, last = _parent(item, parts), parts[-1]
    if isinstance(last, int):
        if last < len(parent):
            parent[last] = value
        else:
            parent.append(value)
        return
    parent[last] = value


def _remove(item: Item, parts: tuple[str | int, ...], value: Value | None) -> None:
    parent, last = _parent(item, parts), parts[-1]
    if isinstance(last, int):
        if last < len(parent):
            del parent[last]
        return
    parent.pop(last, None)


def _add(item: Item, parts: tuple[str | int, ...], value: Value | None) -> None:
    assert value is not None
    old = _existing(item, parts)
    ((kind, content),) = value.items()
    if old is None:
        _set(item, parts, value)
        return
    if kind not in old:
        raise ValidationException(_OPERAND)
    if kind == "N":
        _set(item, parts, {"N": add_numbers(old["N"], content)})
        return
    present = set(old[kind])
    _set(item, parts, {kind: [*old[kind], *(one for one in content if one not in present)]})


def _delete(item: Item, parts: tuple[str | int, ...], value: Value | None) -> None:
    assert value is not None
    old = _existing(item, parts)
    if old is None:
        return
    ((kind, content),) = value.items()
    if kind not in old:
        raise ValidationException(_OPERAND)
    gone = set(content)
    left = [one for one in old[kind] if one not in gone]
    if left:
        _set(item, parts, {kind: left})
    else:
        _remove(item, parts, None)


def _existing(item: Item, parts: tuple[str | int, ...]) -> Value | None:
    parent, last = _parent(item, parts), parts[-1]
    if isinstance(last, int):
        found: Value | None = parent[last] if last < len(parent) else None
        return found
    value: Value | None = parent.get(last)
    return value


_ACTIONS: dict[str, Callable[[Item, tuple[str | int, ...], Value | None], None]] = {
    "SET": _set,
    "REMOVE": _remove,
    "ADD": _add,
    "DELETE": _delete,
}


class LegacyUpdate:
    """`AttributeUpdates`: one PUT, ADD or DELETE for each top-level attribute."""

    __slots__ = ("_changes", "makes_items", "paths")

    def __init__(self, changes: dict[str, tuple[str, Value | None]]) -> None:
        self._changes = changes
        self.makes_items = not changes or any(one != "DELETE" for one, _ in changes.values())
        self.paths = tuple(Path((name,)) for name in changes)

    def apply(self, old: Items, key: Items, values: Items) -> Item:
        """See `Update`."""
        new: Item = dict(old) if old else dict(key)
        for name, (action, value) in self._changes.items():
            if action == "PUT":
                _set(new, (name,), value)
            elif action == "ADD":
                _add_legacy(new, name, value)
            elif value is None:
                new.pop(name, None)
            else:
                _delete_legacy(new, name, value)
        return new


def _add_legacy(item: Item, name: str, value: Value | None) -> None:
    assert value is not None
    old = item.get(name)
    if old is not None and "L" in old and "L" in value:
        item[name] = {"L": [*old["L"], *value["L"]]}
        return
    if old is not None and next(iter(value)) not in old:
        raise ValidationException(_KIND)
    _add(item, (name,), value)


def _delete_legacy(item: Item, name: str, value: Value) -> None:
    old = item.get(name)
    if old is not None and next(iter(value)) not in old:
        raise ValidationException(_KIND)
    _delete(item, (name,), value)
