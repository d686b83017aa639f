"""Integrations with AWS services other than Lambda, by action or by path.

https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-aws-proxy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody, Headers, Request, Response
from cumulet.kit.surface import Errand, Outlet
from cumulet.services.apigateway.limits import BODY_BYTES_MAX
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import (
    configuration_error,
    malformed_answer,
    timed_out,
)
from cumulet.services.apigateway.pipeline.integrations.addresses import (
    checked_headers,
    filled,
    pairs_of,
    single,
)
from cumulet.services.apigateway.pipeline.integrations.mapped import (
    Incoming,
    Outgoing,
    answered,
    facts_of,
    outgoing,
    template_variables,
)
from cumulet.services.apigateway.pipeline.integrations.roles import on_behalf, refusal_of
from cumulet.services.apigateway.pipeline.integrations.timing import Timing
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.pipeline.validate import Admitted
from cumulet.services.apigateway.rules.names import ANY
from cumulet.services.apigateway.rules.services import ServiceTarget

Answer = tuple[int, list[tuple[str, str]], bytes]


async def call_service(ctx: Context, admitted: Admitted) -> Exchange:
    """Send the service what the mappings and the template make. Raises GatewayFault."""
    facts = facts_of(admitted)
    variables = template_variables(facts)
    sent = outgoing(admitted, facts, variables)
    matched = admitted.authorized.matched
    target = matched.method.service
    if target is None:
        raise configuration_error(f"{matched.method.uri!r} is no service's address")
    request = _request(admitted, target, sent)
    url = f"https://{target.host}{request.path}" + (f"?{request.query}" if request.query else "")
    timing = Timing(matched.arrival.journal, url, request.headers.spelt(), sent.body)
    work = _ask(ctx, admitted, target, request)
    try:
        answer = await ctx.need(Invocations).wait(work, matched.method.timeout_seconds)
    except TimeoutError as cause:
        raise timed_out() from cause
    except AwsError as cause:
        ctx.trace.note(integration_error=refusal_of(cause))
        raise configuration_error(refusal_of(cause)) from cause
    timing.ended(*answer)
    status, headers, body = answer
    incoming = Incoming(str(status), headers, body)
    return answered(admitted, facts, variables, incoming, shows_trace=True)


def _request(admitted: Admitted, target: ServiceTarget, sent: Outgoing) -> Request:
    """The request as it would go to the service's own endpoint."""
    matched = admitted.authorized.matched
    arrival = matched.arrival
    trace = ("X-Amzn-Trace-Id", arrival.trace_header)
    headers = [("Host", target.host), trace, *checked_headers(sent.parameters["header"])]
    names = {name.lower() for name, _ in headers}
    given = arrival.request.headers.get("content-type") or "application/json"
    kind = [("Content-Type", given)] if sent.body else []
    for name, value in (*kind, ("Accept", "application/json")):
        if name.lower() not in names:
            headers.append((name, value))
    path: Mapping[str, str] = {
        name: single(value) for name, value in sent.parameters["path"].items()
    }
    place, _, query = "", "", ""
    if not target.is_action:
        place, _, query = filled(target.rest, path).partition("?")
    mapped = urlencode(list(pairs_of(sent.parameters["querystring"])))
    verb = matched.method.integration.http_method or ANY
    return Request(
        arrival.request.method if verb == ANY else verb,
        "/" + place.lstrip("/"),
        "&".join(piece for piece in (query, mapped) if piece),
        Headers(headers),
        BytesBody(sent.body),
        scheme="https",
        peer=arrival.request.peer,
    )


async def _ask(ctx: Context, admitted: Admitted, target: ServiceTarget, request: Request) -> Answer:
    asking = await on_behalf(ctx, admitted, target.region)
    outlet = ctx.need(Outlet)
    response = await outlet.carry_out(
        Errand(
            request=request,
            principal=asking.caller,
            service=target.service,
            region=target.region,
            request_id=ctx.request_id,
            trace=ctx.trace,
            action=filled(target.rest, {}) if target.is_action else "",
        )
    )
    return response.status, response.headers, await _whole(response)


async def _whole(response: Response) -> bytes:
    body = response.body
    if isinstance(body, bytes):
        return body
    parts: list[bytes] = []
    size = 0
    try:
        async for part in body:
            size += len(part)
            if size > BODY_BYTES_MAX:
                raise malformed_answer("the service's answer is longer than 10 MB")
            parts.append(part)
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
    return b"".join(parts)
