"""`Fn::ForEach` of the language extensions: written out before anything else is read. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import FOR_EACH_ITEMS_MAX

_LOOP = "Fn::ForEach::"
_NAME = re.compile(r"[A-Za-z0-9]+\Z")


class _Budget:
    """How much the loops of one template may still write."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = FOR_EACH_ITEMS_MAX

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _refused(f"it writes more than {FOR_EACH_ITEMS_MAX} members")


def expand_loops(raw: Mapping[str, Any], evaluate: Callable[[Any], Any]) -> dict[str, Any]:
    """The template with its loops written out; `evaluate` gives the value of a collection.

    Raises ValidationError.
    """
    budget = _Budget()
    return {name: _expanded(value, {}, evaluate, budget) for name, value in raw.items()}


def _refused(words: str) -> ValidationError:
    return ValidationError(f"Transform AWS::LanguageExtensions failed with: Fn::ForEach: {words}")


def _expanded(
    node: Any, names: Mapping[str, str], evaluate: Callable[[Any], Any], budget: _Budget
) -> Any:
    if isinstance(node, str):
        return _filled(node, names)
    if isinstance(node, list):
        return [_expanded(item, names, evaluate, budget) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and node.get("Ref") in names:
        return names[node["Ref"]]
    written: dict[str, Any] = {}
    for key, value in node.items():
        if key.startswith(_LOOP):
            members = _looped(value, names, evaluate, budget)
        else:
            members = {_filled(key, names): _expanded(value, names, evaluate, budget)}
        for name, member in members.items():
            if name in written:
                raise _refused(f"it writes {name} twice")
            written[name] = member
    return written


def _looped(
    given: Any, names: Mapping[str, str], evaluate: Callable[[Any], Any], budget: _Budget
) -> dict[str, Any]:
    if not isinstance(given, list) or len(given) != 3 or not isinstance(given[2], dict):
        raise _refused("it requires a list of an identifier, a collection and an output map")
    identifier, collection, body = given
    if not isinstance(identifier, str) or not _NAME.match(identifier) or identifier in names:
        raise _refused(f"{identifier!r} is no identifier")
    items = evaluate(_expanded(collection, names, evaluate, budget))
    if not isinstance(items, list) or not all(isinstance(item, str | int) for item in items):
        raise _refused("the collection must be a list of strings")
    written: dict[str, Any] = {}
    for item in items:
        budget.spend()
        inner = {**names, identifier: str(item)}
        for name, member in _expanded(body, inner, evaluate, budget).items():
            budget.spend()
            if name in written:
                raise _refused(f"it writes {name} twice")
            written[name] = member
    return written


def _filled(text: str, names: Mapping[str, str]) -> str:
    """`${Name}` becomes the item, `&{Name}` its letters and digits alone."""
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
        text = text.replace(f"&{{{name}}}", re.sub(r"[^A-Za-z0-9]", "", value))
    return text
