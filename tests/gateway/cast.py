"""What the playbooks share: a stage built from plain words, and a backend that plays its part."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cumulet.core.clock import ManualClock
from cumulet.core.context import Context
from cumulet.core.http import Response
from cumulet.core.identity import ANONYMOUS, Principal, Scope
from cumulet.core.trace import Trace
from cumulet.kit.policy import IdentityPolicies
from cumulet.kit.ports import Authenticator, Metrics, Policies, Usage
from cumulet.services.apigateway.admission.authorizers import Grants
from cumulet.services.apigateway.admission.buckets import Buckets
from cumulet.services.apigateway.model import Deployment, Method, Resource, RestApi, Stage
from cumulet.services.apigateway.pipeline.integrations.roles import RoleSessions
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.pipeline.observe.measure import Measures
from cumulet.services.apigateway.pipeline.served import serve_stage

SCOPE = Scope("123456789012", "eu-west-1")
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
URI = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
TRACE = "Root=1-00000000-000000000000000000000000"


@dataclass
class Played:
    """What came of a request: the answer, and the calls that were made for it."""

    response: Response
    calls: list[tuple[str, str, dict[str, Any], Principal]]

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.response.headers}

    @property
    def body(self) -> Any:
        assert isinstance(self.response.body, bytes)
        return json.loads(self.response.body)

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.calls[-1][2]["Payload"])


class Measured(list[tuple[str, dict[str, str], float, str]]):
    """What was measured, as CloudWatch would hear it."""

    def record_all(self, scope, namespace, name, dimensions, values, unit="Count"):
        assert (scope, namespace) == (SCOPE, "AWS/ApiGateway")
        self.extend((name, dict(dimensions), value, unit) for value in values)


class Unbilled:
    """Takes what is used, for which nobody is charged here."""

    def used(self, *_: Any, **__: Any) -> None: ...


@dataclass
class Cast:
    """The platform as the pipeline sees it: what other services answer, and who signs."""

    answers: Callable[[str, str, dict[str, Any]], Any]
    signer: Callable[[], Principal] = lambda: ANONYMOUS
    policies: IdentityPolicies = field(default_factory=IdentityPolicies)
    parts: dict[type, Any] = field(default_factory=dict)
    calls: list[Any] = field(default_factory=list)
    clock: ManualClock = field(default_factory=ManualClock)
    endpoint: str = "http://localhost:4566"

    def context(self, scope, caller, *, request=None, request_id="", trace=None):
        return Context(self, scope, caller, request_id or "req-1", trace or Trace(), request)

    async def call(self, ctx, service, operation, request):
        self.calls.append((service, operation, dict(request), ctx.caller))
        result = self.answers(service, operation, dict(request))
        if isinstance(result, BaseException):
            raise result
        return await result if asyncio.iscoroutine(result) else result

    async def authenticate(self, request, service, body):
        assert service == "execute-api"
        return self.signer()

    async def of(self, principal):
        return self.policies

    def need(self, kind):
        if kind in (Invocations, Buckets, Grants, RoleSessions):
            return self.parts.setdefault(kind, kind())
        if kind is Metrics:
            return self.parts.setdefault(kind, Measured())
        if kind is Usage:
            return self.parts.setdefault(kind, Unbilled())
        if kind is Measures:
            return self.parts.setdefault(kind, Measures(self))
        assert kind in (Authenticator, Policies) or kind in self.parts
        return self.parts.get(kind, self)


def method(verb: str = "ANY", /, **parts: Any) -> Method:
    """A method from members in AWS's spelling; `integration` has AWS's defaults."""
    integration = {
        "type": "AWS_PROXY",
        "httpMethod": "POST",
        "uri": URI,
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29_000,
        "cacheNamespace": "r",
        "cacheKeyParameters": [],
        **parts.pop("integration", {}),
    }
    return msgspec.convert(
        {
            "httpMethod": verb,
            "authorizationType": "NONE",
            "apiKeyRequired": False,
            "methodIntegration": integration,
            # What an integration answers with must be a response of the method.
            "methodResponses": {
                status: {"statusCode": status}
                for status in integration.get("integrationResponses") or {}
            },
            **parts,
        },
        Method,
    )


def stage_of(
    routes: dict[str, list[Method]],
    *,
    variables=None,
    deployment=None,
    method_settings=None,
    **settings: Any,
):
    """A deployed stage `prod` with these routes; `settings` are the API's."""
    api = msgspec.convert(
        {
            "id": "abc123",
            "name": "n",
            "createdDate": 0,
            "rootResourceId": "root",
            "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
            "apiKeySource": "HEADER",
            "disableExecuteApiEndpoint": False,
            **settings,
        },
        RestApi,
    )
    made = Deployment(
        **{"api_id": "abc123", "id": "dep1", "created_date": 0, "api": api, **(deployment or {})}
    )
    stage = Stage(
        api_id="abc123",
        stage_name="prod",
        deployment_id="dep1",
        created_date=0,
        last_updated_date=0,
        cache_cluster_enabled=False,
        cache_cluster_status="NOT_AVAILABLE",
        method_settings=method_settings or {},
        tracing_enabled=False,
        variables=variables,
    )
    resources = [
        Resource(
            api_id="abc123",
            id=f"r{number}",
            path=path,
            resource_methods={one.http_method: one for one in methods},
        )
        for number, (path, methods) in enumerate(routes.items())
    ]
    disabled = api.disable_execute_api_endpoint
    return serve_stage(SCOPE, stage, made, resources, disabled=disabled)


def lambda_says(answer: Any) -> Callable[[str, str, dict[str, Any]], Any]:
    """A function that always answers so; a text is its raw payload."""
    payload = answer if isinstance(answer, str) else json.dumps(answer)
    return lambda service, operation, request: {"StatusCode": 200, "Payload": payload.encode()}
