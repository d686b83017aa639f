"""What a function is told of a connection, a message or an end. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from cumulet.core.clock import Clock
from cumulet.core.http import Request
from cumulet.services.apigateway.v2.sockets.connections.model import Connection

CONNECT, MESSAGE, DISCONNECT = "CONNECT", "MESSAGE", "DISCONNECT"

_HOP_BY_HOP = frozenset(
    {"connection", "upgrade", "content-length", "keep-alive", "te", "transfer-encoding"}
)
_REPLACED = frozenset(
    {"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"}
)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the upgrade request said: each header and parameter by its last and by all values."""

    headers: dict[str, str] = field(default_factory=dict)
    many_headers: dict[str, list[str]] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    many_query: dict[str, list[str]] = field(default_factory=dict)


NO_HANDSHAKE = Handshake()


@dataclass(frozen=True, slots=True)
class Happening:
    """One event on a connection: its beginning, a message of its client, or its end.

    `context` is what events show as `requestContext` and templates as `$context`.
    """

    connection: Connection
    kind: str
    context: dict[str, Any]
    body: str = ""
    handshake: Handshake = NO_HANDSHAKE


def new_id(clock: Clock) -> str:
    """An id of a connection, a request or a message, as API Gateway's: `L0SM9cOFvHcCIhw=`."""
    return base64.urlsafe_b64encode(clock.random_bytes(11)).decode()


def read_handshake(request: Request, trace_header: str) -> Handshake:
    """The headers as their sender spelt them, with those that API Gateway adds."""
    single: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    forwarded = request.peer
    for name, value in request.headers.spelt():
        lowered = name.lower()
        if lowered == "x-forwarded-for":
            forwarded = f"{value}, {request.peer}"
        if lowered in _HOP_BY_HOP or lowered in _REPLACED:
            continue
        name = "Host" if lowered == "host" else name
        single[name] = value
        many.setdefault(name, []).append(value)
    for name, value in (
        ("X-Amzn-Trace-Id", trace_header),
        ("X-Forwarded-For", forwarded),
        ("X-Forwarded-Port", _port(request)),
        ("X-Forwarded-Proto", request.scheme),
    ):
        single[name] = value
        many[name] = [value]
    many_query: dict[str, list[str]] = {}
    for part in request.query.split("&"):
        if part:
            name, _, value = part.partition("=")
            many_query.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    query = {name: values[-1] for name, values in many_query.items()}
    return Handshake(single, many, query, many_query)


def _port(request: Request) -> str:
    _, colon, port = request.host.rpartition(":")
    if colon and port.isdigit():
        return port
    return "443" if request.scheme == "https" else "80"


def request_context(
    connection: Connection, kind: str, route_key: str, request_id: str, now_ms: int, **more: Any
) -> dict[str, Any]:
    """`requestContext`; `more` has what only some events tell, as `messageId`."""
    context: dict[str, Any] = {
        "routeKey": route_key,
        "eventType": kind,
        "extendedRequestId": request_id,
        "requestTime": clf_time(now_ms // 1000),
        "messageDirection": "IN",
        "stage": connection.stage,
        "connectedAt": connection.connected_at_ms,
        "requestTimeEpoch": now_ms,
        "identity": connection.identity,
        "requestId": request_id,
        "domainName": connection.domain,
        "connectionId": connection.id,
        "apiId": connection.api_id,
        **more,
    }
    if connection.authorizer is not None:
        context["authorizer"] = connection.authorizer
    return context


def clf_time(seconds: int) -> str:
    """`21/Nov/2026:14:35:33 +0000`."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(seconds))


def proxy_event(happening: Happening, variables: Mapping[str, str]) -> dict[str, Any]:
    """The event of a Lambda proxy integration; members that would be empty are left out."""
    event: dict[str, Any] = {"requestContext": happening.context, "isBase64Encoded": False}
    match happening.kind:
        case "CONNECT":
            event = {**handshake_members(happening.handshake), **event}
        case "DISCONNECT":
            headers = {"Host": happening.connection.domain, **_NO_HEADERS}
            many = {name: [value] for name, value in headers.items()}
            event = {"headers": headers, "multiValueHeaders": many, **event}
        case _:
            event["body"] = happening.body
    if variables:
        event["stageVariables"] = dict(variables)
    return event


_NO_HEADERS = {"x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
"""What AWS tells with an end, when there is no request."""


def handshake_members(handshake: Handshake) -> dict[str, Any]:
    """The members of an event that tell of the handshake; no query, no members for it."""
    members: dict[str, Any] = {
        "headers": handshake.headers,
        "multiValueHeaders": handshake.many_headers,
    }
    if handshake.query:
        members["queryStringParameters"] = handshake.query
        members["multiValueQueryStringParameters"] = handshake.many_query
    return members
