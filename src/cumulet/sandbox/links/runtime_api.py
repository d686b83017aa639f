"""The Lambda Runtime API, for runtimes that bring their own client.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable

from cumulet.sandbox import messages
from cumulet.sandbox.contract import RESPONSE_BYTES_MAX, AsyncSink, Invocation
from cumulet.sandbox.environment import Answer, Result, broken
from cumulet.sandbox.links.extensions import PREFIX as EXTENSION_PREFIX
from cumulet.sandbox.links.extensions import Extensions
from cumulet.sandbox.links.http import Call
from cumulet.sandbox.links.streams import Stream

PREFIX = "/2018-06-01/runtime/"
BODY_BYTES_MAX = RESPONSE_BYTES_MAX
_INVOCATION = re.compile(r"invocation/([^/]+)/(response|error)")
_OK = {"status": "OK"}
_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


class RuntimeApi:
    """One environment's Runtime API: a link to its runtime, and routes for its HTTP server."""

    def __init__(self, extensions: Extensions | None) -> None:
        self._extensions = extensions
        self._deliver: Callable[[Result], None]
        self._waiting: Call | None = None
        self._event: tuple[Invocation, int] | None = None
        self._current = ""
        self._sink: AsyncSink | None = None
        self._streams: dict[int, Stream] = {}
        self._answer: Answer | None = None
        self._ready = False

    async def attach(self, deliver: Callable[[Result], None]) -> None:
        """Results go to `deliver` from now on; the server is told of us before."""
        self._deliver = deliver

    def send(self, invocation: Invocation, deadline_ms: int, sink: AsyncSink | None) -> None:
        """Answer the runtime's open call for the next event, or keep the event for it."""
        self._sink = sink
        self._event = (invocation, deadline_ms)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting is None or self._event is None:
            return
        (invocation, deadline_ms), self._event = self._event, None
        call, self._waiting = self._waiting, None
        self._current = invocation.request_id
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        }
        for name, value in (
            ("Lambda-Runtime-Trace-Id", invocation.trace_id),
            ("Lambda-Runtime-Client-Context", invocation.client_context),
            ("Lambda-Runtime-Cognito-Identity", invocation.cognito_identity),
        ):
            if value:
                headers[name] = value.replace("\r", " ").replace("\n", " ")
        call.answer(200, invocation.payload, headers)

    def close(self) -> None:
        """Stop carrying streams."""
        for stream in self._streams.values():
            stream.cancel()
        self._streams.clear()

    def drain(self) -> None:
        """Nothing: what a runtime has written was answered, or is lost with its connection."""

    def pending(self) -> Answer | None:
        """An answer that is whole while the runtime has not yet asked for the next event."""
        return self._answer

    def begun(self, call: Call) -> None:
        """A streamed response is carried on as it comes."""
        mode = call.headers.get("lambda-runtime-function-response-mode", "")
        match = _INVOCATION.fullmatch(call.path.removeprefix(PREFIX))
        if mode.lower() != "streaming" or match is None or match[2] != "response":
            return
        if self._sink is None or match[1] != self._current or self._answer is not None:
            return
        content_type = call.headers.get("content-type", "application/octet-stream")
        connection = call.connection

        def done(trouble: str | None) -> None:
            self._streams.pop(id(call), None)
            self._streamed(call, content_type, trouble)

        stream = Stream(self._sink, content_type, connection.pause, connection.resume, done)
        self._streams[id(call)] = stream
        call.take = stream.feed

    def complete(self, call: Call) -> None:
        """Serve one request."""
        path = call.path.split("?", 1)[0]
        if path.startswith(EXTENSION_PREFIX) and self._extensions is not None:
            self._extensions.complete(call)
            return
        action = (call.method, path.removeprefix(PREFIX))
        match = _INVOCATION.fullmatch(action[1])
        if action == ("GET", "invocation/next"):
            self._next(call)
        elif action == ("POST", "init/error"):
            call.answer_json(202, _OK)
            self._deliver(_error_of(call, messages.INIT_FAILED))
        elif match is not None and call.method == "POST":
            self._finish(call, match[1], match[2])
        elif path.startswith(("/2022-07-01/telemetry", "/2020-08-15/logs")):
            # The words with which Lambda's own local emulator says the same.
            call.refuse(202, "Telemetry.NotSupported", "Telemetry API is not supported")
        else:
            call.refuse(404, "InvalidRoute", f"No such route: {call.method} {call.path}")

    def gone(self, call: Call) -> None:
        """The runtime has closed its connection while an answer was owed."""
        if self._extensions is not None:
            self._extensions.gone(call)
        if call is self._waiting:
            self._waiting = None
        stream = self._streams.pop(id(call), None)
        if stream is not None:
            stream.cancel()
            self._deliver(broken("Runtime closed its response stream early"))

    def _next(self, call: Call) -> None:
        self._waiting = call
        if not self._ready:
            self._ready = True
            self._deliver(Answer(messages.READY, b""))
        elif self._answer is not None:
            answer, self._answer = self._answer, None
            self._current = ""
            self._deliver(answer)
        self._hand_over()

    def _finish(self, call: Call, request_id: str, what: str) -> None:
        if request_id != self._current or self._answer is not None:
            call.refuse(400, "InvalidRequestID", "Invalid request ID")
            return
        stream = self._streams.get(id(call))
        if stream is not None:
            stream.end()
            return
        if call.too_large:
            message = f"Exceeded maximum allowed payload size ({BODY_BYTES_MAX} bytes)."
            call.refuse(413, "RequestEntityTooLarge", message)
            self._answer = Answer(messages.TOO_LARGE, b"")
            return
        if what == "error":
            self._answer = _error_of(call, messages.ERROR)
        elif _ERROR_TYPE in call.headers:
            self._answer = _error_of_trailers(call)
        else:
            content_type = call.headers.get("content-type", "application/json")
            self._answer = Answer(messages.RESPONSE, bytes(call.body), content_type=content_type)
        call.answer_json(202, _OK)

    def _streamed(self, call: Call, content_type: str, trouble: str | None) -> None:
        if trouble:
            call.refuse(400, "InvalidResponse", trouble)
            self._deliver(broken(trouble))
            return
        if _ERROR_TYPE in call.headers:
            self._answer = _error_of_trailers(call, streamed=True)
        else:
            self._answer = Answer(messages.RESPONSE, b"", streamed=True, content_type=content_type)
        call.answer_json(202, _OK)


def _error_of(call: Call, kind: int) -> Answer:
    error_type = call.headers.get(_ERROR_TYPE, "")
    body = bytes(call.body)
    if not body:
        body = json.dumps({"errorType": error_type or "Runtime.Unknown"}).encode()
    return Answer(kind, body, error_type)


def _error_of_trailers(call: Call, *, streamed: bool = False) -> Answer:
    error_type = call.headers[_ERROR_TYPE]
    try:
        body = base64.b64decode(call.headers.get(_ERROR_BODY, ""), validate=True)
    except binascii.Error:
        body = b""
    if not body:
        body = json.dumps({"errorType": error_type}).encode()
    return Answer(messages.ERROR, body, error_type, streamed)
