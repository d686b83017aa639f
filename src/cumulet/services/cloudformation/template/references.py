"""Which names a template refers to: the ground of dependencies and of validation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.declaration import ResourceDeclaration, Template
from cumulet.services.cloudformation.template.functions import SUB_PLACE, error

_PSEUDO_NAMES = "AccountId NoValue NotificationARNs Partition Region StackId StackName URLSuffix"
PSEUDO = frozenset(f"AWS::{name}" for name in _PSEUDO_NAMES.split())


def references(node: Any, conditions: Mapping[str, bool] | None = None) -> set[str]:
    """Every name in `Ref`, `Fn::GetAtt` and `Fn::Sub` under `node`.

    With `conditions`, only the branch of `Fn::If` that holds is looked at.
    """
    return set(_names(node, conditions))


def _names(node: Any, conditions: Mapping[str, bool] | None) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _names(item, conditions)
    elif isinstance(node, dict):
        if len(node) == 1:
            ((name, given),) = node.items()
            if name in ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::If"):
                yield from _of_function(name, given, conditions)
                return
        for value in node.values():
            yield from _names(value, conditions)


def _of_function(name: str, given: Any, conditions: Mapping[str, bool] | None) -> Iterator[str]:
    if name == "Ref" and isinstance(given, str):
        yield given
    elif name == "Fn::GetAtt" and isinstance(given, str):
        yield given.split(".", 1)[0]
    elif name == "Fn::GetAtt" and isinstance(given, list) and given:
        if isinstance(given[0], str):
            yield given[0]
        yield from _names(given[1:], conditions)
    elif name == "Fn::Sub":
        yield from _in_sub(given, conditions)
    elif name == "Fn::If" and isinstance(given, list) and len(given) == 3:
        if conditions is None or given[0] not in conditions:
            yield from _names(given[1:], conditions)
        else:
            yield from _names(given[1] if conditions[given[0]] else given[2], conditions)
    else:
        yield from _names(given, conditions)


def _in_sub(given: Any, conditions: Mapping[str, bool] | None) -> Iterator[str]:
    text, own = given, {}
    if isinstance(given, list) and len(given) == 2 and isinstance(given[1], dict):
        text, own = given
        yield from _names(own, conditions)
    if isinstance(text, str):
        for match in SUB_PLACE.finditer(text):
            name = match[1]
            if not name.startswith("!") and name not in own:
                yield name.split(".", 1)[0]


def dependencies(
    resource: ResourceDeclaration, active: frozenset[str], conditions: Mapping[str, bool]
) -> frozenset[str]:
    """The resources that must exist before this one: by DependsOn, and by reference."""
    found = references([resource.properties, resource.metadata], conditions)
    return frozenset((found | set(resource.depends_on)) & active)


def validate_names(template: Template) -> None:
    """Refuse a template in which a reference leads nowhere. Raises ValidationError."""
    known = template.parameters.keys() | template.resources.keys() | PSEUDO
    _validate_section(
        "Resources",
        [[resource.properties, resource.metadata] for resource in template.resources.values()],
        known,
        set().union(*(resource.depends_on for resource in template.resources.values())),
    )
    _validate_section(
        "Outputs",
        [[output.value, output.export_name] for output in template.outputs.values()],
        known,
        set(),
    )
    for resource in template.resources.values():
        _require_condition(resource.condition, template)
    for output in template.outputs.values():
        _require_condition(output.condition, template)
    for group in (template.parameters, template.resources):
        reserved = sorted(name for name in group if name.startswith("AWS::"))
        if reserved:
            raise ValidationError(f"Template format error: {reserved[0]} is a reserved name.")


def _validate_section(
    name: str, nodes: list[Any], known: set[str] | frozenset[str], more: set[str]
) -> None:
    for referred in _attribute_owners(nodes):
        if referred not in known:
            raise error(f"instance of Fn::GetAtt references undefined resource {referred}")
    missing = sorted((references(nodes) | more) - set(known))
    if missing:
        raise ValidationError(
            f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in "
            f"the {name} block of the template"
        )


def _attribute_owners(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _attribute_owners(item)
    elif isinstance(node, dict):
        given = node.get("Fn::GetAtt") if len(node) == 1 else None
        if isinstance(given, str):
            yield given.split(".", 1)[0]
        elif isinstance(given, list) and given and isinstance(given[0], str):
            yield given[0]
        else:
            for value in node.values():
                yield from _attribute_owners(value)


def _require_condition(name: str | None, template: Template) -> None:
    if name is not None and name not in template.conditions:
        raise ValidationError(f"Template format error: Unresolved condition dependency {name}")


def imported_names(node: Any) -> list[Any]:
    """The arguments of every `Fn::ImportValue` under `node`, not evaluated."""
    found: list[Any] = []
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            if len(item) == 1 and "Fn::ImportValue" in item:
                found.append(item["Fn::ImportValue"])
            stack.extend(item.values())
    return found
