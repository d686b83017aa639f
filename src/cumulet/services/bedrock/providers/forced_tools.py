"""Tools that must be used, for models whose own templates cannot be made to.

The answer is held to a JSON schema that only the use of a tool matches, and is then read as one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from cumulet.services.bedrock.errors import ModelErrorException
from cumulet.services.bedrock.limits import ANSWER_CHARACTERS_MAX
from cumulet.services.bedrock.model import Ask, End, Piece, Text, ToolInput, ToolStart
from cumulet.services.bedrock.providers.contract import Answering


def force_tool(ask: Ask) -> Ask:
    """The request by which one of the tools, or the chosen one, is used for certain."""
    wanted = ask.tool_choice.removeprefix("tool:") if ask.tool_choice != "any" else None
    tools = [tool["function"] for tool in ask.tools]
    tools = [tool for tool in tools if wanted in (None, tool["name"])]
    uses = [_use_of(tool) for tool in tools]
    told = json.dumps([{"name": tool["name"], **_described(tool)} for tool in tools])
    guide = {
        "role": "system",
        "content": "Answer with one JSON object, of the form "
        f'{{"name": …, "arguments": …}}, that uses one of these tools: {told}',
    }
    return msgspec.structs.replace(
        ask,
        messages=_guided(ask.messages, guide),
        tools=(),
        tool_choice="auto",
        stops=(),
        json_schema=uses[0] if len(uses) == 1 else {"anyOf": uses},
    )


def _guided(messages: tuple[dict[str, Any], ...], guide: dict[str, Any]) -> Any:
    """The guide joins the system's message, as templates often allow but one."""
    if messages and messages[0]["role"] == "system":
        text = f"{messages[0]['content']}\n\n{guide['content']}"
        return ({"role": "system", "content": text}, *messages[1:])
    return (guide, *messages)


def _described(tool: dict[str, Any]) -> dict[str, Any]:
    known = {"description": tool.get("description"), "parameters": tool.get("parameters")}
    return {key: value for key, value in known.items() if value}


def _use_of(tool: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "name": {"const": tool["name"]},
            "arguments": tool.get("parameters") or {"type": "object"},
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


class Forced:
    """An answer of that form, read as the use of a tool."""

    def __init__(self, answering: Answering, make_id: Callable[[], str]) -> None:
        self._answering = answering
        self._make_id = make_id

    async def pieces(self) -> AsyncIterator[Piece]:
        """The use of the tool, and the end. Raises AwsError."""
        text = ""
        async for piece in self._answering.pieces():
            if isinstance(piece, Text):
                text += piece.text
                if len(text) > ANSWER_CHARACTERS_MAX:
                    raise ModelErrorException("The input of the tool is too long.")
            elif isinstance(piece, End):
                if piece.reason == "max_tokens":
                    raise ModelErrorException(
                        "The model reached its maximum of tokens within the use of a tool."
                    )
                name, given = _read(text)
                yield ToolStart(self._make_id(), name)
                yield ToolInput(json.dumps(given))
                yield msgspec.structs.replace(piece, reason="tool_use")

    def close(self) -> None:
        """End the answer."""
        self._answering.close()


def _read(text: str) -> tuple[str, Any]:
    try:
        use = json.loads(text)
        return str(use["name"]), use["arguments"]
    except (ValueError, KeyError, TypeError) as cause:
        raise ModelErrorException("The model did not use a tool as it was made to.") from cause
