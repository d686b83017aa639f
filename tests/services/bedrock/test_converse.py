"""Converse and ConverseStream, with boto3, against a server of the tests' own.

Shapes: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.bedrock.model_server import ModelServer

ECHO = "meta.llama3-1-8b-instruct-v1:0"
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "weather",
                "description": "Tells the weather.",
                "inputSchema": {
                    "json": {"type": "object", "properties": {"city": {"type": "string"}}}
                },
            }
        }
    ]
}


def user(*blocks: Any) -> dict[str, Any]:
    told = [{"text": block} if isinstance(block, str) else block for block in blocks]
    return {"role": "user", "content": told}


def refusal(call: Any, **request: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**{"modelId": ECHO, "messages": [user("hi")], **request})
    told = caught.value.response
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    return told["Error"]["Code"], told["Error"]["Message"], status


def test_a_conversation_is_continued(runtime: Any) -> None:
    answer = runtime.converse(modelId=ECHO, messages=[user("hello there")])
    assert answer["output"]["message"] == {
        "role": "assistant",
        "content": [{"text": "You said: hello there"}],
    }
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"] == {"inputTokens": 7, "outputTokens": 4, "totalTokens": 11}
    assert answer["metrics"]["latencyMs"] >= 0


def test_everything_that_is_asked_reaches_the_server(runtime: Any, server: ModelServer) -> None:
    runtime.converse(
        modelId=ECHO,
        system=[{"text": "Be brief."}, {"text": "Be kind."}],
        messages=[
            user("What is the weather?"),
            {
                "role": "assistant",
                "content": [
                    {"text": "I look."},
                    {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}},
                ],
            },
            user(
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"rain": True}}]}},
                "everything reaches",
            ),
        ],
        inferenceConfig={"maxTokens": 9, "temperature": 0.5, "topP": 0.25, "stopSequences": ["X"]},
        toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "weather"}}},
        additionalModelRequestFields={"top_k": 3, "seed": 5},
        requestMetadata={"who": "me"},
    )
    asked = next(
        one
        for one in server.asked["echo"]
        if one["messages"][-1]["content"] == "everything reaches"
    )
    assert asked["messages"][:2] == [
        {"role": "system", "content": "Be brief.\nBe kind."},
        {"role": "user", "content": "What is the weather?"},
    ]
    call = asked["messages"][2]["tool_calls"][0]
    assert (call["id"], call["function"]) == (
        "t1",
        {"name": "weather", "arguments": '{"city": "Oslo"}'},
    )
    assert asked["messages"][3] == {
        "role": "tool",
        "tool_call_id": "t1",
        "content": '{"rain": true}',
    }
    chosen = {key: asked[key] for key in ("max_tokens", "temperature", "top_p", "top_k", "seed")}
    assert chosen == {"max_tokens": 9, "temperature": 0.5, "top_p": 0.25, "top_k": 3, "seed": 5}
    assert asked["stop"] == ["X"]
    assert asked["tools"][0]["function"]["name"] == "weather"
    assert asked["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert server.headers["echo"]["Authorization"] == "Bearer secret-of-the-server"


def test_a_stream_tells_each_token_as_an_event(runtime: Any) -> None:
    stream = runtime.converse_stream(modelId=ECHO, messages=[user("hello there")])["stream"]
    events = list(stream)
    assert events[0] == {"messageStart": {"role": "assistant"}}
    deltas = [one["contentBlockDelta"] for one in events if "contentBlockDelta" in one]
    assert [one["delta"]["text"] for one in deltas] == ["You", " said:", " hello", " there"]
    assert [next(iter(one)) for one in events[5:]] == [
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 11


def test_a_token_is_sent_before_the_next_is_made(runtime: Any, server: ModelServer) -> None:
    stream = runtime.converse_stream(modelId="test.stepwise", messages=[user("hi")])["stream"]
    texts = []
    for event in stream:
        if "contentBlockDelta" in event:
            texts.append(event["contentBlockDelta"]["delta"]["text"])
            server.events["go on"].set()
    assert texts == ["first", " second"]


def test_tools_are_asked_for(runtime: Any) -> None:
    answer = runtime.converse(modelId="test.tool", messages=[user("Weather?")], toolConfig=TOOLS)
    assert answer["stopReason"] == "tool_use"
    text, oslo, rome = answer["output"]["message"]["content"]
    assert text == {"text": "I look."}
    assert oslo == {
        "toolUse": {"toolUseId": "call_0", "name": "weather", "input": {"city": "Oslo"}}
    }
    assert rome["toolUse"]["input"] == {"city": "Rome"}


def test_tools_are_asked_for_in_a_stream(runtime: Any) -> None:
    stream = runtime.converse_stream(
        modelId="test.tool", messages=[user("Weather?")], toolConfig=TOOLS
    )["stream"]
    events = list(stream)
    starts = [one["contentBlockStart"] for one in events if "contentBlockStart" in one]
    assert [one["contentBlockIndex"] for one in starts] == [1, 2]
    assert starts[0]["start"]["toolUse"] == {"toolUseId": "call_0", "name": "weather"}
    parts = [
        one["contentBlockDelta"]["delta"]["toolUse"]["input"]
        for one in events
        if one.get("contentBlockDelta", {}).get("contentBlockIndex") == 2
    ]
    assert "".join(parts) == '{"city": "Rome"}'
    assert sum("contentBlockStop" in one for one in events) == 3
    assert events[-2] == {"messageStop": {"stopReason": "tool_use"}}


def test_why_an_answer_ended_is_told(runtime: Any) -> None:
    long = runtime.converse(modelId="test.long", messages=[user("hi")])
    assert long["stopReason"] == "max_tokens"
    stopped = runtime.converse(
        modelId="test.stops",
        messages=[user("hi")],
        inferenceConfig={"stopSequences": ["three"]},
        additionalModelResponseFieldPaths=["/stop_sequence"],
    )
    assert stopped["stopReason"] == "stop_sequence"
    assert stopped["additionalModelResponseFields"] == {"stop_sequence": "three"}


def test_thoughts_are_told_apart_from_the_answer(runtime: Any) -> None:
    content = runtime.converse(modelId="test.thinks", messages=[user("hi")])["output"]["message"]
    assert content["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Let me see."}}},
        {"text": "Yes."},
    ]


def test_an_image_reaches_a_model_that_can_see(runtime: Any, server: ModelServer) -> None:
    image = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    runtime.converse(modelId="amazon.nova-lite-v1:0", messages=[user("look", image)])
    part = server.asked["sees"][-1]["messages"][0]["content"][1]
    assert part == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}


def test_a_schema_for_the_answer_reaches_the_server(runtime: Any, server: ModelServer) -> None:
    schema = '{"type": "object"}'
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema}}}
    runtime.converse(
        modelId=ECHO, messages=[user("as a schema")], outputConfig={"textFormat": form}
    )
    asked = [one for one in server.asked["echo"] if one["messages"][0]["content"] == "as a schema"]
    assert asked[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}


IMAGE = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
GUARDRAIL = {"guardrailIdentifier": "abcdefgh", "guardrailVersion": "1"}


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        ({"messages": [user("look", IMAGE)]}, "image"),
        (
            {
                "messages": [
                    user({"document": {"format": "txt", "name": "a", "source": {"bytes": b"a"}}})
                ]
            },
            "document",
        ),
        ({"guardrailConfig": GUARDRAIL}, "guardrailConfig"),
        ({"performanceConfig": {"latency": "optimized"}}, "latency"),
        ({"serviceTier": {"type": "priority"}}, "tier"),
        ({"system": [{"cachePoint": {"type": "default"}}]}, "cachePoint"),
        ({"outputConfig": {"effort": "high"}}, "effort"),
        ({"additionalModelRequestFields": {"messages": []}}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [user(" ")]}, "blank"),
        ({"messages": [user("a"), user("b")]}, "alternate"),
        ({"messages": [{"role": "assistant", "content": [{"text": "a"}]}]}, "start with a user"),
        (
            {"messages": [user("a"), {"role": "assistant", "content": [{"text": "b"}]}]},
            "end with a user",
        ),
        (
            {"messages": [user({"toolResult": {"toolUseId": "t", "content": [{"text": "a"}]}})]},
            "toolConfig",
        ),
        ({"toolConfig": {**TOOLS, "toolChoice": {"tool": {"name": "other"}}}}, "other"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_cannot_be_done_is_refused_by_its_name(
    runtime: Any, request_: dict[str, Any], word: str
) -> None:
    for call in (runtime.converse, runtime.converse_stream):
        code, message, status = refusal(call, **request_)
        assert (code, status) == ("ValidationException", 400)
        assert word in message


@pytest.mark.parametrize(
    ("model", "code", "status"),
    [
        ("refuses400", "ValidationException", 400),
        ("refuses401", "ServiceUnavailableException", 503),
        ("refuses429", "ThrottlingException", 429),
        ("refuses500", "ModelErrorException", 424),
        ("refuses503", "ModelNotReadyException", 429),
        ("nowhere", "ServiceUnavailableException", 503),
        ("quiet", "ModelTimeoutException", 408),
        ("unknown", "ResourceNotFoundException", 404),
    ],
)
def test_failures_before_the_answer_are_modelled_errors(
    runtime: Any, model: str, code: str, status: int
) -> None:
    for call in (runtime.converse, runtime.converse_stream):
        found = refusal(call, modelId=f"test.{model}")
        assert (found[0], found[2]) == (code, status)


def test_the_key_of_the_server_is_not_told(runtime: Any) -> None:
    _, message, _ = refusal(runtime.converse, modelId="test.refuses401")
    assert "who are you" not in message


@pytest.mark.parametrize(
    ("model", "word"),
    [
        ("breaks", "broke off"),
        ("fails", "out of memory"),
        ("garbage", "not JSON"),
        ("fades", "0.5 seconds"),
    ],
)
def test_failures_within_a_stream_are_modelled_events(runtime: Any, model: str, word: str) -> None:
    stream = runtime.converse_stream(modelId=f"test.{model}", messages=[user("hi")])["stream"]
    seen = []
    with closing(stream), pytest.raises(ClientError) as caught:
        seen.extend(stream)
    assert caught.value.response["Error"]["Code"] == "modelStreamErrorException"
    assert word in caught.value.response["Error"]["Message"]
    assert not any("messageStop" in event for event in seen)


def test_a_whole_answer_that_breaks_off_is_an_error(runtime: Any) -> None:
    assert refusal(runtime.converse, modelId="test.breaks")[0] == "ModelErrorException"


def test_profiles_and_arns_name_the_model_too(runtime: Any) -> None:
    account = "000000000000"
    for name in (
        f"us.{ECHO}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{ECHO}",
        f"arn:aws:bedrock:us-east-1:{account}:inference-profile/us.{ECHO}",
    ):
        answer = runtime.converse(modelId=name, messages=[user("hi")])
        assert answer["output"]["message"]["content"][0]["text"] == "You said: hi"
