"""Chunks of chat completions: https://platform.openai.com/docs/api-reference/chat/streaming"""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.services.bedrock.model import (
    Ask,
    End,
    Piece,
    Text,
    ToolInput,
    ToolStart,
    Usage,
)
from cumulet.services.bedrock.providers.chunks import BadChunk, Reading, ServerSaid, chat_body

USER = ({"role": "user", "content": "hi"},)


def read(*chunks: Any, stops: tuple[str, ...] = (), finds_stops: bool = False) -> list[Piece]:
    reading = Reading(Ask(messages=USER, stops=stops), lambda: "made", finds_stops=finds_stops)
    pieces: list[Piece] = []
    for chunk in chunks:
        pieces += reading.feed(json.dumps(chunk).encode())
        if reading.is_over():
            break
    return [*pieces, *reading.end()]


def delta(reason: str | None = None, **told: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": told, "finish_reason": reason}]}


USED = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}


def test_text_and_usage() -> None:
    pieces = read(delta(content="a"), delta(content="b"), delta("stop"), USED)
    assert pieces == [Text("a"), Text("b"), End("end_turn", Usage(3, 2))]


def test_a_stop_sequence_that_we_find_ends_it_with_the_tokens_so_far() -> None:
    timings = {"timings": {"prompt_n": 5, "cache_n": 1, "predicted_n": 2}}
    pieces = read(
        {**delta(content="one EN"), **timings},
        {**delta(content="D two"), **timings},
        stops=("END",),
        finds_stops=True,
    )
    assert pieces == [Text("one "), End("stop_sequence", Usage(6, 2), "END")]


def test_a_tool_without_an_id_gets_one() -> None:
    call = {"index": 0, "function": {"name": "f", "arguments": "{}"}}
    pieces = read(delta(tool_calls=[call]), delta("stop"), USED)
    assert pieces[:2] == [ToolStart("made", "f"), ToolInput("{}")]
    assert pieces[2] == End("tool_use", Usage(3, 2))


@pytest.mark.parametrize(
    "chunks",
    [
        [delta(content="a")],
        [delta("stop")],
        [5],
        [{"choices": 5}],
        [{"choices": [5]}],
        [delta(tool_calls=[{"index": 0, "function": {}}])],
        [{"choices": [], "usage": {"prompt_tokens": "many"}}],
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(chunks: list[Any]) -> None:
    with pytest.raises(BadChunk):
        read(*chunks)


def test_an_error_in_the_stream_is_told() -> None:
    with pytest.raises(ServerSaid, match="no memory"):
        read(delta(content="a"), {"error": {"message": "no memory"}})


def test_stop_sequences_go_to_servers_that_look_for_them() -> None:
    ask = Ask(messages=USER, stops=("END",), tool_choice="any", tools=({"type": "function"},))
    body = chat_body(ask, "name", finds_stops=False)
    assert (body["stop"], body["tool_choice"]) == (["END"], "required")
    assert "stop" not in chat_body(ask, "name", finds_stops=True)
