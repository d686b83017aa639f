"""Bodies of the families, read; the whole answers are tested with boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.families import family_of, read_body
from cumulet.services.bedrock.model import About, Ask, End, Text, ToolInput, ToolStart, Usage

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
ABOUT = About(CLAUDE, "msg")


def ask(model: str, body: dict[str, Any]) -> Ask:
    return read_body(family_of(model), json.dumps(body).encode())[1]


def claude(**more: Any) -> Ask:
    head = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5}
    return ask(CLAUDE, {**head, "messages": [{"role": "user", "content": "hi"}], **more})


def test_everything_of_anthropics() -> None:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html"""
    image = {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "fine", "is_error": True}
    read = claude(
        system=[{"type": "text", "text": "Be kind."}],
        messages=[
            {"role": "user", "content": [{"type": "image", "source": image}]},
            {"role": "assistant", "content": [{"type": "text", "text": "I call."}, use]},
            {"role": "user", "content": [result]},
        ],
        tools=[{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        tool_choice={"type": "tool", "name": "f"},
        stop_sequences=["END"],
        temperature=0,
        top_k=4,
    )
    system, shown, called, told = read.messages
    assert system == {"role": "system", "content": "Be kind."}
    assert shown["content"][0]["image_url"]["url"] == "data:image/png;base64,iVBORw=="
    assert called["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a": 1}'}
    assert told == {"role": "tool", "tool_call_id": "t1", "content": "Error: fine"}
    assert (read.tool_choice, read.stops, read.top_k) == ("tool:f", ("END",), 4)
    assert (read.temperature, read.max_tokens) == (0, 5)


@pytest.mark.parametrize(
    "more",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
        {"messages": [{"role": "assistant", "content": "a"}]},
        {"messages": ["hi"]},
        {"messages": [{"role": "user"}]},
        {"max_tokens": "5"},
        {"max_tokens": True},
        {"temperature": 2},
        {"stop_sequences": "END"},
        {"stop_sequences": [""]},
        {"tools": [{"type": "computer_20241022", "name": "c"}]},
        {"tools": [{"name": "f", "input_schema": 5}]},
        {"tool_choice": {"type": "tool", "name": "f"}},
        {"thinking": {"type": "enabled"}},
        {"system": 5},
    ],
)
def test_what_is_not_anthropics_form_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationException):
        claude(**more)


def test_a_tool_in_anthropics_stream() -> None:
    """https://docs.anthropic.com/en/docs/build-with-claude/streaming#streaming-request-with-tool-use"""
    chunks = family_of(CLAUDE).stream(ABOUT)
    told = [
        one
        for piece in (
            Text("I"),
            ToolStart("t1", "f"),
            ToolInput("{}"),
            ToolStart("t2", "g"),
            End("tool_use", Usage(1, 2)),
        )
        for one in chunks.feed(piece)
    ]
    starts = [one["content_block"] for one in told if one["type"] == "content_block_start"]
    assert [one.get("name") for one in starts] == [None, "f", "g"]
    stops = [one["index"] for one in told if one["type"] == "content_block_stop"]
    assert stops == [0, 1, 2]
    assert told[-2]["delta"]["stop_reason"] == "tool_use"


def test_everything_of_novas() -> None:
    """https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html"""
    spec = {"name": "f", "inputSchema": {"json": {"type": "object"}}}
    read = ask(
        "amazon.nova-micro-v1:0",
        {
            "schemaVersion": "messages-v1",
            "system": [{"text": "Be kind."}],
            "messages": [{"role": "user", "content": [{"text": "hi"}]}],
            "inferenceConfig": {
                "maxTokens": 5,
                "temperature": 0.5,
                "topP": 0.5,
                "topK": 3,
                "stopSequences": ["END"],
            },
            "toolConfig": {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}},
        },
    )
    assert [one["content"] for one in read.messages] == ["Be kind.", "hi"]
    assert (read.max_tokens, read.top_k, read.stops) == (5, 3, ("END",))
    assert (read.tools[0]["function"]["name"], read.tool_choice) == ("f", "any")


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": [{"text": 5}]}]},
        {"messages": [{"role": "user", "content": [{"image": {"source": {}}}]}]},
        {
            "messages": [{"role": "user", "content": [{"toolResult": 5}]}],
            "toolConfig": {"tools": 5},
        },
        {"schemaVersion": "2", "messages": [{"role": "user", "content": [{"text": "hi"}]}]},
    ],
)
def test_what_is_not_novas_form_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationException):
        ask("amazon.nova-micro-v1:0", body)


def test_what_llama_takes_when_nothing_is_said() -> None:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html"""
    read = ask("meta.llama3-8b-instruct-v1:0", {"prompt": "hi"})
    assert (read.max_tokens, read.temperature, read.top_p) == (512, 0.5, 0.9)


def test_titans_settings() -> None:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html"""
    config = {"maxTokenCount": 8, "temperature": 0, "topP": 1, "stopSequences": ["User:"]}
    body = {"inputText": "hi", "textGenerationConfig": config}
    read = ask("amazon.titan-text-express-v1", body)
    assert (read.max_tokens, read.stops) == (8, ("User:",))


def test_mistral_without_tools_when_none_are_to_be_used() -> None:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-chat-completion.html"""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    assert ask("mistral.mistral-large-2407-v1:0", {**body, "tool_choice": "any"}).tools
    assert not ask("mistral.mistral-large-2407-v1:0", {**body, "tool_choice": "none"}).tools
