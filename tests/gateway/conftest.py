"""The fixture of the playbooks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.gateway.cast import TRACE, Cast, Played, lambda_says

from cumulet.core.http import BytesBody, Headers, Request, Response
from cumulet.core.trace import Trace
from cumulet.services.apigateway.pipeline import answer
from cumulet.services.apigateway.pipeline.faults import GatewayFault
from cumulet.services.apigateway.pipeline.match import Arrival
from cumulet.services.apigateway.pipeline.respond import respond_fault


@pytest.fixture
def play():
    """Plays one request against a stage."""

    def run(
        stage: Any,
        verb: str = "GET",
        path: str = "/",
        *,
        query: str = "",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        answers: Any = None,
        **cast: Any,
    ) -> Played:
        platform = Cast(answers or lambda_says({"statusCode": 200}), **cast)
        given = [("Host", "abc123.execute-api.localhost:4566"), *(headers or [])]
        request = Request(verb, f"/prod{path}", query, Headers(given), BytesBody(body))
        arrival = Arrival(
            request=request,
            body=body,
            path=path,
            whole_path=f"/prod{path}",
            domain=request.host,
            domain_prefix="abc123",
            request_id="req-1",
            extended_id="ext=",
            trace_header=TRACE,
            epoch_ms=1_700_000_000_000,
        )

        async def go() -> Response:
            try:
                return await answer(platform, stage, arrival, Trace())
            except GatewayFault as fault:
                return respond_fault(fault, "req-1", "ext=")

        return Played(asyncio.run(go()), platform.calls)

    return run
