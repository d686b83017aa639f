"""The stack, top to bottom: ids and event → surfaces by host and path → the AWS API."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from cumulet.core.errors import AwsError
from cumulet.core.http import Request, Response
from cumulet.core.trace import Sink, log_cause
from cumulet.edge.authenticate import S3, Authenticator
from cumulet.edge.aws import AwsApi
from cumulet.edge.http1.hall import Converse
from cumulet.edge.middleware import (
    RequestIds,
    allow_origin,
    close_trace,
    open_trace,
    preflight,
)
from cumulet.edge.route import Routes
from cumulet.kit import ports
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.surface import Outlet, Surface, Welcome
from cumulet.wire.catalog import Catalog

_AWS = {"surface": "aws"}
_CONSOLE = "console."
_HARMLESS = ("content-security-policy", "sandbox")


def front_door(
    dispatcher: Dispatcher,
    catalog: Catalog,
    surfaces: Sequence[Surface] = (),
    sinks: Sequence[Sink] = (),
) -> FrontDoor:
    """What the server serves: the given surfaces in their order, then the AWS API.

    Each request's event goes to `sinks` once its answer is made.
    """
    authenticator = Authenticator(dispatcher)
    dispatcher.provide(Authenticator, authenticator)
    dispatcher.provide(ports.Authenticator, authenticator)
    api = AwsApi(dispatcher, catalog, authenticator)
    dispatcher.provide(Outlet, api)
    return FrontDoor(dispatcher, Routes(surfaces), api, tuple(sinks))


class FrontDoor:
    """The `Application` of the HTTP server."""

    def __init__(
        self, dispatcher: Dispatcher, routes: Routes, api: AwsApi, sinks: tuple[Sink, ...]
    ) -> None:
        self._dispatcher = dispatcher
        self._routes = routes
        self._api = api
        self._sinks = sinks
        self._ids = RequestIds(dispatcher.clock)
        self._now = dispatcher.clock.now

    async def answer(self, request: Request) -> Response:
        """Answer one request, and tell its event."""
        request_id = self._ids.new()
        trace = open_trace(request, request_id, self._now())
        surface = None
        if not self._routes.leaves_to_aws(request):
            surface = await self._routes.find(self._dispatcher, request)
        if surface is not None:
            trace.note_all({"surface": surface.name})
            response = await self._from_surface(surface, request, request_id)
        else:
            trace.note_all(_AWS)
            asked = preflight(request) if request.method == "OPTIONS" else None
            response = asked or await self._api.serve(request, request_id, trace)
            if "origin" in request.headers.first and trace.fields.get("service") != S3:
                allow_origin(request, response)
        if request.host[:8] == _CONSOLE and (surface is None or surface.name != "console"):
            # Nothing that users keep here may run in the console's origin.
            response.headers.append(_HARMLESS)
        close_trace(self._sinks, trace, request, response)
        return response

    async def upgrade(self, request: Request) -> Response | tuple[Response, Converse]:
        """Let the surface at this address accept a WebSocket, or refuse it."""
        request_id = self._ids.new()
        trace = open_trace(request, request_id, self._now())
        surface = await self._routes.find(self._dispatcher, request)
        admit = getattr(surface, "admit", None)
        if surface is None or admit is None:
            response = Response(404, [("content-type", "text/plain")], b"Not Found")
            close_trace(self._sinks, trace, request, response)
            return response
        trace.note(surface=surface.name)
        answer: Response | Welcome = await admit(self._dispatcher, request)
        if isinstance(answer, Response):
            close_trace(self._sinks, trace, request, answer)
            return answer
        accepted = Response(101, answer.headers)
        close_trace(self._sinks, trace, request, accepted)
        return accepted, answer.converse

    async def _from_surface(self, surface: Surface, request: Request, request_id: str) -> Response:
        try:
            return await surface.serve(self._dispatcher, request)
        except ConnectionError:
            raise
        except AwsError as error:
            status = error.http_status or (500 if error.fault == "server" else 400)
            return _message(status, error.message)
        except Exception as cause:
            log_cause(request_id, "surface failed", cause, surface=surface.name, path=request.path)
            return _message(500, "Internal Server Error")


def _message(status: int, message: str) -> Response:
    """An error outside of AWS's protocols, as API Gateway words it: `{"message": …}`."""
    content = orjson.dumps({"message": message})
    return Response(status, [("content-type", "application/json")], content)
