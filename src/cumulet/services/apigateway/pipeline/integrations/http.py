"""Integrations with HTTP backends: passed on as they are, or with mappings and templates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit

from cumulet.core.context import Context
from cumulet.services.apigateway.pipeline.event import DROPPED
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import (
    bad_request,
    configuration_error,
    timed_out,
    unreachable,
)
from cumulet.services.apigateway.pipeline.integrations.mapped import (
    Facts,
    Incoming,
    answered,
    assigned,
    facts_of,
    outgoing,
    template_variables,
)
from cumulet.services.apigateway.pipeline.integrations.outbound import (
    Answer,
    OutboundError,
    Target,
    exchange,
)
from cumulet.services.apigateway.pipeline.match import Matched
from cumulet.services.apigateway.pipeline.validate import Admitted
from cumulet.services.apigateway.rules.names import ANY

Values = Mapping[str, str | list[str]]

_NOT_PASSED = DROPPED | {
    *("host", "content-encoding", "via", "x-forwarded-for", "x-forwarded-port"),
    *("x-forwarded-proto", "x-amzn-trace-id"),
}
_FORBIDDEN = frozenset(
    {"content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"}
)
"""Headers that no mapping may set; AWS answers with a server error."""

_PATH_SAFE = "/:@!$&'()*+,;=-._~%"


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
    query += _pairs(mapped["querystring"])
    path = {**facts.path, **{name: _single(value) for name, value in mapped["path"].items()}}
    target = _target(matched, path, query)
    headers += _checked(mapped["header"])
    answer = await _send(ctx, matched, target, headers, facts, matched.arrival.body)
    return Exchange(matched, answer.status, answer.headers, answer.body, False)


async def call_mapped(ctx: Context, admitted: Admitted) -> Exchange:
    """Call the backend with what the mappings and the template make. Raises GatewayFault."""
    matched = admitted.authorized.matched
    facts = facts_of(admitted)
    variables = template_variables(facts)
    sent = outgoing(admitted, facts, variables)
    path = {name: _single(value) for name, value in sent.parameters["path"].items()}
    target = _target(matched, path, list(_pairs(sent.parameters["querystring"])))
    headers = _checked(sent.parameters["header"])
    if sent.body and not any(name.lower() == "content-type" for name, _ in headers):
        kind = matched.arrival.request.headers.get("content-type") or "application/json"
        headers.append(("Content-Type", kind))
    answer = await _send(ctx, matched, target, headers, facts, sent.body)
    incoming = Incoming(str(answer.status), answer.headers, answer.body)
    return answered(admitted, facts, variables, incoming, shows_trace=True)


def _single(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _pairs(values: Values) -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        for text in [value] if isinstance(value, str) else value:
            yield name, text


def _checked(headers: Values) -> list[tuple[str, str]]:
    for name in headers:
        if name.lower() in _FORBIDDEN:
            raise configuration_error(f"a mapping may not set the header {name}")
    return list(_pairs(headers))


def _target(matched: Matched, path: Mapping[str, str], query: list[tuple[str, str]]) -> Target:
    """Where the request goes: the integration's URI with its path parameters filled in.

    What is filled in may not climb out of its place: `.` and `..` are refused.
    """
    uri = matched.method.uri
    for name, value in path.items():
        for mark in (f"{{{name}}}", f"{{{name}+}}"):
            if mark not in uri:
                continue
            if any(part.lower().replace("%2e", ".") in (".", "..") for part in value.split("/")):
                raise bad_request(cause="a path parameter has dot segments")
            uri = uri.replace(mark, quote(value, safe=_PATH_SAFE))
    parts = urlsplit(uri)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as cause:
        raise configuration_error(f"{uri!r} has no valid port") from cause
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise configuration_error(f"{uri!r} is no HTTP address")
    text = "&".join(piece for piece in (parts.query, urlencode(query)) if piece)
    return Target(
        host=parts.hostname,
        port=port,
        authority=parts.netloc.rpartition("@")[2],
        is_tls=parts.scheme == "https",
        address=(parts.path or "/") + (f"?{text}" if text else ""),
    )


@lru_cache(maxsize=2)
def _tls(skips_verification: bool) -> ssl.SSLContext:
    """One context for all, as reading the authorities takes milliseconds."""
    context = ssl.create_default_context()
    if skips_verification:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _send(
    ctx: Context,
    matched: Matched,
    target: Target,
    headers: list[tuple[str, str]],
    facts: Facts,
    body: bytes,
) -> Answer:
    method = matched.method.integration.http_method or ANY
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
    verb = matched.arrival.request.method if method == ANY else method
    given = matched.method.integration.tls_config
    skips = given is not None and given.insecure_skip_verification
    tls = _tls(skips) if target.is_tls else None
    try:
        async with asyncio.timeout(matched.method.timeout_seconds):
            return await exchange(target, verb, headers, body, tls)
    except TimeoutError as cause:
        raise timed_out() from cause
    except OutboundError as cause:
        ctx.trace.note(integration_error=str(cause))
        raise unreachable(str(cause)) from cause
