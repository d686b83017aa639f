"""Exports and imports: what other stacks may use, and who does. Transactional rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cumulet.core.identity import Scope
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.model import Export, Import, Output, Stack


async def replace_exports(
    tx: Any, scope: Scope, stack: Stack, outputs: Sequence[Output]
) -> str | None:
    """Make these outputs' exports the stack's own ones; AWS's reason when that cannot be."""
    wanted = {output.export_name: output.value for output in outputs if output.export_name}
    held = await store.EXPORTS.lookup(tx, scope, "stack", stack.id, limit=limits.OUTPUTS_MAX)
    for export in held:
        if wanted.get(export.name) == export.value:
            continue
        users = await store.importers(tx, scope, export.name)
        if users:
            verb = "updated" if export.name in wanted else "deleted"
            names = ", ".join(sorted(user.stack_name for user in users))
            return f"Export {export.name} cannot be {verb} as it is in use by {names}"
    for name in wanted:
        other = await store.EXPORTS.load(tx, scope, name)
        if other is not None and other.stack_id != stack.id:
            return f"Export with name {name} is already exported by stack {other.stack_name}. "
    for export in held:
        if export.name not in wanted:
            await store.EXPORTS.drop(tx, scope, export.name)
    for name, value in wanted.items():
        await store.EXPORTS.save(tx, scope, Export(name, value, stack.id, stack.arn, stack.name))
    return None


async def set_imports(
    tx: Any, scope: Scope, stack: Stack, names: Sequence[str], keep_others: bool
) -> None:
    """Record that the stack imports these exports, and unless told otherwise no others."""
    held = await store.IMPORTS.lookup(tx, scope, "stack", stack.id, limit=limits.STACKS_MAX)
    have = {one.export_name for one in held}
    for name in set(names) - have:
        await store.IMPORTS.save(tx, scope, Import(name, stack.id, stack.name))
    if not keep_others:
        for name in have - set(names):
            await store.IMPORTS.drop(tx, scope, name, stack.id)
