"""Converse and ConverseStream: one form of conversation for every model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.service import operation
from cumulet.services.bedrock import permissions
from cumulet.services.bedrock.answering import Reply, as_stream_error, ask_whole, begin
from cumulet.services.bedrock.conversation import read_conversation
from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.model import Ask, Json
from cumulet.services.bedrock.registry import Registry
from cumulet.services.bedrock.telling import Events, message_of, usage_of

_RESERVED = frozenset(
    {
        *("messages", "model", "stream", "stream_options", "tools", "tool_choice", "n"),
        *("response_format", "max_tokens", "temperature", "top_p", "stop", "timings_per_token"),
    }
)
_OF_THE_ENGINE = frozenset(
    {
        *("top_k", "min_p", "seed", "typical_p"),
        *("repeat_penalty", "presence_penalty", "frequency_penalty"),
    }
)
"""Further parameters that the embedded engine has; a server of the user's knows its own."""


@operation("Converse", action="bedrock:InvokeModel", resource=permissions.invoked)
async def converse(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Continue a conversation; the whole answer at once."""
    answer = await ask_whole(ctx, request["modelId"], _read(ctx, request))
    told: dict[str, Any] = {
        "output": {"message": message_of(answer)},
        "stopReason": answer.end.reason,
        "usage": usage_of(answer.end.usage),
        "metrics": {"latencyMs": answer.end.latency_ms},
    }
    if _wants_stop_sequence(request):
        told["additionalModelResponseFields"] = {"stop_sequence": answer.end.stop_sequence}
    return told


@operation(
    "ConverseStream",
    action="bedrock:InvokeModelWithResponseStream",
    resource=permissions.invoked,
)
async def converse_stream(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Continue a conversation; the answer in events, as the model writes it."""
    reply = await begin(ctx, request["modelId"], _read(ctx, request))
    events = Events(tells_stop_sequence=_wants_stop_sequence(request))
    return {"stream": _told(reply, events)}


async def _told(reply: Reply, events: Events) -> AsyncIterator[Json]:
    try:
        async for piece in reply.pieces():
            for event in events.feed(piece):
                yield event
    except AwsError as error:
        raise as_stream_error(error, knows_timeouts=False) from error
    finally:
        reply.close()


def _read(ctx: Context, request: Mapping[str, Any]) -> Ask:
    refuse_unsupported(request)
    entry = ctx.need(Registry).find(request["modelId"]).entry
    extras = read_extras(request, any_server=entry.provider == "openai")
    return read_conversation(request, extras)


def refuse_unsupported(request: Mapping[str, Any]) -> None:
    """Raise ValidationException for what would otherwise be passed over in silence."""
    for name in ("guardrailConfig", "promptVariables"):
        if request.get(name):
            raise ValidationException(f"Cumulet does not have what {name} asks for.")
    if (request.get("performanceConfig") or {}).get("latency", "standard") != "standard":
        raise ValidationException("The models of this cloud have standard latency only.")
    if (request.get("serviceTier") or {}).get("type", "default") != "default":
        raise ValidationException("The models of this cloud have the default service tier only.")
    for path in request.get("additionalModelResponseFieldPaths") or ():
        if path and not path.startswith("/"):
            raise ValidationException(f"{path} is not a JSON Pointer.")


def _wants_stop_sequence(request: Mapping[str, Any]) -> bool:
    return "/stop_sequence" in (request.get("additionalModelResponseFieldPaths") or ())


def read_extras(request: Mapping[str, Any], *, any_server: bool) -> Json:
    """The fields for the model itself. Raises ValidationException for those that it cannot have."""
    fields = request.get("additionalModelRequestFields") or {}
    if not isinstance(fields, dict):
        raise ValidationException("additionalModelRequestFields must be an object.")
    if "topK" in fields:
        fields = {**fields, "top_k": fields["topK"]}
        del fields["topK"]
    for name in fields:
        if name in _RESERVED or not (any_server or name in _OF_THE_ENGINE):
            raise ValidationException(
                f"The additional field {name} is not supported by the model. Remove it."
            )
    return dict(fields)
