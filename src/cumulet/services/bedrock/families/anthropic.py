"""Anthropic's Messages.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
and https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any

from cumulet.services.bedrock.conversation import (
    assistant_message,
    call_of,
    check_chosen,
    check_order,
    check_stops,
    image_part,
    text_of,
    tool_of,
    user_message,
)
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
from cumulet.services.bedrock.model import (
    About,
    Answer,
    Ask,
    End,
    Json,
    Piece,
    Reasoning,
    Text,
    ToolInput,
    ToolStart,
)

VERSION = "bedrock-2023-05-31"
_KNOWN = (
    *("anthropic_version", "max_tokens", "messages", "system", "temperature", "top_p", "top_k"),
    *("stop_sequences", "tools", "tool_choice"),
)
_REASONS = {"content_filtered": "refusal"}


def read(body: Json) -> Ask:
    """What a body asks. Raises ValidationException."""
    if "prompt" in body:
        raise ValidationException(
            '"prompt" is of the old Text Completions: use the Messages API instead.'
        )
    check_known(body, _KNOWN)
    if body.get("anthropic_version") != VERSION:
        raise ValidationException(f"anthropic_version: it must be {VERSION}")
    max_tokens = whole_field(body, "max_tokens")
    if max_tokens is None:
        raise malformed("#: required key [max_tokens] not found")
    stops = tuple(list_field(body, "stop_sequences"))
    check_stops(stops)
    tools = [_tool(an_object(one, "#/tools")) for one in list_field(body, "tools")]
    return Ask(
        messages=(*_system(body.get("system")), *_messages(list_field(body, "messages"))),
        tools=tuple(tools),
        tool_choice=_choice(object_field(body, "tool_choice"), tools),
        max_tokens=max_tokens,
        temperature=number_field(body, "temperature"),
        top_p=number_field(body, "top_p"),
        top_k=whole_field(body, "top_k", 0),
        stops=stops,
    )


def _system(given: Any) -> list[Json]:
    if given is None or given == []:
        return []
    text = given if isinstance(given, str) else text_of(_parts(given, "system"))
    return [{"role": "system", "content": text}]


def _parts(given: Any, where: str) -> list[Json]:
    """The texts and pictures of some content."""
    if isinstance(given, str):
        return [{"type": "text", "text": given}]
    if not isinstance(given, list):
        raise malformed(f"#/{where}: expected a text or a list of blocks")
    return [_part(an_object(block, f"#/{where}"), where) for block in given]


def _part(block: Json, where: str) -> Json:
    kind = block.get("type")
    if block.get("cache_control"):
        raise ValidationException(f"{where}: cache_control is not supported by this cloud's models")
    if kind == "text":
        return {"type": "text", "text": text_field(block, "text", needed=True)}
    if kind == "image":
        source = object_field(block, "source")
        media = text_field(source, "media_type")
        if source.get("type") != "base64" or not media.startswith("image/"):
            raise ValidationException(f"{where}: an image must be given as base64")
        data = text_field(source, "data", needed=True)
        return image_part({"format": media[6:], "source": {"bytes": data}}, where)
    raise ValidationException(f"{where}: content of type {kind!r} is not supported here")


def _messages(given: list[Any]) -> list[Json]:
    messages = [an_object(one, "#/messages") for one in given]
    check_order([text_field(one, "role", needed=True) for one in messages])
    found: list[Json] = []
    for number, message in enumerate(messages):
        where = f"messages.{number}.content"
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not isinstance(blocks, list) or not blocks:
            raise malformed(f"#/{where}: expected a text or a list of at least one block")
        found += _message(message["role"], [an_object(one, f"#/{where}") for one in blocks], where)
    return found


def _message(role: str, blocks: list[Json], where: str) -> list[Json]:
    if role == "assistant":
        calls = [_call(one) for one in blocks if one.get("type") == "tool_use"]
        passed = ("tool_use", "thinking", "redacted_thinking")
        parts = [_part(one, where) for one in blocks if one.get("type") not in passed]
        return [assistant_message(text_of(parts), calls)]
    results = [_result(one, where) for one in blocks if one.get("type") == "tool_result"]
    parts = [_part(one, where) for one in blocks if one.get("type") != "tool_result"]
    return results + ([user_message(parts)] if parts else [])


def _call(block: Json) -> Json:
    id_, name = text_field(block, "id", needed=True), text_field(block, "name", needed=True)
    return call_of(id_, name, object_field(block, "input"))


def _result(block: Json, where: str) -> Json:
    text = text_of(_parts(block.get("content") or "", where))
    if block.get("is_error"):
        text = f"Error: {text}"
    id_ = text_field(block, "tool_use_id", needed=True)
    return {"role": "tool", "tool_call_id": id_, "content": text}


def _tool(tool: Json) -> Json:
    if tool.get("type") not in (None, "custom"):
        raise ValidationException(f"Tools of type {tool['type']!r} are not supported here.")
    name = text_field(tool, "name", needed=True)
    return tool_of(name, text_field(tool, "description"), tool.get("input_schema"))


def _choice(choice: Json, tools: list[Json]) -> str:
    kind = choice.get("type", "auto")
    if kind == "tool":
        name = text_field(choice, "name", needed=True)
        check_chosen(name, [tool["function"]["name"] for tool in tools])
        return f"tool:{name}"
    if kind not in ("auto", "any"):
        raise ValidationException(f"tool_choice: {kind!r} is not supported here")
    return str(kind)


def write(answer: Answer, about: About) -> Json:
    """The body of a whole answer."""
    content: list[Json] = []
    for block in answer.blocks:
        if isinstance(block, Text):
            content.append({"type": "text", "text": block.text})
        elif isinstance(block, Reasoning):
            content.append({"type": "thinking", "thinking": block.text, "signature": ""})
        else:
            use = {"id": block.id, "name": block.name, "input": block.input}
            content.append({"type": "tool_use", **use})
    return {
        **_message_head(about),
        "content": content,
        **_stop(answer.end),
        "usage": _usage(answer.end),
    }


def _message_head(about: About) -> Json:
    return {"id": about.id, "type": "message", "role": "assistant", "model": about.model_id}


def _stop(end: End) -> Json:
    reason = _REASONS.get(end.reason, end.reason)
    return {"stop_reason": reason, "stop_sequence": end.stop_sequence}


def _usage(end: End) -> Json:
    return {"input_tokens": end.usage.input_tokens, "output_tokens": end.usage.output_tokens}


class _Chunks:
    def __init__(self, about: About) -> None:
        self._about = about
        self._index = -1
        self._kind: type | None = None
        self._has_begun = False

    def feed(self, piece: Piece) -> list[Json]:
        told: list[Json] = []
        if not self._has_begun:
            self._has_begun = True
            # How many tokens went in is known at the end, and told there.
            usage = {"input_tokens": 0, "output_tokens": 0}
            stop = {"stop_reason": None, "stop_sequence": None}
            head = {**_message_head(self._about), "content": [], **stop, "usage": usage}
            told.append({"type": "message_start", "message": head})
        if isinstance(piece, End):
            told += self._stop_block()
            told.append({"type": "message_delta", "delta": _stop(piece), "usage": _usage(piece)})
            told.append({"type": "message_stop"})
            return told
        kind = ToolInput if isinstance(piece, ToolStart) else type(piece)
        if isinstance(piece, ToolStart) or kind is not self._kind:
            told += self._stop_block()
            self._kind = kind
            self._index += 1
            at, begun = self._index, _begun(piece)
            told.append({"type": "content_block_start", "index": at, "content_block": begun})
        if not isinstance(piece, ToolStart):
            delta = _delta(piece)
            told.append({"type": "content_block_delta", "index": self._index, "delta": delta})
        return told

    def _stop_block(self) -> list[Json]:
        if self._kind is None:
            return []
        self._kind = None
        return [{"type": "content_block_stop", "index": self._index}]


def _begun(piece: Piece) -> Json:
    if isinstance(piece, ToolStart):
        return {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
    if isinstance(piece, Reasoning):
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "text", "text": ""}


def _delta(piece: Text | Reasoning | ToolInput) -> Json:
    if isinstance(piece, ToolInput):
        return {"type": "input_json_delta", "partial_json": piece.text}
    if isinstance(piece, Reasoning):
        return {"type": "thinking_delta", "thinking": piece.text}
    return {"type": "text_delta", "text": piece.text}


def stream(about: About) -> _Chunks:
    """For a streamed answer."""
    return _Chunks(about)
