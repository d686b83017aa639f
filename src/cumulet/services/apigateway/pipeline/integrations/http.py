"""Integrations with HTTP backends: passed on as they are, or with mappings and templates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import lru_cache

from cumulet.core.context import Context
from cumulet.services.apigateway.admission.domains.clients import ClientContexts
from cumulet.services.apigateway.pipeline.event import DROPPED
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import timed_out, unreachable
from cumulet.services.apigateway.pipeline.integrations.addresses import (
    checked_headers,
    pairs_of,
    single,
    target_of,
)
from cumulet.services.apigateway.pipeline.integrations.connections import Answer, Connections
from cumulet.services.apigateway.pipeline.integrations.mapped import (
    Facts,
    Incoming,
    answered,
    assigned,
    facts_of,
    outgoing,
    template_variables,
)
from cumulet.services.apigateway.pipeline.integrations.outbound import OutboundError, Target
from cumulet.services.apigateway.pipeline.integrations.timing import Timing
from cumulet.services.apigateway.pipeline.match import Matched
from cumulet.services.apigateway.pipeline.served import ServedStage
from cumulet.services.apigateway.pipeline.validate import Admitted
from cumulet.services.apigateway.rules.methods import streams
from cumulet.services.apigateway.rules.names import ANY

STREAM_IDLE_SECONDS = 300
"""A streamed answer that says nothing for so long is ended.
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html"""

_NOT_PASSED = DROPPED | {
    *("host", "content-encoding", "via", "x-forwarded-for", "x-forwarded-port"),
    *("x-forwarded-proto", "x-amzn-trace-id"),
}


async def pass_on(ctx: Context, admitted: Admitted) -> Exchange:
    """Send the request on and its answer back. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html
    """
    matched = admitted.authorized.matched
    facts = facts_of(admitted)
    mapped = assigned(matched.method.assignments, facts)
    request = matched.arrival.request
    given = {name.lower() for name in mapped["header"]}
    headers = [
        (name, value)
        for name, value in request.headers.spelt()
        if name.lower() not in _NOT_PASSED and name.lower() not in given
    ]
    query = [(name, value) for name, value in admitted.query if name not in mapped["querystring"]]
    query += pairs_of(mapped["querystring"])
    path = {**facts.path, **{name: single(value) for name, value in mapped["path"].items()}}
    target = target_of(matched.method.uri, path, query)
    headers += checked_headers(mapped["header"])
    body = matched.arrival.body
    if streams(matched.method.integration):
        return await _stream(ctx, matched, target, headers, facts, body)
    status, answer_headers, answer = await _send(ctx, matched, target, headers, facts, body)
    return Exchange(matched, status, answer_headers, answer, False)


async def call_mapped(ctx: Context, admitted: Admitted) -> Exchange:
    """Call the backend with what the mappings and the template make. Raises GatewayFault."""
    matched = admitted.authorized.matched
    facts = facts_of(admitted)
    variables = template_variables(facts)
    sent = outgoing(admitted, facts, variables)
    path = {name: single(value) for name, value in sent.parameters["path"].items()}
    query = list(pairs_of(sent.parameters["querystring"]))
    target = target_of(matched.method.uri, path, query)
    headers = checked_headers(sent.parameters["header"])
    if sent.body and not any(name.lower() == "content-type" for name, _ in headers):
        kind = matched.arrival.request.headers.get("content-type") or "application/json"
        headers.append(("Content-Type", kind))
    status, answer_headers, body = await _send(ctx, matched, target, headers, facts, sent.body)
    incoming = Incoming(str(status), answer_headers, body)
    return answered(admitted, facts, variables, incoming, shows_trace=True)


@lru_cache(maxsize=2)
def _tls(skips_verification: bool) -> ssl.SSLContext:
    """One context for all, as reading the authorities takes milliseconds."""
    context = ssl.create_default_context()
    if skips_verification:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _context(ctx: Context, stage: ServedStage, skips_verification: bool) -> ssl.SSLContext:
    """The context for the stage's backends: with its client certificate, if it has one."""
    if stage.client_certificate_id is None:
        return _tls(skips_verification)
    contexts = ctx.need(ClientContexts)
    return await contexts.of(stage.scope, stage.client_certificate_id, skips_verification)


