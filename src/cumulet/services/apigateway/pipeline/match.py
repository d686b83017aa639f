"""First step: which method of the deployed API the request is for."""

from __future__ import annotations

import msgspec

from cumulet.core.http import Request
from cumulet.services.apigateway.pipeline.faults import forbidden, missing_token
from cumulet.services.apigateway.pipeline.observe.journal import Journal
from cumulet.services.apigateway.pipeline.served import ServedMethod, ServedStage


class Arrival(msgspec.Struct, frozen=True):
    """A request as it came, with what tells it from others.

    `path` is what follows the stage, `whole_path` has the stage before it; both as sent.
    `epoch_ms` is when it came.
    """

    request: Request
    body: bytes
    path: str
    whole_path: str
    domain: str
    domain_prefix: str
    request_id: str
    extended_id: str
    trace_header: str
    epoch_ms: int
    by_domain: bool = False
    """Whether it came by a custom domain, which stays when the API's own address is disabled."""
    journal: Journal = msgspec.field(default_factory=Journal)
    """What is noted of it on its way, for logs and metrics."""


class Matched(msgspec.Struct, frozen=True):
    """A request and the method it is for. `path` begins with exactly one slash."""

    arrival: Arrival
    stage: ServedStage
    method: ServedMethod
    path: str
    path_parameters: dict[str, str] | None


def match(stage: ServedStage | None, arrival: Arrival) -> Matched:
    """Find the method. Raises GatewayFault."""
    if stage is None or (stage.is_disabled and not arrival.by_domain):
        raise forbidden()
    path = "/" + arrival.path.lstrip("/")
    found = stage.router.find(arrival.request.method, path)
    if found is None:
        raise missing_token()
    return Matched(arrival, stage, found[0], path, found[1])


def match_trial(stage: ServedStage, arrival: Arrival, resource_path: str) -> Matched:
    """The method that a test invocation names, whatever path it sends. Raises GatewayFault.

    A path that is not the resource's own has no path parameters.
    """
    method = arrival.request.method
    path = "/" + arrival.path.lstrip("/")
    found = stage.router.find(method, path)
    if found is not None:
        return Matched(arrival, stage, found[0], path, found[1])
    named = stage.router.find(method, resource_path)
    if named is None:
        raise missing_token()
    return Matched(arrival, stage, named[0], path, None)
