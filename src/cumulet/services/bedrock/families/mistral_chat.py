"""Mistral's models, asked with messages and tools.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-chat-completion.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.services.bedrock.conversation import call_of, tool_of
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
from cumulet.services.bedrock.model import (
    About,
    Answer,
    Ask,
    End,
    Json,
    Piece,
    Text,
    ToolInput,
    ToolStart,
    ToolUse,
)

_KNOWN = ("messages", "tools", "tool_choice", "max_tokens", "temperature", "top_p")
_REASONS = {"max_tokens": "length", "tool_use": "tool_calls"}


def read(body: Json) -> Ask:
    """What a body asks. Raises ValidationException."""
    check_known(body, _KNOWN)
    choice = body.get("tool_choice", "auto")
    if choice not in ("auto", "any", "none"):
        raise malformed("#/tool_choice: expected auto, any or none")
    tools = () if choice == "none" else tuple(map(_tool, list_field(body, "tools")))
    return Ask(
        messages=tuple(_message(one) for one in list_field(body, "messages", needed=True)),
        tools=tools,
        tool_choice="any" if choice == "any" else "auto",
        max_tokens=whole_field(body, "max_tokens"),
        temperature=number_field(body, "temperature"),
        top_p=number_field(body, "top_p"),
    )


def _tool(given: Any) -> Json:
    function = object_field(an_object(given, "#/tools"), "function")
    name = text_field(function, "name", needed=True)
    return tool_of(name, text_field(function, "description"), function.get("parameters"))


def _message(given: Any) -> Json:
    message = an_object(given, "#/messages")
    role, content = message.get("role"), text_field(message, "content")
    if role in ("system", "user"):
        return {"role": role, "content": content}
    if role == "tool":
        id_ = text_field(message, "tool_call_id", needed=True)
        return {"role": "tool", "tool_call_id": id_, "content": content}
    if role != "assistant":
        raise malformed("#/messages: the role must be system, user, assistant or tool")
    calls = [_call(an_object(one, "#/messages")) for one in list_field(message, "tool_calls")]
    told: Json = {"role": "assistant", "content": content or (None if calls else "")}
    return {**told, "tool_calls": calls} if calls else told


def _call(call: Json) -> Json:
    function = object_field(call, "function")
    given = function.get("arguments") or "{}"
    try:
        value = json.loads(given) if isinstance(given, str) else given
    except ValueError as cause:
        raise malformed("#/messages: the arguments of a tool call are not JSON") from cause
    id_ = text_field(call, "id", needed=True)
    return call_of(id_, text_field(function, "name", needed=True), value)


def _choice(message: Json, end: End | None) -> Json:
    reason = _REASONS.get(end.reason, "stop") if end else None
    return {"choices": [{"index": 0, "message": message, "stop_reason": reason}]}


def _called(id_: str, name: str, given: str) -> Json:
    function = {"name": name, "arguments": given}
    return {"id": id_, "function": function}


def write(answer: Answer, about: About) -> Json:
    """The body of a whole answer."""
    calls = [
        _called(block.id, block.name, json.dumps(block.input))
        for block in answer.blocks
        if isinstance(block, ToolUse)
    ]
    message: Json = {"role": "assistant", "content": answer.text}
    return _choice({**message, "tool_calls": calls} if calls else message, answer.end)


class _Chunks:
    """Calls of tools are told whole, at the end."""

    def __init__(self) -> None:
        self._calls: list[tuple[ToolStart, list[str]]] = []

    def feed(self, piece: Piece) -> list[Json]:
        message: Json = {"role": "assistant", "content": ""}
        if isinstance(piece, Text):
            return [_choice({**message, "content": piece.text}, None)]
        if isinstance(piece, ToolStart):
            self._calls.append((piece, []))
        elif isinstance(piece, ToolInput):
            self._calls[-1][1].append(piece.text)
        elif isinstance(piece, End):
            calls = [_called(one.id, one.name, "".join(given)) for one, given in self._calls]
            return [_choice({**message, "tool_calls": calls} if calls else message, piece)]
        return []


def stream(about: About) -> _Chunks:
    """For a streamed answer."""
    return _Chunks()