async def _send(
    ctx: Context,
    matched: Matched,
    target: Target,
    headers: list[tuple[str, str]],
    facts: Facts,
    body: bytes,
) -> tuple[int, list[tuple[str, str]], bytes]:
    """The backend's whole answer. Raises GatewayFault."""
    timing = _begin(matched, target, headers, facts, body)
    try:
        async with asyncio.timeout(matched.method.timeout_seconds):
            answer = await _ask(ctx, matched, target, headers, body)
            content = await answer.body.whole()
    except TimeoutError as cause:
        raise timed_out() from cause
    except OutboundError as cause:
        ctx.trace.note(integration_error=str(cause))
        raise unreachable(str(cause)) from cause
    timing.ended(answer.status, answer.headers, content)
    return answer.status, answer.headers, content


async def _stream(
    ctx: Context,
    matched: Matched,
    target: Target,
    headers: list[tuple[str, str]],
    facts: Facts,
    body: bytes,
) -> Exchange:
    """The head of the backend's answer, and its body as it comes. Raises GatewayFault."""
    timing = _begin(matched, target, headers, facts, body)
    until = asyncio.get_running_loop().time() + matched.method.timeout_seconds
    try:
        async with asyncio.timeout_at(until):
            answer = await _ask(ctx, matched, target, headers, body)
    except TimeoutError as cause:
        raise timed_out() from cause
    except OutboundError as cause:
        ctx.trace.note(integration_error=str(cause))
        raise unreachable(str(cause)) from cause
    timing.ended(answer.status, answer.headers, b"[streamed]")
    return Exchange(matched, answer.status, answer.headers, _Bounded(answer, until), False)


class _Bounded:
    """A streamed body that must go on and end in time; else the client's breaks off."""

    def __init__(self, answer: Answer, until: float) -> None:
        self._body = answer.body
        self._until = until

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(self._until, now + STREAM_IDLE_SECONDS)):
                return await anext(self._body)
        except (TimeoutError, OutboundError) as cause:
            await self._body.aclose()
            raise ConnectionError(f"the streamed answer broke off: {cause}") from cause

    async def aclose(self) -> None:
        """The client has gone."""
        await self._body.aclose()


def _begin(
    matched: Matched,
    target: Target,
    headers: list[tuple[str, str]],
    facts: Facts,
    body: bytes,
) -> Timing:
    """Add the gateway's own headers, and begin to measure."""
    names = {name.lower() for name, _ in headers}
    for name, value in (
        ("User-Agent", f"AmazonAPIGateway_{matched.stage.api_id}"),
        ("Accept", "application/json"),
        ("Host", target.authority),
    ):
        if name.lower() not in names:
            headers.append((name, value))
    headers.append(("X-Amzn-Apigateway-Api-Id", matched.stage.api_id))
    headers.append(("X-Amzn-Trace-Id", facts.headers["X-Amzn-Trace-Id"]))
    scheme = "https" if target.is_tls else "http"
    uri = f"{scheme}://{target.authority}{target.address}"
    return Timing(matched.arrival.journal, uri, headers, body)


async def _ask(
    ctx: Context,
    matched: Matched,
    target: Target,
    headers: list[tuple[str, str]],
    body: bytes,
) -> Answer:
    integration = matched.method.integration
    verb = integration.http_method or ANY
    verb = matched.arrival.request.method if verb == ANY else verb
    given = integration.tls_config
    skips = given is not None and given.insecure_skip_verification
    tls = await _context(ctx, matched.stage, skips) if target.is_tls else None
    return await ctx.need(Connections).send(target, verb, headers, body, tls)
