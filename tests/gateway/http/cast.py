"""What the playbooks of HTTP APIs share: a stage in plain words, and a world that answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from tests.gateway.cast import FUNCTION, SCOPE, TRACE, URI, Cast, lambda_says

from cumulet.core.clock import ManualClock
from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody, Headers, Request, Response
from cumulet.core.identity import ANONYMOUS, Principal
from cumulet.core.trace import Trace
from cumulet.kit.policy import IdentityPolicies
from cumulet.kit.ports import LogSink, Metrics, WebIdentities
from cumulet.services.apigateway.admission.authorizers import Grants
from cumulet.services.apigateway.admission.buckets import Buckets
from cumulet.services.apigateway.admission.jwt.issuers import Issuers
from cumulet.services.apigateway.pipeline.integrations.connections import Connections
from cumulet.services.apigateway.pipeline.integrations.outbound import OutboundError
from cumulet.services.apigateway.v2.http.arrival import Arrival
from cumulet.services.apigateway.v2.http.measures import HttpMeasures
from cumulet.services.apigateway.v2.http.prepared.served import ServedStage, serve_stage
from cumulet.services.apigateway.v2.http.steps import answer
from cumulet.services.apigateway.v2.model import (
    Api,
    Authorizer,
    Integration,
    JwtConfiguration,
    Route,
    RouteSettings,
    Snapshot,
    Stage,
)

ISSUER = "https://issuer.example"
JWT = Authorizer(
    api_id="abc123",
    authorizer_id="jwt",
    authorizer_type="JWT",
    name="jwt",
    identity_source=("$request.header.Authorization",),
    jwt_configuration=JwtConfiguration(audience=("me",), issuer=ISSUER),
)
GUARD = Authorizer(
    api_id="abc123",
    authorizer_id="guard",
    authorizer_type="REQUEST",
    name="guard",
    identity_source=("$request.header.who", "$request.querystring.q"),
    authorizer_uri=URI.replace(":f/", ":auth/"),
    authorizer_payload_format_version="2.0",
    authorizer_result_ttl_in_seconds=0,
    enable_simple_responses=True,
)
POLICY = msgspec.structs.replace(GUARD, authorizer_id="policy", enable_simple_responses=False)
CLAIMS = {"iss": ISSUER, "aud": "me", "exp": 1_700_000_060, "scope": "read"}
WHO = [("who", "me")]
USER = Principal("user", SCOPE.account, "arn:aws:iam::123456789012:user/u", "AIDAU")


def served(
    *, auth: str = "NONE", authorizer: str = "", scopes: tuple[str, ...] = (), **more: Any
) -> ServedStage:
    """A stage with `GET /it` (or the route `key`) behind this authorization."""
    settings = RouteSettings(**more.pop("throttle", {}))
    api = Api(
        api_id="abc123",
        name="n",
        protocol_type="HTTP",
        created_date=0,
        route_selection_expression="${request.method} ${request.path}",
        api_key_selection_expression="$request.header.x-api-key",
        disable_execute_api_endpoint=False,
        ip_address_type="ipv4",
        cors_configuration=more.pop("cors", None),
    )
    backend = {
        "api_id": "abc123",
        "integration_id": "i",
        "integration_type": "AWS_PROXY",
        "integration_uri": FUNCTION,
        "integration_method": "GET",
        "connection_type": "INTERNET",
        "timeout_in_millis": 29_000,
        "payload_format_version": "2.0",
        **more.pop("backend", {}),
    }
    route = Route(
        api_id="abc123",
        route_id="r",
        route_key=more.pop("key", "GET /it"),
        api_key_required=False,
        authorization_type=auth,
        authorizer_id=authorizer or None,
        authorization_scopes=scopes or None,
        target="integrations/i",
    )
    stage = Stage(
        api_id="abc123",
        stage_name="$default",
        auto_deploy=True,
        created_date=0,
        last_updated_date=0,
        default_route_settings=settings,
        route_settings={},
        stage_variables={},
    )
    snapshot = Snapshot(
        api=api,
        routes=(route,),
        integrations=(Integration(**backend),),
        authorizers=(JWT, GUARD, POLICY),
    )
    return serve_stage(SCOPE, stage, snapshot)


class Told:
    """What is told of requests, kept."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}

    def record_all(self, scope, namespace, name, dimensions, values, unit="Count"):
        assert (scope, namespace) == (SCOPE, "AWS/ApiGateway")
        if dimensions == (("ApiId", "abc123"),):
            self.metrics[name] = values[-1]

    def write(self, *line: Any) -> None:
        """Lines are looked at elsewhere."""


