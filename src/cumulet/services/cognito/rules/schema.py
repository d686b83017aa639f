"""The schema of a pool's attributes, and whether values fit it. Pure.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cumulet.services.cognito.errors import InvalidParameterException
from cumulet.services.cognito.limits import CUSTOM_ATTRIBUTES_MAX, SCHEMA_TEXT_MAX

_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
_PHONE = re.compile(r"\+[0-9]{1,15}\Z")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_TEXTS = (
    *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"),
    *("profile", "picture", "website", "email"),
)
_MORE = ("gender", "zoneinfo", "locale", "phone_number", "address")
VERIFIED = ("email_verified", "phone_number_verified")
ADDRESSES = ("email", "phone_number")


def _entry(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "AttributeDataType": kind,
        "DeveloperOnlyAttribute": False,
        "Mutable": True,
        "Required": False,
        **more,
    }


def _text(name: str, low: str = "0", high: str = "2048", **more: Any) -> dict[str, Any]:
    bounds = {"MinLength": low, "MaxLength": high}
    return _entry(name, "String", StringAttributeConstraints=bounds, **more)


def standard() -> dict[str, dict[str, Any]]:
    """The attributes that every pool has."""
    listed = [
        _text("sub", "1", Mutable=False, Required=True),
        *(_text(name) for name in _TEXTS),
        _entry("email_verified", "Boolean"),
        *(_text(name) for name in _MORE[:1]),
        _text("birthdate", "10", "10"),
        *(_text(name) for name in _MORE[1:]),
        _entry("phone_number_verified", "Boolean"),
        _entry("updated_at", "Number", NumberAttributeConstraints={"MinValue": "0"}),
        _entry("identities", "String", StringAttributeConstraints={}),
    ]
    return {entry["Name"]: entry for entry in listed}


def whole_schema(given: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The standard attributes as a new pool wants them, and its own. Raises."""
    schema = standard()
    seen: set[str] = set()
    for one in given:
        name = one.get("Name", "")
        if not name:
            raise InvalidParameterException("Attribute name must be specified in the schema.")
        if name in seen:
            raise InvalidParameterException(f"Duplicate attribute name {name} in schema.")
        seen.add(name)
        known = schema.get(name)
        if known is None:
            entry = custom_entry(one)
            schema[entry["Name"]] = entry
            continue
        if one.get("AttributeDataType", known["AttributeDataType"]) != known["AttributeDataType"]:
            raise InvalidParameterException(
                f"You can not change AttributeDataType or set developerOnlyAttribute for standard "
                f"schema attribute {name}"
            )
        kept = ("Mutable", "Required", "StringAttributeConstraints", "NumberAttributeConstraints")
        schema[name] = {**known, **{key: one[key] for key in kept if key in one}}
    check_count(schema)
    return schema


def check_count(schema: Mapping[str, Any]) -> None:
    """Raise when a pool would have too many attributes of its own."""
    if sum(":" in name for name in schema) > CUSTOM_ATTRIBUTES_MAX:
        raise InvalidParameterException(
            f"Number of custom attributes exceeds the limit of {CUSTOM_ATTRIBUTES_MAX}."
        )


def custom_entry(given: Mapping[str, Any]) -> dict[str, Any]:
    """A pool's own attribute under its full name: `custom:…` or `dev:custom:…`. Raises."""
    name, kind = given.get("Name", ""), given.get("AttributeDataType", "String")
    if not name:
        raise InvalidParameterException("Attribute name must be specified in the schema.")
    if given.get("Required"):
        raise InvalidParameterException("Required custom attributes are not supported currently.")
    is_developers = bool(given.get("DeveloperOnlyAttribute"))
    entry = {
        "Name": ("dev:" if is_developers else "") + "custom:" + name.removeprefix("custom:"),
        "AttributeDataType": kind,
        "DeveloperOnlyAttribute": is_developers,
        "Mutable": bool(given.get("Mutable", False)),
        "Required": False,
    }
    if kind == "String":
        entry["StringAttributeConstraints"] = dict(given.get("StringAttributeConstraints", {}))
    if kind == "Number":
        entry["NumberAttributeConstraints"] = dict(given.get("NumberAttributeConstraints", {}))
    return entry


def read_attributes(listed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A list of names and values as a dictionary. Raises when a name comes twice."""
    found: dict[str, str] = {}
    for one in listed:
        if one["Name"] in found:
            raise InvalidParameterException(f"Duplicate attribute name: {one['Name']}")
        found[one["Name"]] = one.get("Value", "")
    return found


def check_values(schema: Mapping[str, Any], values: Mapping[str, str], *, is_new: bool) -> None:
    """Raise InvalidParameterException unless the values fit the schema.

    A new user must have what is required; an existing one keeps what is not mutable.
    """
    wrong: list[str] = []
    for name, value in values.items():
        entry = schema.get(name)
        if entry is None or name in ("sub", "identities"):
            wrong.append(f"{name}: Attribute does not exist in the schema.\n")
            continue
        if not is_new and not entry["Mutable"]:
            raise InvalidParameterException(
                f"user.{name}: Attribute cannot be updated. Attribute is not mutable."
            )
        _check_form(name, value)
        wrong += [f"{name}: {text}\n" for text in _broken(entry, value)]
    if is_new:
        wrong += [
            f"{name}: The attribute {name} is required\n"
            for name, entry in schema.items()
            if entry["Required"] and name != "sub" and not values.get(name)
        ]
    if wrong:
        raise InvalidParameterException(
            "Attributes did not conform to the schema: " + "".join(wrong)
        )


def _check_form(name: str, value: str) -> None:
    if name == "email" and value and not is_email(value):
        raise InvalidParameterException("Invalid email address format.")
    if name == "phone_number" and value and not is_phone(value):
        raise InvalidParameterException("Invalid phone number format.")
    if name == "birthdate" and value and not _DATE.match(value):
        raise InvalidParameterException("Invalid birthdate format. Expected: YYYY-MM-DD")


def is_email(text: str) -> bool:
    """Whether a text can be an address."""
    return _EMAIL.match(text) is not None


def is_phone(text: str) -> bool:
    """Whether a text is a number as E.164 writes it."""
    return _PHONE.match(text) is not None


def _broken(entry: Mapping[str, Any], value: str) -> list[str]:
    kind = entry["AttributeDataType"]
    if kind == "String":
        bounds = entry.get("StringAttributeConstraints", {})
        if len(value) > int(bounds.get("MaxLength", SCHEMA_TEXT_MAX)):
            return ["String must not be longer than " + str(bounds.get("MaxLength", 2048))]
        if value and len(value) < int(bounds.get("MinLength", 0)):
            return ["String must not be shorter than " + str(bounds["MinLength"])]
        return []
    if kind == "Boolean":
        return [] if value.lower() in ("true", "false") else ["must be a boolean"]
    if kind == "Number":
        return _broken_number(entry.get("NumberAttributeConstraints", {}), value)
    return []


def _broken_number(bounds: Mapping[str, Any], value: str) -> list[str]:
    try:
        number = int(value)
    except ValueError:
        return ["Expected a number"]
    if "MinValue" in bounds and number < int(bounds["MinValue"]):
        return [f"Number must be at least {bounds['MinValue']}"]
    if "MaxValue" in bounds and number > int(bounds["MaxValue"]):
        return [f"Number must be at most {bounds['MaxValue']}"]
    return []
