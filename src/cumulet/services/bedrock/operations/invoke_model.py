"""InvokeModel and its stream: each family of models in its own form."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.service import operation
from cumulet.services.bedrock import permissions
from cumulet.services.bedrock.answering import Reply, as_stream_error, ask_whole, begin
from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.families import Chunks, Family, family_of, read_body
from cumulet.services.bedrock.model import About, Ask, End, Json
from cumulet.services.bedrock.registry import Registry, read_identifier

_JSON = "application/json"


@operation("InvokeModel", resource=permissions.invoked)
async def invoke_model(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask a model in its family's form; the whole answer at once."""
    family, ask = _read(ctx, request)
    answer = await ask_whole(ctx, request["modelId"], ask)
    body = family.write(answer, _about(ctx, request))
    usage, end = answer.end.usage, answer.end
    headers = {
        "X-Amzn-Bedrock-Invocation-Latency": str(end.latency_ms),
        "X-Amzn-Bedrock-Input-Token-Count": str(usage.input_tokens),
        "X-Amzn-Bedrock-Output-Token-Count": str(usage.output_tokens),
    }
    return {
        "body": json.dumps(body, ensure_ascii=False).encode(),
        "contentType": _JSON,
        "ResponseMetadata": {"HTTPHeaders": headers},
    }


@operation("InvokeModelWithResponseStream", resource=permissions.invoked)
async def invoke_model_with_response_stream(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Ask a model in its family's form; the answer in chunks, as the model writes it."""
    family, ask = _read(ctx, request)
    reply = await begin(ctx, request["modelId"], ask)
    return {"contentType": _JSON, "body": _told(reply, family.stream(_about(ctx, request)))}


async def _told(reply: Reply, chunks: Chunks) -> AsyncIterator[Json]:
    try:
        async for piece in reply.pieces():
            told = chunks.feed(piece)
            if isinstance(piece, End) and told:
                told[-1]["amazon-bedrock-invocationMetrics"] = _metrics(piece)
            for chunk in told:
                yield {"chunk": {"bytes": json.dumps(chunk, ensure_ascii=False).encode()}}
    except AwsError as error:
        raise as_stream_error(error, knows_timeouts=True) from error
    finally:
        reply.close()


def _about(ctx: Context, request: Mapping[str, Any]) -> About:
    model_id = read_identifier(request["modelId"]).model_id
    return About(model_id, f"msg_bdrk_{new_label(ctx.clock, 24)}")


def _metrics(end: End) -> Json:
    return {
        "inputTokenCount": end.usage.input_tokens,
        "outputTokenCount": end.usage.output_tokens,
        "invocationLatency": end.latency_ms,
        "firstByteLatency": end.first_ms,
    }


def _read(ctx: Context, request: Mapping[str, Any]) -> tuple[Family, Ask]:
    for name in ("guardrailIdentifier", "guardrailVersion"):
        if request.get(name):
            raise ValidationException(f"Cumulet does not have guardrails: remove {name}.")
    if request.get("trace", "DISABLED") != "DISABLED":
        raise ValidationException("Cumulet does not have traces of guardrails: remove trace.")
    if request.get("performanceConfigLatency", "standard") != "standard":
        raise ValidationException("The models of this cloud have standard latency only.")
    if request.get("serviceTier", "default") != "default":
        raise ValidationException("The models of this cloud have the default service tier only.")
    for name in ("contentType", "accept"):
        if (request.get(name) or _JSON).partition(";")[0].strip() not in ("*/*", _JSON):
            raise ValidationException(f"The {name} {request[name]} is not supported: use {_JSON}.")
    ctx.need(Registry).find(request["modelId"])
    return read_invocation(request["modelId"], request.get("body") or b"")


def read_invocation(identifier: str, body: bytes) -> tuple[Family, Ask]:
    """What a body in the form of the model's family asks. Raises ValidationException."""
    return read_body(family_of(read_identifier(identifier).model_id), body)
