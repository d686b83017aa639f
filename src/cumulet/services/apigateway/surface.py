"""The front of deployed REST APIs: by host, and by the path forms of development machines."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from cumulet.core import trace as tracing
from cumulet.core.clock import Clock, new_hex
from cumulet.core.context import Platform
from cumulet.core.errors import RequestTooLarge
from cumulet.core.http import Request, Response
from cumulet.core.identity import Scope
from cumulet.core.trace import Trace
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store
from cumulet.kv.tuples import pack, unpack
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission.authorizers import Grants
from cumulet.services.apigateway.admission.buckets import Buckets
from cumulet.services.apigateway.admission.domains import hosts as domains
from cumulet.services.apigateway.admission.domains.lookup import REST, Domain, Domains
from cumulet.services.apigateway.admission.usage.passes import Passes
from cumulet.services.apigateway.admission.usage.quotas import Quotas
from cumulet.services.apigateway.limits import (
    BODY_BYTES_MAX,
    HEADER_BYTES_MAX,
    STAGES_CACHED_MAX,
)
from cumulet.services.apigateway.model import Place
from cumulet.services.apigateway.pipeline import answer
from cumulet.services.apigateway.pipeline.faults import (
    GatewayFault,
    forbidden,
    headers_too_long,
    too_long,
)
from cumulet.services.apigateway.pipeline.integrations.connections import Connections
from cumulet.services.apigateway.pipeline.integrations.kept import AnswerCache
from cumulet.services.apigateway.pipeline.integrations.roles import RoleSessions
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.pipeline.match import Arrival
from cumulet.services.apigateway.pipeline.observe.measure import Measures
from cumulet.services.apigateway.pipeline.respond import respond_fault
from cumulet.services.apigateway.pipeline.served import ServedStage, serve

_HOST = re.compile(r"(?P<api>[A-Za-z0-9]+)\.execute-api\.", re.IGNORECASE)
_USER_REQUEST = re.compile(
    r"/restapis/(?P<api>[A-Za-z0-9]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*|)\Z", re.DOTALL
)
_EXECUTE_API = re.compile(
    r"/_aws/execute-api/(?P<api>[A-Za-z0-9]+)/(?P<stage>[^/]+)(?P<path>/.*|)\Z", re.DOTALL
)
_SCOPES_MAX = 1_000
_ADDRESSES_MAX = 1_024
_IDS_DRAWN = 128
_UUID_BYTES, _EXTENDED_BYTES = 16, 11


class Address(NamedTuple):
    """What a request is addressed to; `path` is what follows the stage, as sent."""

    api_id: str
    stage: str
    path: str
    by_host: bool
    by_domain: bool = False
    """Whether a custom domain led there; its base path is not in `path`."""


_APART = frozenset(
    {
        *("api-key", "usage-plan", "usage-plan-key", "authorizer", "resource", "model"),
        *("validator", "gateway-response"),
    }
)
"""Records that no deployed stage is made of: deployments have copies of theirs."""


def _affected(changed: bytes) -> Iterable[tuple[str, str]] | None:
    """Nothing when what changed is no part of a stage; else everything."""
    kind = str((unpack(changed, count=4)[3:] or ("",))[0])
    return () if kind.partition("/")[0] in _APART else None


class Stages:
    """The stages that are being served, ready in memory until something of their APIs changes."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._places: CachedView[str, Place | None] = CachedView(
            self._store, store.PLACES.prefix(store.NOWHERE), self._load_place
        )
        self._views: dict[Scope, CachedView[tuple[str, str], ServedStage | None]] = {}

    async def find(self, api_id: str, stage: str) -> ServedStage | None:
        """The stage ready to serve, or None when the API or the stage is not there."""
        place = self._places.held(api_id) or await self._places.get(api_id)
        if place is None:
            return None
        scope = Scope(place.account, place.region)
        view = self._views.get(scope)
        if view is None:
            view = self._view(scope)
        key = (api_id, stage)
        return view.held(key) or await view.get(key)

    def _view(self, scope: Scope) -> CachedView[tuple[str, str], ServedStage | None]:
        if len(self._views) >= _SCOPES_MAX:
            for view in self._views.values():
                view.close()
            self._views.clear()

        async def load(key: tuple[str, str]) -> ServedStage | None:
            return await self._load_stage(scope, *key)

        made = CachedView(
            self._store,
            pack((scope.account, scope.region, "apigateway")),
            load,
            affects=_affected,
            entries_max=STAGES_CACHED_MAX,
        )
        self._views[scope] = made
        return made

    async def _load_place(self, api_id: str) -> Place | None:
        async def load(tx: Any, scope: Scope) -> Place | None:
            return await store.PLACES.load(tx, scope, api_id)

        return await self._platform.transact(load, store.NOWHERE)

    async def _load_stage(self, scope: Scope, api_id: str, name: str) -> ServedStage | None:
        found = await self._platform.transact(store.load_served, scope, api_id, name)
        if found is None:
            return None
        return serve(scope, found)


