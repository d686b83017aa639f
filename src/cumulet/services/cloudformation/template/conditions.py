"""Conditions: from the Conditions section to what is true for this stack. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.functions import error, evaluate
from cumulet.services.cloudformation.template.scene import Scene
from cumulet.services.cloudformation.template.values import Unknown, as_text, unknown_in

_WORDS = {
    "Fn::And": "every Fn::And object requires a list of at least 2 and at most 10 boolean "
    "parameters.",
    "Fn::Or": "every Fn::Or object requires a list of at least 2 and at most 10 boolean "
    "parameters.",
    "Fn::Not": "every Fn::Not object requires one boolean parameter.",
    "Fn::Equals": "every Fn::Equals object requires a list of 2 string parameters.",
}


def evaluate_conditions(declared: Mapping[str, Any], scene: Scene) -> dict[str, bool]:
    """The truth of every condition. Raises ValidationError for cycles and unknown names.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
    """
    known: dict[str, bool] = {}
    for name in declared:
        _named(name, declared, scene, known, ())
    return known


def _named(
    name: str,
    declared: Mapping[str, Any],
    scene: Scene,
    known: dict[str, bool],
    path: tuple[str, ...],
) -> bool:
    if name in known:
        return known[name]
    if name not in declared:
        where = f" in {path[-1]}" if path else ""
        raise ValidationError(
            f"Template format error: Unresolved condition dependency {name}{where}"
        )
    if name in path:
        raise ValidationError(
            f"Circular dependency between conditions: [{', '.join(path[path.index(name) :])}]"
        )
    known[name] = _truth(declared[name], declared, scene, known, (*path, name))
    return known[name]


def _truth(
    node: Any,
    declared: Mapping[str, Any],
    scene: Scene,
    known: dict[str, bool],
    path: tuple[str, ...],
) -> bool:
    if isinstance(node, bool) or node in ("true", "false"):
        return node in (True, "true")
    if not isinstance(node, dict) or len(node) != 1:
        raise ValidationError(
            f"Template format error: Every Conditions member must be a condition: {path[-1]}"
        )
    ((function, given),) = node.items()
    if function == "Condition":
        return _named(str(given), declared, scene, known, path)
    listed = given if isinstance(given, list) else []
    if function == "Fn::Equals" and len(listed) == 2:
        left, right = (_plain(part, scene, known) for part in listed)
        return bool(left == right)
    if function == "Fn::Not" and len(listed) == 1:
        return not _truth(listed[0], declared, scene, known, path)
    if function in ("Fn::And", "Fn::Or") and 2 <= len(listed) <= 10:
        truths = [_truth(item, declared, scene, known, path) for item in listed]
        return all(truths) if function == "Fn::And" else any(truths)
    raise error(_WORDS.get(function, f"{function} is not a condition function."))


def _plain(node: Any, scene: Scene, known: Mapping[str, bool]) -> Any:
    value = evaluate(node, replace(scene, declared=frozenset(), conditions=known))
    if isinstance(value, Unknown) or unknown_in(value) is not None:
        raise error("a condition must not depend on resources.")
    text = as_text(value)
    return value if text is None else text
