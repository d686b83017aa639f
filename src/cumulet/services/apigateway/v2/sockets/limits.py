"""The bounds of WebSocket APIs at work; what bounds one socket is among the edge's own.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

PAYLOAD_BYTES_MAX = 131_072
"""One message, either way."""

MESSAGES_AT_ONCE_MAX = 16
"""Messages of one connection whose routes run at the same time; its client waits above it. Ours."""

CONNECT_RATE = 500.0
CONNECT_BURST = 500
"""New connections of an account in a region, in a second and at once."""

ENDS_AT_ONCE_MAX = 64
"""`$disconnect` routes that run at the same time: many connections may end together. Ours."""

STALE_PAGE = 200
"""Connections of a process that died that are looked at together. Ours."""

STOP_SECONDS_MAX = 10.0
"""How long a stopping cloud waits for the `$disconnect` routes under way. Ours; what is cut off
runs at the next start."""

REQUEST_BYTES_MAX = 10_240
"""Request line and header values of a handshake together."""

ERROR_TEXT_MAX = 1_024
"""Characters of a message that an execution log shows."""

APIS_CACHED_MAX = 1_000
"""APIs whose stages are kept ready in memory. Ours."""
