"""The beginning of a connection: who may connect, `$connect`, and the answer to the handshake."""

from __future__ import annotations

import time
from http import HTTPStatus

import msgspec

from cumulet.core.context import Platform
from cumulet.core.http import Request, Response
from cumulet.core.trace import Trace, log_cause
from cumulet.kit.surface import Socket, Welcome
from cumulet.services.apigateway.pipeline.faults import (
    GatewayFault,
    bad_parameters,
    configuration_error,
    forbidden,
    headers_too_long,
)
from cumulet.services.apigateway.v2.sockets.authorize import (
    Admitted,
    authorize,
    meter,
    meter_connection,
)
from cumulet.services.apigateway.v2.sockets.backends.answer import Answer
from cumulet.services.apigateway.v2.sockets.connections.live import Connections, Live
from cumulet.services.apigateway.v2.sockets.connections.model import Connection
from cumulet.services.apigateway.v2.sockets.deployed.selection import Sources
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedRoute, ServedStage
from cumulet.services.apigateway.v2.sockets.event import (
    CONNECT,
    Handshake,
    Happening,
    new_id,
    read_handshake,
    request_context,
)
from cumulet.services.apigateway.v2.sockets.limits import REQUEST_BYTES_MAX
from cumulet.services.apigateway.v2.sockets.observe import Outcome, report
from cumulet.services.apigateway.v2.sockets.talk import (
    ask_backend,
    context_of,
    converse,
    fault_text,
)

_CONNECT_ROUTE = "$connect"
_PROTOCOL = "sec-websocket-protocol"
_REFUSALS = {401: "UnauthorizedException", 403: "ForbiddenException"}


