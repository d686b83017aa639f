"""Parameters in AWS's spelling."""

from __future__ import annotations

from typing import Any

from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.services.ssm.model import SECURE, Parameter, Version, parameter_arn

_PURPOSE = "ssm.parameter"

Found = dict[str, Any]


def seal_value(sealer: Sealer, type_: str, value: str) -> bytes:
    """A value as it is kept."""
    plain = value.encode()
    return sealer.seal(plain, _PURPOSE) if type_ == SECURE else plain


def read_value(sealer: Sealer, version: Version, *, decrypt: bool) -> str:
    """A value as it is told: a SecureString that is not decrypted stays sealed."""
    if version.type != SECURE:
        return version.value.decode()
    if decrypt:
        return sealer.unseal(version.value, _PURPOSE).decode()
    return version.value.hex()


def describe_value(
    scope: Scope, sealer: Sealer, version: Version, *, decrypt: bool, selector: str = ""
) -> Found:
    """A parameter with its value."""
    found: Found = {
        "Name": version.name,
        "Type": version.type,
        "Value": read_value(sealer, version, decrypt=decrypt),
        "Version": version.number,
        "LastModifiedDate": version.modified,
        "ARN": parameter_arn(scope, version.name),
        "DataType": version.data_type,
    }
    return {**found, "Selector": f":{selector}"} if selector else found


def _about(version: Version) -> Found:
    found: Found = {
        "Name": version.name,
        "Type": version.type,
        "LastModifiedDate": version.modified,
        "LastModifiedUser": version.modified_by,
        "Version": version.number,
        "Tier": version.tier,
        "DataType": version.data_type,
        "Policies": [],
    }
    if version.description is not None:
        found["Description"] = version.description
    if version.pattern is not None:
        found["AllowedPattern"] = version.pattern
    if version.key_id:
        found["KeyId"] = version.key_id
    return found


def describe_parameter(scope: Scope, parameter: Parameter) -> Found:
    """A parameter without its value."""
    return {**_about(parameter.latest), "ARN": parameter_arn(scope, parameter.name)}


def describe_version(
    sealer: Sealer, version: Version, labels: list[str], *, decrypt: bool
) -> Found:
    """One version in a history."""
    value = read_value(sealer, version, decrypt=decrypt)
    return {**_about(version), "Value": value, "Labels": labels}
