"""The two segments of a traced invocation: of Lambda, and of the function.

https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
"""

from __future__ import annotations

import hashlib
from typing import Any

from cumulet.core import trace_header
from cumulet.core.clock import Clock, new_hex
from cumulet.core.errors import AwsError
from cumulet.core.trace_header import Sampled
from cumulet.kit.ports import Segments, TraceStart
from cumulet.sandbox import Failed, Outcome
from cumulet.services.lambda_.limits import TRACE_LINKS_MAX
from cumulet.services.lambda_.model import Version
from cumulet.services.lambda_.running.live import Entry
from cumulet.services.lambda_.running.tracing.causes import cause_of

SERVICE = "AWS::Lambda"
FUNCTION = "AWS::Lambda::Function"
_ACCEPTED, _OK, _THROTTLED = 202, 200, 429

Document = dict[str, Any]


def start_of(entry: Entry) -> TraceStart:
    """Where a trace begins that begins with this function, as sampling rules look at it."""
    return TraceStart(entry.ref.name, FUNCTION, entry.ref.unqualified_arn)


async def decide(segments: Segments, entry: Entry, version: Version, header: str) -> str:
    """The trace header with a decision: the caller's, or else that of the sampling rules.

    A function that only passes traces on decides nothing, and is in none.
    """
    if trace_header.decision_of(header) is not None:
        return header
    if version.settings.tracing != "Active":
        return trace_header.decided(header, False)
    rule = await segments.sample(entry.ref.scope, start_of(entry))
    return trace_header.decided(header, bool(rule))


def is_recorded(version: Version, header: str) -> bool:
    """Whether an invocation with this header has segments."""
    return version.settings.tracing == "Active" and trace_header.sampled(header) is not None


class TracedCall:
    """One invocation that is recorded, from when it was called for to its end.

    `header` is what the function is told, `told` the trace and the segment in it. An asynchronous
    event has `received` and the number of its attempt; its segment of Lambda is written again at
    each.
    """

    def __init__(
        self,
        segments: Segments,
        clock: Clock,
        entry: Entry,
        request_id: str,
        header: str,
        *,
        received: float = 0.0,
        attempt: int = 0,
        links: tuple[Sampled, ...] = (),
    ) -> None:
        said = trace_header.sampled(header)
        assert said is not None, "only calls that are sampled are recorded"
        self._segments = segments
        self._clock = clock
        self._entry = entry
        self._scope = entry.ref.scope
        self._trace, self._caller = said
        self._request_id = request_id
        self._called = clock.now()
        self._received = received
        self._attempt = attempt
        self._links = links[:TRACE_LINKS_MAX]
        self._placed = 0.0
        self._service = _lasting_id(request_id) if attempt else new_hex(clock, 16)
        self._function = new_hex(clock, 16)
        self.header = trace_header.decided(header, True, self._function)
        self.told = Sampled(self._trace, self._function)
        segments.follow(self._scope, self._trace, self._function)

    def placed(self) -> None:
        """An environment is ready for the event."""
        self._placed = self._clock.now()

    def finish(self, version: Version, outcome: Outcome) -> None:
        """The function has ended."""
        now = self._clock.now()
        faults: Document = {}
        cause: Document = {}
        if isinstance(outcome, Failed):
            faults["fault"] = True
            cause["cause"] = cause_of(outcome, self._clock)
        parent = self._tell_service(now, _OK, faults)
        self._put(
            {
                **self._named(self._function, FUNCTION, parent),
                **self._function_times(outcome, now),
                **faults,
                **cause,
                "aws": {
                    "account_id": self._scope.account,
                    "function_arn": self._entry.ref.unqualified_arn,
                    "resource_names": [self._entry.ref.name],
                    "cloudwatch_logs": [{"log_group": version.settings.logging.group}],
                },
            }
        )

    def refuse(self, error: AwsError) -> None:
        """The function was not run; an event that is put off is told when it has been run."""
        status = error.http_status or 500
        faults: Document = {"fault" if status >= 500 else "error": True}
        if status == _THROTTLED:
            faults["throttle"] = True
        if not self._attempt:
            self._tell_service(self._clock.now(), status, faults)

    def end(self) -> None:
        """Whatever came of it, what the function calls from now on is not this one's any more."""
        self._segments.leave(self._scope, self._trace, self._function)

    def _tell_service(self, now: float, status: int, faults: Document) -> str:
        """Write Lambda's own segment; the id that the function's segment belongs below."""
        document = {
            **self._named(self._service, SERVICE, self._caller),
            "start_time": self._received or self._called,
            "end_time": now,
            "http": {"response": {"status": _ACCEPTED if self._attempt else status}},
            "aws": {"request_id": self._request_id},
            **faults,
        }
        self._put(document)
        if not self._attempt:
            return self._service
        if self._attempt == 1:
            self._put(self._part("Dwell Time", self._received, self._called))
        response = {"http": {"response": {"status": status}}, **faults}
        attempt = self._part(f"Attempt #{self._attempt}", self._called, now) | response
        self._put(attempt)
        return str(attempt["id"])

    def _named(self, uid: str, origin: str, parent: str) -> Document:
        links = [{"trace_id": one.trace_id, "id": one.parent_id} for one in self._links]
        return {
            "id": uid,
            "trace_id": self._trace,
            **({"parent_id": parent} if parent else {}),
            **({"links": links} if links and origin == SERVICE else {}),
            "name": self._entry.ref.name,
            "origin": origin,
            "resource_arn": self._entry.ref.unqualified_arn,
        }

    def _part(self, name: str, began: float, ended: float) -> Document:
        """A subsegment of Lambda's segment that is written by itself."""
        return {
            "id": new_hex(self._clock, 16),
            "trace_id": self._trace,
            "parent_id": self._service,
            "type": "subsegment",
            "name": name,
            "start_time": began,
            "end_time": max(began, ended),
        }

    def _function_times(self, outcome: Outcome, now: float) -> Document:
        """When the function's segment began and ended, and its phases."""
        usage = outcome.usage
        began = self._placed or now - usage.duration_ms / 1000
        ended = min(now, began + usage.duration_ms / 1000)
        phases: list[tuple[str, float, float]] = []
        start = began
        if usage.init_ms is not None:
            start = max(self._called, began - usage.init_ms / 1000)
            phases.append(("Initialization", min(start, began), began))
        phases += [("Invocation", began, ended), ("Overhead", ended, now)]
        about = {"function_arn": self._entry.ref.unqualified_arn}
        return {
            "start_time": min(start, began),
            "end_time": now,
            "subsegments": [
                {
                    "id": new_hex(self._clock, 16),
                    "name": name,
                    "start_time": first,
                    "end_time": last,
                    "aws": about,
                }
                for name, first, last in phases
            ],
        }

    def _put(self, document: Document) -> None:
        self._segments.put(self._scope, document)


def _lasting_id(request_id: str) -> str:
    """The same id at each attempt of an event."""
    return hashlib.sha256(request_id.encode()).hexdigest()[:16]