def provides(platform: Platform) -> Mapping[type, Any]:
    """The parts that the front needs."""
    return {
        Stages: Stages(platform),
        Invocations: Invocations(),
        Connections: Connections(platform.clock),
        RoleSessions: RoleSessions(),
        AnswerCache: AnswerCache(),
        Buckets: Buckets(),
        Grants: Grants(),
        Passes: Passes(platform),
        Quotas: Quotas(platform),
        RequestIds: RequestIds(platform.clock),
        Measures: Measures(platform),
        **domains.provides(platform),
    }


class RequestIds:
    """Makes the two ids of a request, from randomness that is drawn for many at once."""

    __slots__ = ("_at", "_clock", "_pool")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool = b""
        self._at = 0

    def new(self) -> tuple[str, str]:
        """A version 4 UUID, and the shorter id that AWS calls the extended one."""
        at, size = self._at, _UUID_BYTES + _EXTENDED_BYTES
        if at + size > len(self._pool):
            self._pool = self._clock.random_bytes(size * _IDS_DRAWN)
            at = 0
        self._at = at + size
        digits = self._pool[at : at + _UUID_BYTES].hex()
        # The version is 4, and the variant's two high bits are 10 (RFC 9562 §5.4).
        variant = "89ab"[int(digits[16], 16) & 3]
        extended = b2a_base64(self._pool[at + _UUID_BYTES : at + size], newline=False)
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}",
            extended.decode(),
        )


class ExecuteApi:
    """Answers requests to deployed APIs."""

    name = "execute-api"

    def match(self, request: Request) -> bool:
        """By the host `{api}.execute-api.…`, or by either path form."""
        if ".execute-api." in request.host:
            return True
        path = request.path
        if path.startswith("/_aws/execute-api/"):
            return True
        return path.startswith("/restapis/") and "/_user_request_" in path

    async def claims(self, platform: Platform, request: Request) -> bool:
        """By a custom domain that leads to a REST API, or to nothing."""
        domain = await platform.need(Domains).find(request.host)
        if domain is None:
            return False
        target = domain.target(request.path)
        return target is None or target.protocol == REST

    async def serve(self, platform: Platform, request: Request) -> Response:
        """Run the request through the pipeline; the gateway's own answers are AWS's."""
        domain = await platform.need(Domains).find(request.host)
        address = parse_address(request) if domain is None else address_by(domain, request)
        trace = tracing.current.get() or Trace()
        request_id, extended_id = platform.need(RequestIds).new()
        try:
            if address is None:
                raise forbidden()
            body, refused = await _read_body(request)
            stage = await platform.need(Stages).find(address.api_id, address.stage)
            host = request.host
            arrival = Arrival(
                request=request,
                body=body,
                path=address.path,
                whole_path=request.path if address.by_host else f"/{address.stage}{address.path}",
                by_domain=address.by_domain,
                domain=host,
                domain_prefix=host.partition(".")[0] if address.by_host else address.api_id,
                request_id=request_id,
                extended_id=extended_id,
                trace_header=_trace_header(platform, request, trace),
                epoch_ms=int(platform.clock.now() * 1000),
            )
            return await answer(platform, stage, arrival, trace, refused)
        except GatewayFault as fault:
            trace.note(gateway_fault=fault.kind, gateway_cause=fault.cause)
            return respond_fault(fault, request_id, extended_id)


def address_by(domain: Domain, request: Request) -> Address | None:
    """What the request is for by a custom domain; None when it leads nowhere, or when the domain
    asks for mutual TLS and the request has not come by it."""
    target = domain.target(request.path)
    if target is None or not domain.admits(request):
        return None
    return Address(target.api_id, target.stage, target.path, True, True)


def parse_address(request: Request) -> Address | None:
    """Which API and stage a request is for; None when its host or path does not say."""
    return _address_of(request.host, request.path)


@lru_cache(_ADDRESSES_MAX)
def _address_of(host: str, path: str) -> Address | None:
    """Kept: each front asks for it, and most APIs are asked for few paths over and over."""
    found = _HOST.match(host)
    if found is not None:
        stage, slash, rest = path.lstrip("/").partition("/")
        return Address(found["api"].lower(), unquote(stage), slash + rest, True)
    for form in (_USER_REQUEST, _EXECUTE_API):
        matched = form.match(path)
        if matched is not None:
            stage = unquote(matched["stage"])
            return Address(matched["api"].lower(), stage, matched["path"], False)
    return None


async def _read_body(request: Request) -> tuple[bytes, GatewayFault | None]:
    """The body, or why the request is not taken."""
    head = (
        len(request.path)
        + len(request.query)
        + sum([len(value) for _, value in request.headers.pairs])
    )
    if head > HEADER_BYTES_MAX:
        return b"", headers_too_long()
    try:
        return await request.body.read(BODY_BYTES_MAX), None
    except RequestTooLarge:
        return b"", too_long()


def _trace_header(platform: Platform, request: Request, trace: Trace) -> str:
    """The caller's own header when it names a trace, else the trace of this request."""
    given = request.headers.get("x-amzn-trace-id")
    if trace.trace_id:
        return given if f"Root={trace.trace_id}" in given else f"Root={trace.trace_id}"
    clock = platform.clock
    return f"Root=1-{int(clock.now()):08x}-{new_hex(clock, 24)}"
