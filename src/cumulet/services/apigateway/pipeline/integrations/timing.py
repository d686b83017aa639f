"""How long a backend takes, noted in the request's journal with what was sent and received."""

from __future__ import annotations

import time

from cumulet.services.apigateway.pipeline.observe.journal import Journal, Sent


class Timing:
    """One request to a backend, from its beginning to its answer."""

    __slots__ = ("_journal", "_started")

    def __init__(
        self, journal: Journal, uri: str, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        self._journal = journal
        self._started = time.perf_counter()
        journal.sent = Sent(uri, headers, body)

    def ended(
        self, status: int, headers: list[tuple[str, str]], body: bytes, request_id: str = ""
    ) -> None:
        """The answer is here, or its beginning when it is streamed."""
        journal = self._journal
        journal.integration_ms = int((time.perf_counter() - self._started) * 1000)
        journal.received = (status, headers, body)
        journal.backend_request_id = request_id
