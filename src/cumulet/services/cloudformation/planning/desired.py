"""What a resource is to be: its declaration evaluated and held against its type. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.kit.resource_schema import PropertyError, checked
from cumulet.kit.resources import Kind, ResourceType, ResourceTypes
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.declaration import ResourceDeclaration, Template
from cumulet.services.cloudformation.template.functions import evaluate
from cumulet.services.cloudformation.template.references import dependencies
from cumulet.services.cloudformation.template.scene import Scene
from cumulet.services.cloudformation.template.values import Unknown


@dataclass(frozen=True, slots=True)
class Desired:
    """A resource as it is to be; properties may hold `Unknown`."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    metadata: Any
    depends_on: frozenset[str]
    deletion_policy: str
    update_replace_policy: str


def is_open(value: Any) -> bool:
    """Whether a value is not known yet, or is looked up only when it is used."""
    return isinstance(value, Unknown) or (isinstance(value, str) and "{{resolve:" in value)


def active_resources(
    template: Template, conditions: Mapping[str, bool]
) -> dict[str, ResourceDeclaration]:
    """The resources whose condition holds."""
    return {
        name: declared
        for name, declared in template.resources.items()
        if declared.condition is None or conditions[declared.condition]
    }


def needs_of(template: Template, scene: Scene) -> dict[str, frozenset[str]]:
    """The dependency graph of the active resources."""
    active = active_resources(template, scene.conditions)
    names = frozenset(active)
    return {
        name: dependencies(declared, names, scene.conditions) for name, declared in active.items()
    }


def require_known_types(template: Template, types: ResourceTypes) -> None:
    """Refuse a template with a type that is not here. Raises ValidationError naming all."""
    strange = sorted({r.type for r in template.resources.values() if r.type not in types})
    if strange:
        raise ValidationError(
            f"Template format error: Unrecognized resource types: [{', '.join(strange)}]"
        )


def desired_resource(
    declared: ResourceDeclaration,
    type_: ResourceType,
    scene: Scene,
    stack_tags: Mapping[str, str],
) -> Desired:
    """Evaluate one resource. Raises ValidationError in AWS's words, naming the property."""
    properties = evaluate(dict(declared.properties), scene)
    try:
        properties = checked(type_.properties, properties, is_open)
    except PropertyError as cause:
        raise ValidationError(str(cause)) from None
    return Desired(
        logical_id=declared.logical_id,
        type=declared.type,
        properties=with_stack_tags(type_.properties, properties, stack_tags),
        metadata=None if declared.metadata is None else evaluate(declared.metadata, scene),
        depends_on=dependencies(declared, scene.declared, scene.conditions),
        deletion_policy=_policy(declared.deletion_policy, scene),
        update_replace_policy=_policy(declared.update_replace_policy, scene),
    )


def _policy(given: Any, scene: Scene) -> str:
    value = evaluate(given, scene)
    if value not in ("Delete", "Retain", "RetainExceptOnCreate"):
        raise ValidationError(f"Template format error: Unrecognized DeletionPolicy {value}")
    return str(value)


def with_stack_tags(
    kind: Kind, properties: dict[str, Any], stack_tags: Mapping[str, str]
) -> dict[str, Any]:
    """The properties with the stack's tags added where the type takes tags; its own ones win.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    """
    taken = kind.members.get("Tags")
    if not stack_tags or taken is None:
        return properties
    own = properties.get("Tags")
    if is_open(own):
        return properties
    if taken.name == "list":
        held = {tag.get("Key") for tag in own or [] if isinstance(tag, dict)}
        added = [{"Key": k, "Value": v} for k, v in stack_tags.items() if k not in held]
        return {**properties, "Tags": [*(own or []), *added]}
    return {**properties, "Tags": {**stack_tags, **(own or {})}}
