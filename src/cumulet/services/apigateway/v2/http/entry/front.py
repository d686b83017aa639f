"""The front of HTTP APIs: which API and stage a request is for, and what is kept ready for it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from cumulet.core.clock import new_hex
from cumulet.core.context import Platform
from cumulet.core.errors import RequestTooLarge
from cumulet.core.http import Request, Response
from cumulet.core.identity import Scope
from cumulet.core.trace import Trace
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store
from cumulet.kv.tuples import pack, unpack
from cumulet.services.apigateway.admission.jwt.issuers import Issuers
from cumulet.services.apigateway.model import Place
from cumulet.services.apigateway.store import NOWHERE, PLACES
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.http.arrival import Arrival
from cumulet.services.apigateway.v2.http.entry.fetching import fetcher
from cumulet.services.apigateway.v2.http.measures import HttpMeasures
from cumulet.services.apigateway.v2.http.prepared.served import ServedApi, ServedStage, serve_stage
from cumulet.services.apigateway.v2.http.refusals import (
    Refusal,
    forbidden,
    head_too_large,
    not_found,
    too_large,
)
from cumulet.services.apigateway.v2.http.respond import respond_refusal
from cumulet.services.apigateway.v2.http.steps import answer
from cumulet.services.apigateway.v2.limits import (
    APIS_CACHED_MAX,
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
)
from cumulet.services.apigateway.v2.model import DEFAULT, HTTP

_SCOPES_MAX = 1_000
_KINDS = frozenset({"api", "stage"})
"""What a served API is made of: deployments never change, and its parts are copied into them."""


class HttpApis:
    """The HTTP APIs that are being served, in memory until something of them changes."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._places: CachedView[str, Place | None] = CachedView(
            self._store, PLACES.prefix(NOWHERE), self._load_place
        )
        self._views: dict[Scope, CachedView[str, ServedApi | None]] = {}

    async def place(self, api_id: str) -> Place | None:
        """Where the API lives, and which protocol it speaks; None when there is none."""
        return await self._places.get(api_id)

    async def find(self, api_id: str) -> ServedApi | None:
        """The HTTP API ready to serve, or None when it is not there or of another protocol."""
        place = await self._places.get(api_id)
        if place is None or place.protocol != HTTP:
            return None
        scope = Scope(place.account, place.region)
        view = self._views.get(scope)
        return await (self._view(scope) if view is None else view).get(api_id)

    def _view(self, scope: Scope) -> CachedView[str, ServedApi | None]:
        if len(self._views) >= _SCOPES_MAX:
            for view in self._views.values():
                view.close()
            self._views.clear()

        async def load(api_id: str) -> ServedApi | None:
            return await self._load_api(scope, api_id)

        prefix = pack((scope.account, scope.region, store.SERVICE))
        made = CachedView(self._store, prefix, load, affects=_affected, entries_max=APIS_CACHED_MAX)
        self._views[scope] = made
        return made

    async def _load_place(self, api_id: str) -> Place | None:
        async def load(tx: Any, scope: Scope) -> Place | None:
            return await PLACES.load(tx, scope, api_id)

        return await self._platform.transact(load, NOWHERE)

    async def _load_api(self, scope: Scope, api_id: str) -> ServedApi | None:
        found = await self._platform.transact(store.load_served, scope, api_id)
        if found is None:
            return None
        api, stages = found
        served = {
            stage.stage_name: serve_stage(scope, stage, snapshot) for stage, snapshot in stages
        }
        return ServedApi(scope, api_id, api.protocol_type, served)


def _affected(changed: bytes) -> Iterable[str]:
    """The API that a changed key is of, when it is one that served APIs are made from."""
    _, _, _, kind, *rest = unpack(changed)
    return (str(rest[0]),) if kind in _KINDS and rest else ()


def provides(platform: Platform) -> Mapping[type, Any]:
    """The parts that HTTP APIs need besides those of REST APIs."""
    return {
        HttpApis: HttpApis(platform),
        Issuers: Issuers(platform.clock, fetcher(platform)),
        HttpMeasures: HttpMeasures(platform),
    }