class Identities:
    """Tokens that are their own claims."""

    async def verify(self, token: str) -> dict[str, object] | None:
        return {**CLAIMS, **json.loads(token)} if token.startswith("{") else None

    async def knows(self, issuer: str) -> bool:
        return False


class Unreachable:
    """A backend that is not there."""

    async def send(self, *_: Any) -> Any:
        raise OutboundError("nobody there")


@dataclass
class Seen:
    """An answer, and the functions that were asked for it."""

    response: Response
    functions: list[str]
    metrics: Mapping[str, float] = field(default_factory=dict)


async def _never(url: str) -> bytes:
    raise OSError("no network in tests")


def play(
    stage: ServedStage,
    *,
    method: str = "GET",
    path: str = "/it",
    query: str = "",
    headers: list[tuple[str, str]] | None = None,
    answers: Callable[..., Any] | None = None,
    signer: Callable[[], Principal] | None = None,
    policies: IdentityPolicies | None = None,
    times: int = 1,
) -> Seen:
    told, clock = Told(), ManualClock()
    parts: dict[type, Any] = {
        Buckets: Buckets(),
        Grants: Grants(),
        Issuers: Issuers(clock, _never),
        Connections: Unreachable(),
        WebIdentities: Identities(),
        Metrics: told,
        LogSink: told,
    }
    platform = Cast(
        answers or lambda_says({"statusCode": 200}),
        signer or (lambda: ANONYMOUS),
        policies or IdentityPolicies(),
        parts,
        clock=clock,
    )
    parts[HttpMeasures] = measures = HttpMeasures(platform)
    given = [("Host", "abc123.execute-api.localhost"), *(headers or [])]

    async def go() -> Response:
        response = Response()
        for _ in range(times):
            arrival = Arrival(
                request=Request(method, path, query, Headers(given), BytesBody()),
                body=b"",
                path=path,
                whole_path=path,
                domain="abc123.execute-api.localhost",
                domain_prefix="abc123",
                base_path="",
                request_id="JKJaXmPLvHcESHA=",
                trace_header=TRACE,
                epoch_ms=1_700_000_000_000,
                started=clock.monotonic(),
            )
            response = await answer(platform, stage, arrival, Trace())
        return response

    response = asyncio.run(go())
    measures.tell()
    functions = [call[2].get("FunctionName", call[1]) for call in platform.calls]
    return Seen(response, [one.rpartition(":")[2] for one in functions], told.metrics)


def token(**claims: Any) -> list[tuple[str, str]]:
    return [("Authorization", json.dumps(claims, separators=(",", ":")))]


def says(name: str, value: Any) -> Callable[..., Any]:
    """The function of this name answers so, any other one 200."""

    def answers(service: str, operation: str, request: dict[str, Any]) -> Any:
        said = value if request["FunctionName"].endswith(f":{name}") else {"statusCode": 200}
        if isinstance(said, Exception):
            return said
        if isinstance(said, dict) and "FunctionError" in said:
            return said
        return {"StatusCode": 200, "Payload": json.dumps(said).encode()}

    return answers


def fails(message: str) -> dict[str, Any]:
    payload = json.dumps({"errorMessage": message}).encode()
    return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}


def raises(error: AwsError) -> Callable[[], Principal]:
    def signer() -> Principal:
        raise error

    return signer
