"""The streaming chat under load and under kill -9: the quota to the letter, every answer once."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from tests.journeys.chat.deployed import Chat, deployed
from websockets.exceptions import WebSocketException

QUOTA = 20
PARALLEL = 200
USERS = int(os.environ.get("CUMULET_CHAT_USERS", "12"))
"""How many stream at once; the whole crowd is a hundred."""

WORDS = int(os.environ.get("CUMULET_CHAT_WORDS", "60"))
PACE = 50
DAY_MS = 86_400_000
KILLED = 6
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    folder = tmp_path_factory.mktemp("chat")
    times = {"LeaseSeconds": "10", "AnswerSeconds": "60", "HiddenSeconds": "60"}
    with deployed(folder, MonthlyQuota=str(QUOTA), **times) as made:
        yield made


def at(chat: Chat, functions: Any, user: str, epoch_ms: int) -> tuple[int, dict]:
    """What the quota function answers to a request that the gateway took in at that time."""
    body = {"id": uuid.uuid4().hex, "messages": [{"role": "user", "text": "Hello"}]}
    event = {
        "httpMethod": "POST",
        "body": json.dumps(body),
        "requestContext": {
            "requestTimeEpoch": epoch_ms,
            "authorizer": {"claims": {"sub": user}},
        },
    }
    answer = functions.invoke(FunctionName=chat.outputs["QuotaFunction"], Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    return told["statusCode"], json.loads(told["body"])


def test_of_200_requests_at_once_exactly_the_quota_is_taken(chat: Chat) -> None:
    user = chat.user()
    with ThreadPoolExecutor(PARALLEL) as callers:
        answers = list(callers.map(lambda n: user.ask(f"number {n}"), range(PARALLEL)))
    statuses = [status for status, *_ in answers]
    assert statuses.count(202) == QUOTA, answers
    assert statuses.count(429) == PARALLEL - QUOTA, [one for one in answers if one[0] > 429]
    assert user.quota()["used"] == QUOTA


def test_in_the_next_month_there_is_as_much_again(chat: Chat) -> None:
    functions = chat.cloud.client("lambda", max_pool_connections=16)
    user = f"nobody-{uuid.uuid4().hex}"
    now = int(time.time() * 1000)
    with ThreadPoolExecutor(16) as callers:
        for moment in (now, now + 32 * DAY_MS):
            ask = partial(at, chat, functions, user, moment)
            found = list(callers.map(lambda _, ask=ask: ask(), range(QUOTA + 10)))
            assert sorted(status for status, _ in found) == [202] * QUOTA + [429] * 10
            [resets] = {body["resets"] for status, body in found if status == 429}
            assert resets > time.strftime("%Y-%m-%d", time.gmtime(moment / 1000))


def test_nothing_is_lost_doubled_or_out_of_order_when_many_stream_at_once(chat: Chat) -> None:
    with ThreadPoolExecutor(16) as callers:
        users = list(callers.map(lambda _: chat.user(), range(USERS)))
    together = threading.Barrier(USERS)

    def stream(number: int) -> tuple[str, int, float]:
        with users[number].connect() as socket:
            together.wait(60)
            began = time.monotonic()
            status, body, _ = users[number].ask(f"count {WORDS} at {PACE}: {number}")
            assert status == 202, body
            answer = chat.clients.Answer(body["id"])
            chat.clients.follow(socket, answer)
            return answer.text, answer.attempt, time.monotonic() - began

    with ThreadPoolExecutor(USERS) as callers:
        found = list(callers.map(stream, range(USERS)))
    whole = "".join(f"{word} " for word in range(WORDS))
    assert [text for text, *_ in found] == [whole] * USERS
    slowest = max(seconds for *_, seconds in found)
    print(
        f"\n{USERS} users, {WORDS} pieces each at {PACE}/s ({WORDS / PACE:.1f} s): the slowest had "
        f"all after {slowest:.1f} s; {sum(n > 1 for _, n, _ in found)} answers were begun again"
    )


def listen(chat: Chat, user: Any, answer: Any) -> Any:
    """Follow an answer across lost connections, as the page does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while answer.end is None and time.monotonic() < deadline:
        # The cloud is away, or the connection went with it.
        with contextlib.suppress(OSError, EOFError, WebSocketException), user.connect() as socket:
            socket.send(answer.resumption())
            chat.clients.follow(socket, answer, patience=PATIENCE_SECONDS)
    return answer


def test_after_a_kill_each_request_is_answered_once_and_counted_once(chat: Chat) -> None:
    users = [chat.user() for _ in range(KILLED)]
    asked = []
    for number, user in enumerate(users):
        status, body, _ = user.ask(f"count 100 at 40 for {number}")
        assert status == 202
        asked.append((user, chat.clients.Answer(body["id"])))
    user, answer = asked[0]
    with user.connect() as socket:
        socket.send(answer.resumption())
        chat.clients.follow(socket, answer, until=lambda one: len(one.texts) > 10)
        chat.cloud.kill()
    chat.restart()
    with ThreadPoolExecutor(KILLED) as callers:
        answers = list(callers.map(lambda pair: listen(chat, *pair), asked))
    whole = "".join(f"{word} " for word in range(100))
    letters = chat.dead_letters()
    for one in answers:
        assert (one.end, one.text) == ("end", whole) or one.request in letters, one.text
    assert {user.quota()["used"] for user in users} == {1}
    states = {item["id"]["S"]: item["state"]["S"] for item in chat.table("Requests")}
    assert {states[one.request] for one in answers} <= {"done", "failed"}
    # What was answered is not answered again when its message is seen once more.
    tries = [len(chat.server.asked[f"count 100 at 40 for {number}"]) for number in range(KILLED)]
    assert max(tries) <= 2