async def serve(
    platform: Platform,
    request: Request,
    trace: Trace,
    api_id: str,
    *,
    stage: str | None = None,
    path: str | None = None,
    base_path: str = "",
    by_domain: bool = False,
) -> Response:
    """Answer a request to an HTTP API.

    Without a `stage` the path's first segment may name one, and else `$default` is meant. `path` is
    what follows the stage; by default it is the request's. `by_domain` says that a custom domain
    led here, with `base_path`.
    """
    api = await platform.need(HttpApis).find(api_id)
    found, rest = _stage_of(api, request.path if path is None else path, stage)
    is_own = ".execute-api." in request.host or by_domain
    arrival = _arrived(
        platform,
        request,
        trace,
        path=rest,
        whole_path=request.path if is_own else _behind(found, rest),
        prefix=request.host.partition(".")[0] if is_own else api_id,
        base_path=base_path,
    )
    try:
        if api is None:
            raise forbidden("no such API")
        if found is None or (found.is_disabled and not by_domain):
            raise not_found()
        read = await _with_body(arrival)
    except Refusal as refusal:
        trace.note(gateway_fault=refusal.kind, gateway_cause=refusal.cause)
        return respond_refusal(arrival, found.cors if found is not None else None, refusal)
    return await answer(platform, found, read, trace)


def refuse(platform: Platform, request: Request, trace: Trace, refusal: Refusal) -> Response:
    """The gateway's answer to a request that is for no stage of an HTTP API."""
    trace.note(gateway_fault=refusal.kind, gateway_cause=refusal.cause)
    path = request.path
    arrival = _arrived(
        platform, request, trace, path=path, whole_path=path, prefix="", base_path=""
    )
    return respond_refusal(arrival, None, refusal)


def _arrived(
    platform: Platform,
    request: Request,
    trace: Trace,
    *,
    path: str,
    whole_path: str,
    prefix: str,
    base_path: str,
) -> Arrival:
    return Arrival(
        request=request,
        body=b"",
        path=path,
        whole_path=whole_path,
        domain=request.host.partition(":")[0],
        domain_prefix=prefix,
        base_path=base_path,
        request_id=base64.b64encode(platform.clock.random_bytes(11)).decode(),
        trace_header=_trace_header(platform, request, trace),
        epoch_ms=int(platform.clock.now() * 1000),
        started=platform.clock.monotonic(),
    )


def _stage_of(
    api: ServedApi | None, path: str, named: str | None
) -> tuple[ServedStage | None, str]:
    if api is None:
        return None, path
    if named is not None:
        return api.stages.get(named), path or "/"
    first, slash, rest = path.lstrip("/").partition("/")
    name = unquote(first)
    found = api.stages.get(name) if name != DEFAULT else None
    if found is not None:
        return found, f"/{rest}" if slash else "/"
    return api.stages.get(DEFAULT), path


def _behind(stage: ServedStage | None, path: str) -> str:
    """The path as it would be at the API's own address."""
    return path if stage is None or stage.name == DEFAULT else f"/{stage.name}{path}"


async def _with_body(arrival: Arrival) -> Arrival:
    request = arrival.request
    head = len(request.path) + len(request.query) + sum(len(v) for _, v in request.headers)
    if head > HEAD_BYTES_MAX:
        raise head_too_large()
    try:
        body = await request.body.read(BODY_BYTES_MAX)
    except RequestTooLarge as cause:
        raise too_large() from cause
    return replace(arrival, body=body) if body else arrival


def _trace_header(platform: Platform, request: Request, trace: Trace) -> str:
    """The caller's own header when it names a trace, else the trace of this request."""
    given = request.headers.get("x-amzn-trace-id")
    if trace.trace_id:
        return given if f"Root={trace.trace_id}" in given else f"Root={trace.trace_id}"
    clock = platform.clock
    return f"Root=1-{int(clock.now()):08x}-{new_hex(clock, 24)}"
