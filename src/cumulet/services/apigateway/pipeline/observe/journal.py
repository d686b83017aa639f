"""What is noted of one request on its way, for the logs and metrics that are written at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cumulet.services.apigateway.pipeline.authorize import Authorized
    from cumulet.services.apigateway.pipeline.faults import GatewayFault
    from cumulet.services.apigateway.pipeline.match import Matched
    from cumulet.services.apigateway.pipeline.meter import UsedKey
    from cumulet.services.apigateway.pipeline.observe.segments import TracedRequest

TRACE_LENGTH_MAX = 1_024
"""Characters of a body that an execution log shows.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"""


class Sent:
    """What went to a backend, for execution logs."""

    __slots__ = ("body", "headers", "uri")

    def __init__(self, uri: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.uri = uri
        self.headers = headers
        self.body = body


class Journal:
    """One request's notes. Steps write here and never read what others wrote.

    `matched`, `authorized` and `key` are there once those steps are done; `notes` holds `$context`
    names (`integration.status`, `authorizer.latency`) with their values. `cache` is `hit`, `miss`
    or empty when no cache was asked. `integration_ms` is None until a backend has answered.
    `traced` is there when X-Ray records the request.
    """

    __slots__ = (
        "authorized",
        "backend_request_id",
        "cache",
        "cause",
        "fault",
        "integration_ms",
        "is_test",
        "key",
        "matched",
        "notes",
        "received",
        "sent",
        "traced",
    )

    def __init__(self, *, is_test: bool = False) -> None:
        self.is_test = is_test
        self.matched: Matched | None = None
        self.authorized: Authorized | None = None
        self.key: UsedKey | None = None
        self.fault: GatewayFault | None = None
        self.backend_request_id = ""
        self.cache = ""
        self.cause = ""
        self.integration_ms: int | None = None
        self.notes: dict[str, Any] = {}
        self.sent: Sent | None = None
        self.received: tuple[int, list[tuple[str, str]], bytes] | None = None
        self.traced: TracedRequest | None = None
