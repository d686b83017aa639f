"""Converse's messages and tools, as models here are asked; pure.

Follows https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.limits import STOP_SEQUENCES_MAX
from cumulet.services.bedrock.model import Ask, Json

_ALTERNATE = (
    "A conversation must alternate between user and assistant roles. Make sure the conversation "
    "alternates between user and assistant roles and try again."
)
_START = (
    "A conversation must start with a user message. Try again with a conversation that starts with "
    "a user message."
)
_END = (
    "The conversation must end with a user message: the models of this cloud do not continue a "
    "message of the assistant's."
)


def read_conversation(request: Mapping[str, Any], extras: Json) -> Ask:
    """What Converse asks. Raises ValidationException naming what cannot be done."""
    messages = request.get("messages") or []
    check_order([one["role"] for one in messages])
    config = request.get("toolConfig") or {}
    asked: list[Json] = []
    system = _system(request.get("system") or ())
    if system:
        asked.append({"role": "system", "content": system})
    for number, message in enumerate(messages):
        asked += _message(message, f"messages.{number}", has_tools=bool(config))
    inference = request.get("inferenceConfig") or {}
    stops = tuple(inference.get("stopSequences") or ())
    check_stops(stops)
    top_k = extras.pop("top_k", None)
    return Ask(
        messages=tuple(asked),
        tools=tuple(_tool(tool) for tool in config.get("tools", ())),
        tool_choice=_choice(config),
        max_tokens=inference.get("maxTokens"),
        temperature=inference.get("temperature"),
        top_p=inference.get("topP"),
        top_k=top_k,
        stops=stops,
        json_schema=_schema(request.get("outputConfig") or {}),
        extras=extras,
    )


def check_order(roles: Sequence[str]) -> None:
    """Raise ValidationException unless user and assistant take turns, the user first and last."""
    if not roles:
        raise ValidationException("The messages field is required: give at least one message.")
    if roles[0] != "user":
        raise ValidationException(_START)
    if any(role != ("user", "assistant")[at % 2] for at, role in enumerate(roles)):
        raise ValidationException(_ALTERNATE)
    if roles[-1] != "user":
        raise ValidationException(_END)


def check_stops(stops: Sequence[str]) -> None:
    """Raise ValidationException unless they can be stop sequences."""
    if len(stops) > STOP_SEQUENCES_MAX:
        raise ValidationException(f"At most {STOP_SEQUENCES_MAX} stop sequences can be given.")
    if not all(isinstance(stop, str) and stop for stop in stops):
        raise ValidationException("A stop sequence is a text of at least one character.")


def _system(blocks: Sequence[Mapping[str, Any]]) -> str:
    for block in blocks:
        if "text" not in block:
            raise _refused(next(iter(block), "empty"), "system")
    return "\n".join(block["text"] for block in blocks)


def _refused(kind: str, where: str) -> ValidationException:
    return ValidationException(
        f"The content block {kind} at {where} is not supported by the models of this cloud. "
        "Remove it and try again."
    )


def _message(message: Mapping[str, Any], where: str, *, has_tools: bool) -> list[Json]:
    parts: list[Json] = []
    calls: list[Json] = []
    results: list[Json] = []
    content = message.get("content") or []
    if not content:
        raise ValidationException(f"The content field at {where} is empty. Add content to it.")
    for number, block in enumerate(content):
        place = f"{where}.content.{number}"
        kind = next(iter(block), "empty")
        if kind in ("toolUse", "toolResult") and not has_tools:
            raise ValidationException(
                "The toolConfig field must be defined when using toolUse and toolResult content "
                "blocks."
            )
        if kind == "text":
            parts.append({"type": "text", "text": _text(block["text"], place)})
        elif kind == "image":
            parts.append(image_part(block["image"], place))
        elif kind == "toolUse" and message["role"] == "assistant":
            use = block["toolUse"]
            calls.append(call_of(use["toolUseId"], use["name"], use["input"]))
        elif kind == "toolResult" and message["role"] == "user":
            results.append(_result(block["toolResult"], place))
        elif kind != "reasoningContent":  # Earlier thoughts are not shown to a model again.
            raise _refused(kind, place)
    if message["role"] == "assistant":
        return [assistant_message(text_of(parts), calls)]
    return results + ([user_message(parts)] if parts else [])


def _text(text: str, place: str) -> str:
    if not text.strip():
        raise ValidationException(
            f"The text field in the ContentBlock object at {place} is blank. Add text to the text "
            "field, and try again."
        )
    return text


def text_of(parts: Sequence[Json]) -> str:
    """The text of parts, of which only texts can be an assistant's."""
    if any(part["type"] != "text" for part in parts):
        raise ValidationException("A message of the assistant's cannot hold an image.")
    return "\n".join(part["text"] for part in parts)


