"""A request as it came to an HTTP API, what was found for it, and what was noted on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from cumulet.core.http import Request
from cumulet.core.identity import ANONYMOUS, Principal
from cumulet.services.apigateway.v2.http.prepared.served import ServedRoute, ServedStage
from cumulet.services.apigateway.v2.http.refusals import Refusal


@dataclass(slots=True)
class Notes:
    """What logs and metrics are told at the end; steps write here and never read it."""

    route: ServedRoute | None = None
    authorized: Authorized | None = None
    refusal: Refusal | None = None
    authorizer_error: str = ""
    integration_ms: int | None = None
    integration_status: int | None = None
    integration_request_id: str = ""
    integration_error: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request with what tells it from others.

    `path` is what follows the stage, `whole_path` is the one that was asked for; both as sent.
    `base_path` is what of a custom domain's path was matched. `epoch_ms` is when it came,
    `started` the same in monotonic seconds.
    """

    request: Request
    body: bytes
    path: str
    whole_path: str
    domain: str
    domain_prefix: str
    base_path: str
    request_id: str
    trace_header: str
    epoch_ms: int
    started: float
    notes: Notes = field(default_factory=Notes)

    def query(self) -> list[tuple[str, str]]:
        """The query's pairs, decoded, in order."""
        if not self.request.query:
            return []
        return parse_qsl(self.request.query, keep_blank_values=True, errors="replace")


@dataclass(frozen=True, slots=True)
class Matched:
    """A request and its route. `path` begins with a slash; `parameters` are decoded."""

    arrival: Arrival
    stage: ServedStage
    route: ServedRoute
    path: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Authorized:
    """A request that may go on, and who sent it.

    Exactly one of these says who it is, or none for an open route: `caller` by a signature,
    `claims` (with `scopes`) by a token, `context` (with `principal_id`) by a function.
    """

    matched: Matched
    caller: Principal = ANONYMOUS
    claims: dict[str, Any] | None = None
    scopes: tuple[str, ...] | None = None
    context: dict[str, Any] | None = None
    principal_id: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a backend answered, as it goes to the last step."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
