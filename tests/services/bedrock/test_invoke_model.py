"""InvokeModel and its stream in each family's own form, with boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.bedrock.model_server import ModelServer

CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
ANTHROPIC = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 20,
    "messages": [{"role": "user", "content": "hi"}],
}


def invoke(runtime: Any, model: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = runtime.invoke_model(modelId=model, body=json.dumps(body))
    assert answer["contentType"] == "application/json"
    found: dict[str, Any] = json.loads(answer["body"].read())
    return found


def stream(runtime: Any, model: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = runtime.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]


def test_claude_answers_in_anthropics_form(runtime: Any) -> None:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html"""
    answer = invoke(runtime, CLAUDE, ANTHROPIC)
    assert answer.pop("id").startswith("msg_bdrk_")
    assert answer == {
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": [{"type": "text", "text": "You said: hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }


def test_tokens_and_time_are_told_in_headers(runtime: Any) -> None:
    answer = runtime.invoke_model(modelId=CLAUDE, body=json.dumps(ANTHROPIC))
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-bedrock-input-token-count"] == "7"
    assert headers["x-amzn-bedrock-output-token-count"] == "3"
    assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 0


def test_claude_streams_in_anthropics_form(runtime: Any) -> None:
    """https://docs.anthropic.com/en/docs/build-with-claude/streaming"""
    chunks = stream(runtime, CLAUDE, ANTHROPIC)
    assert [one["type"] for one in chunks] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert "".join(one["delta"]["text"] for one in chunks[2:5]) == "You said: hi"
    assert chunks[-2]["usage"] == {"input_tokens": 7, "output_tokens": 3}
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (7, 3)
    assert 0 <= metrics["firstByteLatency"] <= metrics["invocationLatency"]


def test_nova_answers_in_its_form(runtime: Any) -> None:
    body = {
        "schemaVersion": "messages-v1",
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "inferenceConfig": {"maxTokens": 20},
    }
    answer = invoke(runtime, "amazon.nova-lite-v1:0", body)
    assert answer["output"]["message"]["content"] == [{"text": "You said: hi"}]
    assert answer["stopReason"] == "end_turn"
    chunks = stream(runtime, "amazon.nova-lite-v1:0", body)
    assert chunks[0] == {"messageStart": {"role": "assistant"}}
    assert chunks[-1]["metadata"]["usage"]["outputTokens"] == 3


def test_llama_answers_in_its_form(runtime: Any) -> None:
    model = "meta.llama3-1-8b-instruct-v1:0"
    assert invoke(runtime, model, {"prompt": "hi"}) == {
        "generation": "You said: hi",
        "prompt_token_count": 7,
        "generation_token_count": 3,
        "stop_reason": "stop",
    }
    chunks = stream(runtime, model, {"prompt": "hi"})
    assert "".join(one["generation"] for one in chunks) == "You said: hi"
    assert chunks[-1]["stop_reason"] == "stop"


def test_mistral_answers_in_its_form(runtime: Any) -> None:
    model = "mistral.mistral-7b-instruct-v0:2"
    answer = invoke(runtime, model, {"prompt": "<s>[INST] hi [/INST]", "max_tokens": 5})
    assert answer == {"outputs": [{"text": "You said: hi", "stop_reason": "stop"}]}
    chunks = stream(runtime, model, {"prompt": "hi"})
    assert "".join(one["outputs"][0]["text"] for one in chunks) == "You said: hi"


def test_mistral_calls_tools_in_its_chat_form(runtime: Any) -> None:
    function = {"name": "weather", "description": "d", "parameters": {"type": "object"}}
    body = {
        "messages": [{"role": "user", "content": "Weather?"}],
        "tools": [{"type": "function", "function": function}],
    }
    choice = invoke(runtime, "mistral.mistral-large-2407-v1:0", body)["choices"][0]
    assert choice["stop_reason"] == "tool_calls"
    assert [one["function"]["arguments"] for one in choice["message"]["tool_calls"]] == [
        '{"city": "Oslo"}',
        '{"city": "Rome"}',
    ]
    last = stream(runtime, "mistral.mistral-large-2407-v1:0", body)[-1]["choices"][0]
    assert [one["id"] for one in last["message"]["tool_calls"]] == ["call_0", "call_1"]


def test_titan_answers_in_its_form(runtime: Any) -> None:
    model = "amazon.titan-text-lite-v1"
    assert invoke(runtime, model, {"inputText": "hi"}) == {
        "inputTextTokenCount": 7,
        "results": [{"tokenCount": 3, "outputText": "You said: hi", "completionReason": "FINISH"}],
    }
    chunks = stream(runtime, model, {"inputText": "hi"})
    assert "".join(one["outputText"] for one in chunks) == "You said: hi"
    assert chunks[-1]["completionReason"] == "FINISH"


@pytest.mark.parametrize(
    ("model", "body", "word"),
    [
        (CLAUDE, "not JSON", "not JSON"),
        (CLAUDE, "[]", "JSONObject"),
        (CLAUDE, json.dumps({**ANTHROPIC, "anthropic_version": "other"}), "anthropic_version"),
        (CLAUDE, json.dumps({**ANTHROPIC, "max_tokens": 0}), "max_tokens"),
        (CLAUDE, json.dumps({**ANTHROPIC, "betas": ["x"]}), "betas"),
        (CLAUDE, json.dumps({"prompt": "Human: hi"}), "Messages API"),
        ("test.long", "{}", "Converse"),
        ("amazon.titan-text-lite-v1", json.dumps({"text": "hi"}), "text"),
        ("meta.llama3-1-8b-instruct-v1:0", json.dumps({"prompt": ""}), "empty"),
        (CLAUDE, "[" * 100_000, "not JSON"),
    ],
)
def test_a_body_that_is_not_of_the_form_is_refused(
    runtime: Any, server: ModelServer, model: str, body: str, word: str
) -> None:
    for call in (runtime.invoke_model, runtime.invoke_model_with_response_stream):
        with pytest.raises(ClientError) as caught:
            call(modelId=model, body=body)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
        assert word in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "more",
    [
        {"guardrailIdentifier": "abcdefgh", "guardrailVersion": "1"},
        {"trace": "ENABLED"},
        {"performanceConfigLatency": "optimized"},
        {"contentType": "text/plain"},
        {"accept": "text/plain"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_is_not_there_is_refused(runtime: Any, more: dict[str, str]) -> None:
    with pytest.raises(ClientError) as caught:
        runtime.invoke_model(modelId=CLAUDE, body=json.dumps(ANTHROPIC), **more)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_asynchronous_invocations_and_guardrails_say_that_they_are_not_there(runtime: Any) -> None:
    with pytest.raises(ClientError) as caught:
        runtime.start_async_invoke(
            modelId=CLAUDE,
            modelInput={},
            outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://bucket"}},
        )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
