"""Streams under pressure: slow readers, readers that go, models with more to do than they can."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from tests.conftest import Cloud
from tests.services.bedrock.model_server import ENDLESS_PIECES, ModelServer

MESSAGES = [{"role": "user", "content": [{"text": "hi"}]}]


@pytest.fixture
def open_client(models: Cloud) -> Iterator[Callable[[], Any]]:
    """Clients that are closed with the connections that streams left behind."""
    made: list[Any] = []

    def make() -> Any:
        made.append(models.client("bedrock-runtime"))
        return made[-1]

    yield make
    for client in made:
        client.close()


def first_text(stream: Any) -> str:
    """Read as far as the first token."""
    for event in stream:
        if "contentBlockDelta" in event:
            text: str = event["contentBlockDelta"]["delta"]["text"]
            return text
    raise AssertionError("no token came")


def test_a_slow_client_stops_the_reading_from_the_engine(
    open_client: Any, server: ModelServer
) -> None:
    client = open_client()
    stream = client.converse_stream(modelId="test.endless", messages=MESSAGES)["stream"]
    events = iter(stream)
    first_text(events)
    assert server.wait("endless stalled"), "the server could write on although nobody read"
    assert server.written["endless"] < ENDLESS_PIECES / 5
    assert not server.events["endless gone"].is_set()
    first_text(events)  # What was held up is still there, and in order.
    stream.close()
    assert server.wait("endless gone")


def test_a_client_that_goes_ends_the_work_of_the_engine(
    open_client: Any, server: ModelServer
) -> None:
    client = open_client()
    stream = client.converse_stream(modelId="test.forever", messages=MESSAGES)["stream"]
    first_text(stream)
    stream.close()
    assert server.wait("forever gone")


def test_a_silent_engine_is_let_go_when_the_client_goes(
    open_client: Any, server: ModelServer
) -> None:
    """The time of half a second ends the answer first, or the client does: never later."""
    client = open_client()
    stream = client.converse_stream(modelId="test.fades", messages=MESSAGES)["stream"]
    first_text(stream)
    stream.close()
    assert server.wait("fades gone")


def test_a_client_that_goes_before_its_stream_begins_leaves_nothing_behind(
    models: Cloud, server: ModelServer
) -> None:
    """The model takes one at a time: a turn that was not given back would be missed."""
    hasty = models.client("bedrock-runtime", read_timeout=1)
    with pytest.raises(ReadTimeoutError):
        hasty.converse_stream(modelId="test.late", messages=MESSAGES)
    hasty.close()
    assert server.events["late asked"].is_set()
    server.events["late may begin"].set()
    assert server.wait("late gone")
    patient = models.client("bedrock-runtime")
    answer = patient.converse(modelId="test.late", messages=MESSAGES)
    assert answer["output"]["message"]["content"] == [{"text": "You said: hi"}]
    patient.close()


def in_thread(call: Callable[[], Any], into: list[Any]) -> threading.Thread:
    def run() -> None:
        try:
            into.append(call())
        except ClientError as error:
            into.append(error.response["Error"]["Code"])

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def joined(thread: threading.Thread) -> bool:
    thread.join(2)
    return not thread.is_alive()


def test_more_than_may_wait_are_throttled_and_the_others_answered(
    open_client: Any, server: ModelServer
) -> None:
    """The model takes one at a time and lets one more wait."""
    client = open_client()
    answers: list[Any] = []

    def ask() -> Any:
        answer = client.converse(modelId="test.held", messages=MESSAGES)
        return answer["output"]["message"]["content"][0]["text"]

    threads = [in_thread(ask, answers)]
    assert server.wait("held")
    threads += [in_thread(ask, answers) for _ in range(3)]
    # Of the three, one waits; the two others are turned away while the first is still held.
    ended = [thread for thread in threads[1:] if joined(thread)]
    assert len(ended) == 2
    assert answers == ["ThrottlingException"] * 2
    server.events["let go"].set()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == ["ThrottlingException"] * 2 + ["done"] * 2
    assert ask() == "done", "every turn was given back"


def test_turns_are_given_back_whatever_becomes_of_the_answers(open_client: Any) -> None:
    client = open_client()
    for _ in range(6):  # More than may be under way at once.
        with pytest.raises(ClientError):
            client.converse(modelId="test.breaks", messages=MESSAGES)
        stream = client.converse_stream(modelId="test.breaks", messages=MESSAGES)["stream"]
        with closing(stream), pytest.raises(ClientError, match="broke off"):
            list(stream)
        with pytest.raises(ClientError):
            client.converse(modelId="test.refuses500", messages=MESSAGES)


@pytest.mark.parametrize("operation", ["Converse", "InvokeModel"])
def test_a_client_that_goes_while_a_whole_answer_is_made_ends_the_work_of_the_engine(
    models: Cloud, server: ModelServer, operation: str
) -> None:
    asked, gone = (server.events[f"patient {word}"] for word in ("asked", "gone"))
    asked.clear()
    gone.clear()
    hasty = models.client("bedrock-runtime", read_timeout=2)
    told = [{"role": "user", "content": "hi"}]
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": told}
    calls = {
        "Converse": lambda: hasty.converse(modelId="test.patient", messages=MESSAGES),
        "InvokeModel": lambda: hasty.invoke_model(
            modelId="anthropic.claude-patient", body=json.dumps(body)
        ),
    }
    with pytest.raises(ReadTimeoutError):
        calls[operation]()
    hasty.close()
    # On a slow machine the client may go before the model is asked, which is then in vain too.
    assert gone.wait(60) or not asked.is_set()
