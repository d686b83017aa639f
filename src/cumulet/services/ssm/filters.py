"""Which parameters a listing keeps.

Follows https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from cumulet.services.ssm.errors import (
    InvalidFilterKey,
    InvalidFilterOption,
    ValidationException,
)
from cumulet.services.ssm.limits import FILTERS_MAX
from cumulet.services.ssm.model import Parameter
from cumulet.services.ssm.names import check_path

Test: TypeAlias = Callable[[Parameter], bool]

_BY_PATH = ("Type", "KeyId", "Label")
_DESCRIBE = ("Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType")


def is_under(name: str, path: str, *, recursive: bool) -> bool:
    """Whether a name lies under a path, which ends with a slash."""
    whole = name if name.startswith("/") else f"/{name}"
    if not whole.startswith(path):
        return False
    return recursive or "/" not in whole[len(path) :]


def read_filters(given: Sequence[Mapping[str, Any]], *, by_path: bool) -> list[Test]:
    """The tests that a parameter must pass, all of them."""
    if len(given) > FILTERS_MAX:
        raise ValidationException(f"At most {FILTERS_MAX} filters can be given.")
    keys = [one["Key"] for one in given]
    if len(set(keys)) != len(keys):
        raise ValidationException(
            "The following filters are duplicated in the request: each key may come once."
        )
    return [_read(one, _BY_PATH if by_path else _DESCRIBE, by_path=by_path) for one in given]


def _read(given: Mapping[str, Any], allowed: Sequence[str], *, by_path: bool) -> Test:
    key, option, values = given["Key"], given.get("Option"), given.get("Values", [])
    if key.startswith("tag:") and not by_path:
        return _tagged(key[4:], values)
    if key not in allowed:
        raise InvalidFilterKey(
            f"The following filter key is not valid: {key}. "
            f"Valid filter keys include: [{', '.join(allowed)}]."
        )
    if key == "Path":
        return _under(option, values)
    if key == "Label":
        return lambda one: bool(set(one.labels_on(one.latest.number)) & set(values))
    matches = _matcher(key, option, values)
    return lambda one: matches(_value(one, key))


def _value(one: Parameter, key: str) -> str:
    latest = one.latest
    return {
        "Name": one.name,
        "Type": latest.type,
        "KeyId": latest.key_id,
        "Tier": latest.tier,
        "DataType": latest.data_type,
    }[key]


def _matcher(key: str, option: str | None, values: Sequence[str]) -> Callable[[str], bool]:
    if option in (None, "Equals"):
        return lambda value: value in values
    if option == "BeginsWith" and key in ("Name", "KeyId"):
        return lambda value: value.startswith(tuple(values))
    if option == "Contains" and key == "Name":
        return lambda value: any(part in value for part in values)
    raise _bad_option(key, option)


def _bad_option(key: str, option: str | None) -> InvalidFilterOption:
    return InvalidFilterOption(
        f"The following filter option is not valid for the filter key {key}: {option}."
    )


def _under(option: str | None, values: Sequence[str]) -> Test:
    if option not in (None, "Recursive", "OneLevel"):
        raise _bad_option("Path", option)
    paths = [check_path(value) for value in values]
    recursive = option == "Recursive"
    return lambda one: any(is_under(one.name, path, recursive=recursive) for path in paths)


def _tagged(name: str, values: Sequence[str]) -> Test:
    return lambda one: name in one.tags and (not values or one.tags[name] in values)
