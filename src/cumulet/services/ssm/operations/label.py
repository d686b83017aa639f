"""Labels of versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.ssm import permissions, store
from cumulet.services.ssm.errors import (
    ParameterNotFound,
    ParameterVersionLabelLimitExceeded,
    ParameterVersionNotFound,
)
from cumulet.services.ssm.limits import LABELS_PER_VERSION_MAX
from cumulet.services.ssm.model import Parameter
from cumulet.services.ssm.names import is_label, read_name


@operation("LabelParameterVersion", resource=permissions.one, conditions=permissions.keys)
async def label_parameter_version(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put labels on a version, or on the latest; they leave the versions that had them."""
    given = list(dict.fromkeys(request["Labels"]))
    invalid = [label for label in given if not is_label(label)]
    number = await ctx.transact(
        _put,
        read_name(request["Name"]).name,
        request.get("ParameterVersion"),
        [label for label in given if label not in invalid],
    )
    return {"InvalidLabels": invalid, "ParameterVersion": number}


async def _put(
    tx: Transaction, scope: Scope, name: str, version: int | None, labels: list[str]
) -> int:
    parameter = await _load(tx, scope, name, version)
    number = parameter.latest.number if version is None else version
    moved = {**parameter.labels, **dict.fromkeys(labels, number)}
    changed = msgspec.structs.replace(parameter, labels=moved)
    if len(changed.labels_on(number)) > LABELS_PER_VERSION_MAX:
        raise ParameterVersionLabelLimitExceeded(
            f"A parameter version can have a maximum of {LABELS_PER_VERSION_MAX} labels. "
            "Move one or more labels to another version and try again."
        )
    await store.PARAMETERS.save(tx, scope, changed)
    return number


async def _load(tx: Transaction, scope: Scope, name: str, version: int | None) -> Parameter:
    parameter = await store.load(tx, scope, name)
    if parameter is None:
        raise ParameterNotFound(f"Parameter {name} not found.")
    if version is not None and not parameter.oldest <= version <= parameter.latest.number:
        raise ParameterVersionNotFound(
            f"Systems Manager could not find version {version} of {name}. "
            "Verify the version and try again."
        )
    return parameter


@operation("UnlabelParameterVersion", resource=permissions.one, conditions=permissions.keys)
async def unlabel_parameter_version(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take labels from a version."""
    given = list(dict.fromkeys(request["Labels"]))
    removed = await ctx.transact(
        _take, read_name(request["Name"]).name, request["ParameterVersion"], given
    )
    return {
        "RemovedLabels": removed,
        "InvalidLabels": [label for label in given if label not in removed],
    }


async def _take(
    tx: Transaction, scope: Scope, name: str, version: int, labels: list[str]
) -> list[str]:
    parameter = await _load(tx, scope, name, version)
    removed = [label for label in labels if parameter.labels.get(label) == version]
    kept = {label: on for label, on in parameter.labels.items() if label not in removed}
    await store.PARAMETERS.save(tx, scope, msgspec.structs.replace(parameter, labels=kept))
    return removed
