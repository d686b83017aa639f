"""Messages of clients: to their routes and back; and the last event of every connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import orjson

from cumulet.core.context import Context, Platform
from cumulet.core.identity import ANONYMOUS
from cumulet.core.trace import log_cause
from cumulet.kit.surface import Socket
from cumulet.services.apigateway.pipeline.faults import (
    GatewayFault,
    bad_body,
    configuration_error,
    forbidden,
)
from cumulet.services.apigateway.v2.sockets.authorize import meter
from cumulet.services.apigateway.v2.sockets.backends.answer import Answer, as_text
from cumulet.services.apigateway.v2.sockets.backends.integrate import integrate
from cumulet.services.apigateway.v2.sockets.backends.outgoing import sources_of
from cumulet.services.apigateway.v2.sockets.connections.live import Connections, Live
from cumulet.services.apigateway.v2.sockets.connections.model import Connection
from cumulet.services.apigateway.v2.sockets.deployed.selection import DEFAULT
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedRoute, ServedStage
from cumulet.services.apigateway.v2.sockets.deployed.stages import SocketStages
from cumulet.services.apigateway.v2.sockets.event import (
    DISCONNECT,
    MESSAGE,
    Happening,
    new_id,
    request_context,
)
from cumulet.services.apigateway.v2.sockets.limits import MESSAGES_AT_ONCE_MAX
from cumulet.services.apigateway.v2.sockets.observe import (
    Outcome,
    charge_minutes,
    count_message_out,
    report,
)

UNSUPPORTED_DATA = 1003
_DISCONNECT_ROUTE = "$disconnect"
_REASONS = {
    1005: "Client-side close frame status not set",
    1006: "Connection closed abnormally",
}
"""What is told of ends that came without a reason."""


async def converse(platform: Platform, live: Live) -> None:
    """Take messages until the connection ends. Several run at once, as in AWS.

    Binary frames end the connection, as API Gateway has it.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html
    """
    gate = asyncio.Semaphore(MESSAGES_AT_ONCE_MAX)
    tasks = platform.need(Connections).tasks
    while (message := await live.socket.receive()) is not None:
        if isinstance(message, bytes):
            await live.socket.close(UNSUPPORTED_DATA, "Unsupported Data")
            return
        await gate.acquire()
        # It goes on when its client leaves, as it does in AWS.
        task = tasks.start(_take(platform, live, message), "socket message")
        task.add_done_callback(lambda _: gate.release())


async def _take(platform: Platform, live: Live, body: str) -> None:
    record = live.record
    now_ms = int(platform.clock.now() * 1000)
    live.last_active_ms = now_ms
    request_id = new_id(platform.clock)
    try:
        stage = await platform.need(SocketStages).find(record.api_id, record.stage)
        if stage is None:
            await _tell(live.socket, record, request_id, forbidden())
            return
        context = request_context(
            record, MESSAGE, DEFAULT, request_id, now_ms, messageId=new_id(platform.clock)
        )
        happening = Happening(record, MESSAGE, context, body)
        await _route(platform, stage, live, happening)
    except Exception as cause:
        log_cause(request_id, "a message failed", cause, api=record.api_id)
        await _tell(live.socket, record, request_id, configuration_error("unexpected"))


async def _route(platform: Platform, stage: ServedStage, live: Live, happening: Happening) -> None:
    sources = sources_of(happening, stage.variables)
    route = stage.route_for(stage.selection(sources))
    start = time.perf_counter()
    outcome = Outcome()
    answer: Answer | None = None
    ctx = context_of(platform, stage, happening)
    try:
        if route is None:
            raise forbidden()
        happening.context["routeKey"] = route.key
        await meter(ctx, stage, route, live.key)
        _validate(route, stage, happening)
        answer = await ask_backend(ctx, stage, route, happening, outcome)
    except GatewayFault as fault:
        outcome.fault = fault
        await _tell(live.socket, happening.connection, happening.context["requestId"], fault)
    outcome.latency_ms = int((time.perf_counter() - start) * 1000)
    if answer is not None and route is not None and route.answers and answer.body:
        text = as_text(answer.body)
        with contextlib.suppress(ConnectionError):
            await live.socket.send(answer.body if text is None else text)
            count_message_out(platform, happening.connection, len(answer.body))
    report(platform, stage, route, happening, outcome)


def context_of(platform: Platform, stage: ServedStage, happening: Happening) -> Context:
    """The context in which an event's backend is asked."""
    return platform.context(stage.scope, ANONYMOUS, request_id=str(happening.context["requestId"]))


async def ask_backend(
    ctx: Context,
    stage: ServedStage,
    route: ServedRoute,
    happening: Happening,
    outcome: Outcome,
) -> Answer:
    """The route's answer; what it took is noted in `outcome`. Raises GatewayFault."""
    if route.integration is None:
        raise configuration_error(f"the route {route.key} has no integration")
    outcome.asked_backend = True
    start = time.perf_counter()
    try:
        answer, status = await integrate(ctx, route.integration, happening, stage.variables)
    finally:
        outcome.backend_ms = int((time.perf_counter() - start) * 1000)
    outcome.backend_status = status
    outcome.status = answer.status
    return answer


def _validate(route: ServedRoute, stage: ServedStage, happening: Happening) -> None:
    """Hold the message to the model that its route selects. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-request-validation.html
    """
    if not route.models:
        return
    select = route.model_selection
    key = select(sources_of(happening, stage.variables)) if select is not None else None
    fits = route.models.get(key or DEFAULT) or route.models.get(DEFAULT)
    if fits is None:
        return
    try:
        document = orjson.loads(happening.body)
    except orjson.JSONDecodeError as cause:
        raise bad_body() from cause
    if not fits(document):
        raise bad_body()


async def _tell(socket: Socket, record: Connection, request_id: str, fault: GatewayFault) -> None:
    """Send the gateway's own message about a failure."""
    with contextlib.suppress(ConnectionError):
        await socket.send(fault_text(fault, record.id, request_id))


def fault_text(fault: GatewayFault, connection_id: str, request_id: str) -> str:
    """`{"message": "Forbidden", "connectionId":"…", "requestId":"…"}`, spaced as AWS does."""
    message = json.dumps(fault.message, ensure_ascii=False)
    return f'{{"message": {message}, "connectionId":"{connection_id}", "requestId":"{request_id}"}}'


async def say_farewell(platform: Platform, record: Connection, code: int, reason: str) -> None:
    """Run the `$disconnect` route of a connection that has ended, if there is one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
    """
    charge_minutes(platform, record)
    try:
        stage = await platform.need(SocketStages).find(record.api_id, record.stage)
        route = stage.routes.get(_DISCONNECT_ROUTE) if stage is not None else None
        if stage is None or route is None or route.integration is None:
            return
        context = request_context(
            record,
            DISCONNECT,
            _DISCONNECT_ROUTE,
            new_id(platform.clock),
            int(platform.clock.now() * 1000),
            disconnectStatusCode=code,
            disconnectReason=reason or _REASONS.get(code, ""),
        )
        happening = Happening(record, DISCONNECT, context)
        outcome = Outcome()
        ctx = context_of(platform, stage, happening)
        start = time.perf_counter()
        try:
            await ask_backend(ctx, stage, route, happening, outcome)
        except GatewayFault as fault:
            outcome.fault = fault
        outcome.latency_ms = int((time.perf_counter() - start) * 1000)
        report(platform, stage, route, happening, outcome)
    except Exception as cause:
        log_cause(record.id, "a $disconnect failed", cause, api=record.api_id)
