"""A server of OpenAI's chat completions that does as it is told: the world outside of the cloud.

The name of the model says how it behaves, so that tests need share nothing.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_SECONDS = 20
PIECE = "x" * 4_000
ENDLESS_PIECES = 100_000


class ModelServer(ThreadingHTTPServer):
    """Holds what was asked and what happened, by the name of the model."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.headers: dict[str, Any] = {}
        self.events: dict[str, threading.Event] = defaultdict(threading.Event)
        self.written: dict[str, int] = defaultdict(int)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def wait(self, event: str) -> bool:
        return self.events[event].wait(WAIT_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def log_message(self, *words: Any) -> None:
        """Nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.close_connection = True
        name = body["model"]
        self.server.asked[name].append(body)
        self.server.headers[name] = dict(self.headers)
        if self.path.endswith("/input_tokens"):
            return self._json(200, {"input_tokens": 17})
        if self.path != "/v1/chat/completions":
            return self._json(404, {"error": {"message": "no such path"}})
        return getattr(self, f"_{name}", self._echo)(body)

    # Ways of writing

    def _json(self, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self._delta({"role": "assistant", "content": None})

    def _event(self, document: Any) -> None:
        self.wfile.write(b"data: " + json.dumps(document).encode() + b"\n\n")

    def _delta(self, delta: dict[str, Any], reason: str | None = None, **more: Any) -> None:
        self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason, **more}]})

    def _end(self, reason: str, written: int, **more: Any) -> None:
        self._delta({}, reason, **more)
        self._event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": written}})
        self.wfile.write(b"data: [DONE]\n\n")

    # Ways of behaving

    def _echo(self, body: dict[str, Any]) -> None:
        content = body["messages"][-1]["content"]
        said = content if isinstance(content, str) else json.dumps(content)
        words = f"You said: {said}".split(" ")
        self._begin()
        for number, word in enumerate(words):
            self._delta({"content": word if number == 0 else f" {word}"})
        self._end("stop", len(words))

    def _long(self, body: dict[str, Any]) -> None:
        self._begin()
        self._delta({"content": "one two"})
        self._end("length", 2)

    def _stops(self, body: dict[str, Any]) -> None:
        self._begin()
        self._delta({"content": "one two"})
        self._end("stop", 2, stop_reason=body["stop"][0])

    def _thinks(self, body: dict[str, Any]) -> None:
        self._begin()
        self._delta({"reasoning_content": "Let me see."})
        self._delta({"content": "Yes."})
        self._end("stop", 5)

    def _tool(self, body: dict[str, Any]) -> None:
        self._begin()
        self._delta({"content": "I look."})
        for number, city in enumerate(("Oslo", "Rome")):
            call: dict[str, Any] = {"index": number, "id": f"call_{number}", "type": "function"}
            self._delta({"tool_calls": [{**call, "function": {"name": "weather"}}]})
            for part in ('{"city":', f' "{city}"}}'):
                self._delta({"tool_calls": [{"index": number, "function": {"arguments": part}}]})
        self._end("tool_calls", 20)

    def _stepwise(self, body: dict[str, Any]) -> None:
        """The second token comes when the test has seen the first."""
        self._begin()
        self._delta({"content": "first"})
        if self.server.wait("go on"):
            self._delta({"content": " second"})
        self._end("stop", 2)

    def _endless(self, body: dict[str, Any]) -> None:
        self._write_until_stalled("endless")

    def _forever(self, body: dict[str, Any]) -> None:
        self._write_until_stalled("forever")

    def _write_until_stalled(self, name: str) -> None:
        """Write on; tell when nobody reads any more, and when the reader has gone."""
        self._begin()
        self.connection.settimeout(1.0)
        try:
            for _ in range(ENDLESS_PIECES):
                self._delta({"content": PIECE})
                self.server.written[name] += 1
        except TimeoutError:
            self.server.events[f"{name} stalled"].set()
            self._wait_for_the_end(name)
        except OSError:
            self.server.events[f"{name} gone"].set()

    def _wait_for_the_end(self, name: str) -> None:
        """Read: nothing ever comes, but the end does."""
        self.connection.settimeout(WAIT_SECONDS)
        try:
            self.rfile.read(1)
        except TimeoutError:
            return
        except OSError:
            pass
        self.server.events[f"{name} gone"].set()

    def _held(self, body: dict[str, Any]) -> None:
        """Accept, and say nothing until the test lets go."""
        self._begin()
        self.server.events["held"].set()
        self.server.wait("let go")
        self._delta({"content": "done"})
        self._end("stop", 1)

    def _late(self, body: dict[str, Any]) -> None:
        """Accept only when the test says so, which is after the client has gone."""
        if not self.server.events["late asked"].is_set():
            self.server.events["late asked"].set()
            self.server.wait("late may begin")
            self._write_until_stalled("late")
        else:
            self._echo(body)

    def _quiet(self, body: dict[str, Any]) -> None:
        """Say nothing at all until the client has gone."""
        self._wait_for_the_end("quiet")

    def _fades(self, body: dict[str, Any]) -> None:
        """Say one word, and no more."""
        self._begin()
        self._delta({"content": "one"})
        self._wait_for_the_end("fades")

    def _patient(self, body: dict[str, Any]) -> None:
        """Say one word, and think on until the client has gone."""
        self._begin()
        self._delta({"content": "one"})
        self.server.events["patient asked"].set()
        self._wait_for_the_end("patient")

    def _breaks(self, body: dict[str, Any]) -> None:
        self._begin()
        self._delta({"content": "one"})

    def _fails(self, body: dict[str, Any]) -> None:
        self._begin()
        self._delta({"content": "one"})
        self._event({"error": {"message": "out of memory", "code": 500}})

    def _garbage(self, body: dict[str, Any]) -> None:
        self._begin()
        self.wfile.write(b"data: {not json\n\n")

    def _refuses400(self, body: dict[str, Any]) -> None:
        self._json(400, {"error": {"message": "the context is too long"}})

    def _refuses401(self, body: dict[str, Any]) -> None:
        self._json(401, {"error": {"message": "who are you?"}})

    def _refuses429(self, body: dict[str, Any]) -> None:
        self._json(429, {"error": {"message": "slow down"}})

    def _refuses500(self, body: dict[str, Any]) -> None:
        self._json(500, {"error": {"message": "oh dear"}})

    def _refuses503(self, body: dict[str, Any]) -> None:
        self._json(503, {"error": {"message": "loading"}})
