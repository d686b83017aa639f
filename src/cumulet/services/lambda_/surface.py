"""Lambda's fronts besides its API: function URLs, and the links to packages.

A function URL is `{id}.lambda-url.{region}.localhost[:port]`, or, for clients that cannot resolve
that name, the path `/_lambda-url/{id}/…` on any host.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

import msgspec

from cumulet.blobs.contract import Blobs, NoSuchBlob
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AccessDenied, AwsError, Generic, RequestTooLarge
from cumulet.core.http import Request, Response
from cumulet.core.identity import ANONYMOUS, Principal, Scope
from cumulet.core.trace import current
from cumulet.kit.ports import Authenticator, Sealer
from cumulet.sandbox import Failed
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import LambdaError, ResourceNotFoundException
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef
from cumulet.services.lambda_.limits import PAYLOAD_SYNC_BYTES_MAX
from cumulet.services.lambda_.model import Url, UrlHome
from cumulet.services.lambda_.operations.invoke import trace_id_of
from cumulet.services.lambda_.packages.links import CODE_PATH, read_link
from cumulet.services.lambda_.running.functions import Call, Functions
from cumulet.services.lambda_.running.live import Entry
from cumulet.services.lambda_.running.measures import Measures
from cumulet.services.lambda_.running.stream import open_stream
from cumulet.services.lambda_.urls.answer import (
    INTEGRATION_TYPE,
    Answer,
    BadAnswer,
    answer_of,
    head_of,
    split_prelude,
)
from cumulet.services.lambda_.urls.cors import cors_headers, is_preflight, without_cors
from cumulet.services.lambda_.urls.event import UrlCall, event_of

URL_PATH = "/_lambda-url/"
_HOST = ".lambda-url."
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where on a function URL a request is."""

    url_id: str
    path: str


def _place_of(request: Request) -> _Place:
    if request.path.startswith(URL_PATH):
        url_id, _, rest = request.path.removeprefix(URL_PATH).partition("/")
        return _Place(url_id, f"/{rest}")
    return _Place(request.host.partition(".")[0], request.path)


