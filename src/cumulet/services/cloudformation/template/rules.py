"""The Rules section: assertions on parameters before anything is made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.declaration import Template
from cumulet.services.cloudformation.template.functions import error, evaluate
from cumulet.services.cloudformation.template.scene import Scene
from cumulet.services.cloudformation.template.values import as_text


def check_rules(template: Template, scene: Scene) -> None:
    """Raise ValidationError for the assertions that do not hold.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
    """
    broken: list[str] = []
    for name, rule in template.rules.items():
        if not isinstance(rule, dict) or not isinstance(rule.get("Assertions"), list):
            raise ValidationError(
                f"Template format error: [/Rules/{name}] Every Rules member must contain a list "
                "of Assertions"
            )
        condition = rule.get("RuleCondition", True)
        if condition is not True and not _truth(condition, template, scene):
            continue
        for assertion in rule["Assertions"]:
            if not _truth(assertion.get("Assert"), template, scene):
                words = assertion.get("AssertDescription") or "the assertion is false"
                broken.append(f"Rule {name} failed: {words}")
    if broken:
        raise ValidationError(f"Template error: rules failed. {' '.join(broken)}")


def _truth(node: Any, template: Template, scene: Scene) -> bool:
    value = _value(node, template, scene)
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise error("an assertion in Rules must be true or false.")


def _value(node: Any, template: Template, scene: Scene) -> Any:
    if isinstance(node, dict) and len(node) == 1:
        ((name, given),) = node.items()
        function = _FUNCTIONS.get(name)
        if function is not None:
            return function(given, template, scene)
    if isinstance(node, list):
        return [_value(item, template, scene) for item in node]
    return evaluate(node, scene)


def _arguments(name: str, given: Any, count: int, template: Template, scene: Scene) -> list[Any]:
    if not isinstance(given, list) or len(given) != count:
        raise error(f"{name} requires a list of {count} parameters")
    return [_value(item, template, scene) for item in given]


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text for item in listed if (text := as_text(item)) is not None]


def _not(given: Any, template: Template, scene: Scene) -> bool:
    listed = given if isinstance(given, list) else [given]
    if len(listed) != 1:
        raise error("every Fn::Not object requires one boolean parameter.")
    return not _truth(listed[0], template, scene)


def _and(given: Any, template: Template, scene: Scene) -> bool:
    return all(_truth(item, template, scene) for item in given)


def _or(given: Any, template: Template, scene: Scene) -> bool:
    return any(_truth(item, template, scene) for item in given)


def _equals(given: Any, template: Template, scene: Scene) -> bool:
    left, right = _arguments("Fn::Equals", given, 2, template, scene)
    return bool(left == right) or _texts(left) == _texts(right) != []


def _contains(given: Any, template: Template, scene: Scene) -> bool:
    items, value = _arguments("Fn::Contains", given, 2, template, scene)
    return as_text(value) in _texts(items)


def _each_member_equals(given: Any, template: Template, scene: Scene) -> bool:
    items, value = _arguments("Fn::EachMemberEquals", given, 2, template, scene)
    return all(item == as_text(value) for item in _texts(items))


def _each_member_in(given: Any, template: Template, scene: Scene) -> bool:
    items, allowed = _arguments("Fn::EachMemberIn", given, 2, template, scene)
    return set(_texts(items)) <= set(_texts(allowed))


def _ref_all(given: Any, template: Template, scene: Scene) -> list[str]:
    """The values of every parameter of one type."""
    return [
        text
        for name, declared in template.parameters.items()
        if declared.type == given
        for text in _texts(scene.values[name])
    ]


def _value_of(given: Any, template: Template, scene: Scene) -> Any:
    raise error("Fn::ValueOf asks for attributes of EC2 resources, which do not exist here.")


_FUNCTIONS: Mapping[str, Callable[[Any, Template, Scene], Any]] = {
    "Fn::And": _and,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
    "Fn::Equals": _equals,
    "Fn::Not": _not,
    "Fn::Or": _or,
    "Fn::RefAll": _ref_all,
    "Fn::ValueOf": _value_of,
    "Fn::ValueOfAll": _value_of,
}
