"""Parameters: from what the caller gives to values that satisfy their declarations. Pure.

Values of parameters that name an SSM parameter are looked up by `lookups.py`, in between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.services.cloudformation import limits
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.template.declaration import ParameterDeclaration

MASK = "****"
"""What the reading operations show of a NoEcho parameter."""

_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>\Z")
_LIST = re.compile(r"List<(.+)>\Z")
_RESOURCE_KINDS = re.compile(r"AWS::(EC2|Route53)::[A-Za-z0-9:]+\Z")
"""Types that name things of services which are not here: there is nothing to check them against."""


def names_ssm_parameter(declared: ParameterDeclaration) -> bool:
    """Whether the value given is the name of an SSM parameter whose value counts."""
    return _SSM.match(declared.type) is not None


def value_type(declared: ParameterDeclaration) -> str:
    """`String`, `Number`, `CommaDelimitedList` or `List<Number>`. Raises ValidationError."""
    match = _SSM.match(declared.type)
    name = match[1] if match else declared.type
    if name in ("String", "Number", "CommaDelimitedList", "AWS::SSM::Parameter::Name"):
        return "String" if name.startswith("AWS") else name
    inner = _LIST.match(name)
    if inner and inner[1] == "Number":
        return "List<Number>"
    if inner and (inner[1] == "String" or _RESOURCE_KINDS.match(inner[1])):
        return "CommaDelimitedList"
    if _RESOURCE_KINDS.match(name):
        return "String"
    raise ValidationError(f"Template format error: Unrecognized parameter type: {declared.type}")


def check_declarations(declared: Mapping[str, ParameterDeclaration]) -> None:
    """Refuse declarations that no value could be checked against. Raises ValidationError."""
    for one in declared.values():
        value_type(one)
        if one.pattern is not None:
            _compiled(one)
        if one.default is not None and not names_ssm_parameter(one):
            check_value(one, one.default)


def chosen_values(
    declared: Mapping[str, ParameterDeclaration],
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, str],
) -> dict[str, str]:
    """The text of every parameter: given, kept from before, or the default.

    `given` has the form of the API's Parameters. Raises ValidationError for those that are
    unknown, missing or given in two ways.
    """
    chosen: dict[str, str] = {}
    for item in given:
        name = item.get("ParameterKey", "")
        if item.get("UsePreviousValue"):
            if "ParameterValue" in item:
                raise ValidationError(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as "
                    "true and non empty value for a parameter"
                )
            if name not in previous:
                raise ValidationError(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as "
                    "true for a parameter key not in the previous template"
                )
            chosen[name] = previous[name]
        else:
            chosen[name] = item.get("ParameterValue", "")
    unknown = [name for name in chosen if name not in declared]
    if unknown:
        raise ValidationError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    for name, one in declared.items():
        if name not in chosen and one.default is not None:
            chosen[name] = one.default
    missing = [name for name in declared if name not in chosen]
    if missing:
        raise ValidationError(f"Parameters: [{', '.join(missing)}] must have values")
    for name, text in chosen.items():
        if len(text.encode()) > limits.PARAMETER_BYTES_MAX:
            raise ValidationError(
                f"Parameter '{name}' is longer than {limits.PARAMETER_BYTES_MAX} bytes"
            )
    return chosen


def parameter_value(declared: ParameterDeclaration, text: str) -> str | list[str]:
    """What `Ref` gives. Raises ValidationError when a constraint is broken."""
    check_value(declared, text)
    if value_type(declared) in ("CommaDelimitedList", "List<Number>"):
        return [item.strip() for item in text.split(",")] if text else []
    return text


def check_value(declared: ParameterDeclaration, text: str) -> None:
    """Hold a value against its declaration. Raises ValidationError in AWS's words.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    """
    kind = value_type(declared)
    items = [item.strip() for item in text.split(",")] if "List" in kind and text else [text]
    if kind in ("Number", "List<Number>"):
        for item in items:
            _check_number(declared, item)
    for item in items:
        _check_text(declared, item)


def _check_number(declared: ParameterDeclaration, text: str) -> None:
    try:
        number = float(text)
    except ValueError:
        raise _broken(declared, "must be a number") from None
    if declared.value_min is not None and number < declared.value_min:
        raise _broken(declared, f"must be a number not less than {_plain(declared.value_min)}")
    if declared.value_max is not None and number > declared.value_max:
        raise _broken(declared, f"must be a number not greater than {_plain(declared.value_max)}")


def _check_text(declared: ParameterDeclaration, text: str) -> None:
    if declared.allowed and text not in declared.allowed:
        raise _broken(declared, "must be one of AllowedValues")
    if declared.length_min is not None and len(text) < declared.length_min:
        raise _broken(declared, f"must contain at least {declared.length_min} characters")
    if declared.length_max is not None and len(text) > declared.length_max:
        raise _broken(declared, f"must contain at most {declared.length_max} characters")
    if declared.pattern is not None and not _compiled(declared).fullmatch(text):
        raise _broken(declared, f"must match pattern {declared.pattern}")


def _compiled(declared: ParameterDeclaration) -> re.Pattern[str]:
    try:
        return re.compile(str(declared.pattern))
    except re.error:
        raise ValidationError(
            f"Template format error: Parameter '{declared.name}' has an invalid AllowedPattern"
        ) from None


def _broken(declared: ParameterDeclaration, words: str) -> ValidationError:
    if declared.constraint:
        return ValidationError(
            f"Parameter {declared.name} failed to satisfy constraint: {declared.constraint}"
        )
    return ValidationError(f"Parameter '{declared.name}' {words}")


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)