class Refused(Exception):
    """The `$connect` route's own answer was no success: the handshake ends with its status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"$connect answered {status}")
        self.status = status


async def shake_hands(
    platform: Platform, stage: ServedStage | None, request: Request, trace: Trace, trace_header: str
) -> Response | Welcome:
    """Let a client in, or answer why not. A connection is kept from before its `$connect` on.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
    """
    clock = platform.clock
    request_id, connection_id = new_id(clock), new_id(clock)
    try:
        if stage is None:
            raise forbidden()
        return await _let_in(
            platform, stage, request, trace_header, (request_id, connection_id), trace
        )
    except GatewayFault as fault:
        trace.note(gateway_fault=fault.kind, gateway_cause=fault.cause)
        return _refusal(fault, connection_id, request_id)


async def _let_in(
    platform: Platform,
    stage: ServedStage,
    request: Request,
    trace_header: str,
    ids: tuple[str, str],
    trace: Trace,
) -> Response | Welcome:
    request_id, connection_id = ids
    trace.note(api_id=stage.api_id, connection_id=connection_id)
    now_ms = int(platform.clock.now() * 1000)
    connections = platform.need(Connections)
    handshake = read_handshake(request, trace_header)
    agent = request.headers.get("user-agent")
    record = Connection(
        id=connection_id,
        node=connections.node,
        account=stage.scope.account,
        region=stage.scope.region,
        api_id=stage.api_id,
        stage=stage.stage_name,
        domain=request.host,
        connected_at_ms=now_ms,
        identity={**({"userAgent": agent} if agent else {}), "sourceIp": request.peer},
    )
    arrival = _Arrival(platform, stage, request, handshake, request_id, now_ms)
    return await arrival.run(record)


class _Arrival:
    """One handshake on its way."""

    def __init__(
        self,
        platform: Platform,
        stage: ServedStage,
        request: Request,
        handshake: Handshake,
        request_id: str,
        now_ms: int,
    ) -> None:
        self._platform = platform
        self._stage = stage
        self._request = request
        self._handshake = handshake
        self._request_id = request_id
        self._now_ms = now_ms
        self._outcome = Outcome()

    async def run(self, record: Connection) -> Response | Welcome:
        route = self._stage.routes.get(_CONNECT_ROUTE)
        start = time.perf_counter()
        happening = self._happening(record)
        admitted = Admitted()
        try:
            _check_size(self._request)
            if route is not None:
                record, admitted = await self._admit(route, record, happening)
                happening = self._happening(record)
            meter_connection(context_of(self._platform, self._stage, happening), self._stage)
            headers = await self._connect(route, record, happening)
        except GatewayFault as fault:
            self._outcome.fault = fault
            raise
        except Refused as refused:
            return _answer_of(refused.status, record.id, self._request_id)
        finally:
            self._outcome.latency_ms = int((time.perf_counter() - start) * 1000)
            report(self._platform, self._stage, route, happening, self._outcome)
        return self._welcome(record, admitted, headers)

    def _happening(self, record: Connection) -> Happening:
        context = request_context(record, CONNECT, _CONNECT_ROUTE, self._request_id, self._now_ms)
        return Happening(record, CONNECT, context, "", self._handshake)

    async def _admit(
        self, route: ServedRoute, record: Connection, happening: Happening
    ) -> tuple[Connection, Admitted]:
        """The record with what was learnt of the client. Raises GatewayFault."""
        stage = self._stage
        ctx = context_of(self._platform, stage, happening)
        admitted = await authorize(
            ctx, stage, route, self._request, self._handshake, happening.context
        )
        key_id = await meter(ctx, stage, route, admitted.key)
        sources = Sources("", self._handshake.headers, self._handshake.query)
        missing = [name for name in route.needed if not sources.mapped(name)]
        if missing:
            raise bad_parameters([name.rpartition(".")[2] for name in missing])
        identity = {**record.identity, **admitted.identity}
        if key_id is not None:
            identity["apiKeyId"] = key_id
        return (
            msgspec.structs.replace(record, authorizer=admitted.authorizer, identity=identity),
            admitted,
        )

    async def _connect(
        self, route: ServedRoute | None, record: Connection, happening: Happening
    ) -> list[tuple[str, str]]:
        """Run `$connect`; the headers for the handshake's answer. Raises GatewayFault, Refused."""
        connections = self._platform.need(Connections)
        await connections.expect(record)
        if route is None or route.integration is None:
            return []
        ctx = context_of(self._platform, self._stage, happening)
        try:
            answer = await ask_backend(ctx, self._stage, route, happening, self._outcome)
            if not 200 <= answer.status < 300:
                raise Refused(answer.status)
            return _greeting(answer)
        except (GatewayFault, Refused):
            await connections.forget(record)
            raise
        except Exception as cause:
            await connections.forget(record)
            log_cause(self._request_id, "a $connect failed", cause, api=record.api_id)
            raise configuration_error("unexpected") from cause

    def _welcome(
        self, record: Connection, admitted: Admitted, headers: list[tuple[str, str]]
    ) -> Welcome:
        platform = self._platform
        connections = platform.need(Connections)

        async def hold(socket: Socket) -> None:
            live = Live(record, socket, admitted.key)
            connections.hold(live)
            try:
                await converse(platform, live)
            finally:
                connections.release(record, socket.close_code, socket.close_reason)

        return Welcome(hold, headers)


def _check_size(request: Request) -> None:
    size = len(request.path) + len(request.query) + sum(len(v) for _, v in request.headers)
    if size > REQUEST_BYTES_MAX:
        raise headers_too_long()


def _greeting(answer: Answer) -> list[tuple[str, str]]:
    """Of the answer's headers only the chosen subprotocol goes to the client.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
    """
    return [(_PROTOCOL, value) for name, value in answer.headers if name.lower() == _PROTOCOL][:1]


def _answer_of(status: int, connection_id: str, request_id: str) -> Response:
    """The refusal of `$connect` itself: its status, and none of its words."""
    known = status if status in set(HTTPStatus) and status >= 400 else 502
    message = "Internal server error" if known >= 500 else HTTPStatus(known).phrase
    error = _REFUSALS.get(
        known, "BadRequestException" if known < 500 else "InternalServerErrorException"
    )
    fault = GatewayFault("DEFAULT_4XX" if known < 500 else "DEFAULT_5XX", known, error, message)
    return _refusal(fault, connection_id, request_id)


def _refusal(fault: GatewayFault, connection_id: str, request_id: str) -> Response:
    return Response(
        fault.status,
        [
            ("x-amzn-RequestId", request_id),
            ("x-amzn-ErrorType", fault.error_type),
            ("x-amz-apigw-id", request_id),
            ("Content-Type", "application/json"),
        ],
        fault_text(fault, connection_id, request_id).encode(),
    )
