"""Macros: from the template as given to the template as processed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

from cumulet.core.context import Context
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.limits import INCLUDE_DEPTH_MAX
from cumulet.services.cloudformation.macros.loops import expand_loops
from cumulet.services.cloudformation.macros.sam import (
    SERVERLESS,
    TransformFailed,
    expand_serverless,
)
from cumulet.services.cloudformation.template.declaration import (
    declared_parameters,
    declared_transforms,
)
from cumulet.services.cloudformation.template.functions import evaluate
from cumulet.services.cloudformation.template.parameters import parameter_value
from cumulet.services.cloudformation.template.scene import Scene
from cumulet.services.cloudformation.template.source import S3Place, fetch_text, read_object
from cumulet.services.cloudformation.template.text import parse_text

EXTENSIONS = "AWS::LanguageExtensions"
INCLUDE = "AWS::Include"


def has_macros(raw: Mapping[str, Any]) -> bool:
    """Whether anything of the template is to be processed by a macro. Pure."""
    return bool(declared_transforms(raw)) or _includes(raw)


def _includes(node: Any) -> bool:
    if isinstance(node, dict):
        return "Fn::Transform" in node or any(_includes(value) for value in node.values())
    return isinstance(node, list) and any(_includes(item) for item in node)


async def process(
    ctx: Context,
    raw: Mapping[str, Any],
    texts: Mapping[str, str],
    pseudo: Mapping[str, Any],
) -> dict[str, Any]:
    """Run every macro in its order. Raises ValidationError, TransformFailed when one refuses.

    The result keeps `Transform: [AWS::LanguageExtensions]` when that was declared, since its
    functions are evaluated with all the others.
    """
    values = _values(raw, texts, pseudo)
    template: dict[str, Any] = await _include(ctx, copy.deepcopy(dict(raw)), values, 0)
    transforms = declared_transforms(template)
    template.pop("Transform", None)
    extended = False
    for item in transforms:
        name = item["Name"] if isinstance(item, dict) else item
        if name == EXTENSIONS:
            extended = True
            scene = Scene(values, template.get("Mappings") or {}, extended=True)
            template = expand_loops(template, partial(evaluate, scene=scene))
        elif name == SERVERLESS:
            parameters = {key: value for key, value in values.items() if "::" not in key}
            template = await expand_serverless(template, parameters, pseudo["AWS::Region"])
        elif name == INCLUDE and isinstance(item, dict):
            snippet = await _snippet(ctx, item.get("Parameters"), values, 0)
            template = _merged(template, snippet)
        else:
            raise ValidationError(f"No transform named {name} found.")
    if extended:
        template["Transform"] = [EXTENSIONS]
    return template


def _values(
    raw: Mapping[str, Any], texts: Mapping[str, str], pseudo: Mapping[str, Any]
) -> dict[str, Any]:
    values = dict(pseudo)
    for name, declared in declared_parameters(raw).items():
        if name in texts:
            values[name] = parameter_value(declared, texts[name])
    return values


async def _include(ctx: Context, node: Any, values: Mapping[str, Any], depth: int) -> Any:
    """`Fn::Transform` where it stands: siblings are joined by what is included."""
    if isinstance(node, list):
        return [await _include(ctx, item, values, depth) for item in node]
    if not isinstance(node, dict):
        return node
    given = node.pop("Fn::Transform", None)
    found = {name: await _include(ctx, value, values, depth) for name, value in node.items()}
    if given is None:
        return found
    if not isinstance(given, dict) or given.get("Name") != INCLUDE:
        name = given.get("Name") if isinstance(given, dict) else given
        raise ValidationError(f"No transform named {name} found.")
    snippet = await _snippet(ctx, given.get("Parameters"), values, depth + 1)
    return _merged(found, snippet)


async def _snippet(
    ctx: Context, parameters: Any, values: Mapping[str, Any], depth: int
) -> dict[str, Any]:
    if depth > INCLUDE_DEPTH_MAX:
        raise TransformFailed(INCLUDE, "snippets include one another too deeply.")
    location = evaluate((parameters or {}).get("Location"), Scene(values))
    if not isinstance(location, str):
        raise TransformFailed(INCLUDE, "The location parameter is not a string.")
    if location.startswith("s3://"):
        bucket, _, key = location[5:].partition("/")
        text = await read_object(ctx, S3Place(bucket, key), "The Location of an AWS::Include")
    else:
        text = await fetch_text(ctx, location, what="The Location of an AWS::Include")
    found: dict[str, Any] = await _include(ctx, parse_text(text), values, depth)
    return found


def _merged(into: dict[str, Any], snippet: dict[str, Any]) -> dict[str, Any]:
    """Both together; sections that both have are joined member by member, the template's first."""
    merged = dict(into)
    for name, value in snippet.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = {**value, **merged[name]}
        else:
            merged.setdefault(name, value)
    return merged
