"""Key schemas, indexes and capacities as requests give them: checked in AWS's order and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.limits import (
    CAPACITY_UNITS_MAX,
    GLOBAL_INDEXES_MAX,
    LOCAL_INDEXES_MAX,
    PROJECTED_ATTRIBUTES_MAX,
)
from cumulet.services.dynamodb.model import Index, OnDemand, Throughput

WRONG = "One or more parameter values were invalid: "
_PARTS_MAX = 4
"""Attributes of each role in the key of a global index."""

Elements = Sequence[Mapping[str, str]]


def read_kinds(definitions: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Datatypes of key attributes by name. Raises ValidationException."""
    kinds: dict[str, str] = {}
    for one in definitions:
        name = one["AttributeName"]
        if name in kinds:
            raise ValidationException(
                f"{WRONG}Duplicate AttributeName in AttributeDefinitions: the attribute {name} is "
                "redefined"
            )
        kinds[name] = one["AttributeType"]
    return kinds


def _check_defined(names: Sequence[str], kinds: Mapping[str, str]) -> None:
    if any(name not in kinds for name in names):
        raise ValidationException(
            f"{WRONG}Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(names)}], AttributeDefinitions: [{', '.join(kinds)}]"
        )


def _names(elements: Elements) -> list[str]:
    return [one["AttributeName"] for one in elements]


