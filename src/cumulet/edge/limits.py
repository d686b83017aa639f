"""Every bound of the front door, by name. Times are in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

HEADER_NAMES_KNOWN_MAX = 1_024
"""Spellings of header names that are remembered as checked."""

HOSTS_KNOWN_MAX = 256
"""Values of the Host header that are remembered as checked."""

LINES_KNOWN_MAX = 1_024
"""Header lines that are remembered as read, of the names whose values clients send again."""

LINE_KNOWN_CHARACTERS_MAX = 256
"""A longer header line is read anew each time."""

CHUNK_LINE_BYTES_MAX = 512
"""A chunk's size line in the chunked transfer coding, extensions included."""

TRAILER_BYTES_MAX = 8 * KIB
"""All trailer fields after the last chunk."""

ANSWERS_TOGETHER_MAX = 64
"""Answers of one turn of the loop that wait for each other, so that the first is not late."""

ANSWER_HELD_BYTES_MAX = 16 * KIB
"""A longer answer is sent at once: sending it takes more than waking its client."""

JSON_BODY_BYTES_MAX = 16 * MIB
"""DynamoDB takes 16 MB a request, more than any other JSON service.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

QUERY_BODY_BYTES_MAX = 4 * MIB
"""Query services: a CloudFormation template body (51,200 bytes) grows when form-encoded, and IAM's
documents are smaller. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

REST_BODY_BYTES_MAX = 80 * MIB
"""Lambda takes 50 MB of zipped code inline, which is 67 MB in Base64.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

S3_DOCUMENT_BYTES_MAX = 4 * MIB
"""An S3 request whose body is a document; the largest is DeleteObjects with 1,000 keys.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""

S3_OBJECT_BYTES_MAX = 5 * GIB
"""One PutObject or UploadPart. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection, and all together, may take of the server."""

    connections_max: int = 10_000
    head_bytes_max: int = 64 * KIB
    target_bytes_max: int = 16 * KIB
    header_count_max: int = 128
    body_bytes_max: int = S3_OBJECT_BYTES_MAX + 64 * MIB
    """Above S3's largest part, for the framing of signed chunks."""

    body_buffer_bytes: int = 256 * KIB
    """Body bytes held for a handler that reads slowly; reading from the socket stops above it."""

    pipeline_bytes_max: int = 64 * KIB
    """Bytes of later requests held while one is answered; reading stops above it."""

    write_buffer_bytes: int = 256 * KIB
    """Answer bytes held for a client that reads slowly; a streamed answer waits above it."""

    unread_body_bytes_max: int = 256 * KIB
    """A body nobody read is thrown away up to this size; a longer one ends the connection."""

    head_seconds: float = 15.0
    """From the first byte of a request to the end of its head."""

    idle_seconds: float = 75.0
    """Between requests of a kept-alive connection."""

    body_gap_seconds: float = 30.0
    """Between two bytes of a body, while the server wants them."""

    body_rate_bytes_min: int = 1 * KIB
    """A body slower than this many bytes a second, past its first gap's time, is given up."""

    write_gap_seconds: float = 60.0
    """A client that takes no byte of its answer for so long is let go."""

    linger_seconds: float = 2.0
    """How long a connection that was ended is read on, so that the client sees the answer."""

    sweep_seconds: float = 1.0
    """How often times are looked at; a limit is kept to within this."""

    message_bytes_max: int = 128 * KIB
    """One WebSocket message, as API Gateway's payload limit.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    """

    frame_bytes_max: int = 32 * KIB
    """One WebSocket frame, either way, as API Gateway's: a longer message comes in several.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    """

    socket_queue_messages_max: int = 128
    """Messages waiting for a surface to receive them; reading stops above it."""

    socket_queue_bytes_max: int = 256 * KIB
    """Their bytes together; reading stops above it too."""

    socket_send_bytes_max: int = 1 * MIB
    """Bytes waiting for a client of a WebSocket above which nothing more is taken for it."""

    socket_idle_seconds: float = 600.0
    """A WebSocket without a message or a client's ping for so long is closed with 1001.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    """

    socket_life_seconds: float = 7_200.0
    """A WebSocket older than this is closed with 1001, whatever happens on it; same page."""

    ping_seconds: float = 30.0
    """Between pings of a quiet WebSocket; one without an answer by the next ends it."""


def body_limit(service: str, protocol: str) -> int:
    """How many bytes a body may have that is read whole before its operation runs."""
    if service == "s3":
        return S3_DOCUMENT_BYTES_MAX
    if protocol in ("query", "ec2"):
        return QUERY_BODY_BYTES_MAX
    if protocol.startswith("rest-"):
        return REST_BODY_BYTES_MAX
    return JSON_BODY_BYTES_MAX
