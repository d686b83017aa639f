"""Operations on templates: shown as given or processed, summarised, validated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.resources import ResourceTypes
from cumulet.kit.service import operation
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.errors import ChangeSetNotFoundException, ValidationError
from cumulet.services.cloudformation.macros.transforms import has_macros
from cumulet.services.cloudformation.model import Settings
from cumulet.services.cloudformation.operations.finding import (
    change_set_arn,
    find_stack,
    need_stack,
    stack_arn,
)
from cumulet.services.cloudformation.planning.desired import require_known_types
from cumulet.services.cloudformation.planning.graph import ordered
from cumulet.services.cloudformation.template.capabilities import needed_capabilities
from cumulet.services.cloudformation.template.declaration import (
    ParameterDeclaration,
    ResourceDeclaration,
    declare,
    declared_parameters,
    declared_transforms,
)
from cumulet.services.cloudformation.template.parameters import MASK, check_declarations
from cumulet.services.cloudformation.template.references import dependencies, validate_names
from cumulet.services.cloudformation.template.source import template_text
from cumulet.services.cloudformation.template.text import parse_text
from cumulet.services.cloudformation.template.values import to_json


@operation("GetTemplate", resource=change_set_arn)
async def get_template(ctx: Context, request: Any) -> dict[str, Any]:
    """The template of a stack or change set, as it was given or as macros made it."""
    settings = await _settings(ctx, request)
    if settings is None:
        # A stack in review has no template yet; the CDK reads that as "nothing is deployed".
        return {"StagesAvailable": ["Original", "Processed"]}
    document = await _document(ctx, settings)
    if request.get("TemplateStage", "Original") == "Processed":
        processed = {k: v for k, v in document["processed"].items() if k != "Transform"}
        macros = has_macros(parse_text(document["original"]))
        body = to_json(processed) if macros else document["original"]
    else:
        body = document["original"]
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


async def _settings(ctx: Context, request: Any) -> Settings | None:
    name, change_set = request.get("StackName"), request.get("ChangeSetName")
    if not name and not change_set:
        raise ValidationError("StackName or ChangeSetName must be specified")
    if not change_set:
        return (await need_stack(ctx, name)).shown
    stack_id = None
    if name:
        stack_id = (await need_stack(ctx, name)).id

    async def load(tx: Any, scope: Scope) -> Any:
        return await store.load_change_set(tx, scope, change_set, stack_id)

    found = await ctx.transact(load)
    if found is None or found.settings is None:
        raise ChangeSetNotFoundException(f"ChangeSet [{change_set}] does not exist")
    kept: Settings = found.settings
    return kept


async def _document(ctx: Context, settings: Settings) -> dict[str, Any]:
    async def load(tx: Any, scope: Scope) -> Any:
        return await store.load_document(tx, scope, settings.template_id)

    found: dict[str, Any] | None = await ctx.transact(load)
    if found is None:
        raise ValidationError("The template is kept no longer.")
    return found


def _resource_types(raw: Mapping[str, Any]) -> list[str]:
    """The types of a template that need not be processed yet."""
    resources = raw.get("Resources")
    listed = resources.values() if isinstance(resources, dict) else ()
    types = [r["Type"] for r in listed if isinstance(r, dict) and isinstance(r.get("Type"), str)]
    return sorted(set(types))


def _outline(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What both summary and validation show of a template."""
    shown: dict[str, Any] = {}
    if isinstance(raw.get("Description"), str):
        shown["Description"] = raw["Description"]
    needed, why = needed_capabilities(_loosely_declared(raw))
    transforms = [t["Name"] if isinstance(t, dict) else t for t in declared_transforms(raw)]
    if transforms:
        needed = [*needed, "CAPABILITY_AUTO_EXPAND"]
        words = f"The following transforms require capabilities: [{', '.join(transforms)}]"
        why = f"{why} {words}".strip()
        shown["DeclaredTransforms"] = transforms
    if needed:
        shown["Capabilities"] = needed
        shown["CapabilitiesReason"] = why
    return shown


