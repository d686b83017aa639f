"""What tests of HTTP and WebSocket APIs share: a client, APIs that are cleaned up, raw requests."""

from __future__ import annotations

import contextlib
import http.client
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.apigateway.conftest import Answer

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:nothing"
FUNCTION_URI = (
    f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
)


@dataclass
class HttpApi:
    """One HTTP API under test, with a `$default` stage that deploys by itself."""

    client: Any
    endpoint: str
    id: str

    def integration(self, **settings: Any) -> str:
        """Adds an integration; answers its id."""
        return str(self.client.create_integration(ApiId=self.id, **settings)["IntegrationId"])

    def http(self, url: str, method: str = "ANY", **settings: Any) -> str:
        """Adds an integration with an HTTP backend."""
        return self.integration(
            IntegrationType="HTTP_PROXY",
            IntegrationMethod=method,
            IntegrationUri=url,
            PayloadFormatVersion="1.0",
            **settings,
        )

    def function(self, arn: str, version: str = "2.0", **settings: Any) -> str:
        """Adds an integration with a function."""
        return self.integration(
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion=version,
            **settings,
        )

    def route(self, key: str, integration: str, **settings: Any) -> str:
        """Adds a route to an integration; answers its id."""
        made = self.client.create_route(
            ApiId=self.id, RouteKey=key, Target=f"integrations/{integration}", **settings
        )
        return str(made["RouteId"])

    def call(
        self,
        verb: str,
        path: str,
        *,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        body: bytes | None = None,
        host: str = "",
    ) -> Answer:
        """Sends the path exactly as it is given."""
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=40)
        try:
            connection.putrequest(verb, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or f"{self.id}.execute-api.localhost")
            given = headers.items() if isinstance(headers, dict) else (headers or [])
            for name, value in given:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            connection.close()


@pytest.fixture(scope="session")
def v2(cloud: Any) -> Any:
    return cloud.client("apigatewayv2")


@pytest.fixture
def made(v2: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Makes APIs that are removed after the test."""
    ids: list[str] = []

    def make(protocol: str = "HTTP", **settings: Any) -> dict[str, Any]:
        if protocol == "WEBSOCKET":
            settings.setdefault("RouteSelectionExpression", "$request.body.action")
        name = settings.pop("Name", f"t-{uuid.uuid4().hex[:10]}")
        api = v2.create_api(Name=name, ProtocolType=protocol, **settings)
        ids.append(api["ApiId"])
        return api

    yield make
    for api_id in ids:
        with contextlib.suppress(ClientError):
            v2.delete_api(ApiId=api_id)


@pytest.fixture
def http_api(cloud: Any, v2: Any, made: Callable[..., dict[str, Any]]) -> HttpApi:
    api = made()
    v2.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
    return HttpApi(v2, cloud.endpoint, api["ApiId"])
