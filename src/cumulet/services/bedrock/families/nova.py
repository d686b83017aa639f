"""Amazon Nova, whose bodies are Converse's in JSON.

Follows https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
"""

from __future__ import annotations

from typing import Any

from cumulet.services.bedrock.conversation import read_conversation
from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.families.fields import (
    an_object,
    check_known,
    list_field,
    malformed,
    number_field,
    object_field,
    text_field,
    whole_field,
)
from cumulet.services.bedrock.model import About, Answer, Ask, Json, Piece
from cumulet.services.bedrock.telling import Events, message_of, usage_of

_KNOWN = ("schemaVersion", "system", "messages", "inferenceConfig", "toolConfig")
_INFERENCE = ("maxTokens", "max_new_tokens", "temperature", "topP", "top_p", "topK", "top_k")


def read(body: Json) -> Ask:
    """What a body asks. Raises ValidationException."""
    check_known(body, _KNOWN)
    if body.get("schemaVersion", "messages-v1") != "messages-v1":
        raise malformed("#/schemaVersion: expected messages-v1")
    given = object_field(body, "inferenceConfig")
    check_known(given, (*_INFERENCE, "stopSequences"), "#/inferenceConfig")
    messages = [_message(one) for one in list_field(body, "messages", needed=True)]
    inference = {
        "maxTokens": _either(whole_field(given, "maxTokens"), whole_field(given, "max_new_tokens")),
        "temperature": number_field(given, "temperature"),
        "topP": _either(number_field(given, "topP"), number_field(given, "top_p")),
        "stopSequences": list_field(given, "stopSequences"),
    }
    top_k = _either(whole_field(given, "topK", 0), whole_field(given, "top_k", 0))
    request = {
        "messages": messages,
        "system": [an_object(one, "#/system") for one in list_field(body, "system")],
        "inferenceConfig": inference,
        "toolConfig": object_field(body, "toolConfig"),
    }
    try:
        return read_conversation(request, {} if top_k is None else {"top_k": top_k})
    except (KeyError, TypeError, AttributeError) as cause:
        raise malformed(f"#: not of the schema messages-v1 ({cause})") from cause


def _either(first: Any, second: Any) -> Any:
    return second if first is None else first


def _message(given: Any) -> Json:
    message = an_object(given, "#/messages")
    if message.get("role") not in ("user", "assistant"):
        raise malformed("#/messages: the role must be user or assistant")
    blocks = [an_object(one, "#/messages") for one in list_field(message, "content", needed=True)]
    for block in blocks:
        if len(block) != 1:
            raise malformed("#/messages: a block of content has exactly one member")
        if "text" in block:
            text_field(block, "text", needed=True)
        if "cachePoint" in block:
            raise ValidationException("cachePoint is not supported by the models of this cloud.")
    return {"role": message["role"], "content": blocks}


def write(answer: Answer, about: About) -> Json:
    """The body of a whole answer."""
    return {
        "output": {"message": message_of(answer)},
        "stopReason": answer.end.reason,
        "usage": usage_of(answer.end.usage),
    }


class _Chunks:
    def __init__(self) -> None:
        self._events = Events()

    def feed(self, piece: Piece) -> list[Json]:
        told = list(self._events.feed(piece))
        for one in told:
            if "metadata" in one:
                one["metadata"] = {"usage": one["metadata"]["usage"], "metrics": {}, "trace": {}}
        return told


def stream(about: About) -> _Chunks:
    """For a streamed answer."""
    return _Chunks()
