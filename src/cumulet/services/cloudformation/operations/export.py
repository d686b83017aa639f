"""Operations that show exports and who imports them."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import Export, Import
from cumulet.services.cloudformation.operations.finding import page, page_start


@operation("ListExports", resource="*")
async def list_exports(ctx: Context, request: Any) -> dict[str, Any]:
    """Every export of the account and region."""
    start = page_start(request)

    async def load(tx: Any, scope: Scope) -> list[Export]:
        after = (start,) if start is not None else None
        return await store.EXPORTS.scan(tx, scope, limit=limits.PAGE_ITEMS + 1, after=after)

    found = page("Exports", await ctx.transact(load), limits.PAGE_ITEMS, lambda one: one.name)
    found["Exports"] = [
        {"ExportingStackId": one.stack_arn, "Name": one.name, "Value": one.value}
        for one in found["Exports"]
    ]
    return found


@operation("ListImports", resource="*")
async def list_imports(ctx: Context, request: Any) -> dict[str, Any]:
    """The names of the stacks that import an export."""
    name, start = request["ExportName"], page_start(request)

    async def load(tx: Any, scope: Scope) -> list[Import]:
        after = (name, start) if start is not None else None
        return await store.IMPORTS.scan(tx, scope, name, limit=limits.PAGE_ITEMS + 1, after=after)

    imports = await ctx.transact(load)
    if not imports and start is None:
        raise ValidationError(f"Export '{name}' is not imported by any stack.")
    found = page("Imports", imports, limits.PAGE_ITEMS, lambda one: one.stack_id)
    found["Imports"] = [one.stack_name for one in found["Imports"]]
    return found
