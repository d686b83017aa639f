"""What is asked of a model and what it answers, whoever asks and whichever engine answers.

Messages and tools have the shape of OpenAI's chat completions, which every engine here speaks:
https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

StopReason = Literal["end_turn", "tool_use", "max_tokens", "stop_sequence", "content_filtered"]
Json: TypeAlias = dict[str, Any]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model. What is None is left to the model.

    `tool_choice` is `auto`, `any` or the name of a tool after `tool:`. `json_schema` is what the
    whole answer must match. `extras` are further fields for the model's server.
    """

    messages: tuple[Json, ...]
    tools: tuple[Json, ...] = ()
    tool_choice: str = "auto"
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stops: tuple[str, ...] = ()
    json_schema: Json | None = None
    extras: Json = {}

    @property
    def has_images(self) -> bool:
        """Whether any message shows a picture."""
        return any(
            isinstance(message.get("content"), list)
            and any(part.get("type") == "image_url" for part in message["content"])
            for message in self.messages
        )


class Text(msgspec.Struct, frozen=True):
    """Some more text of the answer."""

    text: str


class Reasoning(msgspec.Struct, frozen=True):
    """Some more of what the model thinks before it answers."""

    text: str


class ToolStart(msgspec.Struct, frozen=True):
    """The model begins to ask for a tool."""

    id: str
    name: str


class ToolInput(msgspec.Struct, frozen=True):
    """Some more of the JSON that is the input of the tool asked for last."""

    text: str


class Usage(msgspec.Struct, frozen=True):
    """Tokens read and written."""

    input_tokens: int
    output_tokens: int


class End(msgspec.Struct, frozen=True):
    """The answer is over."""

    reason: StopReason
    usage: Usage
    stop_sequence: str | None = None
    latency_ms: int = 0
    first_ms: int = 0


Piece: TypeAlias = Text | Reasoning | ToolStart | ToolInput | End


class ToolUse(msgspec.Struct, frozen=True):
    """A tool that the model asks for."""

    id: str
    name: str
    input: Any


class Answer(msgspec.Struct, frozen=True):
    """A whole answer: its blocks in order, and how it ended."""

    blocks: tuple[Text | Reasoning | ToolUse, ...]
    end: End

    @property
    def text(self) -> str:
        """All of its text."""
        return "".join(block.text for block in self.blocks if isinstance(block, Text))


class About(msgspec.Struct, frozen=True):
    """What an answer's body says of itself: the model as it was asked for, and the answer's id."""

    model_id: str
    id: str
