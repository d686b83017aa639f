"""The cloud is killed while answers stream: each request is answered once, or is a dead letter."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.chat.deployed import Chat, deployed
from websockets.exceptions import WebSocketException

USERS = 6
PATIENCE_SECONDS = 120


def listen(chat: Chat, user: Any, answer: Any) -> Any:
    """Follow an answer across lost connections, as the page does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while answer.end is None and time.monotonic() < deadline:
        # The cloud is away, or the connection went with it.
        with contextlib.suppress(OSError, EOFError, WebSocketException), user.connect() as socket:
            socket.send(answer.resumption())
            chat.clients.follow(socket, answer, patience=PATIENCE_SECONDS)
    return answer


@pytest.mark.slow
def test_after_a_kill_each_request_is_answered_once_and_counted_once(tmp_path: Path) -> None:
    settings = {"LeaseSeconds": "3", "AnswerSeconds": "15", "HiddenSeconds": "15"}
    with deployed(tmp_path, **settings) as chat:
        users = [chat.user() for _ in range(USERS)]
        asked = []
        for number, user in enumerate(users):
            status, body, _ = user.ask(f"count 100 at 40: {number}")
            assert status == 202
            asked.append((user, chat.clients.Answer(body["id"])))
        user, answer = asked[0]
        with user.connect() as socket:
            socket.send(answer.resumption())
            chat.clients.follow(socket, answer, until=lambda one: len(one.texts) > 10)
            chat.cloud.kill()
        chat.restart()
        with ThreadPoolExecutor(USERS) as callers:
            answers = list(callers.map(lambda pair: listen(chat, *pair), asked))
        whole = "".join(f"{word} " for word in range(100))
        letters = chat.dead_letters()
        for one in answers:
            assert (one.end, one.text) == ("end", whole) or one.request in letters, one.text
        assert {user.quota()["used"] for user in users} == {1}
        states = {item["id"]["S"]: item["state"]["S"] for item in chat.table("Requests")}
        assert set(states.values()) <= {"done", "failed"}
        tries = {text: len(times) for text, times in chat.server.asked.items()}
        print(f"\nattempts of the model for each request: {json.dumps(tries)}")
        # What was answered is not answered again when its message is seen once more.
        assert sum(len(times) for times in chat.server.asked.values()) <= USERS * 3
