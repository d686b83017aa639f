"""Which models there are, who may ask them, and what is measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud

ECHO = "meta.llama3-1-8b-instruct-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": "hi"}]}]


def code_of(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_models_with_a_whole_id_are_listed(control: Any) -> None:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_FoundationModelSummary.html"""
    listed = {one["modelId"]: one for one in control.list_foundation_models()["modelSummaries"]}
    assert listed[ECHO] == {
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{ECHO}",
        "modelId": ECHO,
        "modelName": "Llama of ours",
        "providerName": "Meta",
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }
    assert listed["amazon.nova-lite-v1:0"]["inputModalities"] == ["TEXT", "IMAGE"]
    assert "anthropic.*" not in listed
    chosen = control.list_foundation_models(byProvider="meta")["modelSummaries"]
    assert [one["modelId"] for one in chosen] == [ECHO]
    assert control.list_foundation_models(byOutputModality="IMAGE")["modelSummaries"] == []


def test_a_model_is_described_also_when_a_pattern_stands_for_it(control: Any) -> None:
    claude = "anthropic.claude-3-haiku-20240307-v1:0"
    told = control.get_foundation_model(modelIdentifier=claude)["modelDetails"]
    assert (told["modelId"], told["providerName"]) == (claude, "Anthropic")
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{ECHO}"
    assert control.get_foundation_model(modelIdentifier=arn)["modelDetails"]["modelId"] == ECHO
    code, _ = code_of(control.get_foundation_model, modelIdentifier="cohere.command-r-v1:0")
    assert code == "ResourceNotFoundException"


def test_profiles_are_those_of_the_region(control: Any, models: Cloud) -> None:
    profiles = control.list_inference_profiles()["inferenceProfileSummaries"]
    ids = [one["inferenceProfileId"] for one in profiles]
    assert f"us.{ECHO}" in ids
    told = control.get_inference_profile(inferenceProfileIdentifier=f"us.{ECHO}")
    assert told["models"] == [{"modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{ECHO}"}]
    paged = control.get_paginator("list_inference_profiles").paginate(
        PaginationConfig={"PageSize": 3}
    )
    found = [
        one["inferenceProfileId"] for page in paged for one in page["inferenceProfileSummaries"]
    ]
    assert found == ids
    europe = models.client("bedrock", region="eu-west-1").list_inference_profiles()
    assert f"eu.{ECHO}" in [
        one["inferenceProfileId"] for one in europe["inferenceProfileSummaries"]
    ]
    applications = control.list_inference_profiles(typeEquals="APPLICATION")
    assert applications["inferenceProfileSummaries"] == []
    code, _ = code_of(control.get_inference_profile, inferenceProfileIdentifier="us.none")
    assert code == "ResourceNotFoundException"
    code, _ = code_of(control.list_inference_profiles, nextToken="nonsense")
    assert code == "ValidationException"


def test_tokens_are_counted_where_the_server_can(runtime: Any) -> None:
    told = {"converse": {"messages": MESSAGES}}
    assert runtime.count_tokens(modelId=ECHO, input=told)["inputTokens"] == 17
    body = json.dumps({"prompt": "hi"}).encode()
    told = {"invokeModel": {"body": body}}
    assert runtime.count_tokens(modelId=ECHO, input=told)["inputTokens"] == 17
    code, message = code_of(
        runtime.count_tokens, modelId="test.long", input={"converse": {"messages": MESSAGES}}
    )
    assert (code, "counting" in message) == ("ValidationException", True)


@pytest.fixture
def with_policy(models: Cloud) -> Iterator[Callable[[str, dict[str, Any]], Any]]:
    """Clients of users with one policy each."""
    iam = models.client("iam")
    made: list[tuple[str, str]] = []

    def make(name: str, statement: dict[str, Any]) -> Any:
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, key["AccessKeyId"]))
        return models.client("bedrock-runtime", key=(key["AccessKeyId"], key["SecretAccessKey"]))

    yield make
    for name, key_id in made:
        iam.delete_access_key(UserName=name, AccessKeyId=key_id)
        iam.delete_user_policy(UserName=name, PolicyName="p")
        iam.delete_user(UserName=name)


def test_permission_is_asked_for_the_model(with_policy: Any) -> None:
    """Converse needs bedrock:InvokeModel, and its stream the other action:
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"""
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{ECHO}"
    client = with_policy(
        "whole", {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": arn}
    )
    assert client.converse(modelId=ECHO, messages=MESSAGES)["stopReason"] == "end_turn"
    for call, model in (
        (client.converse, "test.long"),
        (client.converse, f"us.{ECHO}"),
        (client.converse_stream, ECHO),
    ):
        code, message = code_of(call, modelId=model, messages=MESSAGES)
        assert code == "AccessDeniedException"
        assert "bedrock:InvokeModel" in message
    streaming = with_policy(
        "streaming",
        {"Effect": "Allow", "Action": "bedrock:InvokeModelWithResponseStream", "Resource": arn},
    )
    assert list(streaming.converse_stream(modelId=ECHO, messages=MESSAGES)["stream"])


def test_invocations_are_measured(models: Cloud, runtime: Any) -> None:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring.html#runtime-cloudwatch-metrics"""
    runtime.converse(modelId="test.thinks", messages=MESSAGES)
    code_of(runtime.converse, modelId="test.refuses429", messages=MESSAGES)
    code_of(runtime.converse, modelId="test.refuses500", messages=MESSAGES)
    code_of(runtime.converse, modelId="test.refuses400", messages=MESSAGES)
    cloudwatch = models.client("cloudwatch")
    wanted = {
        *((name, "test.thinks") for name in ("Invocations", "InvocationLatency")),
        *((name, "test.thinks") for name in ("InputTokenCount", "OutputTokenCount")),
        ("InvocationThrottles", "test.refuses429"),
        ("InvocationServerErrors", "test.refuses500"),
        ("InvocationClientErrors", "test.refuses400"),
    }
    # Measurements are gathered for some seconds before they are written.
    found: set[tuple[str, str]] = set()
    until = time.monotonic() + 30
    while not found >= wanted:
        assert time.monotonic() < until, wanted - found
        pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="AWS/Bedrock")
        metrics = [one for page in pages for one in page["Metrics"]]
        found = {(one["MetricName"], one["Dimensions"][0]["Value"]) for one in metrics}


def test_without_a_models_file_no_answer_is_made_up(cloud: Cloud) -> None:
    runtime = cloud.client("bedrock-runtime")
    code, message = code_of(runtime.converse, modelId=ECHO, messages=MESSAGES)
    assert code == "ResourceNotFoundException"
    assert "models.toml" in message
    assert cloud.client("bedrock").list_foundation_models()["modelSummaries"] == []


def test_the_file_of_the_data_folder_is_read(
    new_cloud: Callable[..., Cloud], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    lines = ('id = "a.b"', 'provider = "openai"', 'url = "http://127.0.0.1:1"')
    (tmp_path / "data" / "models.toml").write_text("[[model]]\n" + "\n".join(lines))
    listed = new_cloud().client("bedrock").list_foundation_models()["modelSummaries"]
    assert [one["modelId"] for one in listed] == ["a.b"]


def test_a_models_file_with_a_mistake_keeps_the_cloud_from_starting(
    new_cloud: Callable[..., Cloud], tmp_path: Path
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('[[model]]\nid = "a.b"\nprovider = "openai"\nurl = "ftp://x"\n')
    with pytest.raises(AssertionError, match="url must be an http or https URL"):
        new_cloud("--models", str(file))