def _loosely_declared(raw: Mapping[str, Any]) -> dict[str, ResourceDeclaration]:
    resources = raw.get("Resources")
    found = {}
    for name, one in (resources if isinstance(resources, dict) else {}).items():
        if isinstance(one, dict) and isinstance(one.get("Type"), str):
            properties = one.get("Properties")
            found[name] = ResourceDeclaration(
                name, one["Type"], properties if isinstance(properties, dict) else {}
            )
    return found


@operation("GetTemplateSummary", resource=stack_arn)
async def get_template_summary(ctx: Context, request: Any) -> dict[str, Any]:
    """What a template declares: parameters, types, transforms, needed capabilities."""
    raw = await _summarised(ctx, request)
    parameters = declared_parameters(raw)
    check_declarations(parameters)
    names = _resource_types(raw)
    types = ctx.need(ResourceTypes)
    summary: dict[str, Any] = {
        "Parameters": [_declaration(one) for one in parameters.values()],
        "ResourceTypes": names,
        "ResourceIdentifierSummaries": [],
        "Version": str(raw.get("AWSTemplateFormatVersion", "2010-09-09")),
        **_outline(raw),
    }
    if raw.get("Metadata") is not None:
        summary["Metadata"] = json.dumps(raw["Metadata"])
    unknown = [] if has_macros(raw) else [name for name in names if name not in types]
    if unknown:
        lenient = (request.get("TemplateSummaryConfig") or {}).get(
            "TreatUnrecognizedResourceTypesAsWarnings"
        )
        if not lenient:
            raise ValidationError(
                f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]"
            )
        summary["Warnings"] = {"UnrecognizedResourceTypes": unknown}
    return summary


async def _summarised(ctx: Context, request: Any) -> dict[str, Any]:
    text = await template_text(ctx, request)
    if text is not None:
        if request.get("StackName"):
            raise ValidationError("Only one of StackName, TemplateBody, TemplateURL may be given")
        return parse_text(text)
    if request.get("StackSetName"):
        raise ValidationError("StackSets are not supported.")
    name = request.get("StackName")
    if not name:
        raise ValidationError("Either StackName, TemplateBody or TemplateURL must be specified")
    stack = await find_stack(ctx, name)
    if stack is None or stack.shown is None:
        raise ValidationError(f"Stack with id {name} does not exist")
    return parse_text((await _document(ctx, stack.shown))["original"])


def _declaration(declared: ParameterDeclaration) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if declared.allowed:
        constraints["AllowedValues"] = list(declared.allowed)
    shown: dict[str, Any] = {
        "ParameterKey": declared.name,
        "ParameterType": declared.type,
        "NoEcho": declared.no_echo,
        "ParameterConstraints": constraints,
    }
    if declared.default is not None:
        shown["DefaultValue"] = MASK if declared.no_echo else declared.default
    if declared.description:
        shown["Description"] = declared.description
    return shown


@operation("ValidateTemplate", resource="*")
async def validate_template(ctx: Context, request: Any) -> dict[str, Any]:
    """Check the form of a template, and what can be checked without parameters."""
    text = await template_text(ctx, request)
    if text is None:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    raw = parse_text(text)
    parameters = declared_parameters(raw)
    check_declarations(parameters)
    if not has_macros(raw):
        template = declare(raw)
        validate_names(template)
        require_known_types(template, ctx.need(ResourceTypes))
        names = frozenset(template.resources)
        ordered({n: dependencies(r, names, {}) for n, r in template.resources.items()})
    shown = [
        {k: v for k, v in _declaration(one).items() if k in _VALIDATED}
        for one in parameters.values()
    ]
    return {"Parameters": shown, **_outline(raw)}


_VALIDATED = frozenset(("ParameterKey", "DefaultValue", "NoEcho", "Description"))
