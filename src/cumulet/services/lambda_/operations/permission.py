"""Resource policies of functions: who else may call them."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from cumulet.services.lambda_.forms.access import ON_FUNCTION, own
from cumulet.services.lambda_.forms.describe import policy_text
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef
from cumulet.services.lambda_.forms.policies import function_statement
from cumulet.services.lambda_.limits import POLICY_BYTES_MAX
from cumulet.services.lambda_.model import Policy
from cumulet.services.lambda_.operations.update import check_revision
from cumulet.services.lambda_.running.functions import Functions

NO_POLICY = "The resource you requested does not exist."


async def _existing(ctx: Context, request: dict[str, Any]) -> FunctionRef:
    ref = own(ctx, request)
    if ref.qualifier == LATEST:
        raise InvalidParameterValueException(
            "We currently do not support adding policies for $LATEST."
        )
    await ctx.need(Functions).live.find(ref)
    return ref


@operation("AddPermission", **ON_FUNCTION)
async def add_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Allow another service or account to use the function, version or alias."""
    ref = await _existing(ctx, request)
    if request.get("FunctionUrlAuthType") and request["Action"] != "lambda:InvokeFunctionUrl":
        raise InvalidParameterValueException(
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"
        )
    statement = function_statement(request, ref.arn)
    revision = new_uuid(ctx.clock)

    def change(old: Policy | None) -> Policy:
        statements = () if old is None else old.statements
        check_revision(request, "" if old is None else old.revision)
        if any(each["Sid"] == statement["Sid"] for each in statements):
            raise ResourceConflictException(
                f"The statement id ({statement['Sid']}) provided already exists. Please provide a "
                "new statement id, or remove the existing statement."
            )
        statements += (statement,)
        if len(policy_text(statements).encode()) > POLICY_BYTES_MAX:
            raise PolicyLengthExceededException(
                f"The final policy size is bigger than the limit ({POLICY_BYTES_MAX})."
            )
        return Policy(ref.name, ref.qualifier, statements, revision)

    await ctx.transact(store.change_policy, ref.name, ref.qualifier, change)
    return {"Statement": msgspec.json.encode(statement).decode()}


@operation("RemovePermission", **ON_FUNCTION)
async def remove_permission(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Take a permission back."""
    ref = await _existing(ctx, request)
    sid = request["StatementId"]
    revision = new_uuid(ctx.clock)

    def change(old: Policy | None) -> Policy | None:
        if old is None:
            raise ResourceNotFoundException("No policy is associated with the given resource.")
        check_revision(request, old.revision)
        kept = tuple(each for each in old.statements if each["Sid"] != sid)
        if len(kept) == len(old.statements):
            raise ResourceNotFoundException(f"Statement {sid} is not found in resource policy.")
        return Policy(ref.name, ref.qualifier, kept, revision) if kept else None

    await ctx.transact(store.change_policy, ref.name, ref.qualifier, change)
    return {}


@operation("GetPolicy", **ON_FUNCTION)
async def get_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Show the resource policy of a function, version or alias."""
    ref = await _existing(ctx, request)
    policy = await ctx.transact(store.load_policy, ref.name, ref.qualifier)
    if policy is None:
        raise ResourceNotFoundException(NO_POLICY)
    return {"Policy": policy_text(policy.statements), "RevisionId": policy.revision}
