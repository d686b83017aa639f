"""Writing and removing parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.ssm import permissions, store
from cumulet.services.ssm.describe import seal_value
from cumulet.services.ssm.errors import (
    InvalidKeyId,
    InvalidPolicyTypeException,
    ParameterAlreadyExists,
    ParameterMaxVersionLimitExceeded,
    ParameterNotFound,
    ValidationException,
)
from cumulet.services.ssm.limits import ADVANCED_VALUE_MAX, STANDARD_VALUE_MAX
from cumulet.services.ssm.matching import check_pattern
from cumulet.services.ssm.model import ADVANCED, DEFAULT_KEY, SECURE, STANDARD, Parameter, Version
from cumulet.services.ssm.names import check_new_name, read_name
from cumulet.services.ssm.operations.tag import read_tags

_PUT = permissions.keys
_ADVANCED_PAGE = (
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "parameter-store-advanced-parameters.html"
)


@operation("PutParameter", resource=permissions.one, conditions=_PUT)
async def put_parameter(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a parameter, or give it a new version."""
    name = request["Name"]
    if name.startswith("arn:"):
        name = read_name(name).name
    check_new_name(name)
    _check_combination(request)
    tags = read_tags(request.get("Tags", []), {})
    known = await ctx.transact(store.load, name)
    version = _version(ctx, request, name, known)
    if version.pattern:
        await check_pattern(version.pattern, request["Value"])
    written = await ctx.transact(_write, version, bool(request.get("Overwrite")), tags, request)
    return {"Version": written.number, "Tier": written.tier}


def _check_combination(request: Mapping[str, Any]) -> None:
    if not request["Value"]:
        raise ValidationException(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1."
        )
    if request.get("Tags") and request.get("Overwrite"):
        raise ValidationException(
            "Invalid request: tags and overwrite can't be used together. To create a parameter "
            "with tags, please remove overwrite flag. To update tags for an existing parameter, "
            "please use AddTagsToResource or RemoveTagsFromResource."
        )
    if _has_policies(request.get("Policies")):
        raise InvalidPolicyTypeException("Cumulet does not have parameter policies.")
    if request.get("DataType", "text") != "text":
        raise ValidationException(
            f"The following data type is not supported: {request['DataType']} "
            "(Data type names are all lowercase.)"
        )


def _has_policies(text: str | None) -> bool:
    if text is None:
        return False
    try:
        return bool(json.loads(text))
    except ValueError:
        return True


def _version(
    ctx: Context, request: Mapping[str, Any], name: str, known: Parameter | None
) -> Version:
    type_ = request.get("Type") or (known.latest.type if known is not None else None)
    if type_ is None:
        raise ValidationException("A parameter type is required when you create a parameter.")
    sealer = ctx.need(Sealer)
    before = known.latest if known is not None else None
    return Version(
        name=known.name if known is not None else name,
        number=1,
        type=type_,
        value=seal_value(sealer, type_, request["Value"]),
        modified=round(ctx.clock.now(), 3),
        modified_by=ctx.caller.arn,
        tier=_tier(request, before),
        description=request.get("Description", before.description if before else None),
        pattern=request.get("AllowedPattern", before.pattern if before else None) or None,
        key_id=_key(request, type_),
    )


def _tier(request: Mapping[str, Any], before: Version | None) -> str:
    size = len(request["Value"])
    asked = request.get("Tier") or (before.tier if before is not None else STANDARD)
    if asked == "Intelligent-Tiering":
        large = size > STANDARD_VALUE_MAX or (before is not None and before.tier == ADVANCED)
        asked = ADVANCED if large else STANDARD
    if before is not None and before.tier == ADVANCED and asked == STANDARD:
        raise ValidationException(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from "
            "the advanced-parameter tier to the standard-parameter tier. If necessary, you can "
            "delete the advanced parameter and recreate it as a standard parameter."
        )
    if asked == STANDARD and size > STANDARD_VALUE_MAX:
        raise ValidationException(
            f"Standard tier parameters support a maximum parameter value of {STANDARD_VALUE_MAX} "
            "characters. To create a larger parameter value, upgrade the parameter to use the "
            f"advanced-parameter tier. For more information, see {_ADVANCED_PAGE}"
        )
    if size > ADVANCED_VALUE_MAX:
        raise ValidationException(
            f"Advanced tier parameters support a maximum parameter value of {ADVANCED_VALUE_MAX} "
            "characters."
        )
    return asked


def _key(request: Mapping[str, Any], type_: str) -> str:
    given: str | None = request.get("KeyId")
    if type_ != SECURE:
        if given is not None:
            raise ValidationException("KeyId is required for SecureString type parameter only.")
        return ""
    if given is not None and not given.endswith(DEFAULT_KEY):
        raise InvalidKeyId(
            f"Invalid keyId {given}: values are sealed with the key of this installation, "
            f"which is called {DEFAULT_KEY}."
        )
    return DEFAULT_KEY


async def _write(
    tx: Transaction,
    scope: Scope,
    version: Version,
    overwrite: bool,
    tags: dict[str, str],
    request: Mapping[str, Any],
) -> Version:
    old = await store.load(tx, scope, version.name)
    if old is not None and not overwrite:
        raise ParameterAlreadyExists(
            "The parameter already exists. To overwrite this value, set the overwrite option in "
            "the request to true."
        )
    if old is not None:
        # Somebody may have written since `version` was made.
        number = old.latest.number + 1
        version = msgspec.structs.replace(version, number=number, tier=_tier(request, old.latest))
    try:
        await store.write(tx, scope, old, version, tags)
    except store.OldestIsLabelled as cause:
        oldest = old.oldest if old is not None else 1
        raise ParameterMaxVersionLimitExceeded(
            f"You attempted to create a new version of {version.name} by calling the PutParameter "
            f"API with the overwrite flag. Version {oldest}, the oldest version, can't be deleted "
            "because it has a label associated with it. Move the label to another version of the "
            "parameter, and try again."
        ) from cause
    return version


@operation("DeleteParameter", resource=permissions.one, conditions=permissions.keys)
async def delete_parameter(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a parameter with all its versions."""
    name = read_name(request["Name"]).name
    if not await ctx.transact(_remove, name):
        raise ParameterNotFound(f"Parameter {request['Name']} not found.")
    return {}


@operation("DeleteParameters", resource=permissions.each)
async def delete_parameters(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove several parameters; those that do not exist are named."""
    deleted: list[str] = []
    invalid: list[str] = []
    for name in dict.fromkeys(request["Names"]):
        gone = await ctx.transact(_remove, read_name(name).name)
        (deleted if gone else invalid).append(name)
    return {"DeletedParameters": deleted, "InvalidParameters": invalid}


async def _remove(tx: Transaction, scope: Scope, name: str) -> bool:
    parameter = await store.load(tx, scope, name)
    if parameter is None:
        return False
    await store.remove(tx, scope, parameter)
    return True
