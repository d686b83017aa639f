"""Values that live in Systems Manager: parameters of SSM types, and dynamic references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.declaration import Template
from cumulet.services.cloudformation.template.parameters import names_ssm_parameter

_REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^{}]+)\}\}")
_BATCH = 10
"""What GetParameters takes at once."""
_SECURE_PLACES = {"AWS::IAM::User": "LoginProfile"}
"""Where AWS allows secure strings, of the types that are here."""


async def look_up_parameters(
    ctx: Context, template: Template, texts: Mapping[str, str]
) -> dict[str, str]:
    """The SSM values behind parameters of the types `AWS::SSM::Parameter::Value<…>`."""
    names = {
        name: texts[name]
        for name, declared in template.parameters.items()
        if names_ssm_parameter(declared)
    }
    found = await _fetch(ctx, names.values(), secure=False)
    return {name: found[source] for name, source in names.items()}


async def _fetch(ctx: Context, names: Iterable[str], *, secure: bool) -> dict[str, str]:
    wanted = sorted(set(names))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        answer = await ctx.call("ssm", "GetParameters", Names=batch, WithDecryption=secure)
        for parameter in answer.get("Parameters", []):
            if parameter.get("Type") == "SecureString" and not secure:
                raise ValidationError(
                    f"Parameters [{parameter['Name']}] referenced by template have types not "
                    "supported by CloudFormation."
                )
            found[parameter["Name"] + parameter.get("Selector", "")] = parameter["Value"]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValidationError(
            f"Unable to fetch parameters [{', '.join(missing)}] from parameter store for this "
            "account."
        )
    return found


async def resolved(ctx: Context, type_name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with every `{{resolve:…}}` replaced by the value of this moment.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    """
    plain: set[str] = set()
    secure: set[str] = set()
    for name, value in properties.items():
        for service, selector in _references(value):
            if service == "ssm":
                plain.add(selector)
            elif service == "ssm-secure" and _SECURE_PLACES.get(type_name) == name:
                secure.add(selector)
            elif service == "ssm-secure":
                raise ValidationError(
                    f"SSM Secure reference is not supported in: [{type_name}/Properties/{name}]"
                )
            else:
                raise ValidationError(
                    f"Dynamic references to {service} are not supported: only ssm and ssm-secure "
                    "are implemented."
                )
    values = {("ssm", k): v for k, v in (await _fetch(ctx, plain, secure=False)).items()}
    values.update(
        {("ssm-secure", k): v for k, v in (await _fetch(ctx, secure, secure=True)).items()}
    )
    return {name: _replaced(value, values) for name, value in properties.items()}


def _references(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(match[1], match[2]) for match in _REFERENCE.finditer(value)]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for item in inner for found in _references(item)]


def _replaced(value: Any, values: Mapping[tuple[str, str], str]) -> Any:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: values[match[1], match[2]], value)
    if isinstance(value, dict):
        return {name: _replaced(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, values) for item in value]
    return value
