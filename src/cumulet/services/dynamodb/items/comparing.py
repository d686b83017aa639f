"""How attribute values compare: equality whatever the spelling, order within S, N and B."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from cumulet.services.dynamodb.items.values import Value, decode_binary

ORDERED = frozenset("SNB")
_SETS = frozenset(("SS", "NS", "BS"))
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def equal(first: Value | None, second: Value | None) -> bool:
    """Whether two checked values are the same; sets without regard to order."""
    if first is None or second is None:
        return False
    if first == second:
        return True
    ((kind, content),) = first.items()
    if kind not in second:
        return False
    other = second[kind]
    if kind in _SETS:
        return set(content) == set(other)
    if kind == "L":
        return len(content) == len(other) and all(map(equal, content, other))
    if kind == "M":
        return content.keys() == other.keys() and all(
            equal(inner, other[name]) for name, inner in content.items()
        )
    return False


def ordered_form(kind: str, content: str) -> Any:
    """What a text, number or binary sorts by; texts sort by their bytes in UTF-8."""
    if kind == "N":
        return Decimal(content)
    # Python compares texts by code point, which is the order of their UTF-8.
    return decode_binary(content) if kind == "B" else content


def compare(operator: str, first: Value | None, second: Value | None) -> bool:
    """Whether `first operator second` holds; never for different or unordered datatypes."""
    if operator == "=":
        return equal(first, second)
    if operator == "<>":
        return not equal(first, second)
    if first is None or second is None:
        return False
    ((kind, content),) = first.items()
    if kind not in ORDERED or kind not in second:
        return False
    return _ORDERS[operator](ordered_form(kind, content), ordered_form(kind, second[kind]))


def begins_with(value: Value | None, start: Value | None) -> bool:
    """Whether a text or binary begins with another."""
    if value is None or start is None:
        return False
    if "S" in value and "S" in start:
        return bool(value["S"].startswith(start["S"]))
    if "B" in value and "B" in start:
        return decode_binary(value["B"]).startswith(decode_binary(start["B"]))
    return False


def contains(value: Value | None, wanted: Value | None) -> bool:
    """Whether a text or binary has a part, or a set or list an element."""
    if value is None or wanted is None:
        return False
    ((kind, content),) = value.items()
    if kind == "S":
        return "S" in wanted and wanted["S"] in content
    if kind == "B":
        return "B" in wanted and decode_binary(wanted["B"]) in decode_binary(content)
    if kind == "L":
        return any(equal(one, wanted) for one in content)
    if kind in _SETS:
        return kind[0] in wanted and wanted[kind[0]] in content
    return False


def size_of(value: Value | None) -> Value | None:
    """What the function `size` gives: characters, bytes or elements; None where it has none."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "S":
        return {"N": str(len(content.encode()))}
    if kind == "B":
        return {"N": str(len(decode_binary(content)))}
    if kind in ("N", "BOOL", "NULL"):
        return None
    return {"N": str(len(content))}
