"""Answers of models in Converse's form: whole, and as events; pure.

Follows https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from collections.abc import Iterator

from cumulet.services.bedrock.model import (
    Answer,
    End,
    Json,
    Piece,
    Reasoning,
    Text,
    ToolInput,
    ToolStart,
    Usage,
)


def usage_of(usage: Usage) -> Json:
    """Tokens in Converse's spelling."""
    return {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.input_tokens + usage.output_tokens,
    }


def message_of(answer: Answer) -> Json:
    """The assistant's message of a whole answer."""
    content: list[Json] = []
    for block in answer.blocks:
        if isinstance(block, Text):
            content.append({"text": block.text})
        elif isinstance(block, Reasoning):
            content.append({"reasoningContent": {"reasoningText": {"text": block.text}}})
        else:
            use = {"toolUseId": block.id, "name": block.name, "input": block.input}
            content.append({"toolUse": use})
    return {"role": "assistant", "content": content}


class Events:
    """Turns pieces into ConverseStream's events. Blocks are begun and ended as they change."""

    def __init__(self, *, tells_stop_sequence: bool = False) -> None:
        self._index = -1
        self._kind: type | None = None
        self._has_begun = False
        self._wants_stop_sequence = tells_stop_sequence

    def feed(self, piece: Piece) -> Iterator[Json]:
        """The events of one piece."""
        if not self._has_begun:
            self._has_begun = True
            yield {"messageStart": {"role": "assistant"}}
        if isinstance(piece, End):
            yield from self._end(piece)
        elif isinstance(piece, ToolStart):
            yield from self._next(ToolInput)
            start = {"toolUseId": piece.id, "name": piece.name}
            at = self._index
            yield {"contentBlockStart": {"start": {"toolUse": start}, "contentBlockIndex": at}}
        else:
            if self._kind is not type(piece):
                yield from self._next(type(piece))
            at = self._index
            yield {"contentBlockDelta": {"delta": _delta(piece), "contentBlockIndex": at}}

    def _next(self, kind: type | None) -> Iterator[Json]:
        if self._kind is not None:
            yield {"contentBlockStop": {"contentBlockIndex": self._index}}
        self._kind = kind
        if kind is not None:
            self._index += 1

    def _end(self, end: End) -> Iterator[Json]:
        yield from self._next(None)
        stop: Json = {"stopReason": end.reason}
        if self._wants_stop_sequence:
            stop["additionalModelResponseFields"] = {"stop_sequence": end.stop_sequence}
        yield {"messageStop": stop}
        metrics = {"latencyMs": end.latency_ms}
        yield {"metadata": {"usage": usage_of(end.usage), "metrics": metrics}}


def _delta(piece: Text | Reasoning | ToolInput) -> Json:
    if isinstance(piece, ToolInput):
        return {"toolUse": {"input": piece.text}}
    if isinstance(piece, Reasoning):
        return {"reasoningContent": {"text": piece.text}}
    return {"text": piece.text}
