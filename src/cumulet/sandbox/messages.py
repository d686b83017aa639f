"""Every message between the cloud and a Python environment, with limits. Shared by both sides.

The function's process imports this file too: standard library only, and nothing newer than
Python 3.9. A frame is its length (4 bytes), its kind (1 byte) and its body. The orders to the
process that forks (`Fork…`) and to the first process of an environment are one JSON object per
packet, described where they are made: `process.py` and `child/zygote.py`.
"""

from __future__ import annotations

import struct

FRAME = struct.Struct("<IB")
RESPONSE_BYTES_MAX = 6_291_556
"""Largest buffered answer. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
FRAME_BYTES_MAX = RESPONSE_BYTES_MAX + 65_536
"""Largest body: the largest answer of a function, or the largest event, and its own header."""

INVOKE = 1
"""Cloud → function: the event and what the context object is made of."""
READY = 16
"""Function → cloud: the handler is loaded. Body: names of the AWS service models it loaded."""
INIT_FAILED = 17
"""Function → cloud: the handler could not be loaded. Body: the error as JSON."""
RESPONSE = 18
"""Function → cloud: the handler's answer as JSON."""
ERROR = 19
"""Function → cloud: the handler raised. Body: the error as JSON."""
TOO_LARGE = 20
"""Function → cloud: the answer was larger than Lambda allows. Body: its size in decimal."""
STREAM_BEGIN = 21
"""Function → cloud: a streamed answer begins. Body: its content type."""
STREAM_CHUNK = 22
"""Function → cloud: the next piece of a streamed answer."""
STREAM_END = 23
"""Function → cloud: the streamed answer is complete. Body: empty, or the error as JSON."""
FATAL = 24
"""Function → cloud: as ERROR, and this process ends now."""
STREAM_BYTES_MAX = 209_715_200
"""Largest streamed answer.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html"""

END = struct.Struct("<ii")
"""First process → cloud, on the status socket: which process has ended, as the environment numbers
it, and its wait status. Every other packet there is JSON, and longer."""

RECORD_MARK = b"\x1e"
"""In the function's output: a record of known length follows, as `\\x1e<length>\\n<text>`.

It lets one log record of a runtime keep its newlines. A function may write it as well: it then
only affects its own log.
"""
RECORD_HEADER_BYTES_MAX = 10

_INVOKE = struct.Struct("<qIIIII")
_INVOKE_FRAME = struct.Struct("<IBqIIIII")
"""A frame's beginning and the event's own, together."""


def pack_invoke(
    request_id: str,
    deadline_ms: int,
    trace_id: str,
    function_arn: str,
    client_context: str,
    cognito_identity: str,
    payload: bytes,
) -> bytes:
    """The INVOKE frame, whole."""
    texts = (request_id, trace_id, function_arn, client_context, cognito_identity)
    content = "".join(texts).encode()
    lengths = map(len, texts)
    if len(content) != sum(map(len, texts)):
        lengths = map(len, map(str.encode, texts))
    body_bytes = _INVOKE.size + len(content) + len(payload)
    return _INVOKE_FRAME.pack(body_bytes, INVOKE, deadline_ms, *lengths) + content + payload


def unpack_invoke(body: bytes) -> tuple[int, list[str], bytes]:
    """Deadline in epoch milliseconds; request id, trace id, ARN, contexts; the event."""
    deadline_ms, *lengths = _INVOKE.unpack_from(body)
    at = _INVOKE.size
    texts = []
    for length in lengths:
        texts.append(str(body[at : at + length], "utf-8"))
        at += length
    return deadline_ms, texts, bytes(body[at:])


def pack_frame(kind: int, body: bytes) -> bytes:
    """A frame with its length in front."""
    return FRAME.pack(len(body), kind) + body
