"""`@connections`: sending to a client, asking about it, and closing it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.services.apigateway.admission.buckets import Buckets
from cumulet.services.apigateway.admission.domains.lookup import Domains
from cumulet.services.apigateway.admission.throttles import account_rate
from cumulet.services.apigateway.v2.sockets.address import Address, find_address
from cumulet.services.apigateway.v2.sockets.backends.answer import as_text
from cumulet.services.apigateway.v2.sockets.connections.live import Connections, Live
from cumulet.services.apigateway.v2.sockets.deployed.stages import SocketStages
from cumulet.services.apigateway.v2.sockets.limits import PAYLOAD_BYTES_MAX
from cumulet.services.apigateway.v2.sockets.observe import count_message_out

ACTION = "ManageConnections"
_NORMAL = 1000


class GoneException(AwsError):
    """The client is not connected (any more)."""

    status = 410


class ForbiddenException(AwsError):
    """There is no such API and stage."""

    status = 403


class LimitExceededException(AwsError):
    """Too many calls a second, or the client reads too slowly for one message more."""

    status = 429


class PayloadTooLargeException(AwsError):
    """The data is longer than a message may be."""

    status = 413


class BadRequestException(AwsError):
    """The request names no connection, or has nothing to send."""

    status = 400


Request = Mapping[str, Any]


def _arn(verb: str) -> Callable[[Context, Request], Awaitable[str]]:
    """`{api}/{stage}/POST/@connections/{id}`, in the account that owns the API.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
    """

    async def name(ctx: Context, request: Request) -> str:
        wanted = str(request.get("ConnectionId") or "")
        live, address = await _find(ctx, wanted)
        scope, api, stage = ctx.scope, "*", "*"
        if live is not None:
            record = live.record
            scope, api, stage = Scope(record.account, record.region), record.api_id, record.stage
        elif address is not None:
            api, stage = address.api_id, address.stage
        return scope.arn("execute-api", f"{api}/{stage}/{verb}/@connections/{wanted}")

    return name


async def _find(ctx: Context, connection_id: str) -> tuple[Live | None, Address | None]:
    """The connection, unless the request is addressed to another API or stage than its own.

    A request to this cloud's endpoint itself names no API: the connection's id is enough.
    """
    address = None
    if ctx.request is not None:
        address = await find_address(ctx.need(Domains), ctx.request)
    live = ctx.need(Connections).find(connection_id)
    if live is not None and address is not None:
        record = live.record
        if (record.api_id, record.stage) != (address.api_id, address.stage):
            live = None
    return live, address


async def _open(ctx: Context, request: Request) -> Live:
    """The connection. Raises the errors that all three operations share."""
    wanted = request.get("ConnectionId")
    if not wanted:
        raise BadRequestException("ConnectionId must be given")
    live, address = await _find(ctx, str(wanted))
    if live is None:
        if address is not None:
            stage = await ctx.need(SocketStages).find(address.api_id, address.stage)
            if stage is None:
                raise ForbiddenException("Forbidden")
        raise GoneException()
    record = live.record
    rate = account_rate(Scope(record.account, record.region))
    if not ctx.need(Buckets).take(*rate, ctx.clock.monotonic()):
        raise LimitExceededException()
    return live


@operation("PostToConnection", action=ACTION, resource=_arn("POST"))
async def post_to_connection(ctx: Context, request: Request) -> dict[str, Any]:
    """Send a message to a client: as text when it is UTF-8, else as a binary one."""
    data: bytes = request.get("Data") or b""
    if len(data) > PAYLOAD_BYTES_MAX:
        raise PayloadTooLargeException("Message too long")
    live = await _open(ctx, request)
    text = as_text(data)
    try:
        if not live.socket.offer(data if text is None else text):
            raise LimitExceededException()
    except ConnectionError as cause:
        raise GoneException() from cause
    live.last_active_ms = int(ctx.clock.now() * 1000)
    count_message_out(ctx, live.record, len(data), ctx.trace)
    return {}


@operation("GetConnection", action=ACTION, resource=_arn("GET"))
async def get_connection(ctx: Context, request: Request) -> dict[str, Any]:
    """Tell since when a client is connected, when it was last active, and who it is."""
    live = await _open(ctx, request)
    identity = live.record.identity
    return {
        "ConnectedAt": live.record.connected_at_ms / 1000,
        "LastActiveAt": live.last_active_ms / 1000,
        "Identity": {
            "SourceIp": identity["sourceIp"],
            "UserAgent": identity.get("userAgent", ""),
        },
    }


@operation("DeleteConnection", action=ACTION, resource=_arn("DELETE"))
async def delete_connection(ctx: Context, request: Request) -> dict[str, Any]:
    """Close a client's connection; its `$disconnect` runs as after any end."""
    live = await _open(ctx, request)
    await live.socket.close(_NORMAL, "Connection closed by the server")
    return {}
