"""CountTokens: what a request would cost in tokens, counted by the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.bedrock import permissions
from cumulet.services.bedrock.answering import take_turn
from cumulet.services.bedrock.conversation import read_conversation
from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.operations.converse import read_extras
from cumulet.services.bedrock.operations.invoke_model import read_invocation
from cumulet.services.bedrock.registry import Registry


@operation("CountTokens", resource=permissions.invoked)
async def count_tokens(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Count the tokens of a request that is not made."""
    served = ctx.need(Registry).find(request["modelId"])
    given = request["input"]
    if given.get("converse") is not None:
        told = given["converse"]
        extras = read_extras(told, any_server=served.entry.provider == "openai")
        ask = read_conversation(told, extras)
    elif given.get("invokeModel") is not None:
        _, ask = read_invocation(request["modelId"], given["invokeModel"]["body"])
    else:
        raise ValidationException("The input must be one of: invokeModel, converse.")
    await take_turn(served)
    try:
        return {"inputTokens": await served.provider.count(ask)}
    finally:
        served.gate.leave()
