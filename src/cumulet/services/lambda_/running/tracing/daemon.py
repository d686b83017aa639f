"""X-Ray's daemon as functions see it: segments come as datagrams, and go on as the role may.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.core.trace import log_line
from cumulet.kit.ports import Segments
from cumulet.services.lambda_.limits import TRACED_CALLS_KEPT_MAX

_HEADER_BYTES_MAX = 256
_FORMAT = {"format": "json", "version": 1}


class Daemon:
    """Takes the segments of the environments of one version, for its account and no other.

    `is_allowed` says whether the execution role has `xray:PutTraceSegments`.
    """

    __slots__ = ("_has_warned", "_is_allowed", "_scope", "_segments")

    def __init__(self, segments: Segments, scope: Scope, is_allowed: bool) -> None:
        self._segments = segments
        self._scope = scope
        self._is_allowed = is_allowed
        self._has_warned = False

    def take(self, data: bytes) -> None:
        """One datagram; what is no segment is dropped, as the daemon does."""
        if not self._is_allowed:
            self._warn("the role of a function does not allow xray:PutTraceSegments")
            return
        document = document_of(data)
        if document is None:
            self._warn("a function sent what is no segment")
            return
        self._segments.put(self._scope, document)

    def _warn(self, because: str) -> None:
        """Once is enough: a function may send thousands."""
        if not self._has_warned:
            self._has_warned = True
            log_line(logging.WARNING, "segments are dropped", because=because)


class Strays:
    """Segments whose senders had ended before they could be found, as those of Node.js do at once.

    Such a one counts only below the segment of an invocation of late, whose id is a secret of the
    function: the cloud hands another one on to whoever the function calls.
    """

    def __init__(self) -> None:
        self._expected: dict[tuple[str, str], Daemon] = {}

    def expect(self, trace_id: str, segment_id: str, daemon: Daemon) -> None:
        """A function that is told this segment runs now."""
        if len(self._expected) >= TRACED_CALLS_KEPT_MAX:
            del self._expected[next(iter(self._expected))]
        self._expected[trace_id, segment_id] = daemon

    def take(self, data: bytes) -> None:
        """One datagram of nobody knows whom."""
        document = document_of(data)
        if document is None or document.get("type") != "subsegment":
            return
        trace_id, parent_id = document.get("trace_id"), document.get("parent_id")
        if isinstance(trace_id, str) and isinstance(parent_id, str):
            daemon = self._expected.get((trace_id, parent_id))
            if daemon is not None:
                daemon.take(data)


def document_of(data: bytes) -> dict[str, Any] | None:
    """The segment in a datagram; None when it has none."""
    header, newline, body = data.partition(b"\n")
    if not newline or len(header) > _HEADER_BYTES_MAX:
        return None
    try:
        about, document = msgspec.json.decode(header), msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return document if about == _FORMAT and isinstance(document, dict) else None
