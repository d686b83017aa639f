"""Chat completions in OpenAI's form, pure: what is sent, and what the streamed chunks say.

Follows https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from cumulet.services.bedrock.limits import TOOL_CALLS_MAX
from cumulet.services.bedrock.model import (
    Ask,
    End,
    Json,
    Piece,
    Reasoning,
    StopReason,
    Text,
    ToolInput,
    ToolStart,
    Usage,
)
from cumulet.services.bedrock.providers.stops import StopFinder

_REASONS: dict[str, StopReason] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filtered",
}


class BadChunk(Exception):
    """The server sent what is not a chunk of a chat completion."""


class ServerSaid(Exception):
    """The server told of an error within its stream."""


def chat_body(ask: Ask, name: str, *, finds_stops: bool) -> Json:
    """The request for a streamed answer. With `finds_stops`, we look for stop sequences."""
    body: Json = {
        **ask.extras,
        "model": name,
        "messages": list(ask.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    chosen = {
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        "top_p": ask.top_p,
        "top_k": ask.top_k,
    }
    body.update({key: value for key, value in chosen.items() if value is not None})
    if ask.stops and not finds_stops:
        body["stop"] = list(ask.stops)
    if ask.tools:
        body["tools"] = list(ask.tools)
        body["tool_choice"] = _tool_choice(ask.tool_choice)
    if ask.json_schema is not None:
        schema = {"name": "answer", "schema": ask.json_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if finds_stops:
        body["timings_per_token"] = True
    return body


def _tool_choice(choice: str) -> Any:
    if choice.startswith("tool:"):
        return {"type": "function", "function": {"name": choice[5:]}}
    return "required" if choice == "any" else "auto"


class Reading:
    """Turns the chunks of one answer into pieces.

    With `finds_stops` the stop sequences were not sent to the server: they are found here, and
    `is_over` says that the rest is not wanted.
    """

    def __init__(self, ask: Ask, make_id: Callable[[], str], *, finds_stops: bool) -> None:
        self._make_id = make_id
        self._finder = StopFinder(ask.stops if finds_stops else ())
        self._reason: StopReason | None = None
        self._stop_sequence: str | None = None
        self._usage: Usage | None = None
        self._calls: set[int] = set()
        self._last_call = -1
        self._is_over = False

    def is_over(self) -> bool:
        """Whether nothing more is wanted of the server."""
        return self._is_over

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces of one event. Raises BadChunk and ServerSaid."""
        if data.strip() == b"[DONE]":
            self._is_over = True
            return
        try:
            chunk = json.loads(data)
        except ValueError as cause:
            raise BadChunk("the server sent what is not JSON") from cause
        if not isinstance(chunk, dict):
            raise BadChunk("the server sent what is not a chunk")
        if chunk.get("error"):
            raise ServerSaid(words_of(chunk))
        try:
            yield from self._chunk(chunk)
        except (KeyError, TypeError, AttributeError, ValueError) as cause:
            raise BadChunk("the server sent what is not a chunk of a chat completion") from cause

    def _chunk(self, chunk: Json) -> Iterator[Piece]:
        self._count(chunk)
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            yield from self._delta(choice.get("delta") or {})
            if self._is_over:
                return
            reason = choice.get("finish_reason")
            if reason is not None:
                self._reason = _REASONS.get(reason, "end_turn")
                told = choice.get("stop_reason")
                if reason == "stop" and isinstance(told, str):
                    self._reason, self._stop_sequence = "stop_sequence", told

    def _count(self, chunk: Json) -> None:
        timings = chunk.get("timings")
        if timings:
            read = int(timings["prompt_n"]) + int(timings.get("cache_n", 0))
            self._usage = Usage(read, int(timings["predicted_n"]))
        usage = chunk.get("usage")
        if usage:
            self._usage = Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))

    def _delta(self, delta: Json) -> Iterator[Piece]:
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought:
            yield Reasoning(str(thought))
        content = delta.get("content") or delta.get("refusal")
        if content:
            text = self._finder.feed(str(content))
            if text:
                yield Text(text)
            if self._finder.found is not None:
                self._reason, self._stop_sequence = "stop_sequence", self._finder.found
                self._is_over = True
                return
        for call in delta.get("tool_calls") or ():
            yield from self._call(call)

    def _call(self, call: Json) -> Iterator[Piece]:
        index = int(call.get("index", 0))
        function = call.get("function") or {}
        if index not in self._calls:
            if len(self._calls) >= TOOL_CALLS_MAX:
                raise BadChunk("the model asks for too many tools at once")
            self._calls.add(index)
            self._last_call = index
            yield from self._held()
            yield ToolStart(str(call.get("id") or self._make_id()), str(function["name"]))
        elif index != self._last_call:
            raise BadChunk("the server mixed the inputs of two tools")
        if function.get("arguments"):
            yield ToolInput(str(function["arguments"]))

    def _held(self) -> Iterator[Piece]:
        text = self._finder.end()
        if text:
            yield Text(text)

    def end(self) -> Iterator[Piece]:
        """The last pieces. Raises BadChunk when the stream stopped short of them."""
        if self._reason is None:
            raise BadChunk("the server's answer broke off")
        if self._usage is None:
            raise BadChunk("the server did not say how many tokens it used")
        yield from self._held()
        reason = self._reason
        if self._calls and reason == "end_turn":
            reason = "tool_use"  # A forced tool ends with `stop` on some servers.
        yield End(reason, self._usage, self._stop_sequence)


def words_of(document: Any) -> str:
    """What an error document of a server says, in any of the forms that are about."""
    error = document.get("error", document) if isinstance(document, dict) else document
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or json.dumps(error)
    return str(error)
