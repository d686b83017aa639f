"""What happens around every request: its ids, its event, and CORS for SDKs in browsers."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from cumulet.core.clock import Clock
from cumulet.core.http import Request, Response
from cumulet.core.trace import Answered, Sink, Trace, current

_TRACE_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z")
_TRACE_FIELD = re.compile(r"[0-9A-Za-z-]{1,64}\Z")
_IDS_DRAWN = 256
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_PREFLIGHT_SECONDS = "172800"
_EXPOSED = (
    "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,x-amzn-query-error,"
    "x-amz-request-id,x-amz-id-2,x-amz-crc32,Date,ETag"
)


def open_trace(request: Request, request_id: str, now: float) -> Trace:
    """The event of a request: part of the caller's trace when it names one, else of a new one.

    X-Ray's header goes before W3C's `traceparent`, whose ids are written as X-Ray writes them.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    first = request.headers.first
    header = first.get("x-amzn-trace-id")
    root, parent = _named_trace(header) if header else ("", "")
    sampled: bool | None = None
    if not root and (header := first.get("traceparent")):
        root, parent, sampled = _parent_trace(header)
    trace = Trace(root, parent, request_id, now)
    trace.is_sampled = sampled
    current.set(trace)
    return trace


def _parent_trace(header: str) -> tuple[str, str, bool | None]:
    """Trace, parent and whether it is recorded; nothing for what is no such header.

    https://www.w3.org/TR/trace-context/#traceparent-header
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """
    found = _TRACE_PARENT.match(header)
    if found is None:
        return "", "", None
    version, trace, parent, flags, more = found.groups()
    is_known = version != "ff" and not (version == "00" and more)
    if not is_known or not trace.strip("0") or not parent.strip("0"):
        return "", "", None
    return f"1-{trace[:8]}-{trace[8:]}", parent, bool(int(flags, 16) & 1)


def _named_trace(header: str) -> tuple[str, str]:
    found = {}
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if _TRACE_FIELD.match(value) is not None:
            found[name] = value
    return found.get("Root", ""), found.get("Parent", "")


class RequestIds:
    """Makes request ids: version 4 UUIDs, from randomness that is drawn for many at once."""

    __slots__ = ("_at", "_clock", "_pool")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool = ""
        self._at = 0

    def new(self) -> str:
        """An id that was never given before."""
        at = self._at
        if at >= len(self._pool):
            self._pool = self._clock.random_bytes(16 * _IDS_DRAWN).hex()
            at = 0
        self._at = at + 32
        digits = self._pool[at : at + 32]
        # The version is 4, and the variant's two high bits are 10 (RFC 9562 §5.4).
        variant = _VARIANT[digits[16]]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )


def close_trace(sinks: Sequence[Sink], trace: Trace, request: Request, response: Response) -> None:
    """Tell the event of a request that was answered."""
    body = response.body
    trace.answer = Answered(
        request.method,
        request.path,
        request.headers.first.get("host", ""),
        request.peer,
        response.status,
        time.perf_counter(),
        request.body.size_bytes,
        len(body) if isinstance(body, bytes) else None,
    )
    for sink in sinks:
        sink(trace)


def preflight(request: Request) -> Response | None:
    """The answer to a browser that asks whether it may call the AWS API, else None.

    AWS lets any origin ask, and allows what was asked for: the signature decides, and
    `allow_origin` says so. S3's answers come from the bucket's own rules.
    """
    headers = request.headers
    asked = headers.get("access-control-request-method")
    if request.method != "OPTIONS" or not (asked or ("origin" in headers and request.path == "/")):
        return None
    return Response(
        200,
        [
            ("access-control-allow-methods", asked or _METHODS),
            ("access-control-allow-headers", headers.get("access-control-request-headers", "*")),
            ("access-control-max-age", _PREFLIGHT_SECONDS),
        ],
    )


def allow_origin(request: Request, response: Response) -> None:
    """Let a page of any origin read the answer of an AWS API."""
    if "origin" in request.headers:
        response.headers.append(("access-control-allow-origin", "*"))
        response.headers.append(("access-control-expose-headers", _EXPOSED))
