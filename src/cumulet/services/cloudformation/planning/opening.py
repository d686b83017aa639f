"""From the stored settings of a stack to a template and the scene it is evaluated in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cumulet.core.identity import Scope
from cumulet.kit.resources import ResourceTypes
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import Output, Resource, Settings, Stack
from cumulet.services.cloudformation.planning.desired import active_resources, needs_of
from cumulet.services.cloudformation.planning.sealed import Safe
from cumulet.services.cloudformation.template.conditions import evaluate_conditions
from cumulet.services.cloudformation.template.declaration import (
    OutputDeclaration,
    Template,
    declare,
)
from cumulet.services.cloudformation.template.functions import error, evaluate
from cumulet.services.cloudformation.template.parameters import parameter_value
from cumulet.services.cloudformation.template.references import imported_names
from cumulet.services.cloudformation.template.scene import Made, Scene, pseudo_parameters
from cumulet.services.cloudformation.template.values import as_text, to_json, unknown_in

ANY_ATTRIBUTE = "*"
"""In a type's `attributes`: `Fn::GetAtt` may ask for whatever turns out to be there."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A stack's settings, ready for evaluation: no resource is known in `scene` yet."""

    settings: Settings
    template: Template
    scene: Scene
    texts: Mapping[str, str]
    needs: Mapping[str, frozenset[str]]
    imports: tuple[str, ...]


def import_names(template: Template, scene: Scene) -> tuple[str, ...]:
    """The exports that the active resources and outputs import."""
    active = active_resources(template, scene.conditions)
    nodes: list[Any] = [[r.properties, r.metadata] for r in active.values()]
    nodes += [[o.value, o.export_name] for o in active_outputs(template, scene)]
    names = {as_text(evaluate(node, scene)) for node in imported_names(nodes)}
    return tuple(sorted(name for name in names if name is not None))


def open_template(
    template: Template,
    texts: Mapping[str, str],
    looked_up: Mapping[str, str],
    pseudo: Mapping[str, Any],
    types: ResourceTypes,
) -> Scene:
    """The scene before anything is made. Raises ValidationError. Pure."""
    values = dict(pseudo)
    for name, declared in template.parameters.items():
        values[name] = parameter_value(declared, looked_up.get(name, texts[name]))
    scene = Scene(values, template.mappings, extended=template.extends_language)
    scene = replace(scene, conditions=evaluate_conditions(template.conditions, scene))
    active = active_resources(template, scene.conditions)
    attributes: dict[str, frozenset[str] | None] = {}
    for name, resource in active.items():
        type_ = types.get(resource.type)
        known = type_.attributes if type_ is not None else frozenset({ANY_ATTRIBUTE})
        attributes[name] = None if ANY_ATTRIBUTE in known else known
    return replace(scene, declared=frozenset(active), attributes=attributes)


def active_outputs(template: Template, scene: Scene) -> list[OutputDeclaration]:
    """The outputs whose condition holds."""
    return [
        output
        for output in template.outputs.values()
        if output.condition is None or scene.conditions[output.condition]
    ]


def stack_pseudo(scope: Scope, stack: Stack) -> dict[str, Any]:
    """The pseudo parameters of a stack."""
    return pseudo_parameters(
        account=scope.account, region=scope.region, stack_id=stack.arn, stack_name=stack.name
    )


async def load_template(tx: Any, scope: Scope, settings: Settings) -> dict[str, Any]:
    """The stages of a template: `original` text and `processed` value."""
    found: dict[str, Any] = await store.load_document(tx, scope, settings.template_id)
    return found


def open_settings(
    scope: Scope,
    stack: Stack,
    settings: Settings,
    document: Mapping[str, Any],
    safe: Safe,
    types: ResourceTypes,
) -> Opened:
    """The settings with their template. Raises ValidationError. Pure but for the sealing."""
    template = declare(document["processed"])
    values = safe.take(settings.values)
    scene = open_template(
        template, values["given"], values["looked_up"], stack_pseudo(scope, stack), types
    )
    return Opened(
        settings,
        template,
        scene,
        values["given"],
        needs_of(template, scene),
        import_names(template, scene),
    )


def made_of(resources: Mapping[str, Resource], safe: Safe) -> dict[str, Made]:
    """What stands, as `Ref` and `Fn::GetAtt` see it."""
    return {
        name: Made(resource.physical_id, safe.take(resource.attributes))
        for name, resource in resources.items()
        if resource.is_there
    }


def evaluated_outputs(template: Template, scene: Scene) -> tuple[Output, ...]:
    """The outputs of a stack whose resources all exist. Raises ValidationError. Pure."""
    outputs: list[Output] = []
    for declared in active_outputs(template, scene):
        value = evaluate(declared.value, scene)
        if unknown_in(value) is not None:
            raise error(f"the output {declared.name} refers to something that does not exist")
        text = as_text(value)
        if text is None:
            text = to_json(value) if scene.extended else None
        if text is None:
            raise ValidationError(
                "Template format error: The Value field of every Outputs member must evaluate to "
                "a String."
            )
        name = evaluate(declared.export_name, scene) if declared.export_name is not None else ""
        outputs.append(Output(declared.name, text, declared.description, as_text(name) or ""))
    return tuple(outputs)
