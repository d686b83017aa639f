"""The sections of a template as frozen structs, and what makes a template well-formed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.services.cloudformation import limits
from cumulet.services.cloudformation.errors import ValidationError

SECTIONS = frozenset(
    [
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Mappings",
        "Conditions",
        "Transform",
        "Resources",
        "Outputs",
        "Hooks",
    ]
)
_RESOURCE_MEMBERS = frozenset(
    [
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Metadata",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "CreationPolicy",
        "UpdatePolicy",
    ]
)
_OUTPUT_MEMBERS = frozenset(("Value", "Description", "Export", "Condition"))
_LOGICAL_ID = re.compile(r"[A-Za-z0-9]{1,255}\Z")
_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")


@dataclass(frozen=True, slots=True)
class ParameterDeclaration:
    """One parameter as the template declares it."""

    name: str
    type: str
    default: str | None = None
    description: str = ""
    no_echo: bool = False
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    length_min: int | None = None
    length_max: int | None = None
    value_min: float | None = None
    value_max: float | None = None
    constraint: str = ""


@dataclass(frozen=True, slots=True)
class ResourceDeclaration:
    """One resource as the template declares it; properties are not evaluated."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: Any = "Delete"
    update_replace_policy: Any = "Delete"
    metadata: Any = None


@dataclass(frozen=True, slots=True)
class OutputDeclaration:
    """One output as the template declares it; the value is not evaluated."""

    name: str
    value: Any
    description: str = ""
    export_name: Any = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A template whose form is sound. Its names are not yet known to resolve."""

    version: str
    description: str
    metadata: Any
    parameters: Mapping[str, ParameterDeclaration]
    rules: Mapping[str, Any]
    mappings: Mapping[str, Mapping[str, Mapping[str, Any]]]
    conditions: Mapping[str, Any]
    transforms: tuple[Any, ...]
    resources: Mapping[str, ResourceDeclaration]
    outputs: Mapping[str, OutputDeclaration]

    @property
    def transform_names(self) -> tuple[str, ...]:
        """The declared macros, by name."""
        return tuple(t["Name"] if isinstance(t, dict) else str(t) for t in self.transforms)

    @property
    def extends_language(self) -> bool:
        """Whether `AWS::LanguageExtensions` is declared."""
        return "AWS::LanguageExtensions" in self.transform_names


def declare(raw: Mapping[str, Any]) -> Template:
    """Read the sections. Raises ValidationError in AWS's words.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
    """
    strange = [name for name in raw if name not in SECTIONS]
    if strange:
        raise ValidationError(
            f"Invalid template property or properties [{', '.join(sorted(strange))}]"
        )
    if raw.get("Hooks"):
        raise _format_error("Hooks are not supported: CodeDeploy hooks are not implemented.")
    resources = _section(raw, "Resources", _resource, limits.RESOURCES_MAX)
    if not resources:
        raise _format_error("At least one Resources member must be defined.")
    return Template(
        version=str(raw.get("AWSTemplateFormatVersion", "2010-09-09")),
        description=_description(raw),
        metadata=raw.get("Metadata"),
        parameters=declared_parameters(raw),
        rules=_mapping(raw, "Rules"),
        mappings=_section(raw, "Mappings", _two_levels, limits.MAPPINGS_MAX),
        conditions=_mapping(raw, "Conditions"),
        transforms=declared_transforms(raw),
        resources=resources,
        outputs=_section(raw, "Outputs", _output, limits.OUTPUTS_MAX),
    )


def declared_parameters(raw: Mapping[str, Any]) -> dict[str, ParameterDeclaration]:
    """The Parameters section alone, of a template that need not be processed yet."""
    return _section(raw, "Parameters", _parameter, limits.PARAMETERS_MAX)


def declared_transforms(raw: Mapping[str, Any]) -> tuple[Any, ...]:
    """The macros of the Transform section, in order: names, or maps with Name and Parameters."""
    declared = raw.get("Transform", [])
    listed = declared if isinstance(declared, list) else [declared]
    for item in listed:
        named = isinstance(item, dict) and isinstance(item.get("Name"), str)
        if not (isinstance(item, str) or named):
            raise _format_error("Transform must be a name, or a map with Name and Parameters.")
    return tuple(listed)


def _format_error(words: str) -> ValidationError:
    return ValidationError(f"Template format error: {words}")


def _description(raw: Mapping[str, Any]) -> str:
    text = raw.get("Description", "")
    if not isinstance(text, str):
        raise _format_error("Description must be a string.")
    if len(text.encode()) > limits.DESCRIPTION_BYTES_MAX:
        raise _format_error(
            f"Description length exceeds the limit of {limits.DESCRIPTION_BYTES_MAX} bytes."
        )
    return text


def _mapping(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = raw.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise _format_error(f"{name} must be an object.")
    return section


def _section(
    raw: Mapping[str, Any], name: str, read: Callable[[str, Any], Any], most: int
) -> dict[str, Any]:
    section = _mapping(raw, name)
    if len(section) > most:
        raise _format_error(
            f"Number of {name.lower()}, {len(section)}, is greater than maximum allowed, {most}"
        )
    for key, value in section.items():
        if not _LOGICAL_ID.match(key) and name != "Mappings":
            kind = {"Resources": "Resource"}.get(name, name[:-1])
            raise _format_error(f"{kind} name {key} is non alphanumeric.")
        if not isinstance(value, dict):
            raise _format_error(f"[/{name}/{key}] Every {name} member must be an object.")
    return {key: read(key, value) for key, value in section.items()}


def _resource(logical_id: str, raw: Mapping[str, Any]) -> ResourceDeclaration:
    place = f"[/Resources/{logical_id}]"
    type_name = raw.get("Type")
    if not isinstance(type_name, str):
        raise _format_error(f"{place} Every Resources object must contain a Type member.")
    for name in raw:
        if name not in _RESOURCE_MEMBERS:
            raise ValidationError(f"Invalid template resource property '{name}'")
    if raw.get("UpdatePolicy") is not None:
        raise _format_error(
            f"{place} UpdatePolicy is not supported for {type_name}: "
            "it would need CodeDeploy or Auto Scaling, which are not implemented."
        )
    if raw.get("CreationPolicy") is not None:
        raise _format_error(f"{place} CreationPolicy is not supported for {type_name}.")
    properties = raw.get("Properties")
    if properties is not None and not isinstance(properties, dict):
        raise _format_error(f"{place}/Properties must be an object.")
    return ResourceDeclaration(
        logical_id=logical_id,
        type=type_name,
        properties=properties or {},
        depends_on=_depends_on(place, raw.get("DependsOn", [])),
        condition=_condition(place, raw),
        deletion_policy=_policy(place, "DeletionPolicy", raw),
        update_replace_policy=_policy(place, "UpdateReplacePolicy", raw),
        metadata=raw.get("Metadata"),
    )


def _depends_on(place: str, raw: Any) -> tuple[str, ...]:
    listed = raw if isinstance(raw, list) else [raw]
    if not all(isinstance(item, str) for item in listed):
        raise _format_error(f"{place}/DependsOn must be a string or a list of strings.")
    return tuple(listed)


def _condition(place: str, raw: Mapping[str, Any]) -> str | None:
    name = raw.get("Condition")
    if name is not None and not isinstance(name, str):
        raise _format_error(f"{place}/Condition must be a string.")
    return name


def _policy(place: str, name: str, raw: Mapping[str, Any]) -> Any:
    policy = raw.get(name, "Delete")
    if isinstance(policy, dict):
        return policy
    if policy not in _POLICIES or (name == "UpdateReplacePolicy" and policy.startswith("RetainEx")):
        raise _format_error(f"Unrecognized {name} {policy} for resource {place[12:-1]}.")
    if policy == "Snapshot":
        raise _format_error(f"{place} {name} Snapshot is not supported for {raw.get('Type')}.")
    return policy


def _output(name: str, raw: Mapping[str, Any]) -> OutputDeclaration:
    place = f"[/Outputs/{name}]"
    if "Value" not in raw:
        raise _format_error(f"{place} Every Outputs member must contain a Value object")
    strange = [key for key in raw if key not in _OUTPUT_MEMBERS]
    if strange:
        raise _format_error(f"{place} Invalid output property '{strange[0]}'.")
    export = raw.get("Export")
    if export is not None and (not isinstance(export, dict) or list(export) != ["Name"]):
        raise _format_error(f"{place}/Export must be an object with a Name.")
    description = raw.get("Description", "")
    if not isinstance(description, str):
        raise _format_error(f"{place}/Description must be a string.")
    return OutputDeclaration(
        name, raw["Value"], description, export["Name"] if export else None, _condition(place, raw)
    )


def _two_levels(name: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    for top, second in raw.items():
        if top == "Fn::Transform":
            continue
        if not isinstance(second, dict):
            raise _format_error(
                f"[/Mappings/{name}/{top}] Every Mappings attribute must be a map of maps."
            )
    return raw


_PARAMETER_MEMBERS = frozenset(
    [
        "Type",
        "Default",
        "Description",
        "NoEcho",
        "AllowedValues",
        "AllowedPattern",
        "MinLength",
        "MaxLength",
        "MinValue",
        "MaxValue",
        "ConstraintDescription",
    ]
)


def _parameter(name: str, raw: Mapping[str, Any]) -> ParameterDeclaration:
    if not isinstance(raw.get("Type"), str):
        raise _format_error(f"[/Parameters/{name}] Every Parameters object must contain a Type.")
    for member in raw:
        if member not in _PARAMETER_MEMBERS:
            raise ValidationError(f"Invalid template parameter property '{member}'")
    default = raw.get("Default")
    return ParameterDeclaration(
        name=name,
        type=raw["Type"],
        default=None if default is None else _text(name, "Default", default),
        description=str(raw.get("Description", "")),
        no_echo=str(raw.get("NoEcho", "false")).lower() == "true",
        allowed=tuple(_text(name, "AllowedValues", v) for v in raw.get("AllowedValues", ())),
        pattern=raw.get("AllowedPattern"),
        length_min=_whole(name, "MinLength", raw),
        length_max=_whole(name, "MaxLength", raw),
        value_min=_number(name, "MinValue", raw),
        value_max=_number(name, "MaxValue", raw),
        constraint=str(raw.get("ConstraintDescription", "")),
    )


def _text(name: str, member: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _format_error(f"Every {member} member must be a string. ({name})")


def _whole(name: str, member: str, raw: Mapping[str, Any]) -> int | None:
    number = _number(name, member, raw)
    if number is not None and number != int(number):
        raise _format_error(f"Parameter '{name}': {member} must be an integer.")
    return None if number is None else int(number)


def _number(name: str, member: str, raw: Mapping[str, Any]) -> float | None:
    if member not in raw:
        return None
    try:
        number = float(raw[member])
    except (TypeError, ValueError):
        raise _format_error(f"Parameter '{name}': {member} must be a number.") from None
    return number