def read_simple_key(elements: Elements, kinds: Mapping[str, str]) -> tuple[str, str]:
    """The partition and sort key (or "") of a table or local index. Raises ValidationException."""
    if len(elements) > 2:
        raise ValidationException(
            "1 validation error detected: Value at 'keySchema' failed to satisfy constraint: "
            "Member must have length less than or equal to 2"
        )
    names = _names(elements)
    if elements[0]["KeyType"] != "HASH":
        raise ValidationException(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
        )
    if len(elements) == 2 and elements[1]["KeyType"] != "RANGE":
        raise ValidationException(
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
        )
    if len(set(names)) != len(names):
        raise ValidationException(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
    _check_defined(names, kinds)
    return names[0], names[1] if len(names) == 2 else ""


def read_global_key(
    elements: Elements, kinds: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The attributes of each role in the key of a global index. Raises ValidationException."""
    names = _names(elements)
    types = [one["KeyType"] for one in elements]
    if types[0] != "HASH":
        raise ValidationException(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"
        )
    if types != sorted(types):
        raise ValidationException(
            "Invalid KeySchema: All HASH key elements must precede all RANGE key elements"
        )
    for role in ("HASH", "RANGE"):
        if types.count(role) > _PARTS_MAX:
            raise ValidationException(
                f"Invalid KeySchema: A key may have at most {_PARTS_MAX} {role} key elements"
            )
    if len(set(names)) != len(names):
        raise ValidationException(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
    _check_defined(names, kinds)
    count = types.count("HASH")
    return tuple(names[:count]), tuple(names[count:])


def read_local_indexes(
    given: Sequence[Mapping[str, Any]] | None,
    kinds: Mapping[str, str],
    key: tuple[str, str],
) -> list[Index]:
    """Local indexes, to be numbered. Raises ValidationException."""
    if given is None:
        return []
    if not given:
        raise ValidationException(f"{WRONG}List of LocalSecondaryIndexes is empty")
    if not key[1]:
        raise ValidationException(
            f"{WRONG}Table KeySchema does not have a range key, which is required when specifying "
            "a LocalSecondaryIndex"
        )
    indexes = []
    for one in given:
        name = one["IndexName"]
        hash_name, range_name = read_simple_key(one["KeySchema"], kinds)
        if not range_name:
            raise ValidationException(
                f"{WRONG}Index KeySchema does not have a range key for index: {name}"
            )
        if hash_name != key[0]:
            raise ValidationException(
                f"{WRONG}Index KeySchema does not have the same leading hash key as table "
                f"KeySchema for index: {name}. index hash key: {hash_name}, table hash key: "
                f"{key[0]}"
            )
        projection, attributes = _projection(one["Projection"])
        indexes.append(Index(name, 0, False, (hash_name,), (range_name,), projection, attributes))
    if len(indexes) > LOCAL_INDEXES_MAX:
        raise ValidationException(
            f"{WRONG}Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES_MAX}"
        )
    return indexes


def read_global_indexes(
    given: Sequence[Mapping[str, Any]] | None, kinds: Mapping[str, str], billing: str
) -> list[Index]:
    """Global indexes, to be numbered. Raises ValidationException."""
    if given is None:
        return []
    if not given:
        raise ValidationException(f"{WRONG}List of GlobalSecondaryIndexes is empty")
    indexes = [read_global_index(one, kinds, billing) for one in given]
    if len(indexes) > GLOBAL_INDEXES_MAX:
        raise too_many_global()
    return indexes


def too_many_global() -> ValidationException:
    """The error for one global index too many."""
    return ValidationException(
        f"{WRONG}GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX}"
    )


def read_global_index(one: Mapping[str, Any], kinds: Mapping[str, str], billing: str) -> Index:
    """One global index, to be numbered. Raises ValidationException."""
    name = one["IndexName"]
    hashes, ranges = read_global_key(one["KeySchema"], kinds)
    projection, attributes = _projection(one["Projection"])
    return Index(
        name,
        0,
        True,
        hashes,
        ranges,
        projection,
        attributes,
        throughput=read_throughput(one.get("ProvisionedThroughput"), billing, index=name),
        on_demand=read_on_demand(one.get("OnDemandThroughput"), billing),
        warm=read_warm(one.get("WarmThroughput")),
    )


def _projection(given: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    kind = given.get("ProjectionType")
    if kind is None:
        raise ValidationException(f"{WRONG}Unknown ProjectionType: null")
    attributes = given.get("NonKeyAttributes")
    if attributes is not None and kind != "INCLUDE":
        raise ValidationException(
            f"{WRONG}ProjectionType is {kind}, but NonKeyAttributes is specified"
        )
    if kind == "INCLUDE" and not attributes:
        raise ValidationException(
            f"{WRONG}ProjectionType is INCLUDE, but NonKeyAttributes is not specified"
        )
    names = attributes or []
    if len(set(names)) != len(names):
        raise ValidationException(f"{WRONG}Duplicate attribute in NonKeyAttributes")
    return kind, tuple(names)


def check_indexes(indexes: Sequence[Index]) -> None:
    """What holds for all indexes of a table together. Raises ValidationException."""
    names = [index.name for index in indexes]
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(f"{WRONG}Duplicate index name: {name}")
    if sum(len(index.attributes) for index in indexes) > PROJECTED_ATTRIBUTES_MAX:
        raise ValidationException(
            f"{WRONG}Number of projected attributes in all indexes exceeds limit of "
            f"{PROJECTED_ATTRIBUTES_MAX}"
        )


def check_all_used(
    kinds: Mapping[str, str], key: tuple[str, str], indexes: Sequence[Index]
) -> None:
    """Every defined attribute is part of some key. Raises ValidationException."""
    used = [name for name in key if name]
    for index in indexes:
        used += (*index.hashes, *index.ranges)
    if set(kinds) == set(used):
        return
    if not indexes:
        raise ValidationException(
            f"{WRONG}Number of attributes in KeySchema does not exactly match number of "
            "attributes defined in AttributeDefinitions"
        )
    told = ", ".join(dict.fromkeys(used))
    raise ValidationException(
        f"{WRONG}Some AttributeDefinitions are not used. AttributeDefinitions: "
        f"[{', '.join(kinds)}], keys used: [{told}]"
    )


def read_throughput(
    given: Mapping[str, int] | None, billing: str, *, index: str = ""
) -> Throughput:
    """Provisioned capacity, which its billing mode asks for or forbids."""
    if billing == "PAY_PER_REQUEST":
        if given is None:
            return Throughput()
        if index:
            raise ValidationException(
                f"{WRONG}ProvisionedThroughput should not be specified for index: {index} when "
                "BillingMode is PAY_PER_REQUEST"
            )
        raise ValidationException(
            f"{WRONG}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
            "BillingMode is PAY_PER_REQUEST"
        )
    if given is None:
        if index:
            raise ValidationException(
                f"{WRONG}ProvisionedThroughput must be specified for index: {index}"
            )
        raise ValidationException(
            f"{WRONG}ReadCapacityUnits and WriteCapacityUnits must both be specified when "
            "BillingMode is PROVISIONED"
        )
    for name in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if given[name] > CAPACITY_UNITS_MAX:
            raise ValidationException(f"Given value {given[name]} for {name} is out of bounds")
    return Throughput(given["ReadCapacityUnits"], given["WriteCapacityUnits"])


def read_on_demand(given: Mapping[str, int] | None, billing: str) -> OnDemand | None:
    """The bounds of on-demand capacity."""
    if given is None:
        return None
    if billing != "PAY_PER_REQUEST":
        raise ValidationException(
            f"{WRONG}OnDemandThroughput can only be specified when BillingMode is PAY_PER_REQUEST"
        )
    read, write = given.get("MaxReadRequestUnits", -1), given.get("MaxWriteRequestUnits", -1)
    for units in (read, write):
        if units != -1 and not 1 <= units <= CAPACITY_UNITS_MAX:
            raise ValidationException(
                f"{WRONG}The maximum request units must be -1 or at least 1: {units}"
            )
    return OnDemand(read, write)


def read_warm(given: Mapping[str, int] | None) -> Throughput | None:
    """The throughput that a table is to be warm for; here it always is."""
    if given is None:
        return None
    return Throughput(given.get("ReadUnitsPerSecond", 0), given.get("WriteUnitsPerSecond", 0))
