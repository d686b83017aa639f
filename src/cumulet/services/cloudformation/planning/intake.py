"""From a request to checked settings: template read, processed, parameters filled, names resolved.

Everything that AWS refuses before a stack is touched is refused here.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.ports import Sealer
from cumulet.kit.resources import ResourceTypes
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.macros.transforms import has_macros, process
from cumulet.services.cloudformation.model import Settings, Stack
from cumulet.services.cloudformation.planning.desired import needs_of, require_known_types
from cumulet.services.cloudformation.planning.graph import ordered
from cumulet.services.cloudformation.planning.opening import (
    Opened,
    import_names,
    open_template,
    stack_pseudo,
)
from cumulet.services.cloudformation.planning.sealed import Safe
from cumulet.services.cloudformation.template.capabilities import require_capabilities
from cumulet.services.cloudformation.template.declaration import (
    Template,
    declare,
    declared_parameters,
)
from cumulet.services.cloudformation.template.lookups import look_up_parameters
from cumulet.services.cloudformation.template.parameters import (
    check_declarations,
    chosen_values,
)
from cumulet.services.cloudformation.template.references import validate_names
from cumulet.services.cloudformation.template.rules import check_rules
from cumulet.services.cloudformation.template.source import template_text
from cumulet.services.cloudformation.template.text import parse_text


@dataclass(frozen=True, slots=True)
class Prepared:
    """Settings ready to be stored with their template's document."""

    opened: Opened
    document: Mapping[str, Any]

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.opened.settings


def safe_of(ctx: Context) -> Safe:
    """What seals values at rest."""
    return Safe(ctx.need(Sealer))


async def prepare(
    ctx: Context,
    request: Mapping[str, Any],
    stack: Stack,
    previous: Settings | None,
    *,
    by_change_set: bool = False,
) -> Prepared:
    """Read and check what a request wants of a stack. Raises AwsError."""
    refuse_unsupported(request)
    safe = safe_of(ctx)
    text = await _text(ctx, request, previous)
    raw = parse_text(text)
    before = safe.take(previous.values)["given"] if previous is not None else {}
    declared = declared_parameters(raw)
    check_declarations(declared)
    texts = chosen_values(declared, request.get("Parameters") or (), before)
    pseudo = stack_pseudo(ctx.scope, stack)
    macros = has_macros(raw)
    capabilities = request.get("Capabilities") or ()
    if macros and not by_change_set:
        require_capabilities({}, capabilities, expands=True)
    processed = await process(ctx, raw, texts, pseudo) if macros else raw
    template = declare(processed)
    types = ctx.need(ResourceTypes)
    validate_names(template)
    require_known_types(template, types)
    _require_permitted_types(template, request.get("ResourceTypes") or ())
    require_capabilities(template.resources, capabilities, expands=False)
    looked_up = await look_up_parameters(ctx, template, texts)
    scene = open_template(template, texts, looked_up, pseudo, types)
    check_rules(template, scene)
    needs = needs_of(template, scene)
    ordered(needs)
    settings = Settings(
        template_id=new_uuid(ctx.clock),
        values=safe.put({"given": texts, "looked_up": looked_up}),
        tags=_tags(request, previous),
        capabilities=tuple(capabilities),
        role_arn=await _role(ctx, request, previous),
        description=template.description,
        hidden=tuple(name for name, one in template.parameters.items() if one.no_echo),
    )
    opened = Opened(settings, template, scene, texts, needs, import_names(template, scene))
    return Prepared(opened, {"original": text, "processed": processed})


def refuse_unsupported(request: Mapping[str, Any]) -> None:
    """Refuse what would otherwise be accepted and not done."""
    if request.get("NotificationARNs"):
        raise ValidationError("NotificationARNs are not supported: SNS is not implemented.")
    rollback = request.get("RollbackConfiguration") or {}
    if rollback.get("RollbackTriggers") or rollback.get("MonitoringTimeInMinutes"):
        raise ValidationError("RollbackConfiguration with triggers is not supported.")
    if request.get("ResourcesToImport") or request.get("ImportExistingResources"):
        raise ValidationError("Importing resources into a stack is not supported.")


async def _text(ctx: Context, request: Mapping[str, Any], previous: Settings | None) -> str:
    text = await template_text(ctx, request)
    if request.get("UsePreviousTemplate"):
        if text is not None:
            raise ValidationError("You cannot specify both usePreviousTemplate and a new template")
        if previous is None:
            raise ValidationError("Cannot use the previous template: the stack has none.")

        async def load(tx: Any, scope: Scope) -> Any:
            return await store.load_document(tx, scope, previous.template_id)

        return str((await ctx.transact(load))["original"])
    if text is None:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    if not text.strip():
        raise ValidationError("Template body must not be empty.")
    return text


def _tags(request: Mapping[str, Any], previous: Settings | None) -> dict[str, str]:
    given = request.get("Tags")
    if given is None:
        return dict(previous.tags) if previous is not None else {}
    tags: dict[str, str] = {}
    for tag in given:
        name = tag.get("Key", "")
        if name in tags:
            raise ValidationError(f"Duplicate tag key: {name}")
        if name.lower().startswith("aws:"):
            raise ValidationError("aws: prefixed tag key names are not allowed for external use.")
        tags[name] = tag.get("Value", "")
    if len(tags) > limits.TAGS_MAX:
        raise ValidationError(f"A stack can have at most {limits.TAGS_MAX} tags.")
    return tags


async def _role(ctx: Context, request: Mapping[str, Any], previous: Settings | None) -> str:
    given: str = request.get("RoleARN") or ""
    if not given:
        return previous.role_arn if previous is not None else ""
    await require_role(ctx, given)
    return given


async def require_role(ctx: Context, role_arn: str) -> None:
    """The caller must be allowed to hand this role to CloudFormation. Raises AwsError."""
    arn = parse_arn(role_arn)
    if arn is None or arn.service != "iam" or not arn.resource.startswith("role/"):
        raise ValidationError(f"Role {role_arn} is invalid or cannot be assumed")
    await ctx.authorize(
        "iam:PassRole", role_arn, iam_PassedToService="cloudformation.amazonaws.com"
    )


def _require_permitted_types(template: Template, permitted: Sequence[str]) -> None:
    if not permitted:
        return
    for resource in template.resources.values():
        if not any(fnmatch.fnmatchcase(resource.type, pattern) for pattern in permitted):
            raise ValidationError(
                f"Resource type {resource.type} is not allowed by parameter ResourceTypes "
                f"{list(permitted)}"
            )
