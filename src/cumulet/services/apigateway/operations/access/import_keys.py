"""API keys from a file: all of them, or none when warnings count as failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.admission.limits import API_KEYS_MAX
from cumulet.services.apigateway.admission.model import ApiKey, PlanKey
from cumulet.services.apigateway.admission.usage.keys import KeyRow, check_value, parse_key_file
from cumulet.services.apigateway.errors import BadRequestException, LimitExceededException
from cumulet.services.apigateway.operations.access.api_key import new_key
from cumulet.services.apigateway.rules.names import at

Request = Mapping[str, Any]


@operation("ImportApiKeys", action="POST", resource=at("/apikeys"))
async def import_api_keys(ctx: Context, request: Request) -> dict[str, Any]:
    """Make the keys of a file, and put them into the usage plans that it names."""
    if request.get("format") != "csv":
        raise BadRequestException("Invalid format specified. Valid options are csv")
    rows = parse_key_file(request.get("body") or b"")
    planned: list[tuple[KeyRow, ApiKey | None, str]] = [_plan(ctx, row) for row in rows]

    async def create(tx: Transaction, scope: Scope) -> tuple[list[str], list[str]]:
        return await _save_all(tx, scope, planned, bool(request.get("failOnWarnings")))

    ids, warnings = await ctx.transact(create)
    return {"ids": ids, "warnings": warnings}


def _plan(ctx: Context, row: KeyRow) -> tuple[KeyRow, ApiKey | None, str]:
    """The key of a row, or why it cannot be one."""
    try:
        check_value(row.value)
    except AwsError as error:
        return row, None, f"{row.name}: {error.message}"
    made = new_key(
        ctx,
        row.value,
        name=row.name or None,
        description=row.description or None,
        enabled=row.enabled,
    )
    return row, made, ""


async def _save_all(
    tx: Transaction,
    scope: Scope,
    planned: list[tuple[KeyRow, ApiKey | None, str]],
    fail_on_warnings: bool,
) -> tuple[list[str], list[str]]:
    """Ids and warnings. Raises BadRequestException, which undoes all, if warnings must not be."""
    room = API_KEYS_MAX - len(await admission.API_KEYS.scan(tx, scope, limit=API_KEYS_MAX))
    ids: list[str] = []
    warnings: list[str] = []
    for row, key, problem in planned:
        if key is None:
            warnings.append(problem)
            continue
        if await admission.find_key(tx, scope, key.digest) is not None:
            warnings.append(f"{row.name}: API Key already exists")
            continue
        if len(ids) >= room:
            raise LimitExceededException(
                f"Maximum number of API keys ({API_KEYS_MAX}) for this account has been reached."
            )
        await admission.API_KEYS.save(tx, scope, key)
        ids.append(key.id)
        for plan_id in row.plan_ids:
            if await admission.PLANS.load(tx, scope, plan_id) is None:
                warnings.append(f"{row.name}: Invalid Usage Plan ID specified: {plan_id}")
                continue
            await admission.PLAN_KEYS.save(tx, scope, PlanKey(plan_id=plan_id, key_id=key.id))
    if warnings and fail_on_warnings:
        words = "\n\t".join(warnings)
        raise BadRequestException(f"Warnings found during import:\n\t{words}")
    return ids, warnings
