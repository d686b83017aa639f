"""A server of OpenAI's chat completions that speaks at a measured pace, to many at once.

What it says follows from what it is asked, so that whoever listens can tell whether all of it came:
`count 40 at 50` answers the words 0 to 39, fifty in a second; anything else is echoed. `fail` never
gives an answer, and `stumble` breaks off in the middle the first time.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from typing import Any

START_SECONDS_MAX = 10
COUNT = re.compile(r"count (\d+) at (\d+)")


def words_of(text: str) -> tuple[list[str], float]:
    """What is answered to the text, in pieces, and how many of them in a second."""
    if found := COUNT.search(text):
        return [f"{number} " for number in range(int(found[1]))], float(found[2])
    return [word + " " for word in f"You said: {text}".split(" ")], 200.0


class ScriptedServer:
    """Runs in a thread of its own; `asked` has when each request arrived and when its first
    piece was sent, by the last message's text.
    """

    def __init__(self) -> None:
        self.asked: dict[str, list[float]] = {}
        self.began: dict[str, float] = {}
        self.connections: set[Speaker] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> ScriptedServer:
        self._thread.start()
        assert self._ready.wait(START_SECONDS_MAX)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: Speaker(self), "127.0.0.1", 0)
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for one in list(self.connections):
            one.transport.abort()
        self._loop.run_until_complete(server.wait_closed())


class Speaker(asyncio.Protocol):
    """One connection: a request, and its answer a word at a time."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._input = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._input += data
        head, end, body = self._input.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        if end and found is not None and len(body) >= int(found[1]):
            self._input = b""
            self._answer(json.loads(body))

    def _answer(self, request: dict[str, Any]) -> None:
        content = request["messages"][-1]["content"]
        text = content if isinstance(content, str) else "".join(part["text"] for part in content)
        asked = self._server.asked.setdefault(text, [])
        asked.append(time.monotonic())
        if text.startswith("fail"):
            body = b'{"error": {"message": "no"}}'
            self.transport.write(
                b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            self.transport.close()
            return
        words, pace = words_of(text)
        if text.startswith("stumble") and len(asked) == 1:
            words = words[: len(words) // 2]
            self._begin(text, words, 1 / pace, breaks=True)
        else:
            self._begin(text, words, 1 / pace, breaks=False)

    def _begin(self, text: str, words: list[str], pause: float, *, breaks: bool) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        self._server.began.setdefault(text, time.monotonic())
        first = self._loop.time()

        def speak(number: int) -> None:
            if self.transport.is_closing():
                return
            if number < len(words):
                self._event({"content": words[number]}, None)
                self._loop.call_at(first + (number + 1) * pause, speak, number + 1)
            elif breaks:
                self.transport.close()
            else:
                self._event({}, "stop")
                usage = {"prompt_tokens": 7, "completion_tokens": len(words)}
                done = json.dumps({"choices": [], "usage": usage}).encode()
                self.transport.write(b"data: " + done + b"\n\ndata: [DONE]\n\n")
                self.transport.close()

        speak(0)

    def _event(self, delta: dict[str, Any], reason: str | None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        self.transport.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
