"""Test invocations: a method as it is now, without a deployment, with the log of what happened.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-test-method.html
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_hex, new_uuid
from cumulet.core.context import Context
from cumulet.core.http import BytesBody, Headers, Request, Response
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.errors import (
    BadRequestException,
    no_integration,
    no_method,
    no_resource,
    not_yet,
)
from cumulet.services.apigateway.limits import BODY_BYTES_MAX, HEADER_BYTES_MAX
from cumulet.services.apigateway.model import Deployment, GatewayResponse, Resource, Stage
from cumulet.services.apigateway.operations.method import METHOD
from cumulet.services.apigateway.operations.serving.deployment import snapshot
from cumulet.services.apigateway.pipeline import try_out
from cumulet.services.apigateway.pipeline.match import Arrival
from cumulet.services.apigateway.pipeline.observe.execution import lines_of
from cumulet.services.apigateway.pipeline.observe.journal import Journal
from cumulet.services.apigateway.pipeline.served import ServedStage, serve_stage
from cumulet.services.apigateway.rules.names import ANY, at, check_variables

Given = Mapping[str, Any]
Found = tuple[Resource, Deployment, list[GatewayResponse]]

STAGE = "test-invoke-stage"
_SOURCE = "test-invoke-source-ip"
_HIDDEN = frozenset(("x-amzn-requestid", "x-amz-apigw-id"))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@operation("TestInvokeMethod", action="POST", resource=at(METHOD))
async def test_invoke_method(ctx: Context, request: Given) -> dict[str, Any]:
    """Run a request through a method as it is now, and tell what happened."""
    if request.get("clientCertificateId"):
        raise not_yet("Client certificates of test invocations are")
    check_variables(request.get("stageVariables"))
    now = ctx.clock.now()
    found = await ctx.transact(_load, request, int(now))
    stage = _stage_of(ctx, request, found)
    arrival = _arrival(ctx, request, found[0], now)
    begun = time.perf_counter()
    response = await try_out(ctx, stage, arrival, found[0].path)
    body = await _whole(response)
    latency_ms = int((time.perf_counter() - begun) * 1000)
    many: dict[str, list[str]] = {}
    # AWS does not show the type of what the gateway itself answers.
    hidden = _HIDDEN if arrival.journal.fault is None else {*_HIDDEN, "content-type"}
    for name, value in response.headers:
        if name.lower() not in hidden:
            many.setdefault(name, []).append(value)
    return {
        "status": response.status,
        "body": body.decode("utf-8", "replace"),
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "log": _log_of(ctx, stage, arrival, Response(response.status, response.headers, body)),
        "latency": latency_ms,
    }


async def _load(tx: Transaction, scope: Scope, request: Given, now: int) -> Found:
    api = await store.load_api(tx, scope, request["restApiId"])
    resource = await store.load_resource(tx, scope, request["restApiId"], request["resourceId"])
    if api is None or resource is None:
        raise no_resource()
    verb = request["httpMethod"]
    method = resource.methods.get(verb) or resource.methods.get(ANY)
    if method is None:
        raise no_method()
    if method.method_integration is None:
        raise no_integration()
    alone = msgspec.structs.replace(resource, resource_methods={method.http_method: method})
    made = await snapshot(tx, scope, api, STAGE, now)
    return alone, made, await store.scan_responses(tx, scope, api.id)


def _stage_of(ctx: Context, request: Given, found: Found) -> ServedStage:
    resource, deployment, responses = found
    stage = Stage(
        api_id=request["restApiId"],
        stage_name=STAGE,
        deployment_id=deployment.id,
        created_date=deployment.created_date,
        last_updated_date=deployment.created_date,
        cache_cluster_enabled=False,
        cache_cluster_status="NOT_AVAILABLE",
        method_settings={},
        tracing_enabled=False,
        variables=request.get("stageVariables"),
    )
    return serve_stage(
        ctx.scope, stage, deployment, [resource], disabled=False, responses=responses
    )


def _arrival(ctx: Context, request: Given, resource: Resource, now: float) -> Arrival:
    target = request.get("pathWithQueryString") or resource.path
    path, _, query = target.partition("?")
    body = (request.get("body") or "").encode()
    pairs = [(name, str(value)) for name, value in (request.get("headers") or {}).items()]
    for name, values in (request.get("multiValueHeaders") or {}).items():
        pairs = [pair for pair in pairs if pair[0].lower() != name.lower()]
        pairs += [(name, str(value)) for value in values]
    if len(target) + sum(len(value) for _, value in pairs) > HEADER_BYTES_MAX:
        raise BadRequestException("The path and the headers are too long")
    if len(body) > BODY_BYTES_MAX:
        raise BadRequestException("The body is too long")
    verb = request["httpMethod"]
    made = Request(
        "GET" if verb == ANY else verb,
        "/" + path.lstrip("/"),
        query,
        Headers(pairs),
        BytesBody(body),
        scheme="https",
        peer=_SOURCE,
    )
    return Arrival(
        request=made,
        body=body,
        path=made.path,
        whole_path=made.path,
        domain="testPrefix.testDomainName",
        domain_prefix="testPrefix",
        request_id=new_uuid(ctx.clock),
        extended_id=base64.b64encode(ctx.clock.random_bytes(11)).decode(),
        trace_header=f"Root=1-{int(now):08x}-{new_hex(ctx.clock, 24)}",
        epoch_ms=int(now * 1000),
        journal=Journal(is_test=True),
    )


async def _whole(response: Response) -> bytes:
    """The body, of a streamed answer as much as may be shown."""
    body = response.body
    if isinstance(body, bytes):
        return body
    parts: list[bytes] = []
    size = 0
    try:
        async for part in _until_it_breaks(body):
            parts.append(part)
            size += len(part)
            if size > BODY_BYTES_MAX:
                break
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
    return b"".join(parts)[:BODY_BYTES_MAX]


async def _until_it_breaks(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for part in body:
            yield part
    except ConnectionError:
        return


def _log_of(ctx: Context, stage: ServedStage, arrival: Arrival, response: Response) -> str:
    """The execution log, each line with the time as Java prints it."""
    moment = time.gmtime(ctx.clock.now())
    clock = f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"
    day = f"{_DAYS[moment.tm_wday]} {_MONTHS[moment.tm_mon - 1]} {moment.tm_mday:02d}"
    stamp = f"{day} {clock} UTC {moment.tm_year}"
    lines = lines_of(stage, arrival, response, only_errors=False, with_data=True)
    told = "".join(f"{stamp} : {line}\n" for line in lines)
    return f"Execution log for request {arrival.request_id}\n{told}"
