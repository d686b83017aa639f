"""The Extensions API: external extensions register, are told of events, and of the end.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cumulet.core.clock import Clock, new_uuid
from cumulet.sandbox.contract import Invocation
from cumulet.sandbox.links.http import Call

EVENTS = ("INVOKE", "SHUTDOWN")
EXTENSIONS_MAX = 10
PREFIX = "/2020-01-01/extension/"
_OK = {"status": "OK"}


@dataclass(slots=True, eq=False)
class Extension:
    """One registered extension. `waiting` is its open call for the next event."""

    name: str
    events: frozenset[str]
    waiting: Call | None = None
    ready: bool = False


class Extensions:
    """The extensions of one environment; `on_change` hears when one becomes ready or fails."""

    def __init__(
        self,
        expected: frozenset[str],
        about: dict[str, str],
        clock: Clock,
        on_change: Callable[[], None],
        on_failed: Callable[[str], None],
    ) -> None:
        self._expected = expected
        self._about = about
        self._clock = clock
        self._on_change = on_change
        self._on_failed = on_failed
        self._registered: dict[str, Extension] = {}

    def all_ready(self) -> bool:
        """Whether every extension is there and waits for the next event."""
        names = {extension.name for extension in self._registered.values()}
        waiting = all(extension.waiting is not None for extension in self._registered.values())
        return waiting and names >= self._expected

    def announce(self, invocation: Invocation, deadline_ms: int) -> None:
        """Tell those who want to know that an event is being served."""
        self._tell(
            "INVOKE",
            {
                "eventType": "INVOKE",
                "deadlineMs": deadline_ms,
                "requestId": invocation.request_id,
                "invokedFunctionArn": invocation.function_arn,
                "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
            },
        )

    def shutdown(self, deadline_ms: int, reason: str = "spindown") -> bool:
        """Tell those who want to know that the end is near; False when nobody does."""
        event = {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms}
        return self._tell("SHUTDOWN", event)

    def _tell(self, kind: str, event: dict[str, Any]) -> bool:
        told = False
        for extension in self._registered.values():
            if kind in extension.events and extension.waiting is not None:
                call, extension.waiting = extension.waiting, None
                headers = {"Lambda-Extension-Event-Identifier": new_uuid(self._clock)}
                call.answer_json(200, event, headers)
                told = True
        return told

    def complete(self, call: Call) -> None:
        """Serve one request below `PREFIX`."""
        action = (call.method, call.path.split("?", 1)[0].removeprefix(PREFIX))
        if action == ("POST", "register"):
            self._register(call)
            return
        extension = self._registered.get(call.headers.get("lambda-extension-identifier", ""))
        if extension is None:
            call.refuse(403, "Extension.UnknownExtensionIdentifier", "Unknown extension")
        elif action == ("GET", "event/next"):
            extension.waiting = call
            self._on_change()
        elif action in (("POST", "init/error"), ("POST", "exit/error")):
            call.answer_json(202, _OK)
            self._on_failed(call.headers.get("lambda-extension-function-error-type", ""))
        else:
            call.refuse(404, "Extension.NotFound", f"No such route: {call.path}")

    def gone(self, call: Call) -> None:
        """An extension has closed its connection while waiting."""
        for extension in self._registered.values():
            if extension.waiting is call:
                extension.waiting = None

    def _register(self, call: Call) -> None:
        name = call.headers.get("lambda-extension-name", "")
        try:
            wanted = json.loads(call.body or b"{}").get("events", [])
        except (ValueError, AttributeError):
            call.refuse(400, "InvalidRequestFormat", "The body is not a JSON object")
            return
        if not name or len(self._registered) >= EXTENSIONS_MAX:
            call.refuse(403, "Extension.InvalidExtensionState", "This extension cannot register")
            return
        unknown = [event for event in wanted if event not in EVENTS]
        if unknown:
            call.refuse(400, "Extension.InvalidEventType", f"Unknown event: {unknown[0]}")
            return
        identifier = new_uuid(self._clock)
        self._registered[identifier] = Extension(name, frozenset(wanted))
        call.answer_json(200, self._about, {"Lambda-Extension-Identifier": identifier})