def user_message(parts: Sequence[Json]) -> Json:
    """A user's message: a plain text when it is no more than that."""
    if all(part["type"] == "text" for part in parts):
        return {"role": "user", "content": "\n".join(part["text"] for part in parts)}
    return {"role": "user", "content": list(parts)}


def assistant_message(text: str, calls: Sequence[Json]) -> Json:
    """An assistant's message, with the tools that it asked for."""
    message: Json = {"role": "assistant", "content": text or (None if calls else "")}
    return {**message, "tool_calls": list(calls)} if calls else message


def call_of(id_: str, name: str, given: Any) -> Json:
    """The use of a tool, as an assistant's message holds it."""
    function = {"name": name, "arguments": json.dumps(given)}
    return {"id": id_, "type": "function", "function": function}


def image_part(image: Mapping[str, Any], place: str) -> Json:
    """A picture as a part of a message."""
    content = image.get("source", {}).get("bytes")
    if content is None:
        raise _refused("image.source.s3Location", place)
    data = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    return {
        "type": "image_url",
        "image_url": {"url": f"data:image/{image['format']};base64,{data}"},
    }


def _result(result: Mapping[str, Any], place: str) -> Json:
    texts = []
    for block in result.get("content") or ():
        kind = next(iter(block), "empty")
        if kind == "text":
            texts.append(block["text"])
        elif kind == "json":
            texts.append(json.dumps(block["json"]))
        else:
            raise _refused(kind, f"{place}.toolResult")
    text = "\n".join(texts)
    if result.get("status") == "error":
        text = f"Error: {text}"
    return {"role": "tool", "tool_call_id": result["toolUseId"], "content": text}


def _tool(tool: Mapping[str, Any]) -> Json:
    spec = tool.get("toolSpec")
    if spec is None:
        raise _refused(next(iter(tool), "empty"), "toolConfig.tools")
    schema = spec["inputSchema"].get("json")
    return tool_of(spec["name"], spec.get("description"), schema, strict=spec.get("strict"))


def tool_of(name: str, description: str | None, schema: Any, *, strict: Any = None) -> Json:
    """A tool as the model is told of it."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise ValidationException(
            f"The input schema of the tool {name} must be a JSON schema of type object."
        )
    function: Json = {"name": name, "parameters": schema}
    if description:
        function["description"] = description
    if strict is not None:
        function["strict"] = bool(strict)
    return {"type": "function", "function": function}


def _choice(config: Mapping[str, Any]) -> str:
    choice = config.get("toolChoice") or {"auto": {}}
    if "tool" in choice:
        name = choice["tool"]["name"]
        check_chosen(name, [tool.get("toolSpec", {}).get("name") for tool in config["tools"]])
        return f"tool:{name}"
    return "any" if "any" in choice else "auto"


def check_chosen(name: str, names: Sequence[Any]) -> None:
    """Raise ValidationException unless the tool that must be used is there."""
    if name not in names:
        raise ValidationException(f"The tool {name} of the tool choice is not one of the tools.")


def _schema(config: Mapping[str, Any]) -> Json | None:
    if config.get("effort"):
        raise ValidationException("Cumulet does not have outputConfig.effort.")
    text = config.get("textFormat")
    if not text:
        return None
    definition = text["structure"].get("jsonSchema") or {}
    try:
        schema = json.loads(definition.get("schema", ""))
    except ValueError as cause:
        raise ValidationException("The JSON schema of outputConfig is not JSON.") from cause
    if not isinstance(schema, dict):
        raise ValidationException("The JSON schema of outputConfig is not an object.")
    return schema