class UrlSurface:
    """Answers requests to function URLs."""

    name = "lambda-url"

    def match(self, request: Request) -> bool:
        """By host, or by the path form."""
        return _HOST in request.host or request.path.startswith(URL_PATH)

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Check, invoke, and answer as the function says."""
        place = _place_of(request)
        found = await platform.transact(store.find_url, store.NOWHERE, place.url_id)
        if found is None:
            return _refusal(404, "Not Found", "ResourceNotFoundException")
        home, url = found
        began = platform.clock.monotonic()
        if url.cors and is_preflight(request.method, request.headers):
            headers = cors_headers(url.cors, request.headers, preflight=True)
            _measure(platform, home, 200, began)
            return Response(200, headers)
        try:
            response = await _Exchange(platform, request, place, home, url).answer()
        except AwsError as error:
            response = _fault(error)
        _measure(platform, home, response.status, began)
        if url.cors:
            own = without_cors(response.headers)
            response.headers = own + cors_headers(url.cors, request.headers, preflight=False)
        return response


def _measure(platform: Platform, home: UrlHome, status: int, began: float) -> None:
    """Count a request; a streamed answer took until its beginning.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
    """
    measures = platform.need(Measures)
    ref = FunctionRef(Scope(home.account, home.region), home.function, home.qualifier or LATEST)
    measures.count(ref, "UrlRequestCount")
    measures.count(ref, "Url4xxCount", 1.0 if 400 <= status < 500 else 0.0)
    measures.count(ref, "Url5xxCount", 1.0 if status >= 500 else 0.0)
    latency_ms = round((platform.clock.monotonic() - began) * 1_000, 2)
    measures.count(ref, "UrlRequestLatency", latency_ms, "Milliseconds")


class _Exchange:
    """One request to one URL, from signature to response."""

    def __init__(
        self, platform: Platform, request: Request, place: _Place, home: UrlHome, url: Url
    ) -> None:
        self._platform = platform
        self._request = request
        self._place = place
        self._home = home
        self._url = url
        self._scope = Scope(home.account, home.region)

    async def answer(self) -> Response:
        """The response. Raises AwsError."""
        body = await self._request.body.read(PAYLOAD_SYNC_BYTES_MAX)
        caller = ANONYMOUS
        if self._url.auth == "AWS_IAM":
            authenticator = self._platform.need(Authenticator)
            caller = await authenticator.authenticate(self._request, "lambda", body)
        ctx = self._platform.context(
            self._scope, caller, request=self._request, trace=current.get()
        )
        named: dict[str, str] = {"FunctionName": self._home.function}
        if self._home.qualifier:
            named["Qualifier"] = self._home.qualifier
        await ctx.call("lambda", "InvokeFunctionUrl", AuthType=self._url.auth, **named)
        functions = self._platform.need(Functions)
        ref = FunctionRef(self._scope, self._home.function, self._home.qualifier)
        entry = await functions.live.find(ref)
        trace_id = trace_id_of(ctx)
        event = self._event(ctx, body, caller, trace_id)
        if len(event) > PAYLOAD_SYNC_BYTES_MAX:
            raise RequestTooLarge("Request payload is too large.")
        call = Call(ctx.request_id, event, trace_id)
        if self._url.mode == "RESPONSE_STREAM":
            return await self._streamed(ctx, entry, call)
        ran = await functions.run(ctx, entry, functions.pick(entry), call)
        return self._finish(ctx, ran.outcome.payload, isinstance(ran.outcome, Failed), trace_id)

    def _event(self, ctx: Context, body: bytes, caller: Principal, trace_id: str) -> bytes:
        request = self._request
        return event_of(
            UrlCall(
                request.method,
                self._place.path,
                request.query,
                request.headers,
                body,
                request.peer,
                request.scheme,
                request.host,
                self._place.url_id,
                self._scope.account,
                ctx.request_id,
                None if caller.kind == "anonymous" else caller,
                trace_id,
                ctx.clock.now(),
            )
        )

    def _finish(self, ctx: Context, payload: bytes, has_failed: bool, trace_id: str) -> Response:
        if has_failed:
            return _bad_gateway(ctx.request_id)
        try:
            answer = answer_of(payload)
        except BadAnswer:
            return _bad_gateway(ctx.request_id)
        return _respond(answer, ctx.request_id, trace_id)

    async def _streamed(self, ctx: Context, entry: Entry, call: Call) -> Response:
        version = self._platform.need(Functions).pick(entry)
        stream = await open_stream(ctx, entry, version, call)
        pieces = stream.pieces()
        kind = stream.content_type or "application/json"
        if stream.has_failed:
            await pieces.aclose()
            return _bad_gateway(ctx.request_id)
        if kind != INTEGRATION_TYPE:
            head = [("content-type", kind), ("x-amzn-requestid", ctx.request_id)]
            return Response(200, head, pieces)
        try:
            status, headers, first = await _read_prelude(pieces)
        except BadAnswer:
            await pieces.aclose()
            return _bad_gateway(ctx.request_id)
        headers.append(("x-amzn-requestid", ctx.request_id))
        return Response(status, headers, _continued(first, pieces))


async def _read_prelude(
    pieces: AsyncIterator[bytes],
) -> tuple[int, list[tuple[str, str]], bytes]:
    received = b""
    async for piece in pieces:
        received += piece
        split = split_prelude(received)
        if split is not None:
            status, headers = head_of(split[0])
            return status, headers, split[1]
    raise BadAnswer("the response ended within its prelude")


async def _continued(first: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    try:
        if first:
            yield first
        async for piece in pieces:
            yield piece
    finally:
        await pieces.aclose()


def _respond(answer: Answer, request_id: str, trace_id: str) -> Response:
    headers = [
        *answer.headers,
        ("x-amzn-requestid", request_id),
        ("x-amzn-trace-id", trace_id),
    ]
    return Response(answer.status, headers, answer.body)


def _bad_gateway(request_id: str) -> Response:
    headers = [("content-type", "text/plain"), ("x-amzn-requestid", request_id)]
    return Response(502, headers, b"Internal Server Error")


def _refusal(status: int, message: str, error: str) -> Response:
    headers = [("content-type", "application/json"), ("x-amzn-errortype", error)]
    return Response(status, headers, msgspec.json.encode({"Message": message}))


def _fault(error: AwsError) -> Response:
    if isinstance(error, LambdaError) and not isinstance(error, ResourceNotFoundException):
        body = msgspec.json.encode({**error.fields, "message": error.message})
        headers = [("content-type", "application/json"), ("x-amzn-errortype", error.code)]
        return Response(error.http_status or 500, headers, body)
    if isinstance(error, RequestTooLarge):
        return _refusal(413, "Request Entity Too Large", "RequestEntityTooLargeException")
    if isinstance(error, AccessDenied):
        return _refusal(403, _FORBIDDEN, "AccessDeniedException")
    status = error.http_status or 500
    if isinstance(error, Generic) and status < 500:
        return _refusal(403, error.message, f"{error.code}Exception")
    return _refusal(status, "Internal Server Error", "InternalServerError")


class CodeSurface:
    """Serves the links to packages that GetFunction and GetLayerVersion give."""

    name = "lambda-code"

    def match(self, request: Request) -> bool:
        """By path."""
        return request.path.startswith(CODE_PATH)

    async def serve(self, platform: Platform, request: Request) -> Response:
        """The package, while the link is good."""
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "Method Not Allowed", "MethodNotAllowed")
        blob_id = read_link(platform.need(Sealer), request.path, platform.clock.now())
        if blob_id is None:
            return _refusal(403, "Request has expired or is not valid.", "AccessDenied")
        headers = [("content-type", "application/zip")]
        try:
            return Response(200, headers, platform.need(Blobs).open(blob_id))
        except NoSuchBlob:
            return _refusal(404, "The package has been deleted.", "NoSuchKey")
