"""The plan: by which changes a stack would become what a template says. Pure.

Applying does not follow the plan blindly: `apply.py` decides each step again with the values that
exist by then. The plan is what change sets show, and tells whether there is anything to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cumulet.kit.resources import ResourceType, ResourceTypes
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.planning.desired import (
    Desired,
    active_resources,
    desired_resource,
    needs_of,
)
from cumulet.services.cloudformation.planning.graph import ordered
from cumulet.services.cloudformation.template.declaration import Template
from cumulet.services.cloudformation.template.references import references
from cumulet.services.cloudformation.template.scene import Made, Scene
from cumulet.services.cloudformation.template.values import Unknown, unknown_in


@dataclass(frozen=True, slots=True)
class Standing:
    """A resource as it is now."""

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    metadata: Any = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"


@dataclass(frozen=True, slots=True)
class Detail:
    """Why one property, or another part of a resource, changes."""

    attribute: str
    name: str = ""
    recreation: str = "Never"
    evaluation: str = "Static"
    source: str = "DirectModification"
    cause: str = ""
    kind: str = "Modify"
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would be added, modified or removed."""

    action: str
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: str = ""
    policy_action: str = ""
    details: tuple[Detail, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @property
    def scope(self) -> list[str]:
        """Which parts of the resource change."""
        return list(dict.fromkeys(detail.attribute for detail in self.details))


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the stack was made from, to tell why something changes."""

    template: Template | None = None
    changed_parameters: frozenset[str] = frozenset()


def plan_changes(
    template: Template,
    scene: Scene,
    standing: Mapping[str, Standing],
    types: ResourceTypes,
    stack_tags: Mapping[str, str],
    earlier: Earlier | None = None,
) -> list[Change]:
    """The changes in the order in which they would be made; removals come last.

    `scene.made` is built here out of `standing`. Raises ValidationError.
    """
    earlier = earlier or Earlier()
    active = active_resources(template, scene.conditions)
    _require_same_types(active, standing)
    made: dict[str, Made] = {}
    changes: list[Change] = []
    for name in ordered(needs_of(template, scene)):
        now = replace(scene, made=made, declared=frozenset(active))
        declared = active[name]
        type_ = types[declared.type]
        desired = desired_resource(declared, type_, now, stack_tags)
        old = standing.get(name)
        if old is None:
            changes.append(_addition(desired))
            continue
        change = _modification(old, desired, type_, declared.properties, earlier)
        if change is None:
            made[name] = Made(old.physical_id, old.attributes)
            continue
        changes.append(change)
        if change.replacement == "False":
            made[name] = Made(old.physical_id, old.attributes, settled=False)
    changes.extend(_removal(old) for name, old in standing.items() if name not in active)
    return changes


def _require_same_types(active: Mapping[str, Any], standing: Mapping[str, Standing]) -> None:
    differing = sorted(
        n for n, old in standing.items() if n in active and active[n].type != old.type
    )
    if differing:
        raise ValidationError(
            "Update of resource type is not permitted. The new template modifies resource type of "
            f"the following resources: [{', '.join(differing)}]"
        )


def _addition(desired: Desired) -> Change:
    return Change("Add", desired.logical_id, desired.type, after=_context(desired))


def _removal(old: Standing) -> Change:
    keeps = old.deletion_policy.startswith("Retain")
    return Change(
        "Remove",
        old.logical_id,
        old.type,
        old.physical_id,
        policy_action="Retain" if keeps else "Delete",
        before=_context(old),
    )


def _context(resource: Desired | Standing) -> dict[str, Any]:
    shown: dict[str, Any] = {"Properties": resource.properties}
    if resource.metadata is not None:
        shown["Metadata"] = resource.metadata
    return shown


def _modification(
    old: Standing, desired: Desired, type_: ResourceType, raw: Mapping[str, Any], earlier: Earlier
) -> Change | None:
    details: list[Detail] = []
    for name in sorted(old.properties.keys() | desired.properties.keys()):
        details.extend(_property_details(name, old, desired, type_, raw, earlier))
    if old.metadata != desired.metadata:
        details.append(Detail("Metadata", before=old.metadata, after=desired.metadata))
    if old.deletion_policy != desired.deletion_policy:
        details.append(Detail("DeletionPolicy"))
    if old.update_replace_policy != desired.update_replace_policy:
        details.append(Detail("UpdateReplacePolicy"))
    if not details:
        return None
    replacement = replacement_of(details)
    keeps = desired.update_replace_policy.startswith("Retain")
    return Change(
        "Modify",
        old.logical_id,
        old.type,
        old.physical_id,
        replacement,
        ("ReplaceAndRetain" if keeps else "ReplaceAndDelete") if replacement == "True" else "",
        tuple(details),
        _context(old),
        _context(desired),
    )


def replacement_of(details: list[Detail]) -> str:
    """Whether these changes need a new physical resource: `True`, `False` or `Conditional`."""
    if any(d.recreation == "Always" and d.evaluation == "Static" for d in details):
        return "True"
    return "Conditional" if any(d.recreation == "Always" for d in details) else "False"


def needs_replacement(old: Mapping[str, Any], new: Mapping[str, Any], type_: ResourceType) -> bool:
    """Whether a change between known properties needs a new physical resource."""
    changed = {n for n in old.keys() | new.keys() if old.get(n) != new.get(n)}
    return bool(changed) and (type_.update is None or bool(changed & type_.replace_on))


def _property_details(
    name: str,
    old: Standing,
    desired: Desired,
    type_: ResourceType,
    raw: Mapping[str, Any],
    earlier: Earlier,
) -> list[Detail]:
    before, after = old.properties.get(name), desired.properties.get(name)
    if before == after:
        return []
    recreated = type_.update is None or name in type_.replace_on
    kind = "Modify"
    if name not in old.properties:
        kind = "Add"
    elif name not in desired.properties:
        kind = "Remove"
    found = Detail(
        attribute="Tags" if name == "Tags" else "Properties",
        name="" if name == "Tags" else name,
        recreation="Always" if recreated else "Never",
        kind=kind,
        before=before,
        after=after,
    )
    causes = _causes(name, old.logical_id, unknown_in(after), raw, earlier)
    return [replace(found, evaluation=e, source=s, cause=c) for e, s, c in causes]


def _causes(
    name: str,
    logical_id: str,
    unknown: Unknown | None,
    raw: Mapping[str, Any],
    earlier: Earlier,
) -> list[tuple[str, str, str]]:
    """Evaluation, source and causing entity of a property's change, one for each cause."""
    causes: list[tuple[str, str, str]] = []
    if unknown is not None:
        for cause in sorted(unknown.causes):
            source = "ResourceAttribute" if "." in cause else "ResourceReference"
            causes.append(("Dynamic", source, cause))
    for parameter in sorted(references(raw.get(name)) & earlier.changed_parameters):
        causes.append(("Static", "ParameterReference", parameter))
    before = earlier.template.resources.get(logical_id) if earlier.template else None
    if before is not None and before.properties.get(name) != raw.get(name):
        causes.append(("Static" if unknown is None else "Dynamic", "DirectModification", ""))
    return causes or [("Static", "DirectModification", "")]
